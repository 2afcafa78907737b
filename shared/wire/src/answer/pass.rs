//! Passes: printed, issued, loaded, looked up, redeemed.

use domain::amount::Amount;
use domain::id::ParticipantId;
use domain::pass::{
    Change, ChangeKind, Origin, Pass, PassFormat, PassId, PassPlan, PassState, PassType, PlanStart,
    Printed, Redemption, Told,
};
use domain::programme::Programme;
use domain::time::Instant;
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::{BalanceAnswer, balances, day_end, day_start, show_instant, transaction_code};

/// The answer to the print of a plan's passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanActivatedAnswer {
    pub plan: String,
    pub count: u64,
    pub activated_at: String,
    pub repeated: bool,
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanAnswer {
    pub plan: String,
    /// Whether there are passes, so that the plan cannot be changed any more.
    pub has_passes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<String>,
    /// Who fetched the codes, the newest first.
    pub code_accesses: Vec<AccessView>,
}

/// An access to the codes of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessView {
    pub at: String,
    pub by: String,
    pub from: u64,
    pub rows: u64,
}

/// The answer to the issue of a pass.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PassIssuedAnswer {
    /// What redeems it: a secret, so the type has no `Debug`.
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    #[serde(flatten)]
    pub pass: PassView,
    pub repeated: bool,
}

/// A pass as whoever has proven its code sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassView {
    pub pass_id: String,
    #[serde(rename = "type")]
    pub pass_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<String>,
    pub state: &'static str,
    /// None: it credits nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
    /// None: to be chosen when it is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub uses_left: u32,
    /// The instant from which it can be redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeemable_from: Option<String>,
    /// The instant from which it cannot be redeemed any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeemable_until: Option<String>,
}

/// A pass as an operator sees it: with its history, without its secrets. The recipient is personal,
/// so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PassDetail {
    #[serde(flatten)]
    pub pass: PassView,
    pub format: &'static str,
    pub created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded_at: Option<String>,
    /// PINs that were tried since the last right one.
    pub pin_tries: u8,
    /// Whom it was issued for, and the channel by which it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    pub redemptions: Vec<RedemptionView>,
    pub changes: Vec<ChangeView>,
}

/// The answer to the loading of a pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassLoadedAnswer {
    #[serde(flatten)]
    pub pass: PassView,
    pub repeated: bool,
}

/// One redemption of a pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RedemptionView {
    pub transaction: String,
    /// None: it credited nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    pub cancelled: bool,
}

/// One change of a pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeView {
    pub at: String,
    pub by: String,
    pub change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// A redemption that was carried out.
pub struct Redeemed<'a> {
    pub participant: &'a ParticipantId,
    pub plan: &'a PassPlan,
    pub pass: &'a PassId,
    pub redemption: &'a Redemption,
}

/// The answer to a redemption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RedemptionAnswer {
    pub transaction: String,
    pub participant_id: String,
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

/// The answer to the cancel of a redemption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakenBackAnswer {
    pub transaction: String,
    pub pass_id: String,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

/// `<plan>.<serial>`: names a pass. It is no secret.
pub fn pass_id(id: &PassId) -> String {
    format!("{}.{}", id.plan, id.serial)
}

/// Answers the print of a plan's passes.
pub fn plan_activated(
    programme: &Programme,
    plan: &PassPlan,
    printed: &Printed,
    repeated: bool,
) -> PlanActivatedAnswer {
    PlanActivatedAnswer {
        plan: plan.id.to_string(),
        count: printed.count,
        activated_at: show_instant(printed.at, programme.zone),
        repeated,
    }
}

/// Shows what became of a plan; the accesses are (when, by whom, from which serial, how many).
pub fn plan(
    programme: &Programme,
    plan: &PassPlan,
    start: Option<&PlanStart>,
    accesses: impl Iterator<Item = (Instant, String, u64, u64)>,
) -> PlanAnswer {
    let show = |at| show_instant(at, programme.zone);
    let printed = start.and_then(|start| start.printed.as_ref());
    PlanAnswer {
        plan: plan.id.to_string(),
        has_passes: start.is_some(),
        printed: printed.map(|printed| printed.count),
        activated_at: printed.map(|printed| show(printed.at)),
        code_accesses: accesses
            .map(|(at, by, from, rows)| AccessView { at: show(at), by, from, rows })
            .collect(),
    }
}

/// Answers the issue of a pass.
pub fn pass_issued(
    programme: &Programme,
    plan: &PassPlan,
    pass: &Pass,
    told: Told,
    now: Instant,
    repeated: bool,
) -> PassIssuedAnswer {
    let Told { code, pin } = told;
    let pin = plan.pin.then_some(pin);
    PassIssuedAnswer { code, pin, pass: pass_view(programme, plan, pass, now), repeated }
}

