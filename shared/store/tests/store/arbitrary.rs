//! Any records: entries, wallets, events, passes and profiles, however unlikely.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use domain::activity::{Activity, Goods, Watch, Watched};
use domain::alias::{AliasKind, AliasMark};
use domain::amount::Amount;
use domain::anniversary::Anniversary;
use domain::conversion::ConversionMade;
use domain::coupon::{CodeTaken, CouponTaken, Stock};
use domain::event::{
    Awarded, Detail, Discounted, Due, Event, EventState, FinancialAchievement, Judge, Judgement,
    KpiValue, Line, Purchase, RecordedEvent, SpendOn, SpendRequest, Statement,
};
use domain::hold::Hold;
use domain::id::{
    AreaId, BalanceCode, Classification, ConversionId, CouponId, EventId, Key, KpiId, MerchantId,
    OfferId, ParticipantId, PlanId, ProductId, RunId, UnitId,
};
use domain::ledger::{
    Act, Effect, Entry, EntryKey, HoldMade, LotId, PayloadHash, Slot, SpendCause, SpendMade,
    TakenBack,
};
use domain::offer::{Counts, OneOf};
use domain::participant::{Consent, Erased, Participant, Profile, Provenance};
use domain::pass::{
    Activation, Change, ChangeKind, Generation, Issued, Loaded, Mark, Origin, Pass, PassGiven,
    PassId, PassShown, PlanStart, Printed, Redemption, SERIALS,
};
use domain::payment_medium::{Keep, PaymentMedium};
use domain::programme::ReductionMethod;
use domain::refusal::{Reason, Refusal};
use domain::returns::{Return, ReturnedLine};
use domain::tally::{Part, Tally, TallyAward};
use domain::terms::{Automatic, Period, Terms};
use domain::time::{Day, Instant, Month};
use domain::wallet::{Counter, Lot, Wallet, WrittenOff};
use domain::window::{Hours, Times};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::record::{Asked, Page, State, StoredEvent};

macro_rules! ids {
    ($($name:ident: $kind:ident, $pattern:literal;)*) => {
        $(fn $name() -> impl Strategy<Value = $kind> {
            $pattern.prop_map(|text: String| $kind::parse(&text).unwrap())
        })*
    };
}

ids! {
    balance: BalanceCode, "[a-c]{1,3}";
    offer: OfferId, "[A-Za-z0-9_.-]{1,12}";
    unit: UnitId, "[a-z0-9-]{1,8}";
    plan: PlanId, "[a-z0-9-]{1,8}";
    product: ProductId, "[A-Z0-9]{1,8}";
    merchant: MerchantId, "[A-Za-z]{1,8}";
    area: AreaId, "[a-z]{1,8}";
    kpi: KpiId, "[a-z0-9-]{1,8}";
    run: RunId, "[a-z0-9-]{1,16}";
    participant: ParticipantId, "[a-z0-9-]{1,36}";
    event_id: EventId, "[a-z]{1,8}:[!-~]{1,30}";
    class: Classification, "[!-~]{1,20}";
}

fn key() -> impl Strategy<Value = Key> {
    let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    let other = "[0-9A-F]{8}-[0-9A-F]{4}-7[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}";
    prop_oneof![uuid, other, "[0-9a-f]{32}", "[!-~]{1,60}"]
        .prop_map(|text: String| Key::parse(&text).unwrap())
}

pub fn instant() -> impl Strategy<Value = Instant> {
    (0_i64..4_102_444_800_000).prop_map(Instant)
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![-1_000_i64..1_000, -1_000_000_000_000_i64..1_000_000_000_000].prop_map(Amount)
}

fn payload() -> impl Strategy<Value = PayloadHash> {
    any::<[u8; 8]>().prop_map(PayloadHash)
}

fn day() -> impl Strategy<Value = Day> {
    (0_i32..80_000).prop_map(Day)
}

fn text() -> impl Strategy<Value = Box<str>> {
    "\\PC{0,24}".prop_map(String::into_boxed_str)
}

