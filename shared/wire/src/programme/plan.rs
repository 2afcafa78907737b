//! Pass plans of the programme document.

use std::collections::{HashMap, HashSet};

use domain::id::{BalanceCode, Classification, PlanId};
use domain::pass::{MAX_USES, PassFormat, PassPlan, PassType, PassValue, PassWindow, code_prefix};
use domain::programme::Balance;

use crate::fault::code;
use crate::programme::names::{Known, id};
use crate::programme::promotion::{check_asked_for, promotion, refuse_promotion};
use crate::programme::terms::expiry;
use crate::read::{Node, Object};

const MAX_PLANS: usize = 500;

const PLAN_FIELDS: &[&str] = &[
    "id",
    "copy_of",
    "type",
    "format",
    "classification",
    "balance",
    "value",
    "uses",
    "pin",
    "worth",
    "redeemable",
    "expires",
    "universal",
    "active_for",
    "communication",
];

/// Pass plans. One that is a copy of another has what it does not say itself from there.
pub(super) fn pass_plans(document: &Object<'_>, known: &Known) -> Vec<PassPlan> {
    let mut seen = HashSet::new();
    let mut prefixes: HashMap<u64, PlanId> = HashMap::new();
    let mut words = HashSet::new();
    let mut originals: HashMap<String, Object<'_>> = HashMap::new();
    check_asked_for(document, known);
    document.list("pass_plans", MAX_PLANS, |node| {
        let own = node.object(PLAN_FIELDS)?;
        let id = id(&own, "id", PlanId::parse, &mut seen);
        let copied = own.optional("copy_of");
        let original = copied.and_then(|copied| {
            let original = copied.value.as_str().and_then(|name| originals.get(name)).cloned();
            if original.is_none() {
                let message = "must name a plan that stands before this one and is no copy itself";
                copied.fault(code::UNKNOWN_REFERENCE, message);
            }
            original
        });
        if let (Some(id), None) = (&id, own.optional("copy_of")) {
            originals.insert(id.to_string(), own.clone());
        }
        let plan = pass_plan(&Layers { own: &own, original }, known, &mut words, id)?;
        let other = prefixes.insert(code_prefix(&plan.id), plan.id.clone());
        if let Some(other) = other.filter(|other| *other != plan.id) {
            let message =
                format!("its codes could not be told from those of \"{other}\": choose another id");
            own.at("id").fault(code::DUPLICATE, message);
        }
        Some(plan)
    })
}

/// What a plan says itself, over what the plan says that it is a copy of.
pub(super) struct Layers<'a, 'o> {
    own: &'o Object<'a>,
    original: Option<Object<'a>>,
}

