//! Records: what is written is read again, and nothing that is read can do harm.

use domain::amount::Amount;
use domain::id::{BalanceCode, Key, PlanId};
use domain::ledger::{Act, Entry, EntryKey, PayloadHash, SpendCause, SpendMade};
use domain::pass::PassId;
use domain::programme::ReductionMethod;
use domain::time::Instant;
use domain::wallet::Wallet;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::arbitrary::{event, instant, page, pass, plan_start, profile, state, stock};
use crate::record::{
    Page, State, VERSION, decode_codes, decode_event, decode_fate, decode_page, decode_participant,
    decode_pass, decode_start, decode_state, decode_stock, deflate, encode_event, encode_page,
    encode_participant, encode_pass, encode_start, encode_state, encode_stock, inflate,
};

fn some_pass() -> PassId {
    PassId { plan: PlanId::parse("p").unwrap(), serial: 1 }
}

/// Decodes bytes as every kind of record.
fn decode_all(bytes: &[u8], length: u64, time: i64) {
    drop(decode_state(bytes, length, Instant(time)));
    drop(decode_page(bytes));
    drop(decode_event(bytes, length));
    drop(decode_pass(bytes, some_pass()));
    drop(decode_start(bytes));
    drop(decode_participant(bytes));
    drop(decode_stock(bytes));
    drop(decode_codes(bytes).map(|codes| codes.len()));
    drop(decode_fate(bytes));
}

/// Bytes with some of them changed, or cut off.
fn damaged(bytes: &[u8], damage: &[(usize, u8)], cut: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, byte) in damage {
        let at = at % bytes.len();
        bytes[at] = *byte;
    }
    bytes.truncate(bytes.len() - cut % bytes.len());
    bytes
}

fn damage() -> impl Strategy<Value = (Vec<(usize, u8)>, usize)> {
    (vec((any::<usize>(), any::<u8>()), 1..6), prop_oneof![3 => Just(0), 1 => any::<usize>()])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_state_is_read_as_it_was_written(state in state(), (damage, cut) in damage()) {
        let bytes = encode_state(&state).unwrap();
        let Wallet { length, time, .. } = state.wallet;
        prop_assert_eq!(decode_state(&bytes, length, time).unwrap(), state);
        drop(decode_state(&damaged(&bytes, &damage, cut), length, time));
    }

    #[test]
    fn a_stock_is_read_as_it_was_written(stock in stock(), (damage, cut) in damage()) {
        let bytes = encode_stock(&stock).unwrap();
        prop_assert_eq!(decode_stock(&bytes).unwrap(), stock);
        drop(decode_stock(&damaged(&bytes, &damage, cut)));
    }

    #[test]
    fn a_page_is_read_as_it_was_written(page in page(), (damage, cut) in damage()) {
        let bytes = encode_page(&page).unwrap();
        prop_assert_eq!(&encode_page(&page).unwrap(), &bytes);
        prop_assert_eq!(decode_page(&bytes).unwrap(), page);
        drop(decode_page(&damaged(&bytes, &damage, cut)));
    }

    #[test]
    fn an_event_is_read_as_it_was_written(event in event(), (damage, cut) in damage()) {
        let bytes = encode_event(&event).unwrap();
        prop_assert_eq!(&decode_event(&bytes, event.version).unwrap(), &event);
        let plain = inflate(&bytes).unwrap();
        let again = deflate(&damaged(&plain, &damage, cut)).unwrap();
        drop(decode_event(&again, event.version));
    }

    #[test]
    fn a_pass_is_read_as_it_was_written(pass in pass(), (damage, cut) in damage()) {
        let bytes = encode_pass(&pass).unwrap();
        prop_assert_eq!(decode_pass(&bytes, pass.id.clone()).unwrap(), pass);
        drop(decode_pass(&damaged(&bytes, &damage, cut), some_pass()));
    }

    #[test]
    fn the_start_of_a_plan_is_read_as_it_was_written(start in plan_start()) {
        let bytes = encode_start(&start).unwrap();
        prop_assert_eq!(decode_start(&bytes).unwrap(), start);
    }

    #[test]
    fn a_profile_is_read_as_it_was_written(profile in profile(), (damage, cut) in damage()) {
        let bytes = encode_participant(&profile).unwrap();
        let read = decode_participant(&bytes).unwrap();
        prop_assert!(read == profile);
        let plain = inflate(&bytes).unwrap();
        drop(decode_participant(&deflate(&damaged(&plain, &damage, cut)).unwrap()));
    }

    #[test]
    fn whatever_bytes_there_are_reading_them_never_panics(
        bytes in vec(any::<u8>(), 0..200),
        length in prop_oneof![0_u64..20, Just(u64::MAX)],
        time in prop_oneof![instant().prop_map(|at| at.0), any::<i64>()],
    ) {
        decode_all(&bytes, length, time);
        let mut versioned = vec![VERSION];
        versioned.extend(&bytes);
        decode_all(&versioned, length, time);
        decode_all(&deflate(&versioned).unwrap(), length, time);
    }
}

/// The corners that random bytes seldom reach: numbers at the ends of their range.
#[test]
fn numbers_at_the_end_of_their_range_are_refused_and_do_not_panic() {
    let made = SpendMade {
        balance: BalanceCode::parse("points").unwrap(),
        requested: Amount(1),
        spent: Amount(1),
        covered: None,
        remainder: Amount(0),
        purchase: None,
        method: ReductionMethod::FrontEnd,
        unit: None,
        performed_on: Instant(0),
        classification: None,
        request: None,
        cause: SpendCause::Requested,
    };
    let spent = |at, performed_on| Entry {
        sequence: 1,
        at: Instant(at),
        key: EntryKey::Spend(Key::parse("k").unwrap()),
        payload: PayloadHash::default(),
        act: Act::Spent(SpendMade { performed_on: Instant(performed_on), ..made.clone() }),
        effects: vec![],
        after: vec![],
    };
    let page = |entries| Page { before: [0; 16], entries };
    for (at, performed_on) in [(i64::MAX, -2), (-2, i64::MAX), (i64::MIN, 1), (1, i64::MIN)] {
        let page = page(vec![spent(at, performed_on)]);
        if let Ok(bytes) = encode_page(&page) {
            assert_eq!(decode_page(&bytes).unwrap(), page);
        }
    }
    let last = page(vec![Entry { sequence: u64::MAX, ..spent(0, 0) }]);
    drop(decode_page(&encode_page(&last).unwrap()));
    let state = encode_state(&State::default()).unwrap();
    assert!(decode_state(&state, u64::MAX, Instant(0)).is_err());
}
