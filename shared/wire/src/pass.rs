//! Passes: bodies that print, issue, load, change, look up and redeem them.

use std::fmt;

use domain::amount::{Amount, Decimals};
use domain::id::ParticipantId;
use domain::ledger::PayloadHash;
use domain::pass::{PIN_DIGITS, PassPlan, PassValue, StateAsked};
use domain::programme::Programme;
use domain::time::{Day, Instant};
use serde_json::{Value, json};

use crate::event::payload_hash;
use crate::fault::{BodyFault, code};
use crate::participant::{ParticipantUpdate, participant_update};
use crate::read::{self, Object, read};
use crate::request::json_or_empty;
use crate::returns::reason;

/// Most passes of one print.
pub const MAX_PRINTED: u32 = 10_000_000;

/// A request to print a plan's passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivationRequest {
    /// 1 to [`MAX_PRINTED`].
    pub count: u64,
    pub payload: PayloadHash,
}

/// A request for one electronic pass of a plan; its recipient is personal, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct IssueRequest {
    /// Of a plan with a range.
    pub value: Option<Amount>,
    /// Whom it is for: an address or a name, as the caller knows it.
    pub recipient: Option<Box<str>>,
    /// How it reaches them: `email`, `sms`, …
    pub channel: Option<Box<str>>,
    pub payload: PayloadHash,
}

/// The loading of a pass at its sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadRequest {
    pub value: Option<Amount>,
    pub payload: PayloadHash,
}

/// A change of one pass. The PIN is a secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PassUpdateRequest {
    pub state: Option<StateAsked>,
    /// The last day on which it can be redeemed.
    pub until: Option<Day>,
    pub value: Option<Amount>,
    pub pin: Option<Box<str>>,
}

/// A pass as who holds it names it: secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// As typed.
    pub code: Box<str>,
    /// As typed.
    pub pin: Option<Box<str>>,
}

/// It tells nothing.
impl fmt::Debug for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credential").finish_non_exhaustive()
    }
}

/// A nameless wallet that gets its participant. What is known of them is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistrationRequest {
    pub credential: Credential,
    pub update: ParticipantUpdate,
    /// Who gets what it has, in place of a participant of its own.
    pub into: Option<ParticipantId>,
    /// Of all but the pass.
    pub payload: PayloadHash,
}

/// A pass that a participant redeems.
#[derive(Clone, PartialEq, Eq)]
pub struct RedemptionRequest {
    pub credential: Credential,
    /// None: into the nameless wallet of the pass.
    pub participant: Option<ParticipantId>,
    /// Of the participant alone: the pass is the scope of the key already, and a stored hash of
    /// the code would let a reader of the table try codes against it.
    pub payload: PayloadHash,
}

/// The cancel of a redemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeBackRequest {
    /// Whether the pass is void afterwards; else it can be used again.
    pub void: bool,
    pub reason: Option<Box<str>>,
    pub payload: PayloadHash,
}

/// Parses the print of a plan's passes.
pub fn parse_activation(bytes: &[u8]) -> Result<ActivationRequest, BodyFault> {
    let value = read::json(bytes)?;
    read(&value, |node| {
        let body = node.object(&["count"])?;
        let count = body.required("count").and_then(|count| count.integer(1..=MAX_PRINTED))?;
        Some(ActivationRequest { count: count.into(), payload: payload_hash(&value) })
    })
}

/// Parses the issue of a pass of this plan; an empty body counts as `{}`.
pub fn parse_issue(
    bytes: &[u8],
    programme: &Programme,
    plan: &PassPlan,
) -> Result<IssueRequest, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["recipient", "channel", "value"])?;
        let recipient = body.optional("recipient").and_then(|recipient| recipient.label(200));
        let channel = body.optional("channel").and_then(|channel| channel.parsed(parse_channel));
        let chosen = chosen(&body, programme, plan);
        if chosen.is_none() && plan.value.fixed().is_none() && body.optional("value").is_none() {
            body.missing("value", "is required: the plan has a range of values");
        }
        Some(IssueRequest { value: chosen, recipient, channel, payload: payload_hash(&value) })
    })
}

/// Parses the loading of a pass of this plan; an empty body counts as `{}`.
pub fn parse_load(
    bytes: &[u8],
    programme: &Programme,
    plan: &PassPlan,
) -> Result<LoadRequest, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["value"])?;
        let chosen = chosen(&body, programme, plan);
        Some(LoadRequest { value: chosen, payload: payload_hash(&value) })
    })
}

/// Parses a change of a pass of this plan.
pub fn parse_pass_update(
    bytes: &[u8],
    programme: &Programme,
    plan: &PassPlan,
) -> Result<PassUpdateRequest, BodyFault> {
    let states = [
        ("usable", Some(StateAsked::Usable)),
        ("void", Some(StateAsked::Void)),
        ("locked", Some(StateAsked::Locked)),
    ];
    let names = &["state", "redeemable_until", "value", "pin"];
    read(&read::json(bytes)?, |node| {
        let body = node.object(names)?;
        if names.iter().all(|name| body.optional(name).is_none()) {
            node.fault(code::REQUIRED, "must say what is to change");
        }
        let state = body.optional("state").and_then(|state| state.choice(&states));
        let until = body.optional("redeemable_until").and_then(|day| day.date()).map(Day::of);
        let value = body.optional("value").and_then(|value| value.positive(unit(programme, plan)));
        let pin = body.optional("pin").and_then(|pin| {
            if !plan.pin {
                pin.fault(code::NOT_ALLOWED, "passes of this plan have no PIN");
            }
            pin.parsed(parse_pin)
        });
        Some(PassUpdateRequest { state, until, value, pin })
    })
}

