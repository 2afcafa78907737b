//! Random histories of one participant: every command, in any order, again and again.

use std::sync::Arc;

use domain::amount::Amount;
use domain::apply::{Command, apply};
use domain::award::{Facts, Mode};
use domain::conversion::Bands;
use domain::coupon::Stock;
use domain::event::{Event, EventState, Judge, RecordedEvent};
use domain::id::{BalanceCode, Classification};
use domain::ledger::{Act, EntryKey};
use domain::offer::{
    Accumulation, Beneficiary, EvaluationMethod, Expiry, Offer, OfferClass, Quota, Within,
};
use domain::preview::{Preview, preview};
use domain::programme::DebtPolicy;
use domain::quota::Used;
use domain::refusal::Refusal;
use domain::spend::SpendAsked;
use domain::terms::{Period, Terms};
use domain::time::{Calendar, Day, Instant};
use domain::wallet::Wallet;
use domain::window::Times;
use proptest::prelude::*;

use crate::activity::watching;
use crate::bookkeeping::Book;
use crate::conversions::conversion;
use crate::coupons::coupon;
use crate::fixture::*;
use crate::laws::{net, substance};
use crate::terms::on;

/// One thing that may happen; numbers choose among what is there.
#[derive(Clone, Debug)]
enum Step {
    Post {
        total: i64,
        days_ago: i64,
        flavour: u8,
        spend: Option<i64>,
        immediate: bool,
    },
    Judge {
        which: usize,
        run: bool,
    },
    Spend {
        points: bool,
        amount: Option<i64>,
        purchase: Option<usize>,
        class: u8,
    },
    CancelEvent(usize),
    Return {
        which: usize,
        line: usize,
        pieces: u32,
    },
    CancelSpend(usize),
    Redeem(u64),
    Block(bool),
    Wait {
        hours: i64,
    },
    Hold(HoldStep),
    Adjust {
        points: bool,
        amount: i64,
        days: Option<i32>,
    },
    Book,
    /// Turns points into euros, or pays them out.
    Convert {
        paid_out: bool,
        minimum: i64,
    },
    /// Takes a coupon that costs so much.
    TakeCoupon(i64),
    /// Consents to automatic spending, or does not any more.
    Consent(bool),
}

