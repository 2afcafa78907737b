//! Gifts of the programme document: things that are awarded and handed over.

use std::collections::HashSet;

use domain::amount::{Amount, Decimals, Rate};
use domain::id::BalanceCode;
use domain::offer::{Award, AwardForm};
use domain::programme::Balance;

use crate::fault::code;
use crate::programme::names::{Known, id, optional_list};
use crate::read::Object;

const MAX_GIFTS: usize = 500;
const MAX_PIECES: u32 = 1_000;

/// Gifts: balances that count pieces. `worth`, in currency, only says which award is the best.
pub(super) fn gifts(document: &Object<'_>, balances: &[Balance]) -> Vec<Balance> {
    let mut seen: HashSet<BalanceCode> = balances.iter().map(|b| b.code.clone()).collect();
    optional_list(
        document,
        "gifts",
        MAX_GIFTS,
        |fields| {
            let code = id(fields, "code", BalanceCode::parse, &mut seen);
            let name = fields.required("name").and_then(|name| name.label(100));
            let worth = fields.optional("worth").and_then(|worth| worth.rate());
            let worth = worth.unwrap_or(Rate::ZERO);
            // A gift whose name is at fault is one all the same.
            let gift = Some(name.unwrap_or_default());
            Some(Balance { code: code?, decimals: Decimals::NONE, worth, gift })
        },
        &["code", "name", "worth"],
    )
}

/// The award of a gift: `{"gift": "coffee", "pieces": 2}`.
pub(super) fn read_gift(fields: &Object<'_>, known: &Known) -> Option<Award> {
    if let Some(balance) = fields.optional("balance") {
        balance.fault(code::NOT_ALLOWED, "a gift has no other balance: leave it out");
    }
    let pieces = fields.optional("pieces").map(|pieces| pieces.integer(1..=MAX_PIECES));
    let node = fields.optional("gift")?;
    let code = node.parsed(BalanceCode::parse)?;
    let gift = known.balances.iter().find(|balance| balance.code == code);
    if !gift.is_some_and(Balance::is_gift) {
        node.fault(code::UNKNOWN_REFERENCE, format!("the programme has no gift \"{code}\""));
    }
    let form = AwardForm::Fixed(Amount(i64::from(pieces.unwrap_or(Some(1))?)));
    Some(Award { balance: Some(code), pass: None, form })
}
