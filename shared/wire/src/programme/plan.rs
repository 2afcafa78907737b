//! Pass plans of the programme document.

use std::collections::{HashMap, HashSet};

use domain::id::PlanId;
use domain::pass::{PassPlan, code_prefix};

use crate::fault::code;
use crate::programme::names::{Known, id, optional_list};
use crate::programme::terms::expiry;
use crate::read::Object;

const MAX_PLANS: usize = 500;

const PLAN_FIELDS: &[&str] =
    &["id", "type", "format", "balance", "value", "uses", "pin", "redeemable", "expires"];

/// Pass plans: electronic gifts of a fixed value, used once, without a PIN.
pub(super) fn pass_plans(document: &Object<'_>, known: &Known) -> Vec<PassPlan> {
    let mut seen = HashSet::new();
    let mut prefixes: HashMap<u64, PlanId> = HashMap::new();
    let plan = |fields: &Object<'_>| {
        let id = id(fields, "id", PlanId::parse, &mut seen);
        let plan = pass_plan(fields, known, id)?;
        let other = prefixes.insert(code_prefix(&plan.id), plan.id.clone());
        if let Some(other) = other.filter(|other| *other != plan.id) {
            let message =
                format!("its codes could not be told from those of \"{other}\": choose another id");
            fields.at("id").fault(code::DUPLICATE, message);
        }
        Some(plan)
    };
    optional_list(document, "pass_plans", MAX_PLANS, plan, PLAN_FIELDS)
}

fn pass_plan(fields: &Object<'_>, known: &Known, id: Option<PlanId>) -> Option<PassPlan> {
    let types = [("gift", Some(())), ("top_up", None), ("promotion", None)];
    let formats = [("electronic", Some(())), ("printed", None)];
    if let Some(kind) = fields.required("type") {
        kind.choice(&types);
    }
    if let Some(format) = fields.required("format") {
        format.choice(&formats);
    }
    let balance = fields.required("balance").and_then(|balance| known.balance(&balance));
    let value = fields.required("value").and_then(|value| {
        let fields = value.object(&["fixed", "min", "max"])?;
        for name in ["min", "max"] {
            fields.unsupported(name, "passes with a range of values are not supported yet");
        }
        let ranges = fields.optional("min").or_else(|| fields.optional("max")).is_some();
        let fixed = if ranges { fields.optional("fixed") } else { fields.required("fixed") };
        fixed?.positive(balance?.decimals)
    });
    if let Some(uses) = fields.optional("uses")
        && uses.integer(1..=1_000_000).is_some_and(|uses| uses != 1)
    {
        uses.fault(
            code::NOT_SUPPORTED,
            "passes that are used more than once are not supported yet",
        );
    }
    if let Some(pin) = fields.optional("pin")
        && pin.flag() == Some(true)
    {
        pin.fault(code::NOT_SUPPORTED, "passes with a PIN are not supported yet");
    }
    let redeemable = fields.optional("redeemable").and_then(|node| node.object(&["for"]));
    let redeemable_for =
        redeemable.and_then(|fields| fields.optional("for")).and_then(|node| node.duration());
    let expires = expiry(fields);
    Some(PassPlan {
        id: id?,
        balance: balance?.code.clone(),
        value: value?,
        redeemable_for,
        expires,
    })
}