fn lot_id() -> impl Strategy<Value = LotId> {
    (balance(), of(day()), of(day()), of(terms())).prop_map(
        |(balance, expires, available_from, terms)| LotId {
            balance,
            expires,
            available_from,
            terms: terms.map(Arc::new),
        },
    )
}

fn one_of<T: Clone + Ord + Hash + Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = OneOf<T>> {
    vec(value, 0..3).prop_map(OneOf::from)
}

fn terms() -> impl Strategy<Value = Terms> {
    let period = (of(instant()), of(instant())).prop_map(|(from, to)| Period { from, to });
    let hours = (0_u16..1_440, 0_u16..=1_440).prop_map(|(from, to)| Hours { from, to });
    let times = (0_u8..128, vec(hours, 0..3)).prop_map(|(days, hours)| Times::of_bits(days, hours));
    let bounds = (of(amount()), of(amount()), of(amount()));
    let automatic = bounds.prop_map(|(minimum_balance, minimum, maximum)| Automatic {
        minimum_balance,
        minimum,
        maximum,
    });
    let lines = (one_of(product()), one_of(product()), one_of(product()));
    let places = (one_of(unit()), one_of(merchant()));
    (vec(period, 0..3), of(times), lines, places, of(automatic)).prop_map(
        |(periods, times, lines, places, automatic)| Terms {
            periods,
            times,
            products: lines.0,
            categories: lines.1,
            brands: lines.2,
            units: places.0,
            merchants: places.1,
            automatic,
        },
    )
}

fn slot() -> impl Strategy<Value = Slot> {
    prop_oneof![
        Just(Slot::Ever),
        any::<i32>().prop_map(Slot::Period),
        day().prop_map(Slot::On),
        Just(Slot::Quota)
    ]
}

fn taken() -> impl Strategy<Value = CouponTaken> {
    let code = prop_oneof![
        Just(CodeTaken::None),
        Just(CodeTaken::Uploaded),
        any::<u8>().prop_map(|number| CodeTaken::Generated(Generation(number))),
    ];
    (balance(), any::<u64>(), of(day()), code).prop_map(|(name, number, until, code)| CouponTaken {
        coupon: CouponId::parse(name.as_str()).unwrap(),
        number,
        until,
        code,
    })
}

/// What there is of a coupon.
pub fn stock() -> impl Strategy<Value = Stock> {
    let counts = [any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()];
    let paid = prop::collection::btree_map(balance(), amount(), 0..3);
    (counts, paid).prop_map(|([taken, cancelled, pool, dealt], paid)| Stock {
        taken,
        cancelled,
        pool,
        dealt,
        paid,
    })
}

fn made() -> impl Strategy<Value = SpendMade> {
    let amounts = (amount(), amount(), of(amount()), amount());
    let cause = prop_oneof![
        Just(SpendCause::Requested),
        offer().prop_map(|offer| SpendCause::Instant { offer }),
        Just(SpendCause::Automatic),
        taken().prop_map(SpendCause::Coupon),
    ];
    let manner = (any::<bool>(), cause);
    let rest = (of(event_id()), manner, of(unit()), instant(), of(class()), of(event_id()));
    (balance(), amounts, rest).prop_map(|(balance, amounts, rest)| SpendMade {
        balance,
        requested: amounts.0,
        spent: amounts.1,
        covered: amounts.2,
        remainder: amounts.3,
        purchase: rest.0,
        method: if rest.1.0 { ReductionMethod::BackEnd } else { ReductionMethod::FrontEnd },
        unit: rest.2,
        performed_on: rest.3,
        classification: rest.4,
        request: rest.5,
        cause: rest.1.1,
    })
}

fn part() -> impl Strategy<Value = Part> {
    (slot(), of(class())).prop_map(|(slot, classification)| Part { slot, classification })
}

