//! Passes that were issued and redeemed.

use domain::id::ParticipantId;
use domain::pass::{Pass, PassId};
use domain::programme::Programme;
use domain::time::{Day, Instant};
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::{BalanceAnswer, balances, day_end, transaction_code};

/// The answer to the issue of a pass.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PassIssuedAnswer {
    /// What redeems it: a secret, so the type has no `Debug`.
    pub code: String,
    pub pass_id: String,
    pub balance: String,
    pub value: String,
    /// The instant from which it cannot be redeemed any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeemable_until: Option<String>,
    pub repeated: bool,
}

/// A redemption that was carried out.
pub struct Redeemed<'a> {
    pub participant: &'a ParticipantId,
    /// Of the ledger entry.
    pub sequence: u64,
    pub pass: &'a Pass,
    /// The last day of the lot that was credited.
    pub expires: Option<Day>,
}

/// The answer to a redemption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RedemptionAnswer {
    pub transaction: String,
    pub pass_id: String,
    pub credited: CreditView,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

/// What a pass credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreditView {
    pub balance: String,
    pub amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// `<plan>.<serial>`: names a pass. It is no secret.
pub fn pass_id(id: &PassId) -> String {
    format!("{}.{}", id.plan, id.serial)
}

/// Answers the issue of a pass.
pub fn pass_issued(
    programme: &Programme,
    code: &str,
    pass: &Pass,
    repeated: bool,
) -> PassIssuedAnswer {
    PassIssuedAnswer {
        code: code.into(),
        pass_id: pass_id(&pass.id),
        balance: pass.balance.to_string(),
        value: programme.show(&pass.balance, pass.value),
        redeemable_until: pass.redeemable_until.map(|day| day_end(programme, day)),
        repeated,
    }
}

/// Answers a redemption.
pub fn redemption(
    programme: &Programme,
    redeemed: &Redeemed<'_>,
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> RedemptionAnswer {
    let pass = redeemed.pass;
    RedemptionAnswer {
        transaction: transaction_code(redeemed.participant, redeemed.sequence),
        pass_id: pass_id(&pass.id),
        credited: CreditView {
            balance: pass.balance.to_string(),
            amount: programme.show(&pass.balance, pass.value),
            expires_at: redeemed.expires.map(|day| day_end(programme, day)),
        },
        balances: balances(programme, wallet, now),
        repeated,
    }
}