/// Parses a look-up of a pass by its code.
pub fn parse_lookup(bytes: &[u8]) -> Result<Credential, BodyFault> {
    read(&read::json(bytes)?, |node| credential(&node.object(&["code", "pin"])?))
}

/// Parses a redemption.
pub fn parse_redemption(bytes: &[u8]) -> Result<RedemptionRequest, BodyFault> {
    read(&read::json(bytes)?, |node| {
        let body = node.object(&["code", "pin", "participant_id"])?;
        let credential = credential(&body);
        let participant = body.optional("participant_id");
        let participant = participant.and_then(|id| id.parsed(ParticipantId::parse));
        let named = participant.as_ref().map(ParticipantId::as_str);
        let payload = payload_hash(&json!({ "participant_id": named }));
        let credential = credential?;
        Some(RedemptionRequest { credential, participant, payload })
    })
}

/// Parses the registration of a nameless wallet, or its merge into a participant that is there.
pub fn parse_registration(bytes: &[u8], now: Instant) -> Result<RegistrationRequest, BodyFault> {
    let value = read::json(bytes)?;
    read(&value, |node| {
        let body = node.object(&["code", "pin", "participant_id", "profile", "consents"])?;
        let credential = credential(&body);
        let update = participant_update(&body, now);
        let named = body.optional("participant_id");
        let into = named.map(|id| id.parsed(ParticipantId::parse));
        for name in ["profile", "consents"] {
            if let Some(told) = body.optional(name).filter(|_| into.is_some()) {
                told.fault(code::EXCLUSIVE, "belongs to a participant that is there already");
            }
        }
        let told = |name: &str| value.get(name).cloned().unwrap_or_default();
        let told = ["participant_id", "profile", "consents"].map(|name| (name, told(name)));
        let payload = payload_hash(&told.into_iter().collect());
        let into = into.map_or(Some(None), |into| into.map(Some))?;
        Some(RegistrationRequest { credential: credential?, update, into, payload })
    })
}

/// Parses the cancel of a redemption.
pub fn parse_take_back(bytes: &[u8]) -> Result<TakeBackRequest, BodyFault> {
    let value: Value = read::json(bytes)?;
    read(&value, |node| {
        let body = node.object(&["pass", "reason"])?;
        let reason = reason(&body);
        let choices = [("usable", Some(false)), ("void", Some(true))];
        let void = body.required("pass").and_then(|pass| pass.choice(&choices))?;
        Some(TakeBackRequest { void, reason, payload: payload_hash(&value) })
    })
}

/// Reads a code and the PIN beside it.
pub(crate) fn credential(body: &Object<'_>) -> Option<Credential> {
    let code = body.required("code").and_then(|code| code.label(64));
    let pin = body.optional("pin").map(|pin| pin.label(16));
    Some(Credential { code: code?, pin: pin.map_or(Some(None), |pin| pin.map(Some))? })
}

/// A value that the plan allows.
fn chosen(body: &Object<'_>, programme: &Programme, plan: &PassPlan) -> Option<Amount> {
    let node = body.optional("value")?;
    let value = node.positive(unit(programme, plan))?;
    if !plan.value.allows(value) {
        node.fault(code::RANGE, range(programme, plan));
    }
    Some(value)
}

fn unit(programme: &Programme, plan: &PassPlan) -> Decimals {
    let balance = plan.balance.as_ref().and_then(|code| programme.balance(code));
    balance.map(|balance| balance.decimals).unwrap_or_default()
}

fn range(programme: &Programme, plan: &PassPlan) -> String {
    let show = |amount: Amount| amount.show(unit(programme, plan));
    match plan.value {
        PassValue::Fixed(fixed) => format!("must be {}: the plan's value is fixed", show(fixed)),
        PassValue::Range { min, max } => format!("must be from {} to {}", show(min), show(max)),
        PassValue::Nothing => "must be left out: passes of this plan credit nothing".to_owned(),
    }
}

/// Digits as many as a PIN has. The message does not repeat them.
fn parse_pin(text: &str) -> Result<Box<str>, String> {
    let fits = text.len() == PIN_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(text.into()) } else { Err(format!("must be {PIN_DIGITS} digits")) }
}

/// A channel's name.
pub(crate) fn parse_channel(text: &str) -> Result<Box<str>, &'static str> {
    let fits = |b: u8| b.is_ascii_lowercase() || b == b'_';
    if (1..=32).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text.into())
    } else {
        Err("must have 1 to 32 of the characters a-z and _: email, sms, …")
    }
}