fn tally_award() -> impl Strategy<Value = TallyAward> {
    let counts = (any::<u32>(), any::<i64>(), vec((part(), any::<i64>()), 0..3));
    let rest = (of(slot()), any::<bool>(), amount());
    (offer(), lot_id(), amount(), counts, rest).prop_map(|(offer, lot, each, counts, rest)| {
        let ((times, per, consumed), (slot, place, budget)) = (counts, rest);
        TallyAward { offer, lot, each, times, per, consumed, slot, place, budget }
    })
}

fn tallied() -> impl Strategy<Value = Effect> {
    let quota = (offer(), any::<i32>(), any::<i32>(), amount());
    let count = (offer(), part(), any::<i64>());
    let kinds = [Counts::Amount, Counts::Events, Counts::Pieces, Counts::EachClassification];
    let kinds = prop::sample::select(kinds.to_vec());
    let counted = (offer(), part(), any::<i64>(), kinds, vec(any::<u16>(), 0..4));
    prop_oneof![
        quota.prop_map(|(offer, awards, places, budget)| Effect::Quota {
            offer,
            awards,
            places,
            budget
        }),
        count.prop_map(|(offer, part, by)| Effect::Count { offer, part, by }),
        counted.prop_map(|(offer, part, by, counts, lines)| Effect::Counted {
            offer,
            part,
            by,
            counts,
            lines
        }),
        tally_award().prop_map(Effect::Tallied),
        any::<u32>().prop_map(|at| Effect::Untallied { at }),
    ]
}

fn effect() -> impl Strategy<Value = Effect> {
    let award = (of(offer()), lot_id(), amount(), amount(), of(slot()));
    prop_oneof![
        award.prop_map(|(offer, lot, amount, debt, slot)| Effect::Award {
            offer,
            lot,
            amount,
            debt,
            slot
        }),
        (lot_id(), amount()).prop_map(|(lot, amount)| Effect::Take { lot, amount }),
        (lot_id(), amount(), amount()).prop_map(|(lot, amount, debt)| Effect::Return {
            lot,
            amount,
            debt
        }),
        (lot_id(), amount()).prop_map(|(lot, amount)| Effect::ClawBack { lot, amount }),
        (balance(), amount()).prop_map(|(balance, amount)| Effect::Owe { balance, amount }),
        (offer(), slot()).prop_map(|(offer, slot)| Effect::Free { offer, slot }),
        (lot_id(), amount()).prop_map(|(lot, amount)| Effect::Expire { lot, amount }),
        (lot_id(), lot_id()).prop_map(|(from, into)| Effect::Merge { from, into }),
        activity().prop_map(Effect::Activity),
        (watch(), any::<i32>(), any::<i32>(), vec(any::<u16>(), 0..3)).prop_map(
            |(watch, month, by, lines)| {
                Effect::Watched { watch, month: Month(month), by, lines }
            }
        ),
        watch().prop_map(|watch| Effect::Unwatched { watch }),
        (any::<i32>(), any::<i32>()).prop_map(|(day, by)| Effect::Bought { day: Day(day), by }),
        instant().prop_map(|performed_on| Effect::Seen { performed_on }),
        any::<bool>().prop_map(|blocked| Effect::Block { blocked }),
        Just(Effect::Erase),
        tallied(),
        (lot_id(), amount()).prop_map(|(lot, amount)| Effect::Gone { lot, amount }),
        written_off().prop_map(|WrittenOff { balance, entry, amount }| Effect::WriteOff {
            balance,
            entry,
            amount
        }),
        (any::<u64>(), instant(), lot_id(), amount()).prop_map(|(hold, lapses_at, lot, amount)| {
            Effect::Hold { hold, lapses_at, lot, amount }
        }),
        (any::<u64>(), lot_id(), amount()).prop_map(|(hold, lot, amount)| Effect::TakeHeld {
            hold,
            lot,
            amount
        }),
        (any::<u64>(), lot_id(), amount(), amount())
            .prop_map(|(hold, lot, amount, debt)| { Effect::Release { hold, lot, amount, debt } }),
        (offer(), amount(), of(slot())).prop_map(|(offer, amount, slot)| Effect::Discount {
            offer,
            amount,
            slot
        }),
        pass_id().prop_map(|pass| Effect::Nameless { pass }),
        Just(Effect::Registered),
        participant().prop_map(|into| Effect::Merged { into }),
        activation().prop_map(Effect::Activate),
        activation().prop_map(Effect::Deactivate),
        (offer(), pass_id(), of(slot())).prop_map(|(offer, pass, slot)| Effect::Issue {
            offer,
            pass,
            slot
        }),
    ]
}

