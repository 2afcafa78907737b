//! What one event costs must not depend on offers that cannot award it. Work is counted, not timed:
//! allocations, and offers that are looked at. A test binary of its own, with one test, because it
//! counts all allocations of the process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod market;

use std::alloc::System;

use domain::award::{Facts, Mode, judge};
use domain::offer::{Offer, Subject};
use market::Market;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What judging the basket of a market takes.
#[derive(Debug, PartialEq, Eq)]
struct Work {
    awards: Vec<String>,
    allocations: usize,
}

fn work(market: &Market) -> Work {
    let Market { programme, wallet, event, now } = market;
    let region = Region::new(ALLOCATOR);
    let judged = judge(programme, wallet, *now, event, Mode::Interactive, &Facts::none());
    let change = region.change();
    let awards = judged.awards.iter().map(|award| format!("{} {}", award.offer, award.amount.0));
    Work { awards: awards.collect(), allocations: change.allocations + change.reallocations }
}

/// Offers that are looked at, and those that are candidates, by the index and by looking at all.
fn looked_at(market: &Market) -> usize {
    let programme = &market.programme;
    let subject = Subject::of(programme, &market.event.event);
    let fits = |offer: &&Offer| offer.excludes(&subject).is_none();
    let scanned = programme.offers.iter().filter(fits).map(|offer| &offer.id);
    let found = programme.offers.candidates(&subject).map(|offer| &offer.id);
    assert!(scanned.eq(found), "the index agrees with a scan");
    programme.offers.found(&subject).len()
}

#[test]
fn an_event_costs_the_same_among_a_hundred_and_among_ten_thousand_offers() {
    let markets = [100, 1_000, 10_000].map(Market::with);
    let works = markets.each_ref().map(|market| {
        work(market);
        work(market)
    });
    let awards = ["everyone 368", "product 50", "category 13", "brand 552"];
    assert_eq!(works[0].awards, awards);
    assert!(works[0].allocations <= 10, "{works:?}");
    assert_eq!(works[0], works[1]);
    assert_eq!(works[0], works[2]);
    let looks = markets.each_ref().map(looked_at);
    assert!(looks[0] >= 5 && looks[1] <= 10 && looks[2] <= 20, "{looks:?} offers are looked at");
}