impl<'a> Layers<'a, '_> {
    /// The object that says something under this name; the plan itself where neither does.
    fn saying(&self, name: &'static str) -> &Object<'a> {
        let original = self.original.as_ref().filter(|_| self.own.optional(name).is_none());
        original.filter(|original| original.optional(name).is_some()).unwrap_or(self.own)
    }

    pub(super) fn optional(&self, name: &'static str) -> Option<Node<'a>> {
        self.saying(name).optional(name)
    }

    /// The place of a field of the plan itself, there or not.
    pub(super) fn own_place(&self, name: &'static str) -> Node<'a> {
        self.own.at(name)
    }

    pub(super) fn required(&self, name: &'static str) -> Option<Node<'a>> {
        self.saying(name).required(name)
    }
}

fn pass_plan(
    fields: &Layers<'_, '_>,
    known: &Known,
    words: &mut HashSet<String>,
    id: Option<PlanId>,
) -> Option<PassPlan> {
    let types = [
        ("gift", Some(PassType::Gift)),
        ("top_up", Some(PassType::TopUp)),
        ("promotion", Some(PassType::Promotion)),
    ];
    let formats =
        [("electronic", Some(PassFormat::Electronic)), ("printed", Some(PassFormat::Printed))];
    let pass_type = fields.required("type").and_then(|node| node.choice(&types));
    let format = fields.required("format").and_then(|node| node.choice(&formats));
    let classification =
        fields.optional("classification").and_then(|node| node.parsed(Classification::parse));
    let is_promotion = pass_type == Some(PassType::Promotion);
    let promotion = match is_promotion {
        true => Some(promotion(fields, known, words)),
        false => {
            refuse_promotion(fields);
            None
        }
    };
    let (balance, value) = match is_promotion {
        true => (Some(None), Some(PassValue::Nothing)),
        false => credits(fields, known),
    };
    let uses = fields.optional("uses").map_or(Some(1), |node| uses(&node, pass_type));
    let pin = fields.optional("pin").map_or(Some(false), |node| node.flag());
    let worth = [("at_once", Some(false)), ("when_loaded", Some(true))];
    let when_loaded = fields.optional("worth").map_or(Some(false), |node| node.choice(&worth));
    let window =
        fields.optional("redeemable").map_or(Some(PassWindow::default()), |node| window(&node));
    let expires = expiry(fields.saying("expires"));
    let plan = PassPlan {
        id: id?,
        pass_type: pass_type?,
        format: format?,
        classification,
        balance: balance?,
        value: value?,
        window: window?,
        expires,
        pin: pin?,
        uses: uses?,
        when_loaded: when_loaded?,
        promotion: promotion.map_or(Some(None), |promotion| promotion.map(Some))?,
    };
    let printed_range = plan.format == PassFormat::Printed && plan.value.fixed().is_none();
    if printed_range && !plan.when_loaded {
        let message = "must be \"when_loaded\": what a printed pass with a range of values is worth \
                       is chosen at the sale";
        fields.own.at("worth").fault(code::REQUIRED, message);
    }
    Some(plan)
}

/// What passes credit, and in which balance.
fn credits(
    fields: &Layers<'_, '_>,
    known: &Known,
) -> (Option<Option<BalanceCode>>, Option<PassValue>) {
    let balance = fields.required("balance").and_then(|node| known.balance(&node));
    let value = fields.required("value").and_then(|node| value(&node, balance?));
    (balance.map(|balance| Some(balance.code.clone())), value)
}

/// `{"fixed": "20"}`, or `{"min": "10", "max": "100"}`.
fn value(node: &Node<'_>, balance: &Balance) -> Option<PassValue> {
    let fields = node.object(&["fixed", "min", "max"])?;
    let read = |name| fields.optional(name).map(|node| node.positive(balance.decimals));
    match (read("fixed"), read("min"), read("max")) {
        (Some(fixed), None, None) => fixed.map(PassValue::Fixed),
        (None, Some(min), Some(max)) => {
            let (min, max) = (min?, max?);
            if min >= max {
                fields.at("max").fault(code::RANGE, "must be more than min");
            }
            Some(PassValue::Range { min, max })
        }
        (Some(_) | None, _, _) => {
            node.fault(code::EXCLUSIVE, "must have either fixed, or both min and max");
            None
        }
    }
}

fn uses(node: &Node<'_>, pass_type: Option<PassType>) -> Option<u32> {
    let uses = node.integer(1..=MAX_USES)?;
    if pass_type == Some(PassType::TopUp) && uses != 1 {
        node.fault(code::NOT_ALLOWED, "a top-up is used once");
    }
    Some(uses)
}

fn window(node: &Node<'_>) -> Option<PassWindow> {
    let fields = node.object(&["for", "from", "until"])?;
    let day = |name| fields.optional(name).map(|node| node.date().map(domain::time::Day::of));
    let (from, until) = (day("from"), day("until"));
    let lasts = fields.optional("for").map(|node| node.duration());
    let window = PassWindow {
        from: from.map_or(Some(None), |day| day.map(Some))?,
        until: until.map_or(Some(None), |day| day.map(Some))?,
        lasts: lasts.map_or(Some(None), |lasts| lasts.map(Some))?,
    };
    if window.from.zip(window.until).is_some_and(|(from, until)| until < from) {
        fields.at("until").fault(code::RANGE, "must not be before from");
    }
    Some(window)
}