fn activity() -> impl Strategy<Value = Activity> {
    let parts = (any::<i32>(), any::<i32>(), amount(), any::<i32>(), any::<i32>());
    parts.prop_map(|(month, purchases, amount, spends, awards)| Activity {
        month: Month(month),
        purchases,
        amount,
        spends,
        awards,
    })
}

fn watch() -> impl Strategy<Value = Watch> {
    let goods =
        prop_oneof![product().prop_map(Goods::Product), product().prop_map(Goods::Category)];
    prop_oneof![
        (of(goods), of(area())).prop_map(|(goods, area)| Watch::Purchases { goods, area }),
        offer().prop_map(Watch::Offer),
    ]
}

fn watched() -> impl Strategy<Value = Watched> {
    let month = (any::<i32>(), any::<i32>()).prop_map(|(month, count)| (Month(month), count));
    (watch(), vec(month, 0..3)).prop_map(|(watch, months)| Watched { watch, months })
}

fn activation() -> impl Strategy<Value = Activation> {
    let parts = (plan(), instant(), instant());
    parts.prop_map(|(plan, from, until)| Activation { plan, from, until })
}

fn shown() -> impl Strategy<Value = PassShown> {
    let refusal = prop::sample::select(Refusal::ALL.to_vec());
    let refused = (plan(), of(any::<u64>()), refusal);
    let accepted = (plan(), of(any::<u64>()), of(any::<u32>()), of(instant()));
    prop_oneof![
        Just(PassShown::Unknown),
        refused.prop_map(|(plan, serial, refusal)| PassShown::Refused { plan, serial, refusal }),
        accepted.prop_map(|(plan, serial, turn, until)| PassShown::Accepted {
            plan,
            serial,
            turn,
            until
        }),
    ]
}

fn pass_id() -> impl Strategy<Value = PassId> {
    (plan(), any::<u64>()).prop_map(|(plan, serial)| PassId { plan, serial })
}

fn written_off() -> impl Strategy<Value = WrittenOff> {
    let parts = (balance(), any::<u64>(), amount());
    parts.prop_map(|(balance, entry, amount)| WrittenOff { balance, entry, amount })
}

