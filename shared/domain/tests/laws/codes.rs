//! Codes of passes: what is typed wrong, guessed or made under another key is told.

use domain::id::{Key, PlanId};
use domain::pass::{
    CODE_LENGTH, Generation, PIN_DIGITS, PassCode, PassId, PassKeys, PlanKey, SERIALS, Told,
    code_prefix, issued_serial,
};
use proptest::prelude::*;

const SYMBOLS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn keys() -> PassKeys {
    let lines: Vec<String> =
        (0..32).map(|n| format!("key {n:02} of thirty-two characters or more")).collect();
    PassKeys::parse(&lines.join("\n")).unwrap()
}

fn plan(name: &str) -> PlanId {
    PlanId::parse(name).unwrap()
}

fn key(name: &str, generation: u8) -> PlanKey {
    keys().of(&plan(name), Generation(generation)).unwrap()
}

fn told(name: &str, generation: u8, serial: u64) -> Told {
    key(name, generation).told(serial)
}

fn plans() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9-]{0,12}"
}

proptest! {
    /// a code names its plan, serial and key, and nothing else is told by another.
    #[test]
    fn r84_serials_and_codes_are_one_to_one(
        name in plans(),
        generation in 0..32_u8,
        serial in 0..SERIALS,
        other in 0..SERIALS,
    ) {
        let Told { code, pin } = told(&name, generation, serial);
        prop_assert_eq!(code.len(), CODE_LENGTH);
        prop_assert!(pin.len() == PIN_DIGITS && pin.bytes().all(|b| b.is_ascii_digit()));
        let read = PassCode::read(&code).unwrap();
        prop_assert_eq!((read.generation, read.serial), (Generation(generation), serial));
        prop_assert!(read.names(&plan(&name)));
        prop_assert!(keys().proves(&plan(&name), &read));
        prop_assert_eq!(told(&name, generation, other).code == code, other == serial);
    }

    /// people type in any case and spacing, and take an O for a 0.
    #[test]
    fn r84_a_code_is_read_however_it_is_typed(
        serial in 0..SERIALS,
        spaces in prop::collection::vec((0..CODE_LENGTH, prop::sample::select(&[" ", "-", "\t", "."])), 0..6),
        lower in any::<u64>(),
        folded in any::<u64>(),
    ) {
        let code = told("gift", 0, serial).code;
        let mut typed = String::new();
        for (at, symbol) in code.chars().filter(|c| *c != '-').enumerate() {
            for (_, space) in spaces.iter().filter(|(before, _)| *before == at) {
                typed.push_str(space);
            }
            let alike = match symbol {
                '0' if folded >> at & 1 == 1 => 'O',
                '1' if folded >> at & 3 == 1 => 'I',
                '1' if folded >> at & 3 == 2 => 'L',
                symbol => symbol,
            };
            typed.push(if lower >> at & 1 == 1 { alike.to_ascii_lowercase() } else { alike });
        }
        prop_assert!(PassCode::read(&typed) == PassCode::read(&code), "{}", typed);
    }

    /// the check symbol notices every wrong symbol, and any two that changed places, before
    /// a key or a table is asked.
    #[test]
    fn r84_every_slip_of_one_symbol_and_every_swap_is_noticed(name in plans(), serial in 0..SERIALS) {
        let code = told(&name, 3, serial).code.replace('-', "");
        for at in 0..code.len() {
            for symbol in SYMBOLS {
                let mut typed = code.clone().into_bytes();
                let same = std::mem::replace(&mut typed[at], *symbol) == *symbol;
                let typed = String::from_utf8(typed).unwrap();
                prop_assert_eq!(PassCode::read(&typed).is_some(), same, "{}", typed);
            }
            for other in at + 1..code.len() {
                let mut typed = code.clone().into_bytes();
                typed.swap(at, other);
                let typed = String::from_utf8(typed).unwrap();
                prop_assert_eq!(PassCode::read(&typed).is_some(), typed == code, "{}", typed);
            }
        }
    }

    /// a code of another key or another plan proves nothing, though its check symbol is right.
    #[test]
    fn r84_tags_of_other_keys_and_plans_do_not_match(
        (name, other) in (plans(), plans()).prop_filter("two", |(a, b)| a != b),
        (generation, later) in (0..32_u8, 0..32_u8),
        serial in 0..SERIALS,
    ) {
        let read = PassCode::read(&told(&name, generation, serial).code).unwrap();
        prop_assert!(!keys().proves(&plan(&other), &read));
        prop_assert_eq!(key(&name, later).made(&read), later == generation);
        let strangers = PassKeys::parse(&["another key of thirty-two letters"; 32].join("\n")).unwrap();
        prop_assert!(!strangers.proves(&plan(&name), &read));
        prop_assert!(told(&name, generation, serial).code != told(&other, generation, serial).code);
    }

    /// a PIN is one in a million, whichever way it was chosen.
    #[test]
    fn r84_only_the_right_pin_is_the_pin(serial in 0..SERIALS, typed in "[0-9]{0,7}") {
        let key = key("gift", 1);
        let pin = key.told(serial).pin;
        prop_assert!(key.is_pin(serial, &pin));
        prop_assert_eq!(key.is_pin(serial, &typed), typed == pin);
        let hash = key.pin_hash(serial, &typed);
        prop_assert!(key.is_chosen_pin(serial, &typed, &hash));
        let longer = format!("{typed}0");
        prop_assert!(!key.is_chosen_pin(serial, &longer, &hash));
        prop_assert!(!key.is_chosen_pin(serial ^ 1, &typed, &hash));
    }

    #[test]
    fn what_is_no_code_is_none(text in "\\PC{0,40}") {
        if let Some(read) = PassCode::read(&text) {
            prop_assert!(!keys().proves(&plan("gift"), &read));
        }
    }
}

