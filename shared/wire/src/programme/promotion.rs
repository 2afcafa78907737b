//! Promotions of the programme document: their plans, and the offers that ask for them or give
//! their passes.

use std::collections::{HashMap, HashSet};

use domain::amount::Amount;
use domain::id::{PlanId, SegmentId};
use domain::offer::{Award, AwardForm, EvaluationMethod, Offer, OfferClass, Scope};
use domain::pass::Promotion;
use serde_json::Value;

use crate::fault::code;
use crate::programme::names::Known;
use crate::programme::offer::Context;
use crate::programme::plan::Layers;
use crate::read::{Node, Object};

/// Fewer than a code of a pass has, so that nobody takes one for the other.
const MAX_UNIVERSAL: usize = 20;

/// Of each pass plan whether it is a promotion, and one whose passes have their own codes; what is
/// wrong with a plan is told by its own reader.
pub(super) fn plan_kinds(document: &Object<'_>) -> HashMap<PlanId, (bool, bool)> {
    let listed = document.optional("pass_plans").and_then(|node| node.value.as_array());
    let listed: Vec<&Value> = listed.into_iter().flatten().collect();
    let kind = |plan: &&Value| {
        let said = |name| {
            let of = plan.get("copy_of");
            let original = of.and_then(|of| listed.iter().find(|plan| plan.get("id") == Some(of)));
            plan.get(name).or_else(|| original.and_then(|plan| plan.get(name)))
        };
        let is_promotion = said("type").is_some_and(|named| named == "promotion");
        let own_codes = is_promotion && said("universal").is_none_or(Value::is_null);
        Some((PlanId::parse(plan.get("id")?.as_str()?).ok()?, (is_promotion, own_codes)))
    };
    listed.iter().filter_map(kind).collect()
}

/// What only a promotion says; and nothing of what it must not say. None where it is at fault.
pub(super) fn promotion(
    fields: &Layers<'_, '_>,
    known: &Known,
    seen: &mut HashSet<String>,
) -> Option<Promotion> {
    let refused = [
        ("balance", "a promotion credits nothing: leave it out, and let an offer award"),
        ("value", "a promotion credits nothing: leave it out, and let an offer award"),
        ("expires", "a promotion credits nothing that could expire: say redeemable"),
        ("worth", "a promotion is never loaded: leave it out"),
        ("pin", "passes of a promotion have no PIN: leave it out"),
    ];
    for (name, message) in refused {
        if let Some(node) = fields.optional(name).filter(|node| node.value != &Value::Bool(false)) {
            node.fault(code::NOT_ALLOWED, message);
        }
    }
    if let Some(format) = fields.optional("format").filter(|node| node.value == "printed") {
        format.fault(code::NOT_ALLOWED, "must be electronic: promotions are not printed");
    }
    let universal = fields.optional("universal").map(|node| {
        let word = universal(&node)?;
        if !seen.insert(word.to_string()) {
            let message = "is the code of another plan: upper and lower case are one";
            fields.own_place("universal").fault(code::DUPLICATE, message);
        }
        Some(word)
    });
    if universal.is_some() {
        if let Some(uses) = fields.optional("uses") {
            let message = "is of passes with codes of their own: how often a universal code serves \
                           is said by the limit, first and budget of its offers";
            uses.fault(code::NOT_ALLOWED, message);
        }
        if let Some(lasts) = fields.optional("redeemable").and_then(|node| node.peek("for")) {
            let message = "counts from the issue of a pass, and a universal code is never issued: \
                           say from and until";
            lasts.fault(code::NOT_ALLOWED, message);
        }
    }
    let active_for = fields.optional("active_for").map(|node| {
        let lasts = node.duration()?;
        if lasts.is_zero() {
            node.fault(code::RANGE, "must be at least one day");
        }
        Some(lasts)
    });
    let segment = fields.required("communication").and_then(|node| told(&node, known));
    Some(Promotion {
        universal: universal.map_or(Some(None), |word| word.map(Some))?,
        active_for: active_for.map_or(Some(None), |lasts| lasts.map(Some))?,
        segment: segment?,
    })
}

/// What only promotions have.
pub(super) fn refuse_promotion(fields: &Layers<'_, '_>) {
    for name in ["universal", "active_for", "communication"] {
        if let Some(node) = fields.optional(name) {
            node.fault(code::NOT_ALLOWED, "is for plans of type promotion");
        }
    }
}

/// A word that a manager prints on posters, in upper case.
fn universal(node: &Node<'_>) -> Option<Box<str>> {
    let parse = |text: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if (3..=MAX_UNIVERSAL).contains(&text.len()) && text.bytes().all(fits) {
            Ok(text.to_ascii_uppercase().into())
        } else {
            Err("must have 3 to 20 of the characters A-Z a-z 0-9 _ -: SUMMER26")
        }
    };
    node.parsed(parse)
}