/// The key and the act; sequences of their own are put in afterwards.
fn deed() -> impl Strategy<Value = (EntryKey, Act)> {
    let refusal = prop::sample::select(Refusal::ALL.to_vec());
    let key = prop_oneof![
        (event_id(), any::<u8>()).prop_map(|(event, turn)| EntryKey::Event { event, turn }),
        key().prop_map(EntryKey::Spend),
        event_id().prop_map(EntryKey::SpendWithPurchase),
        (event_id(), any::<u16>()).prop_map(|(event, turn)| EntryKey::CancelEvent { event, turn }),
        any::<u64>().prop_map(EntryKey::CancelSpend),
        (plan(), any::<u64>(), any::<u32>()).prop_map(|(plan, serial, turn)| EntryKey::Redeem {
            plan,
            serial,
            turn
        }),
        any::<u64>().prop_map(EntryKey::CancelRedemption),
        Just(EntryKey::Expiry(0)),
        Just(EntryKey::Block(0)),
        event_id().prop_map(EntryKey::SpendRequest),
        key().prop_map(EntryKey::Hold),
        key().prop_map(EntryKey::EndHold),
        Just(EntryKey::Lapse(0)),
        key().prop_map(EntryKey::Adjust),
        (event_id(), any::<u8>()).prop_map(|(event, number)| EntryKey::Unasked { event, number }),
        key().prop_map(EntryKey::Register),
        key().prop_map(EntryKey::Merge),
        (participant(), any::<u64>())
            .prop_map(|(duplicate, sequence)| EntryKey::MergeOf { duplicate, sequence }),
        (balance(), instant()).prop_map(|(name, at)| EntryKey::Convert {
            conversion: ConversionId::parse(name.as_str()).unwrap(),
            at
        }),
        key().prop_map(EntryKey::Coupon),
    ];
    let reversal = || {
        let reason = of(text());
        (vec(any::<u64>(), 0..4), reason)
            .prop_map(|(entries, reason)| TakenBack { entries, reason })
    };
    let act = prop_oneof![
        Just(Act::Judged),
        made().prop_map(Act::Spent),
        refusal.prop_map(Act::Refused),
        reversal().prop_map(Act::Reversed),
        Just(Act::Redeemed),
        Just(Act::Expired),
        text().prop_map(|reason| Act::Blocked { reason }),
        reversal().prop_map(Act::Returned),
        (made(), instant()).prop_map(|(spend, lapses_at)| Act::Held(HoldMade { spend, lapses_at })),
        Just(Act::Released),
        text().prop_map(|reason| Act::Adjusted { reason }),
        Just(Act::Registered),
        (participant(), of(text()))
            .prop_map(|(participant, reason)| Act::MergedInto { participant, reason }),
        participant().prop_map(|participant| Act::MergedFrom { participant }),
        (balance(), amount(), amount(), of(balance())).prop_map(
            |(balance, points, money, into)| {
                Act::Converted(ConversionMade { balance, points, money, into })
            }
        ),
    ];
    (key, act)
}

fn entry() -> impl Strategy<Value = Entry> {
    let after = vec((balance(), amount()), 0..3);
    (instant(), deed(), payload(), vec(effect(), 0..5), after).prop_map(
        |(at, (key, act), payload, effects, after)| Entry {
            sequence: 0,
            at,
            key,
            payload,
            act,
            effects,
            after,
        },
    )
}

fn numbered(first: u64, mut entries: Vec<Entry>) -> Vec<Entry> {
    for (sequence, entry) in (first..).zip(&mut entries) {
        entry.sequence = sequence;
        match &mut entry.key {
            EntryKey::Expiry(own) | EntryKey::Block(own) | EntryKey::Lapse(own) => *own = sequence,
            EntryKey::Event { .. }
            | EntryKey::Spend(_)
            | EntryKey::SpendWithPurchase(_)
            | EntryKey::CancelEvent { .. }
            | EntryKey::CancelSpend(_)
            | EntryKey::SpendRequest(_)
            | EntryKey::Redeem { .. }
            | EntryKey::CancelRedemption(_)
            | EntryKey::Hold(_)
            | EntryKey::EndHold(_)
            | EntryKey::Adjust(_)
            | EntryKey::Register(_)
            | EntryKey::Merge(_)
            | EntryKey::MergeOf { .. }
            | EntryKey::Convert { .. }
            | EntryKey::Coupon(_)
            | EntryKey::Unasked { .. } => {}
        }
    }
    entries
}

pub fn page() -> impl Strategy<Value = Page> {
    (any::<[u8; 16]>(), 1_u64..1_000_000_000_000, vec(entry(), 1..7))
        .prop_map(|(before, first, entries)| Page { before, entries: numbered(first, entries) })
}

