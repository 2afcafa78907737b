//! Balances and lots of a wallet.

use domain::amount::Amount;
use domain::id::BalanceCode;
use domain::programme::Programme;
use domain::time::Instant;
use domain::wallet::{Lot, Wallet};
use serde::Serialize;

use crate::answer::gift::gift_view;
use crate::answer::promotion::{ActivationView, activations};
use crate::answer::terms::{AutomaticAnswer, ConditionsAnswer, automatic, conditions};
use crate::answer::{GiftView, day_end, day_start};

/// One balance of a wallet at a time; amounts in its major unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BalanceAnswer {
    pub balance: String,
    /// Where it counts pieces of a gift: what is handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gift: Option<GiftView>,
    /// What can be spent now.
    pub available: String,
    /// What waits for its first day.
    pub pending: String,
    /// What is set aside by holds, in no lot.
    pub held: String,
    /// What new awards pay first.
    pub debt: String,
    /// What expires next; none where nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_expiry: Option<NextExpiry>,
}

/// What expires together next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextExpiry {
    /// The instant at the end of the last day.
    pub at: String,
    pub amount: String,
}

/// `GET /participants/{id}/wallet`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WalletAnswer {
    pub balances: Vec<BalanceAnswer>,
    /// Those that have not expired, in the order in which they are spent.
    pub lots: Vec<LotAnswer>,
    /// Whether spending is blocked.
    pub blocked: bool,
    /// Promotions whose offers are active for the participant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<ActivationView>,
}

/// One lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LotAnswer {
    pub balance: String,
    /// What is left of it; not to be spent before `available_from`.
    pub available: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What it may be spent on only; none where that is anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<ConditionsAnswer>,
    /// Within which bounds it is spent automatically; none: when it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic: Option<AutomaticAnswer>,
}

/// Every balance of the programme, and of gifts and former balances those that the wallet holds or
/// owes.
pub fn balances(programme: &Programme, wallet: &Wallet, now: Instant) -> Vec<BalanceAnswer> {
    let wallet = &*wallet.at(now, programme.zone);
    let money = programme.balances.iter().filter(|balance| !balance.is_gift());
    let mut codes: Vec<&BalanceCode> = money.map(|balance| &balance.code).collect();
    let held = live_lots(programme, wallet, now).map(|lot| &lot.id.balance);
    let set_aside = wallet.holds.iter().filter_map(|hold| hold.balance());
    for code in held.chain(set_aside).chain(wallet.debts.iter().map(|(code, _)| code)) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes.into_iter().map(|code| balance_answer(programme, wallet, code, now)).collect()
}

/// One balance of a wallet.
pub fn balance_answer(
    programme: &Programme,
    wallet: &Wallet,
    code: &BalanceCode,
    now: Instant,
) -> BalanceAnswer {
    let wallet = &*wallet.at(now, programme.zone);
    let show = |amount| programme.show(code, amount);
    let of_balance = || live_lots(programme, wallet, now).filter(|lot| lot.id.balance == *code);
    let next = of_balance().filter_map(|lot| lot.id.expires).min();
    let next_expiry = next.map(|day| {
        let together = of_balance().filter(|lot| lot.id.expires == Some(day));
        let amount = Amount(together.map(|lot| lot.amount.0).sum());
        NextExpiry { at: day_end(programme, day), amount: show(amount) }
    });
    BalanceAnswer {
        balance: code.to_string(),
        gift: gift_view(programme, code),
        available: show(wallet.available(code, now, programme.zone)),
        pending: show(wallet.pending(code, now, programme.zone)),
        held: show(wallet.set_aside(code, now)),
        debt: show(wallet.debt(code)),
        next_expiry,
    }
}

/// A wallet as it is now. What has expired is not shown, and what has lapsed is not held, entered
/// in the ledger or not.
pub fn wallet(programme: &Programme, wallet: &Wallet, now: Instant) -> WalletAnswer {
    let wallet = &*wallet.at(now, programme.zone);
    let lots = live_lots(programme, wallet, now).map(|lot| LotAnswer {
        balance: lot.id.balance.to_string(),
        available: programme.show(&lot.id.balance, lot.amount),
        available_from: lot.id.available_from.map(|day| day_start(programme, day)),
        expires_at: lot.id.expires.map(|day| day_end(programme, day)),
        conditions: lot.id.terms.as_ref().and_then(|terms| conditions(programme, terms)),
        automatic: automatic(programme, &lot.id),
    });
    WalletAnswer {
        balances: balances(programme, wallet, now),
        lots: lots.collect(),
        blocked: wallet.blocked,
        promotions: activations(programme, wallet, now),
    }
}

fn live_lots<'a>(
    programme: &Programme,
    wallet: &'a Wallet,
    now: Instant,
) -> impl Iterator<Item = &'a Lot> {
    let zone = programme.zone;
    wallet.lots.iter().filter(move |lot| lot.id.is_live(now, zone))
}