/// Who is told of it: `{"segment": "regulars"}`.
fn told(node: &Node<'_>, known: &Known) -> Option<SegmentId> {
    let segment = node.object(&["segment"])?.required("segment")?;
    let id = segment.parsed(SegmentId::parse)?;
    if !known.segments.contains(&id) {
        let message = format!("the programme has no segment \"{id}\"");
        segment.fault(code::UNKNOWN_REFERENCE, message);
    }
    Some(id)
}

/// A promotion without an offer that asks for it would do nothing.
pub(super) fn check_asked_for(document: &Object<'_>, known: &Known) {
    let listed = |name| document.optional(name).and_then(|node| node.value.as_array());
    // An offer that is at fault elsewhere is there all the same.
    let named = |offer: &Value| offer.get("when")?.get("pass_plan")?.as_str().map(str::to_owned);
    let asked: HashSet<String> = listed("offers").into_iter().flatten().filter_map(named).collect();
    document.list("pass_plans", usize::MAX, |node| {
        let id = PlanId::parse(node.peek("id")?.value.as_str()?).ok()?;
        let is_promotion = known.pass_plans.get(&id).is_some_and(|(is_promotion, _)| *is_promotion);
        if is_promotion && !asked.contains(id.as_str()) {
            let message =
                format!("no offer asks for it: say \"pass_plan\": \"{id}\" in the \"when\" of one");
            node.fault(code::REQUIRED, message);
        }
        Some(())
    });
}

/// The promotion whose code must be shown.
pub(super) fn shown(node: &Node<'_>, context: &Context<'_>) -> Option<PlanId> {
    if !context.class_has(OfferClass::has_lines) {
        let class = context.class_name();
        let message = format!("events of class {class} are no purchases, with which codes come");
        node.fault(code::NOT_ALLOWED, message);
    }
    plan(node, context).map(|(id, _)| id)
}

/// The award of a pass: `{"pass_plan": "next-visit"}`.
pub(super) fn read_pass(fields: &Object<'_>, context: &Context<'_>) -> Option<Award> {
    if let Some(balance) = fields.optional("balance") {
        balance.fault(code::NOT_ALLOWED, "a pass is in no balance: leave it out");
    }
    let node = fields.optional("pass_plan")?;
    let at_once = context.class_has(OfferClass::may_be_interactive);
    if !(context.class_has(OfferClass::has_lines) && at_once) {
        let class = context.class_name();
        let message = format!(
            "events of class {class} are no purchases that are judged while they are paid, which \
             is when a pass is handed out"
        );
        node.fault(code::NOT_ALLOWED, message);
    }
    let (pass, own_codes) = plan(&node, context)?;
    if !own_codes {
        let message = format!("\"{pass}\" has a universal code: there are no passes to give");
        node.fault(code::NOT_ALLOWED, message);
    }
    Some(Award { balance: None, pass: Some(pass), form: AwardForm::Fixed(Amount(1)) })
}

fn plan(node: &Node<'_>, context: &Context<'_>) -> Option<(PlanId, bool)> {
    let id = node.parsed(PlanId::parse)?;
    let own_codes = match context.known.pass_plans.get(&id) {
        Some((true, own_codes)) => *own_codes,
        Some((false, _)) => {
            node.fault(code::NOT_ALLOWED, format!("the plan \"{id}\" is no promotion"));
            true
        }
        None => {
            let message = format!("the programme has no pass plan \"{id}\"");
            node.fault(code::UNKNOWN_REFERENCE, message);
            true
        }
    };
    Some((id, own_codes))
}

/// What does not go with a pass: it is handed out while the purchase is paid, and is in no balance.
pub(super) fn check_pass(fields: &Object<'_>, offer: &Offer) {
    if offer.award.pass.is_none() {
        return;
    }
    if !offer.on_top {
        let message = "must be left out: a pass does not compete for the best award";
        fields.at("on_top").fault(code::NOT_ALLOWED, message);
    }
    if offer.method == EvaluationMethod::Batch && offer.class.may_be_interactive() {
        let message = "must be batch_and_interactive: a pass is handed out while the purchase is \
                       paid";
        fields.at("method").fault(code::NOT_ALLOWED, message);
    }
    if offer.scope == Scope::Line {
        fields.at("scope").fault(code::NOT_ALLOWED, "a pass is given for whole purchases");
    }
    for name in ["accumulate", "expires", "available_after", "available_from", "spend"] {
        if let Some(node) = fields.optional(name) {
            let message = "does not go with a pass: when it can be used is said by its plan";
            node.fault(code::NOT_ALLOWED, message);
        }
    }
}