/// Answers the loading of a pass.
pub fn pass_loaded(
    programme: &Programme,
    plan: &PassPlan,
    pass: &Pass,
    now: Instant,
    repeated: bool,
) -> PassLoadedAnswer {
    PassLoadedAnswer { pass: pass_view(programme, plan, pass, now), repeated }
}

/// Shows a pass.
pub fn pass_view(programme: &Programme, plan: &PassPlan, pass: &Pass, now: Instant) -> PassView {
    let zone = programme.zone;
    PassView {
        pass_id: pass_id(&pass.id),
        pass_type: match plan.pass_type {
            PassType::Gift => "gift",
            PassType::TopUp => "top_up",
            PassType::Promotion => "promotion",
        },
        classification: plan.classification.as_ref().map(ToString::to_string),
        state: match pass.state(plan, now, zone) {
            PassState::Created => "created",
            PassState::Loaded => "loaded",
            PassState::Redeemed => "redeemed",
            PassState::Expired => "expired",
            PassState::Void => "void",
            PassState::Locked => "locked",
        },
        balance: plan.balance.as_ref().map(ToString::to_string),
        value: pass.worth(plan).and_then(|value| show_value(programme, plan, value)),
        uses_left: plan.uses.saturating_sub(pass.uses()),
        redeemable_from: plan.window.from.map(|day| day_start(programme, day)),
        redeemable_until: pass.last_day(plan, zone).map(|day| day_end(programme, day)),
    }
}

/// Shows a pass to an operator.
pub fn pass_detail(
    programme: &Programme,
    plan: &PassPlan,
    pass: &Pass,
    now: Instant,
) -> PassDetail {
    let show = |at| show_instant(at, programme.zone);
    let redemptions = pass.redemptions.iter().map(|redemption| RedemptionView {
        transaction: transaction_code(&redemption.participant, redemption.sequence),
        amount: show_value(programme, plan, redemption.amount),
        cancelled: redemption.cancelled,
    });
    let issued = if let Origin::Issued(issued) = &pass.origin { Some(issued) } else { None };
    PassDetail {
        pass: pass_view(programme, plan, pass, now),
        format: match plan.format {
            PassFormat::Printed => "printed",
            PassFormat::Electronic => "electronic",
        },
        created_at: match &pass.origin {
            Origin::Issued(issued) => show(issued.at),
            Origin::Printed { at } => show(*at),
        },
        loaded_at: pass.loaded.as_ref().map(|loaded| show(loaded.at)),
        pin_tries: pass.tries,
        recipient: issued.and_then(|issued| issued.recipient.as_deref()).map(Into::into),
        channel: issued.and_then(|issued| issued.channel.as_deref()).map(Into::into),
        redemptions: redemptions.collect(),
        changes: pass.changes.iter().map(|change| change_view(programme, plan, change)).collect(),
    }
}

/// In the balance of the plan, where it has one.
fn show_value(programme: &Programme, plan: &PassPlan, value: Amount) -> Option<String> {
    Some(programme.show(plan.balance.as_ref()?, value))
}

fn change_view(programme: &Programme, plan: &PassPlan, change: &Change) -> ChangeView {
    let (name, to) = match change.kind {
        ChangeKind::Loaded => ("loaded", None),
        ChangeKind::Usable => ("usable", None),
        ChangeKind::Void => ("void", None),
        ChangeKind::Locked => ("locked", None),
        ChangeKind::Until(day) => ("redeemable_until", Some(day_end(programme, day))),
        ChangeKind::Value(value) => ("value", show_value(programme, plan, value)),
        ChangeKind::Pin => ("pin", None),
        ChangeKind::TakenBack(_) => ("redemption_cancelled", None),
    };
    let at = show_instant(change.at, programme.zone);
    ChangeView { at, by: change.who.to_string(), change: name, to }
}

/// Answers a redemption.
pub fn redemption(
    programme: &Programme,
    redeemed: &Redeemed<'_>,
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> RedemptionAnswer {
    let Redeemed { participant, plan, pass, redemption } = redeemed;
    RedemptionAnswer {
        transaction: transaction_code(participant, redemption.sequence),
        participant_id: participant.to_string(),
        pass_id: pass_id(pass),
        credited: CreditView {
            balance: plan.balance.as_ref().map(ToString::to_string).unwrap_or_default(),
            amount: show_value(programme, plan, redemption.amount).unwrap_or_default(),
            expires_at: redemption.expires.map(|day| day_end(programme, day)),
        },
        balances: balances(programme, wallet, now),
        repeated,
    }
}

/// Answers the cancel of a redemption.
pub fn taken_back(
    programme: &Programme,
    participant: &ParticipantId,
    (sequence, pass): (u64, &PassId),
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> TakenBackAnswer {
    TakenBackAnswer {
        transaction: transaction_code(participant, sequence),
        pass_id: pass_id(pass),
        balances: balances(programme, wallet, now),
        repeated,
    }
}