pub fn state() -> impl Strategy<Value = State> {
    let lots = vec((lot_id(), amount()).prop_map(|(id, amount)| Lot { id, amount }), 0..6);
    let counters = vec(
        (offer(), slot(), any::<u32>()).prop_map(|(offer, slot, count)| Counter {
            offer,
            slot,
            count,
        }),
        0..6,
    );
    let days = vec((any::<i32>().prop_map(Day), any::<i32>()), 0..3);
    let activity = (vec(activity(), 0..13), vec(watched(), 0..3), days);
    let tally =
        (offer(), part(), any::<i64>()).prop_map(|(offer, part, sum)| Tally { offer, part, sum });
    let tallies = (vec(tally, 0..3), vec(tally_award(), 0..3));
    let forgone = vec(written_off(), 0..3);
    let hold = (any::<u64>(), instant(), vec((lot_id(), amount()), 1..3))
        .prop_map(|(sequence, lapses_at, takes)| Hold { sequence, lapses_at, takes });
    let kept = (vec(hold, 0..3), vec(activation(), 0..3));
    let debts = (vec((balance(), amount()), 0..3), forgone, kept);
    let standing = (any::<bool>(), of(pass_id()), of(participant()));
    let more = (instant(), debts, standing, of(instant()), tallies);
    let journal = (0_u64..1_000_000, vec(entry(), 0..8), any::<[u8; 16]>());
    (lots, counters, activity, more, journal).prop_map(|(lots, counters, activity, more, rest)| {
        let (paged, journal, page) = rest;
        let length = paged + u64::try_from(journal.len()).unwrap();
        let (time, debts, (blocked, nameless, merged_into), last_event, (tallies, tally_awards)) =
            more;
        let (debts, written_off, (holds, activations)) = debts;
        let (activity, watched, days) = activity;
        let wallet = Wallet {
            length,
            time,
            lots,
            debts,
            written_off,
            blocked,
            erased: blocked && length % 2 == 0,
            counters,
            tallies,
            tally_awards,
            activity,
            last_event,
            holds,
            nameless,
            merged_into,
            activations,
            watched,
            days,
        };
        State { wallet, journal: numbered(paged + 1, journal), page }
    })
}

fn medium() -> impl Strategy<Value = PaymentMedium> {
    let kept = prop_oneof![
        Just(Keep::All),
        any::<u32>().prop_map(|count| Keep::First(count as usize)),
        any::<u32>().prop_map(|count| Keep::Last(count as usize)),
    ];
    let texts = (of(text()), of(text()), of(text()));
    (texts, kept).prop_map(|((brand, kind, identifier), kept)| PaymentMedium {
        brand,
        kind,
        identifier,
        kept,
    })
}

fn detail() -> impl Strategy<Value = Detail> {
    let value = (kpi(), product(), amount()).prop_map(|(kpi, product, value)| KpiValue {
        kpi,
        product,
        value,
    });
    prop_oneof![
        purchase(),
        participant().prop_map(|referred| Detail::Referral { referred }),
        (text(), text(), text()).prop_map(|(network, profile, action)| Detail::SocialMedia {
            network,
            profile,
            action
        }),
        (text(), of(any::<u8>())).prop_map(|(url, score)| Detail::Web { url, score }),
        of(any::<u8>()).prop_map(|score| Detail::Achievement { score }),
        (of(product()), amount(), of(medium())).prop_map(|(product, amount, payment_medium)| {
            let achieved = FinancialAchievement { product, amount, payment_medium };
            Detail::FinancialAchievement(achieved)
        }),
        (any::<i32>(), vec(value, 0..5)).prop_map(|(period, values)| {
            Detail::FinancialStatement(Statement { period: Month(period), values })
        }),
        (balance(), of(amount()), of(event_id())).prop_map(|(balance, amount, purchase)| {
            Detail::SpendRequest(SpendRequest { balance, amount, purchase })
        }),
    ]
}

fn purchase() -> impl Strategy<Value = Detail> {
    let names = (of(product()), of(product()), of(product()));
    let line = (names, any::<u32>(), amount(), amount()).prop_map(|(names, quantity, net, vat)| {
        let (product, category, brand) = names;
        Line { product, category, brand, quantity, net, vat }
    });
    (of(text()), of(text()), of(medium()), vec(line, 0..5)).prop_map(
        |(receipt_number, related_transaction, payment_medium, lines)| {
            Detail::Purchase(Purchase {
                receipt_number,
                related_transaction,
                payment_medium,
                lines,
            })
        },
    )
}