/// A forged tag has a chance of one in 2^60, so a random code with a right check symbol is none.
#[test]
fn r84_twenty_thousand_guesses_prove_nothing() {
    let key = key("gift", 0);
    let right = key.told(7).code.replace('-', "");
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..20_000 {
        let mut guess = right.clone().into_bytes();
        for symbol in &mut guess[11..23] {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *symbol = SYMBOLS[usize::try_from(seed >> 59).unwrap()];
        }
        let checked = SYMBOLS.iter().find_map(|check| {
            guess[23] = *check;
            PassCode::read(std::str::from_utf8(&guess).unwrap())
        });
        assert!(!key.made(&checked.unwrap()));
    }
}

/// Passes that are printed keep their codes: a change here would make them worthless.
#[test]
fn codes_never_change() {
    let Told { code, pin } = told("gift-20", 0, 987_654_321);
    assert_eq!((code.as_str(), pin.as_str()), ("7080-0XDW-T5H0-CWP5-VXAX-X2YE", "651242"));
    assert_eq!(issued_serial(&plan("gift-20"), &Key::parse("order-1").unwrap(), 0), 18_942_757_188);
    assert_eq!(code_prefix(&plan("gift-20")), 7_176);
}

#[test]
fn a_list_of_keys_has_one_to_a_line_and_none_that_is_short() {
    let key = "k".repeat(32);
    for bad in [
        "",
        "short",
        &format!("{key}\n\n{key}"),
        &format!("{key}\nshort"),
        &vec![key.as_str(); 33].join("\n"),
    ] {
        assert!(PassKeys::parse(bad).is_none(), "{bad:?}");
    }
    assert_eq!(PassKeys::parse(&key).unwrap().newest(), Generation(0));
    let two = PassKeys::parse(&format!("{key}\n{key}2\n")).unwrap();
    assert_eq!(two.newest(), Generation(1));
    assert!(two.of(&plan("gift"), Generation(2)).is_none());
}

#[test]
fn a_pass_is_named_by_its_plan_and_serial() {
    let id = PassId::parse("gift.20.17").unwrap();
    assert_eq!((id.plan.as_str(), id.serial), ("gift.20", 17));
    for bad in
        ["gift", "gift.", "gift.x", "gift.-1", "gift.01", ".1", "gift.34359738368", "gift.+1"]
    {
        assert!(PassId::parse(bad).is_none(), "{bad}");
    }
}
