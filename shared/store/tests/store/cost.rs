//! What operations cost, as the table reports it: the budget of the design.

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{Detail, Judge};
use domain::id::{EventId, TransactionCode};
use domain::offer::{AwardForm, Expiry, Limit, Offer, Quota};
use domain::programme::Programme;
use domain::returns::ReturnedLine;
use domain::spend::SpendAsked;
use domain::time::{Calendar, Duration, Month};
use store::{
    Activating, CancelEvent, CancelSpend, EventCancelled, Judging, Posting, Redeeming, RequestKey,
    SpendDone, Spending, Store,
};

use crate::cards::{Cards, pin};
use crate::cast::{
    asked, cancelling, cash, event_id, gift, in_pieces, issue, key, later, noon, offer, open,
    payload, person, plan_key, post, printing, programme, publish, purchase, run_id, tenfold,
    timed_key,
};
use crate::event_types::{Request, request, statement};
use crate::nameless::Holder;
use crate::unasked::{automatic, consent, instant};
use crate::wire::Wire;

/// Times that each operation is done: ten pages' worth of entries.
const TIMES: i64 = 60;

/// A wallet that pays for what it does.
struct Bill {
    wire: Wire,
    store: Store,
    programme: Programme,
}

/// Hundredths of units for one of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Price {
    written: u64,
    read: u64,
}

impl Bill {
    async fn new(offers: Vec<Offer>) -> Bill {
        let wire = Wire::new(0);
        let bill = Bill { store: open(&wire, true), wire, programme: programme(offers) };
        bill.store.register(&person("c-1"), None, vec![]).await.unwrap();
        bill.post("e-first", 5_000_00, 0, true).await;
        bill
    }

    /// What was done since the last bill, shared out.
    fn price(&self, operation: &str, times: i64) -> Price {
        let calls = self.wire.take_calls();
        let times = u64::try_from(times).unwrap();
        let share = |tenths: u64| (tenths * 10 + times / 2) / times;
        let written = share(calls.iter().map(|call| call.written).sum());
        let read = share(calls.iter().map(|call| call.read).sum());
        let show = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
        println!("{operation:<44}{:>8}{:>8}", show(written), show(read));
        Price { written, read }
    }

    async fn post(&self, reference: &str, cents: i64, minute: i64, judge: bool) {
        let event = &in_pieces(purchase(&person("c-1"), reference, cents, noon()), 5);
        let (programme, now, payload, spend) = (&self.programme, later(minute), payload(1), None);
        let enrols = true;
        let order = Posting {
            programme,
            now,
            event,
            payload,
            spend,
            judge,
            enrols,
            codes: store::Codes::default(),
        };
        self.store.post_event(&order).await.unwrap();
    }

    async fn spend(&self, minute: i64, timed: bool, on: Option<&EventId>) -> SpendDone {
        let now = later(minute);
        let number = u64::try_from(minute).unwrap();
        let key = if timed { timed_key(now, number) } else { key(&format!("till-7-{minute}")) };
        let (programme, participant, asked) = (&self.programme, &person("c-1"), &asked(3, noon()));
        let (key, payload, purchase) = (RequestKey::Caller(&key), payload(2), on);
        let request = None;
        let order = Spending {
            programme,
            now,
            participant,
            key,
            payload,
            asked,
            purchase,
            request,
            bearer: None,
        };
        self.store.spend(&order).await.unwrap().value
    }

    async fn judge(&self, events: &[EventId]) {
        let (programme, now, participant) = (&self.programme, later(0), &person("c-1"));
        let (mode, by) = (Mode::Run, Judge::Run(run_id("nightly-2026-11-21")));
        let order = Judging { programme, now, participant, events, mode, by };
        self.store.judge(&order).await.unwrap();
    }

    async fn cancel_event(&self, event: &EventId) {
        let order = cancelling(&self.programme, later(0), event, 3);
        self.store.cancel_event(&order).await.unwrap();
    }

    /// One piece comes back; numbers tell returns apart.
    async fn give_back(&self, event: &EventId, number: u8) {
        let lines = &[ReturnedLine { index: 0, quantity: 1 }];
        let order = CancelEvent { lines, ..cancelling(&self.programme, later(0), event, number) };
        self.store.cancel_event(&order).await.unwrap();
    }

