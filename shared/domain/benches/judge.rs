//! What one event costs: `cargo bench -p domain` prints instructions and allocations of judging a
//! basket of 20 lines against 80,000 products at 100, 1,000 and 10,000 offers, and what finding
//! the candidates costs by the index and by looking at every offer.
//!
//! Instructions are counted by valgrind, where there is one: a process that does a thing 101 times
//! has done it a hundred times more than one that does it once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/cost/market.rs"]
mod market;

use std::alloc::System;
use std::hint::black_box;
use std::process::Command;

use domain::award::{Facts, Mode, judge};
use domain::offer::{Offer, Subject};
use market::Market;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SIZES: [usize; 3] = [100, 1_000, 10_000];

type Way = fn(&Market);

const WAYS: [(&str, Way); 3] = [("judge", judged), ("index", indexed), ("scan", scanned)];

fn judged(market: &Market) {
    let Market { programme, wallet, event, now } = market;
    black_box(judge(programme, wallet, *now, event, Mode::Interactive, &Facts::none()));
}

fn indexed(market: &Market) {
    let subject = Subject::of(&market.programme, &market.event.event);
    let candidates = market.programme.offers.candidates(&subject);
    black_box(candidates.count());
}

fn scanned(market: &Market) {
    black_box(scan(market).len());
}

fn scan(market: &Market) -> Vec<&Offer> {
    let programme = &market.programme;
    let subject = Subject::of(programme, &market.event.event);
    let fits = |offer: &&Offer| offer.excludes(&subject).is_none();
    programme.offers.iter().filter(fits).collect()
}

fn main() {
    let given: Vec<String> = std::env::args().collect();
    match given.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "repeat", way, size, times] => {
            let market = Market::with(size.parse().unwrap());
            let way = WAYS.iter().find(|(name, _)| name == way).expect("a way").1;
            (0..times.parse().unwrap()).for_each(|_: u32| way(&market));
            // What taking it down costs depends on how the memory lies.
            std::mem::forget(market);
        }
        _ => table(),
    }
}

fn table() {
    println!("{:>8} {:>8} {:>14} {:>12}", "offers", "", "instructions", "allocations");
    for size in SIZES {
        let market = Market::with(size);
        let subject = Subject::of(&market.programme, &market.event.event);
        let found = market.programme.offers.candidates(&subject);
        assert!(found.map(|offer| &offer.id).eq(scan(&market).iter().map(|offer| &offer.id)));
        for (name, way) in WAYS {
            way(&market);
            let region = Region::new(ALLOCATOR);
            way(&market);
            let change = region.change();
            let allocations = change.allocations + change.reallocations;
            let instructions = instructions(name, size).map_or("-".to_owned(), |i| i.to_string());
            println!("{size:>8} {name:>8} {instructions:>14} {allocations:>12}");
        }
    }
}

/// Of doing it once; none without valgrind.
fn instructions(way: &str, size: usize) -> Option<u64> {
    let times = |times: u64| {
        let this = std::env::current_exe().ok()?;
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(this);
        // Arguments of one length leave the memory of both processes alike.
        let told = valgrind.args(["repeat", way, &size.to_string(), &format!("{times:03}")]);
        let told = String::from_utf8(told.output().ok()?.stderr).ok()?;
        let collected = told.lines().find_map(|line| line.split_once("Collected :"))?.1;
        collected.trim().parse::<u64>().ok()
    };
    Some((times(101)? - times(1)?) / 100)
}