/// What may happen to holds.
#[derive(Clone, Debug)]
enum HoldStep {
    Make { points: bool, amount: Option<i64>, purchase: Option<usize>, time: &'static str },
    Settle { which: usize, amount: Option<i64>, purchase: Option<usize> },
    Release(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = 0..8_usize;
    let asked = || proptest::option::of(prop_oneof![1..60_i64, 1..3_000_i64]);
    let step = prop_oneof![
        6 => (0..20_000_i64, 0..50_i64, any::<u8>(), asked(), any::<bool>()).prop_map(
            |(total, days_ago, flavour, spend, immediate)| {
                let spend = spend.filter(|_| flavour & 64 != 0);
                Step::Post { total, days_ago, flavour, spend, immediate }
            }
        ),
        3 => (which.clone(), any::<bool>()).prop_map(|(which, run)| Step::Judge { which, run }),
        5 => (any::<bool>(), asked(), proptest::option::of(which.clone()), 0..5_u8).prop_map(
            |(points, amount, purchase, class)| Step::Spend { points, amount, purchase, class }
        ),
        2 => which.clone().prop_map(Step::CancelEvent),
        3 => (which.clone(), 0..3_usize, 1..4_u32)
            .prop_map(|(which, line, pieces)| Step::Return { which, line, pieces }),
        2 => which.prop_map(Step::CancelSpend),
        1 => (0..4_u64).prop_map(Step::Redeem),
        1 => prop_oneof![1 => Just(true), 3 => Just(false)].prop_map(Step::Block),
        3 => (0..100_i64).prop_map(|hours| Step::Wait { hours }),
        4 => holds().prop_map(Step::Hold),
        2 => (any::<bool>(), -400..800_i64, proptest::option::of(-2..30_i32))
            .prop_filter("nothing", |(_, amount, _)| *amount != 0)
            .prop_map(|(points, amount, days)| Step::Adjust { points, amount, days }),
        1 => Just(Step::Book),
        1 => (any::<bool>(), 0..100_i64)
            .prop_map(|(paid_out, minimum)| Step::Convert { paid_out, minimum }),
        2 => (1..900_i64).prop_map(Step::TakeCoupon),
        2 => prop_oneof![3 => Just(true), 1 => Just(false)].prop_map(Step::Consent),
    ];
    proptest::collection::vec(step, 1..24)
}

fn holds() -> impl Strategy<Value = HoldStep> {
    let which = || 0..4_usize;
    let asked = || proptest::option::of(prop_oneof![1..60_i64, 1..3_000_i64]);
    let time = prop::sample::select(vec!["PT1M", "PT15M", "PT30H", "P7D"]);
    let purchase = || proptest::option::of(0..8_usize);
    prop_oneof![
        2 => (any::<bool>(), asked(), purchase(), time).prop_map(
            |(points, amount, purchase, time)| HoldStep::Make { points, amount, purchase, time }
        ),
        2 => (which(), asked(), purchase()).prop_map(
            |(which, amount, purchase)| HoldStep::Settle { which, amount, purchase }
        ),
        1 => which().prop_map(HoldStep::Release),
    ]
}

fn event(book: &Book, total: i64, days_ago: i64, flavour: u8) -> Event {
    let performed_on = Instant(book.now.0 - days_ago * 86_400_000);
    let reference = format!("R-{}", book.events.len());
    let units = [None, Some("shop-1"), Some("shop-2"), Some("shop-3")];
    // One to four pieces, what they do not share being VAT, and sometimes a second line.
    let pieces = i64::from(flavour >> 4 & 3) + 1;
    let mut lines = vec![line(u32::try_from(pieces).unwrap(), total / pieces, total % pieces)];
    if flavour & 128 != 0 {
        lines.push(line(1, total / 3, total % 7));
    }
    lines[0].product = (flavour & 4 != 0).then(|| product("SKU-9"));
    Event {
        unit: units[usize::from(flavour & 3)].map(unit),
        classification: (flavour & 8 != 0).then(|| class("grocery")),
        ..with_lines(purchase(&reference, total, performed_on), lines)
    }
}

fn spend_class(number: u8) -> Option<Classification> {
    ["counter", "total", "other"].get(usize::from(number)).map(|name| class(name))
}

fn asked(book: &Book, balance: BalanceCode, amount: Option<i64>, class: u8) -> SpendAsked {
    SpendAsked {
        balance,
        amount: amount.map(Amount),
        classification: spend_class(class),
        unit: None,
        performed_on: book.now,
    }
}

fn take(book: &mut Book, step: &Step) {
    let some = |which: usize, count: usize| (count > 0).then(|| which % count.max(1));
    match step {
        Step::Post { total, days_ago, flavour, spend, immediate } => {
            let event = Event { immediate: *immediate, ..event(book, *total, *days_ago, *flavour) };
            post(book, event, *spend);
        }
        Step::Judge { which, run } => {
            let Some(which) = some(*which, book.events.len()) else { return };
            let mode = if *run { Mode::Run } else { Mode::Interactive };
            let cancelled = book.events[which].state == EventState::Cancelled;
            let stale = book.events[which].clone();
            let judgement = book.judge(which, mode);
            let again = Command::Judge {
                event: &stale,
                mode,
                by: Judge::Interactive,
                facts: Facts::none(),
            };
            let again = apply(&book.programme, &book.wallet, book.now, &again);
            let judged = again.entries.iter().find(|entry| entry.act == Act::Judged).unwrap();
            assert!(book.known(&judged.key).is_some(), "R-33: a late attempt is known by its key");
            assert!(!cancelled || judgement.awards.is_empty(), "R-72: cancelled is never awarded");
        }
        Step::Spend { points: of_points, amount, purchase, class } => {
            let purchase = purchase.and_then(|which| some(which, book.events.len()));
            let money = if *of_points { points() } else { eur() };
            let (balance, amount) = match class {
                4 => (cup(), Some(amount.unwrap_or(1) % 3 + 1)),
                _ => (money, *amount),
            };
            let asked = asked(book, balance, amount, *class);
            let before = substance(&settled(book));
            if let Ok((sequence, _)) = book.ask(&asked, purchase) {
                let mut undone = book.clone();
                undone.cancel_spend(sequence).unwrap();
                assert_eq!(substance(&undone.wallet), before, "R-72: a cancel undoes a spend");
            }
        }
        Step::CancelEvent(which) => {
            let Some(which) = some(*which, book.events.len()) else { return };
            let again = book.cancel_event(which).and_then(|()| book.cancel_event(which));
            assert!(again.is_err(), "R-72: once");
        }
        Step::Return { which, line, pieces } => {
            let Some(which) = some(*which, book.events.len()) else { return };
            let (lines, policy) = (book.events[which].event.lines(), debt_policy(book));
            let index = line % lines.len();
            let left = book.events[which].left().quantity(index);
            let line = u16::try_from(index).unwrap();
            let answer = book.give_back(which, &[(line, *pieces)]);
            let refused = *pieces > left;
            assert_eq!(answer == Err(Refusal::ReturnedAlready), refused, "R-73: once");
            assert!(refused || answer.is_ok() || policy == DebtPolicy::Refuse);
        }
        Step::CancelSpend(which) => {
            let spends: Vec<u64> =
                book.ledger.iter().filter(|e| e.spend().is_some()).map(|e| e.sequence).collect();
            let Some(which) = some(*which, spends.len()) else { return };
            let on_event = book.events.iter().flat_map(|event| &event.spends);
            let gone =
                on_event.filter(|spend| spend.cancelled).any(|s| s.sequence == spends[which]);
            if !gone {
                let _ = book.cancel_spend(spends[which]);
            }
        }
        Step::Redeem(serial) => {
            let pass = pass(*serial, book.now);
            let plan = pass.id.plan.clone();
            if book.known(&EntryKey::Redeem { plan, serial: *serial, turn: 0 }).is_none() {
                book.redeem(&pass);
            }
        }
        Step::Block(blocked) => book.block(*blocked),
        Step::Wait { hours } => book.now = Instant(book.now.0 + hours * 3_600_000),
        Step::Hold(step) => take_hold(book, step),
        Step::Adjust { points: of_points, amount, days } => {
            let balance = if *of_points { points() } else { eur() };
            let last = days.map(|days| Day(book.now.day(ZONE).0 + days));
            let net = |book: &Book| {
                let wallet = book.wallet.at(book.now, ZONE);
                wallet.available(&balance, book.now, ZONE).0 - wallet.debt(&balance).0
            };
            let before = net(book);
            match book.adjust(balance.clone(), *amount, last) {
                Ok(()) => {
                    assert_eq!(net(book), before + amount, "R-74: exactly, or not at all");
                }
                Err(refusal) => {
                    let past = *amount > 0 && days.is_some_and(|days| days < 0);
                    let want = if past { Refusal::AlreadyExpired } else { Refusal::NotCovered };
                    assert_eq!(refusal, want);
                }
            }
        }
        Step::Convert { paid_out, minimum } => convert(book, *paid_out, *minimum),
        Step::TakeCoupon(cost) => {
            let _ = book.take_coupon(&coupon(*cost), None, &mut Stock::default());
        }
        Step::Consent(granted) => {
            let consent = automatic_consent(*granted, Instant(book.now.0 + 1));
            book.participant.consents.insert(consent.0, consent.1);
        }
        Step::Book => {
            let before = substance(&settled(book));
            book.settle_up();
            assert_eq!(substance(&book.wallet), before, "R-71: exactly what was over");
            assert_eq!(book.settle_up(), 0, "R-71: once");
        }
    }
}

/// all that is free of conditions goes, and comes to what the table says; or nothing changes.
fn convert(book: &mut Book, paid_out: bool, minimum: i64) {
    let into = (!paid_out).then(eur);
    let table = [(0, "0.01"), (50, "0.02")];
    let conversion = conversion(&table, Bands::Marginal, into.clone(), minimum);
    book.settle_up();
    let before = book.wallet.clone();
    let net = |wallet: &Wallet| net(wallet, &eur());
    match book.convert(&conversion) {
        Ok(made) => {
            let left = book.wallet.at(book.now, ZONE).into_owned();
            assert!(left.lots.iter().all(|lot| {
                let free = lot.id.balance == points() && lot.id.terms.is_none();
                !free || !lot.id.is_available(book.now, ZONE)
            }));
            assert!(made.points.0 >= minimum && made.money.0 > 0);
            assert_eq!(net(&book.wallet) - net(&before), if paid_out { 0 } else { made.money.0 });
        }
        Err(_) => assert_eq!(substance(&book.wallet), substance(&before)),
    }
}

fn take_hold(book: &mut Book, step: &HoldStep) {
    let purchase_of = |book: &Book, which: Option<usize>| {
        which.filter(|_| !book.events.is_empty()).map(|which| which % book.events.len())
    };
    let hold_of = |book: &Book, which: usize| {
        let made: Vec<u64> =
            book.ledger.iter().filter(|e| e.hold().is_some()).map(|e| e.sequence).collect();
        (!made.is_empty()).then(|| made[made.len() - 1 - which % made.len()])
    };
    match step {
        HoldStep::Make { points: of_points, amount, purchase, time } => {
            let balance = if *of_points { points() } else { eur() };
            let purchase = purchase_of(book, *purchase);
            let before = substance(&settled(book));
            let asked = asked(book, balance, *amount, 3);
            if let Ok(hold) = book.hold(&asked, purchase, time) {
                let mut undone = book.clone();
                undone.release(hold).unwrap();
                assert_eq!(substance(&undone.wallet), before, "R-78: a release undoes a hold");
                undone = book.clone();
                let lapses_at = book.entry(hold).hold().unwrap().lapses_at;
                undone.now = lapses_at;
                let again = undone.settle(hold, None, purchase);
                assert_eq!(again.err(), Some(Refusal::HoldNotOpen), "R-78: it lapsed");
            }
        }
        HoldStep::Settle { which, amount, purchase } => {
            let Some(hold) = hold_of(book, *which) else { return };
            let open = book.wallet.open_hold(hold, book.now).map(|hold| hold.amount().0);
            let settled = book.settle(hold, *amount, purchase_of(book, *purchase));
            if let Ok((_, made)) = settled {
                assert!(made.spent.0 <= open.unwrap(), "R-78: at most what is held");
                assert_eq!(book.settle(hold, None, None).err(), Some(Refusal::HoldNotOpen));
                assert_eq!(book.release(hold), Err(Refusal::HoldNotOpen), "R-78: one end");
            }
        }
        HoldStep::Release(which) => {
            let Some(hold) = hold_of(book, *which) else { return };
            let open = book.wallet.open_hold(hold, book.now).is_some();
            assert_eq!(book.release(hold).is_ok(), open);
            assert_eq!(book.release(hold), Err(Refusal::HoldNotOpen), "R-78: one end");
        }
    }
}

fn debt_policy(book: &Book) -> DebtPolicy {
    book.programme.definition.debt_policy
}

/// The wallet once what has expired is dropped.
fn settled(book: &Book) -> domain::wallet::Wallet {
    let mut wallet = book.wallet.at(book.now, ZONE).into_owned();
    wallet.lots.retain(|lot| lot.id.is_live(book.now, ZONE));
    wallet
}

fn look(book: &Book, event: &Event, spend: Option<&SpendAsked>) -> Result<Preview, Refusal> {
    let facts = Facts {
        participant: &book.participant,
        quotas: &book.quotas,
        whose: Beneficiary::Participant,
        before_spend: None,
        issuing: domain::pass::Issuing::default(),
    };
    preview(&book.programme, &book.wallet, book.now, recorded(event.clone()), spend, facts)
}

/// Posts as the store does, the spend first, and holds the preview against it.
fn post(book: &mut Book, event: Event, spend: Option<i64>) {
    // Now and then it asks for all that is open.
    let amount = |amount: i64| Some(amount).filter(|amount| amount % 5 > 0);
    let spend = spend.map(|asking| asked(book, points(), amount(asking), 3));
    let told = look(book, &event, spend.as_ref());
    let before = book.clone();
    let mode = if event.immediate { Mode::Interactive } else { Mode::Run };
    let which = book.accept(event);
    let made = spend.as_ref().map(|asked| {
        let made = match mode {
            Mode::Interactive => book.check_out(asked, which),
            Mode::Run | Mode::Queued => book.ask(asked, Some(which)),
        };
        made.map(|(_, made)| made)
    });
    if let Some(Err(refusal)) = &made {
        assert_eq!(told.err().as_ref(), Some(refusal), "R-35: the preview refuses alike");
        // purchase and spend fail together.
        book.events.pop();
        return;
    }
    let told = told.expect("R-35: the preview refuses alike");
    let judgement = book.judge(which, mode);
    for (balance, amount) in &told.additional {
        let mut more = book.clone();
        more.ask(&asked(book, balance.clone(), Some(amount.0), 3), Some(which)).unwrap();
    }
    let spends = |event: &RecordedEvent| {
        event.spends.iter().map(|spend| spend.made.clone()).collect::<Vec<_>>()
    };
    let spent = spends(&book.events[which]);
    assert_eq!(spends(&told.event), spent, "R-35, R-49: what is told is what is spent");
    let previewed = &told.event.judgements[0];
    assert_eq!(
        (&previewed.awards, &previewed.discounts, &previewed.passed_over),
        (&judgement.awards, &judgement.discounts, &judgement.passed_over)
    );
    let event = &book.events[which];
    if let (Some(Ok(made)), Some(SpendAsked { amount: None, .. })) = (&made, &spend) {
        let paid = made.covered.unwrap().0 + made.remainder.0 + event.discounted().0;
        assert_eq!(paid, event.event.purchased().0, "R-41: all is paid, spent or discounted");
    }
    assert_eq!(told.event.due, event.due);
    assert!(made.is_none_or(|made| made.ok() == spent.first().cloned()));
    let mut undone = book.clone();
    if undone.cancel_event(which).is_ok() {
        let want = substance(&settled(&before));
        assert_eq!(substance(&undone.wallet), want, "R-56: a cancel undoes a purchase");
    }
    let mut pieces = book.clone();
    let lines: Vec<u32> = book.events[which].event.lines().iter().map(|l| l.quantity).collect();
    let each = (0..).zip(lines).flat_map(|(line, count)| (0..count).map(move |_| [(line, 1)]));
    if each.collect::<Vec<_>>().iter().all(|one| pieces.give_back(which, one).is_ok()) {
        let want = substance(&settled(&before));
        assert_eq!(substance(&pieces.wallet), want, "R-73: all in parts is all");
    }
}

/// Offers that count: thresholds are such that no history comes to more awards than a wallet
/// remembers. Nothing is held back, by a limit or by a window that ends with the event: what was
/// reached before would be awarded with an event, and stand when that is cancelled.
fn counting_offers() -> [Offer; 3] {
    let counting = |class: OfferClass, at_least, within, offer: Offer| {
        let counts = class.counts().unwrap();
        let accumulates = Some(Accumulation { counts, at_least, within });
        Offer { class, method: EvaluationMethod::Batch, accumulates, ..offer }
    };
    let (month, quarter) = (Calendar::Month, Calendar::Quarter);
    let of_amount = Offer { expires: Expiry::After(span("P2D")), ..fixed("counts-amount", 35) };
    let of_pieces = percent("counts-pieces", eur(), "2.5");
    let quota = Quota { first: Some(1), budget: Some(Amount(1_000)) };
    let of_events = Offer { quota, ..fixed("counts-events", 15) };
    let (amount, pieces) = (OfferClass::RewardLoyaltyAmount, OfferClass::RewardLoyaltyQuantity);
    [
        counting(amount, 500_00, Within::Calendar(month), of_amount),
        counting(pieces, 20, Within::Validity, of_pieces),
        counting(OfferClass::RewardLoyaltyNumber, 3, Within::Calendar(quarter), of_events),
    ]
}

/// None for most offers, so that some of what is spent is free of terms.
fn terms() -> impl Strategy<Value = Vec<Option<Arc<Terms>>>> {
    let at = |terms: fn() -> Terms| Just(Some(Arc::new(terms())));
    let some = prop_oneof![
        4 => Just(None),
        2 => at(|| on(&["SKU-9"])),
        1 => at(|| Terms { categories: vec![product("coffee")].into(), ..on(&["SKU-9", "SKU-1"]) }),
        1 => at(|| Terms { units: vec![unit("shop-1")].into(), ..Terms::default() }),
        1 => at(|| Terms { times: Some(Times::of_bits(0b10_1101, vec![])), ..Terms::default() }),
        1 => at(|| {
            let to = Some(noon("2026-10-24"));
            Terms { periods: vec![Period { from: None, to }], ..on(&["SKU-9"]) }
        }),
    ];
    prop::collection::vec(some, every_offer().len())
}

fn play(policy: DebtPolicy, terms: Vec<Option<Arc<Terms>>>, steps: &[Step]) -> Book {
    let with = |(offer, terms)| Offer { terms, ..offer };
    let offers = every_offer().into_iter().zip(terms).map(with).chain(unasked_offers());
    let offers = offers.chain(counting_offers());
    let mut programme = programme(offers.collect());
    allow_automatic(&mut programme);
    watching(&mut programme, &["counts-events", "counts-amount"]);
    programme.definition.debt_policy = policy;
    let mut book = Book::new(programme, at("2026-10-20T21:30:00+02:00"));
    steps.iter().for_each(|step| take(&mut book, step));
    book
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(160) })]

    // the laws of `laws` are held after every commit; R-102: and
    // whoever verifies the ledger finds nothing.
    #[test]
    fn any_history_keeps_the_laws(
        steps in steps(),
        terms in terms(),
        policy in prop_oneof![
            4 => Just(DebtPolicy::Carry), 1 => Just(DebtPolicy::Refuse), 1 => Just(DebtPolicy::WriteOff)
        ],
    ) {
        let book = play(policy, terms, &steps);
        prop_assert_eq!(crate::verify::found(&book), vec![]);
    }

    // where nothing expires, cancelling everything in any order leaves nothing.
    #[test]
    fn cancelling_everything_leaves_nothing(
        steps in steps(),
        terms in terms(),
        order in Just((0..48_usize).collect::<Vec<_>>()).prop_shuffle(),
        policy in prop_oneof![Just(DebtPolicy::Carry), Just(DebtPolicy::WriteOff)],
    ) {
        let stays = |step: &Step| {
            !matches!(
                step,
                Step::Wait { .. } | Step::Redeem(_) | Step::Adjust { .. } | Step::Convert { .. }
            )
        };
        let steps: Vec<Step> = steps.into_iter().filter(stays).collect();
        let mut book = play(policy, terms, &steps);
        for number in order {
            if number < book.events.len() {
                let _ = book.cancel_event(number);
            } else if let Some(sequence) = book.free_spends.get(number % 24).copied() {
                book.cancel_spend(sequence).unwrap();
            }
        }
        for sequence in book.free_spends.clone() {
            book.cancel_spend(sequence).unwrap();
        }
        for hold in book.wallet.holds.clone() {
            book.release(hold.sequence).unwrap();
        }
        let left = [points(), eur(), cup()].map(|balance| net(&book.wallet, &balance));
        prop_assert_eq!(left, [0, 0, 0]);
        prop_assert!(book.wallet.lots.is_empty() && book.wallet.debts.is_empty());
        prop_assert!(book.wallet.written_off.is_empty());
        prop_assert!(book.wallet.counters.is_empty() && book.wallet.activity.is_empty());
        prop_assert!(book.wallet.tallies.is_empty() && book.wallet.tally_awards.is_empty());
        let offers = book.programme.offers.iter();
        let used: Vec<_> = offers.map(|offer| book.quotas.used(&offer.id)).collect();
        prop_assert!(used.iter().all(|used| *used == Used::default()), "R-44: {:?}", used);
    }
}