fn judgement() -> impl Strategy<Value = Judgement> {
    let kind = (any::<bool>(), any::<bool>());
    let award = (offer(), lot_id(), amount(), kind, vec(any::<u16>(), 0..3)).prop_map(
        |(offer, lot, amount, (exclusive, counted), lines)| Awarded {
            offer,
            lot,
            amount,
            exclusive,
            lines,
            counted,
        },
    );
    let lines = vec((any::<u16>(), amount()), 0..3);
    let discount = (offer(), amount(), any::<bool>(), lines, amount()).prop_map(
        |(offer, amount, exclusive, lines, returned)| Discounted {
            offer,
            amount,
            exclusive,
            lines,
            returned,
        },
    );
    let pass = (offer(), pass_id(), 0..32_u8).prop_map(|(offer, pass, generation)| PassGiven {
        offer,
        pass,
        generation: Generation(generation),
    });
    let given = (vec(award, 0..3), vec(discount, 0..3), vec(pass, 0..3));
    let reason = prop::sample::select(Reason::ALL.to_vec());
    let by = of(run()).prop_map(|run| run.map_or(Judge::Interactive, Judge::Run));
    (any::<u64>(), by, any::<u64>(), given, vec((offer(), reason), 0..3)).prop_map(
        |(sequence, by, programme, (awards, discounts, passes), passed_over)| Judgement {
            sequence,
            by,
            programme,
            awards,
            discounts,
            passes,
            passed_over,
        },
    )
}

fn returned() -> impl Strategy<Value = Return> {
    let line =
        (any::<u16>(), any::<u32>()).prop_map(|(index, quantity)| ReturnedLine { index, quantity });
    (any::<u64>(), payload(), payload(), vec(line, 0..4), of(text())).prop_map(
        |(sequence, key, payload, lines, reason)| Return { sequence, key, payload, lines, reason },
    )
}

pub fn event() -> impl Strategy<Value = StoredEvent> {
    let head = (event_id(), participant(), of(class()), of(unit()), instant(), any::<bool>());
    let event = (head, detail()).prop_map(|(head, detail)| Event {
        id: head.0,
        participant: head.1,
        classification: head.2,
        unit: head.3,
        performed_on: head.4,
        immediate: head.5,
        detail,
    });
    let parts = vec((of(terms().prop_map(Arc::new)), amount()), 0..3);
    let spend = (any::<u64>(), made(), any::<bool>(), amount(), parts).prop_map(
        |(sequence, made, cancelled, returned, parts)| SpendOn {
            sequence,
            made,
            cancelled,
            returned,
            parts,
        },
    );
    let due = prop::sample::select(vec![Due::Nothing, Due::BatchOnly, Due::Everything]);
    let asked = (payload(), payload()).prop_map(|(key, payload)| Asked { key, payload });
    let state = prop::sample::select(vec![EventState::Posted, EventState::Cancelled]);
    let life = (state, vec(returned(), 0..3));
    let judged = (vec(judgement(), 0..3), of(judgement()), of(shown()));
    let fate = (due, judged, vec(spend, 0..3), life, vec(asked, 0..3));
    (event, payload(), instant(), any::<u64>(), fate).prop_map(
        |(event, payload, accepted_at, version, (due, judged, spends, life, denied))| {
            let ((judgements, referred, pass), (state, returns)) = (judged, life);
            let recorded = RecordedEvent {
                event,
                payload,
                accepted_at,
                state,
                due,
                judgements,
                referred,
                spends,
                returns,
                pass,
            };
            StoredEvent { recorded, version, denied }
        },
    )
}