    async fn cancel_spend(&self, sequence: u64) {
        let spend = &TransactionCode { participant: person("c-1"), sequence };
        let (programme, now, payload) = (&self.programme, later(0), payload(3));
        self.store
            .cancel_spend(&CancelSpend { programme, now, spend, payload, reason: None })
            .await
            .unwrap();
    }

    fn events(&self) -> Vec<EventId> {
        (1..=TIMES).map(|number| event_id(&reference(number))).collect()
    }
}

fn reference(number: i64) -> String {
    format!("2026-11-21/shop-1/{number:05}")
}

fn heading(test: &str) {
    println!("{test:<44}{:>8}{:>8}", "written", "read");
}

/// counters are in the state, so three of them cost nothing; a quota is an item of its own,
/// written with the event and read before it.
#[tokio::test(start_paused = true)]
async fn counters_cost_nothing_and_a_quota_two_writes() {
    heading("limits and quotas");
    let limited =
        |id: &str, limit| Offer { limit, ..offer(id, "points", AwardForm::Fixed(Amount(1))) };
    let three = vec![
        limited("daily", Limit::OncePerCalendar(Calendar::Day)),
        limited("rolling", Limit::OncePerRolling(Duration::days(1))),
        limited("again", Limit::OncePerCalendar(Calendar::Day)),
    ];
    let bill = Bill::new(three).await;
    bill.wire.take_calls();
    // Two pages' worth, a day apart.
    let days = 12;
    for day in 1..=days {
        let now = later(day * 24 * 60);
        let event = purchase(&person("c-1"), &reference(day), 10_00, now);
        let done = post(&bill.store, &bill.programme, &event, now, true).await.unwrap();
        assert_eq!(done.value.judgements[0].awards.len(), 3);
    }
    let price = bill.price("event that feeds three counters", days);
    assert_eq!(price, Price { written: 417, read: 100 });

    let quota = Quota { first: Some(1_000), budget: Some(Amount(1_000_000)) };
    let bill = Bill::new(vec![Offer { quota, ..tenfold() }]).await;
    bill.wire.take_calls();
    for minute in 1..=TIMES {
        bill.post(&reference(minute), 10_00, minute, true).await;
    }
    let price = bill.price("event under an offer with a quota", TIMES);
    assert_eq!(price, Price { written: 617, read: 200 });
}

/// one transaction still; each entry more is a sixth of a page's, and whether the participant
/// consents is read only where a lot asks for it.
#[tokio::test(start_paused = true)]
async fn an_instant_or_automatic_spend_costs_a_sixth_of_a_write_and_a_consent_one_read() {
    heading("spends that nobody asks for");
    let mut prices = Vec::new();
    for (operation, offers) in [
        ("event that spends instantly", vec![instant()]),
        ("event that spends automatically", vec![automatic(tenfold(), 5)]),
        ("event that spends both", vec![instant(), automatic(tenfold(), 5)]),
    ] {
        let mut bill = Bill::new(offers).await;
        let who = person("c-1");
        bill.store.register(&who, None, vec![consent(true, noon())]).await.unwrap();
        for merchant in bill.programme.merchants.merchants.values_mut() {
            merchant.automatic_spend = true;
        }
        bill.wire.take_calls();
        for minute in 1..=TIMES {
            bill.post(&reference(minute), 10_00, minute, true).await;
        }
        prices.push(bill.price(operation, TIMES));
    }
    // The first purchases find nothing to spend automatically yet.
    let want = [(433, 100), (432, 200), (448, 200)];
    assert_eq!(prices, want.map(|(written, read)| Price { written, read }));
}

