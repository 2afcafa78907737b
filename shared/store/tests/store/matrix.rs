//! Every call of every operation, with everything that can happen to it.

use std::collections::BTreeMap;

use serde_json::Value;
use store::{Error, Result, Store};

use crate::cast::{open, seed};
use crate::fault::Fault;
use crate::history::Place;
use crate::laws::walk;
use crate::operation::{Cast, Operation};
use crate::wire::Wire;

type Items = BTreeMap<Place, Value>;

/// What an operation comes to on a good wire.
struct Clean {
    calls: Vec<String>,
    answer: String,
    items: Items,
}

async fn prepared(cast: &Cast) -> Items {
    let wire = Wire::new(0);
    cast.prepare(&open(&wire, false)).await.unwrap();
    wire.items()
}

fn world(items: &Items, seed: u64) -> Wire {
    let wire = Wire::new(seed);
    wire.load(items);
    wire
}

async fn clean(cast: &Cast, start: &Items, operation: Operation) -> Clean {
    let wire = world(start, 0);
    let store = open(&wire, false);
    let answer = cast.ask(&store, operation).await.unwrap();
    let calls = wire.take_calls().into_iter().map(|call| call.operation).collect();
    let items = wire.items();
    assert_eq!(cast.ask(&store, operation).await.unwrap(), answer, "{operation:?}: a repeat");
    assert_eq!(
        contents(&wire.items(), operation),
        contents(&items, operation),
        "{operation:?}: a repeat changes nothing"
    );
    check_laws(&wire);
    Clean { calls, answer, items }
}

/// Asks with the same key until there is an answer, as callers do.
async fn insist(cast: &Cast, store: &Store, operation: Operation) -> Result<String> {
    let mut answer = cast.ask(store, operation).await;
    for _ in 0..3 {
        let Err(Error::Unavailable(_) | Error::Contended) = answer else { break };
        answer = cast.ask(store, operation).await;
    }
    answer
}

/// All that is stored. How often a profile was written does not matter, nor how often a PIN was
/// tried: they say the same.
fn contents(items: &Items, operation: Operation) -> Items {
    let mut items = items.clone();
    if matches!(operation, Operation::Register | Operation::RegisterAgain) {
        let profiles = items.iter_mut().filter(|((_, sk), _)| sk == "A");
        profiles.for_each(|(_, item)| drop(item.as_object_mut().unwrap().remove("v")));
    }
    let tries_pins = [
        Operation::LookUpPass,
        Operation::RedeemWithPin,
        Operation::RedeemRefused,
        Operation::RedeemNameless,
        Operation::SpendWithPass,
        Operation::SpendWithPassRefused,
        Operation::HoldWithPass,
        Operation::RegisterNameless,
        Operation::MergeNameless,
    ];
    if tries_pins.contains(&operation) {
        let passes = items.iter_mut().filter(|((_, sk), _)| sk == "X");
        passes.for_each(|(_, item)| drop(item.as_object_mut().unwrap().remove("v")));
    }
    items
}

fn check_laws(wire: &Wire) {
    for (pk, sk) in wire.items().keys() {
        if let (Some(who), "S") = (pk.strip_prefix("P#"), sk.as_str()) {
            walk(wire, &crate::cast::person(who));
        }
    }
}

/// One cell: the operation with one call gone wrong ends as if nothing had. Answers how often it
/// went wrong, and what differs.
async fn cell(cast: &Cast, start: &Items, clean: &Clean, case: &Case) -> (u32, Vec<String>) {
    let wire = world(start, case.seed);
    let store = open(&wire, case.retries);
    wire.fault_at(case.call, case.fault);
    let answer = insist(cast, &store, case.operation).await;
    wire.deliver_late();
    let first = wire.items();
    let repeated = cast.ask(&store, case.operation).await;
    check_laws(&wire);
    let mut wrong = Vec::new();
    for (when, answer) in [("answer", answer), ("later answer", repeated)] {
        if answer.as_ref().ok() != Some(&clean.answer) {
            wrong.push(format!("{when}: {answer:?}"));
        }
    }
    let want = contents(&clean.items, case.operation);
    for (when, items) in [("stored", first), ("stored later", wire.items())] {
        let found = contents(&items, case.operation);
        let places = found.keys().chain(want.keys().filter(|place| !found.contains_key(*place)));
        for place in places.filter(|place| found.get(*place) != want.get(*place)) {
            wrong.push(format!("{when}: {place:?}"));
        }
    }
    (u32::from(!wire.awaits_fault()), wrong)
}

#[derive(Debug)]
struct Case {
    operation: Operation,
    call: usize,
    fault: Fault,
    retries: bool,
    seed: u64,
}

/// Tries every call of every operation with every fault, and prints how often each cell was tried.
async fn matrix(retries: bool) {
    let mut seeds = fastrand::Rng::with_seed(seed(&format!("matrix, SDK retries: {retries}")));
    let cast = Cast::new();
    let start = prepared(&cast).await;
    let mut table = format!("{:<28}{:<22}", "operation", "call");
    Fault::ALL.iter().for_each(|fault| table += &format!("{fault:?}  "));
    let (mut empty, mut wrongs) = (0, Vec::new());
    for &operation in Operation::ALL {
        let clean = clean(&cast, &start, operation).await;
        assert!(!clean.calls.is_empty(), "{operation:?} asks the table");
        for (call, name) in clean.calls.iter().enumerate() {
            table += &format!("\n{:<28}{call:<2}{name:<20}", format!("{operation:?}"));
            for fault in Fault::ALL {
                let mut cell_text = "-".to_owned();
                if fault.applies_to(name) {
                    let case = Case { operation, call, fault, retries, seed: seeds.u64(..) };
                    let (count, wrong) = cell(&cast, &start, &clean, &case).await;
                    wrongs.extend(wrong.into_iter().map(|wrong| format!("{case:?}: {wrong}")));
                    empty += u32::from(count == 0);
                    cell_text = count.to_string();
                }
                table += &format!("{cell_text:>width$}  ", width = format!("{fault:?}").len());
            }
        }
    }
    println!("{table}");
    assert_eq!(empty, 0, "cells that nothing was tried in");
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

/// one key, one effect, one answer; whatever happens to which call.
#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_with_a_call_its_caller_repeats_it_and_it_happens_once() {
    matrix(false).await;
}

/// likewise where the SDK repeats calls on its own, as in production.
#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_with_a_call_the_sdk_repeats_it_and_it_happens_once() {
    matrix(true).await;
}