pub fn pass() -> impl Strategy<Value = Pass> {
    let request = || (key(), payload(), instant());
    let issued = (request(), of(text()), of(text())).prop_map(|(request, recipient, channel)| {
        let (key, payload, at) = request;
        Origin::Issued(Issued { key, payload, at, recipient, channel })
    });
    let origin = prop_oneof![issued, instant().prop_map(|at| Origin::Printed { at })];
    let loaded = request().prop_map(|(key, payload, at)| Loaded { key, payload, at });
    let mark = prop::sample::select(vec![Mark::Void, Mark::Locked]);
    let head = ((plan(), 0..SERIALS, 0..32_u8), origin, of(amount()), of(loaded), of(day()));
    let tail = (of(mark), any::<u8>(), of(any::<[u8; 16]>()));
    (head, tail, vec(redemption(), 0..3), vec(change(), 0..3)).prop_map(
        |((id, origin, value, loaded, until), tail, redemptions, changes)| Pass {
            id: PassId { plan: id.0, serial: id.1 },
            generation: Generation(id.2),
            origin,
            value,
            loaded,
            until,
            mark: tail.0,
            tries: tail.1,
            chosen_pin: tail.2,
            redemptions,
            changes,
        },
    )
}

fn redemption() -> impl Strategy<Value = Redemption> {
    let head = (key(), payload(), participant(), any::<u64>());
    (head, amount(), of(day()), any::<bool>()).prop_map(
        |((key, payload, participant, sequence), amount, expires, cancelled)| Redemption {
            key,
            payload,
            participant,
            sequence,
            amount,
            expires,
            cancelled,
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let kind = prop_oneof![
        Just(ChangeKind::Loaded),
        Just(ChangeKind::Usable),
        Just(ChangeKind::Void),
        Just(ChangeKind::Locked),
        day().prop_map(ChangeKind::Until),
        amount().prop_map(ChangeKind::Value),
        Just(ChangeKind::Pin),
        any::<u32>().prop_map(ChangeKind::TakenBack),
    ];
    (instant(), text(), kind).prop_map(|(at, who, kind)| Change { at, who, kind })
}

pub fn plan_start() -> impl Strategy<Value = PlanStart> {
    let printed = ((key(), payload(), instant()), any::<u64>(), 0..32_u8).prop_map(
        |((key, payload, at), count, generation)| {
            let generation = Generation(generation);
            Printed { key, payload, count, at, generation }
        },
    );
    (any::<u64>(), of(printed)).prop_map(|(programme, printed)| PlanStart { programme, printed })
}

pub fn profile() -> impl Strategy<Value = Participant> {
    let consent = (any::<bool>(), instant(), of(text()), of(text()))
        .prop_map(|(granted, at, source, process)| Consent { granted, at, source, process });
    let consents = prop::collection::btree_map(text(), consent, 0..4);
    let names = (of(text()), of(text()), of(text()), of(text()), of(text()), of(text()));
    let reference = of(text());
    let flags = prop::collection::btree_map(text(), any::<bool>(), 0..4);
    let name_day = (10_957..11_323).prop_map(|day| Anniversary::of(Day(day).date()));
    let rest = (of(day()), of(name_day), of(text()), vec(text(), 0..4), flags);
    let kind = prop::sample::select(AliasKind::ALL.to_vec());
    let alias = (kind, any::<[u8; 32]>()).prop_map(|(kind, hash)| AliasMark { kind, hash });
    let changed = (instant(), text(), of(text())).prop_map(|(at, by, process)| Provenance {
        at,
        by,
        process,
    });
    let erased = (instant(), of(any::<u64>())).prop_map(|(at, below)| Erased { at, below });
    let besides = (vec(alias, 0..4), of(changed), of(erased), reference);
    (names, rest, consents, besides).prop_map(|(names, rest, consents, known_besides)| {
        let (aliases, changed, erased, payout_reference) = known_besides;
        let (birthday, name_day, area, tags, flags): (_, _, _, _, BTreeMap<Box<str>, bool>) = rest;
        let profile = Profile {
            first_name: names.0,
            last_name: names.1,
            email: names.2,
            phone: names.3,
            locale: names.4,
            time_zone: names.5,
            birthday: birthday.map(Day::date),
            name_day,
            area,
            tags,
            flags,
            payout_reference,
        };
        Participant { profile, consents, aliases, changed, erased }
    })
}