/// A write of the state and a sixth of a page's; it never pays for the index again.
#[tokio::test(start_paused = true)]
async fn a_spend_costs_one_write_and_a_sixth_and_its_repeat_nothing() {
    heading("spends");
    let bill = Bill::new(vec![tenfold()]).await;
    bill.wire.take_calls();
    for minute in 1..=TIMES {
        bill.spend(minute, true, None).await;
    }
    let price = bill.price("spend, UUIDv7 key", TIMES);
    assert_eq!(price, Price { written: 117, read: 50 });
    bill.spend(TIMES, true, None).await;
    assert_eq!(bill.price("repeat of a spend", 1), Price { written: 0, read: 50 });
    for minute in 1..=TIMES {
        bill.spend(minute, false, None).await;
    }
    assert_eq!(bill.price("spend, key without time", TIMES).written, 417);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_awarded_at_once_costs_four_writes_and_a_sixth() {
    heading("events at once");
    let bill = Bill::new(vec![tenfold()]).await;
    bill.wire.take_calls();
    for number in 1..=TIMES {
        bill.post(&reference(number), 25_00, number, true).await;
    }
    assert_eq!(bill.price("event, awarded at once", TIMES).written, 417);
    bill.post(&reference(3), 25_00, TIMES, true).await;
    assert_eq!(bill.price("repeat of an event", 1), Price { written: 0, read: 100 });
    let mut spends = Vec::new();
    for (minute, event) in (TIMES..).zip(bill.events()) {
        spends.push(bill.spend(minute, true, Some(&event)).await.sequence);
    }
    assert_eq!(bill.price("spend on a purchase", TIMES).written, 417);
    for sequence in spends {
        bill.cancel_spend(sequence).await;
    }
    assert_eq!(bill.price("cancel of a spend on a purchase", TIMES).written, 417);
    for event in bill.events() {
        bill.give_back(&event, 1).await;
    }
    assert_eq!(bill.price("return of a part of a purchase (R-73)", TIMES).written, 417);
    bill.give_back(&event_id(&reference(3)), 1).await;
    assert_eq!(bill.price("repeat of a return", 1), Price { written: 0, read: 100 });
    for event in bill.events() {
        bill.cancel_event(&event).await;
    }
    assert_eq!(bill.price("cancel of an event", TIMES).written, 417);
}

/// what is not in its lot any more is looked for in the ledger, which is only read.
#[tokio::test(start_paused = true)]
async fn a_cancel_of_an_award_that_was_spent_reads_the_ledger_since_and_writes_as_much() {
    heading("cancels of what was spent");
    let bill = Bill::new(vec![tenfold()]).await;
    bill.post("e-2", 10_00, 0, true).await;
    let all = &SpendAsked { amount: Some(Amount(50_100)), ..asked(1, noon()) };
    let (programme, now, participant) = (&bill.programme, later(1), &person("c-1"));
    let (key, payload) = (&timed_key(now, 1), payload(2));
    let (key, purchase, request) = (RequestKey::Caller(key), None, None);
    let asked = all;
    let order = Spending {
        programme,
        now,
        participant,
        key,
        payload,
        asked,
        purchase,
        request,
        bearer: None,
    };
    bill.store.spend(&order).await.unwrap();
    for minute in 2..=TIMES {
        bill.post(&reference(minute), 0, minute, true).await;
    }
    bill.wire.take_calls();
    bill.give_back(&event_id("e-2"), 1).await;
    let price = bill.price("return of a spent award, 60 entries later", 1);
    assert!(price.written <= 500 && price.read <= 1_200, "{price:?}");
    let owed = bill.store.wallet(&person("c-1")).await.unwrap().debts[0].1;
    assert_eq!(owed, Amount(20));
}

/// it has no wallet to write.
#[tokio::test(start_paused = true)]
async fn a_cancel_before_the_event_costs_one_write() {
    heading("cancels ahead");
    let bill = Bill::new(vec![tenfold()]).await;
    bill.wire.take_calls();
    let event = &event_id("late");
    let order = CancelEvent { ahead: true, ..cancelling(&bill.programme, later(0), event, 3) };
    for want in [100, 0] {
        let done = bill.store.cancel_event(&order).await.unwrap();
        assert_eq!((done.value, done.repeated), (EventCancelled::Ahead, want == 0));
        assert_eq!(bill.price("cancel of an event that is not there", 1).written, want);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_spend_costs_what_a_spend_costs_and_a_redemption_four_writes_and_a_sixth() {
    heading("cancels and passes");
    let bill = Bill::new(vec![tenfold()]).await;
    let mut spends = Vec::new();
    for minute in 1..=TIMES {
        spends.push(bill.spend(minute, true, None).await.sequence);
    }
    bill.wire.take_calls();
    for sequence in spends {
        bill.cancel_spend(sequence).await;
    }
    assert_eq!(bill.price("cancel of a spend", TIMES).written, 117);
    let mut passes = Vec::new();
    publish(&bill.store).await.unwrap();
    bill.store.issue_pass(&bill.programme, noon(), &gift(), &issue("first")).await.unwrap();
    bill.wire.take_calls();
    for number in 0..TIMES {
        let (plan, issue) = (gift(), issue(&format!("order-{number}")));
        let issued = bill.store.issue_pass(&bill.programme, noon(), &plan, &issue).await;
        passes.push(issued.unwrap().0.id);
    }
    assert_eq!(bill.price("issue of a pass", TIMES).written, 100);
    for (number, pass) in passes.iter().enumerate() {
        let (programme, now, plan) = (&bill.programme, later(1), &gift());
        let (participant, payload) = (&person("c-1"), payload(1));
        let key = &timed_key(now, u64::try_from(number).unwrap());
        let proof = (&plan_key(plan), None);
        let order = Redeeming { programme, now, plan, pass, proof, participant, key, payload };
        bill.store.redeem(&order).await.unwrap();
    }
    assert_eq!(bill.price("redemption of a pass", TIMES).written, 417);
}

/// a plan of any number of cards is printed at one price; a PIN costs its try.
#[tokio::test(start_paused = true)]
async fn r84_cards_are_printed_at_one_price_and_a_pin_costs_one_write_more() {
    heading("cards");
    let bill = Bill::new(vec![tenfold()]).await;
    let (store, cards) = (&bill.store, Cards::new(&bill.programme));
    publish(store).await.unwrap();
    bill.wire.take_calls();
    let million = Activating { count: 1_000_000, ..printing(&bill.programme) };
    store.activate_plan(&million).await.unwrap();
    assert_eq!(bill.price("a million cards, printed", 1).written, 400);
    let serials = 0..u64::try_from(TIMES).unwrap();
    for serial in serials.clone() {
        cards.load(store, serial, Some(20), &format!("load-{serial}")).await.unwrap();
    }
    assert_eq!(bill.price("card, loaded", TIMES).written, 100);
    for serial in serials {
        let key = timed_key(later(1), serial).to_string();
        let right = pin(&cards.plan, serial);
        cards.redeem(store, &person("c-1"), serial, &key, &right).await.unwrap();
    }
    assert_eq!(bill.price("card, redeemed with its PIN", TIMES).written, 517);
    let wrong = cards.redeem(store, &person("c-1"), 999_999, "wrong", "no PIN").await;
    assert!(wrong.is_err());
    assert_eq!(bill.price("wrong PIN of an untouched card", 1).written, 100);
}

/// a card's own wallet costs its place in the roster, and each use of it the check of
/// the card and the two writes of a PIN.
#[tokio::test(start_paused = true)]
async fn r84_a_nameless_wallet_costs_its_place_in_the_roster_and_the_check_of_its_card() {
    heading("nameless wallets");
    let bill = Bill::new(vec![tenfold()]).await;
    let (store, cards) = (&bill.store, Cards::new(&bill.programme));
    publish(store).await.unwrap();
    let hundred = Activating { count: 100, ..printing(&bill.programme) };
    store.activate_plan(&hundred).await.unwrap();
    let serials = 0..u64::try_from(TIMES).unwrap();
    for serial in serials.clone() {
        cards.load(store, serial, Some(20), &format!("load-{serial}")).await.unwrap();
    }
    bill.wire.take_calls();
    for serial in serials.clone() {
        let key = timed_key(later(1), serial).to_string();
        Holder::new(&bill.programme, serial).redeem(store, &key).await.unwrap();
    }
    assert_eq!(bill.price("card, redeemed into its own wallet", TIMES).written, 600);
    for serial in serials.clone() {
        let holder = Holder::new(&bill.programme, serial);
        holder.spend(store, &timed_key(later(1), serial), 5).await.unwrap();
    }
    assert_eq!(bill.price("spend with card and PIN", TIMES).written, 600);
    for serial in serials {
        let holder = Holder::new(&bill.programme, serial);
        holder.register(store, &timed_key(later(2), serial)).await.unwrap();
    }
    assert_eq!(bill.price("wallet of a card, registered", TIMES).written, 800);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_waits_for_a_run_costs_seven_writes_alone_and_less_in_a_fold() {
    heading("events and runs");
    for (operation, fold, most) in [("judged alone", 1, 720), ("folded by ten", 10, 570)] {
        let bill = Bill::new(vec![tenfold()]).await;
        bill.wire.take_calls();
        for number in 1..=TIMES {
            bill.post(&reference(number), 25_00, 0, false).await;
        }
        let posted = bill.price("pending event", TIMES).written;
        assert_eq!(posted, 200);
        for events in bill.events().chunks(fold) {
            bill.judge(events).await;
        }
        let price = posted + bill.price(&format!("  {operation}"), TIMES).written;
        assert!(price <= most, "{operation}: {price}");
    }
    let bill = Bill::new(vec![tenfold(), cash()]).await;
    bill.wire.take_calls();
    for number in 1..=TIMES {
        bill.post(&reference(number), 25_00, 0, true).await;
    }
    let posted = bill.price("event, awarded at once, awaits a run", TIMES).written;
    for event in bill.events() {
        bill.judge(&[event]).await;
    }
    let price = posted + bill.price("  judged alone", TIMES).written;
    assert!(price <= 1_040, "{price}");
}

/// two units for the guard of a period, and for the event that a spend came as.
#[tokio::test(start_paused = true)]
async fn a_statement_costs_two_writes_more_and_a_spend_with_a_reference_as_much_as_with_a_guard() {
    heading("statements and spend requests");
    let bill = Bill::new(vec![tenfold()]).await;
    let (who, programme) = (person("c-1"), &bill.programme);
    for (operation, judge, written) in [("judged at once", true, 617), ("pending", false, 500)] {
        bill.wire.take_calls();
        for number in 1..=TIMES {
            let mut event = statement(&who, &format!("{operation}-{number}").replace(' ', "-"));
            let year = if judge { 0 } else { 100 };
            if let Detail::FinancialStatement(statement) = &mut event.detail {
                statement.period =
                    Month(statement.period.0 - i32::try_from(number).unwrap() - year);
            }
            post(&bill.store, programme, &event, noon(), judge).await.unwrap();
        }
        let price = bill.price(&format!("statement, {operation}"), TIMES);
        assert_eq!(price.written, written);
    }
    let timed = |number| timed_key(noon(), number);
    for (operation, keyed, written) in [("UUIDv7 key", true, 417), ("reference alone", false, 417)]
    {
        bill.wire.take_calls();
        for number in 1..=u64::try_from(TIMES).unwrap() {
            let (key, reference) = (timed(number), &format!("{keyed}-{number}"));
            let key = keyed.then_some(&key);
            let asks = Request { who: &who, key, reference, amount: 3, on: None };
            request(&bill.store, programme, &asks).await.unwrap();
        }
        assert_eq!(bill.price(&format!("spend request, {operation}"), TIMES).written, written);
    }
}

/// what expired goes with the next write.
#[tokio::test(start_paused = true)]
async fn expiry_costs_nothing_of_its_own() {
    heading("expiry");
    let short = Offer { expires: Expiry::After(Duration::parse("P1D").unwrap()), ..tenfold() };
    let bill = Bill::new(vec![short]).await;
    bill.wire.take_calls();
    bill.post("e-2", 25_00, 3 * 24 * 60, true).await;
    assert_eq!(bill.price("event after an expiry", 1).written, 400);
    let wallet = bill.store.wallet(&person("c-1")).await.unwrap();
    assert_eq!((wallet.length, wallet.lots.len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn reads_cost_what_they_show() {
    heading("reads");
    let bill = Bill::new(vec![tenfold()]).await;
    for minute in 1..=TIMES {
        bill.spend(minute, true, None).await;
    }
    let who = person("c-1");
    bill.wire.take_calls();
    bill.store.wallet(&who).await.unwrap();
    assert_eq!(bill.price("wallet", 1).read, 100);
    let newest = bill.store.transactions(&who, None, 20).await.unwrap();
    assert_eq!(newest.len(), 20);
    bill.price("20 newest entries", 1);
    bill.store.members(&[who]).await.unwrap();
    bill.price("export of one participant", 1);
}
