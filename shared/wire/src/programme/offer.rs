//! Offers of the programme document.

use std::collections::HashSet;

use domain::amount::Decimals;
use domain::id::OfferId;
use domain::offer::{
    AwardForm, Beneficiary, EvaluationMethod, Expiry, Offer, OfferClass, Offers, Scope,
};
use domain::programme::Definition;
use domain::time::{Day, Duration};
use domain::window::Validity;

use crate::fault::code;
use crate::programme::accumulation::{accumulation, check_accumulation};
use crate::programme::award::read_award;
use crate::programme::conditions::conditions;
use crate::programme::discount::check_discount;
use crate::programme::names::{Known, id, optional_list};
use crate::programme::promotion::check_pass;
use crate::programme::spending::spending;
use crate::programme::terms::{expiry, limit};
use crate::programme::window;
use crate::read::{Node, Object};

const MAX_OFFERS: usize = 20_000;
const MAX_PERIODS: usize = 100;

const FIELDS: &[&str] = &[
    "id",
    "class",
    "method",
    "valid",
    "award",
    "beneficiary",
    "scope",
    "when",
    "accumulate",
    "limit",
    "first",
    "budget",
    "on_top",
    "expires",
    "available_after",
    "available_from",
    "spend",
];

/// What the readers of an offer's parts need to know of the document.
pub(super) struct Context<'a> {
    pub known: &'a Known,
    pub definition: Option<&'a Definition>,
    /// None where it cannot be read: what depends on it is not faulted then.
    pub class: Option<OfferClass>,
}

impl Context<'_> {
    /// Whether events of the class satisfy this; yes where the class is not known.
    pub fn class_has(&self, has: fn(OfferClass) -> bool) -> bool {
        self.class.is_none_or(has)
    }

    /// The name of the class.
    pub fn class_name(&self) -> &'static str {
        let of_class = |(_, class): &&(&str, OfferClass)| Some(*class) == self.class;
        OfferClass::ALL.iter().find(of_class).map_or("", |(name, _)| name)
    }
}

/// Offers in the order of the document: of equals the first one applies.
pub(super) fn offers(
    document: &Object<'_>,
    known: &Known,
    definition: Option<&Definition>,
) -> Offers {
    let mut seen = HashSet::new();
    let offer = |fields: &Object<'_>| offer(fields, known, definition, &mut seen);
    let offers = optional_list(document, "offers", MAX_OFFERS, offer, FIELDS);
    check_referrals(document, &offers);
    offers.into()
}

/// The referrer is awarded only after the referred participant was.
fn check_referrals(document: &Object<'_>, offers: &[Offer]) {
    let is_for =
        |offer: &Offer, whom| offer.class == OfferClass::Referral && offer.beneficiary == whom;
    let listed = document.optional("offers").and_then(|node| node.value.as_array());
    // One that is at fault elsewhere is there all the same.
    let refers = |offer: &serde_json::Value| {
        offer.get("class").is_some_and(|class| class == "referral")
            && offer.get("beneficiary").is_some_and(|whom| whom == "referred")
    };
    let for_referred = listed.into_iter().flatten().any(refers);
    if !for_referred && offers.iter().any(|offer| is_for(offer, Beneficiary::Participant)) {
        let message = "must have an offer of class referral with the beneficiary referred: the \
                       referrer is awarded only after the referred participant was";
        document.missing("offers", message);
    }
}

fn offer(
    fields: &Object<'_>,
    known: &Known,
    definition: Option<&Definition>,
    seen: &mut HashSet<OfferId>,
) -> Option<Offer> {
    let id = id(fields, "id", OfferId::parse, seen);
    let class = fields.required("class").and_then(|class| read_class(&class));
    let context = Context { known, definition, class };
    let valid = fields.list("valid", MAX_PERIODS, window::validity);
    let award = fields.required("award").and_then(|award| read_award(&award, &context));
    let beneficiary = beneficiary(fields, &context);
    let scopes = [("transaction", Some(Scope::Transaction)), ("line", Some(Scope::Line))];
    let scope = fields.optional("scope").and_then(|scope| scope.choice(&scopes));
    if scope == Some(Scope::Line) && !context.class_has(OfferClass::has_lines) {
        let class = context.class_name();
        let message = format!("events of class {class} have no lines");
        fields.at("scope").fault(code::NOT_ALLOWED, message);
    }
    let when = fields.optional("when").and_then(|when| conditions(&when, &context));
    let when = when.unwrap_or_default();
    let accumulates = accumulation(fields, &context);
    let on_top = fields.optional("on_top").and_then(|on_top| on_top.flag());
    // A pass is worth what becomes of it later, so it competes with nothing.
    let gives_pass = award.as_ref().is_some_and(|award| award.pass.is_some());
    let decimals = award.as_ref().and_then(|award| match &award.balance {
        Some(balance) => known.decimals(balance),
        None if award.pass.is_some() => Some(Decimals::NONE),
        None => Some(known.currency),
    });
    let (limit, quota) = limit(fields, decimals);
    let expires = expiry(fields);
    let (available_after, available_from) = availability(fields, expires);
    let method = method(fields, &context);
    let spending = spending(fields, &context, award.as_ref(), method);
    let offer = Offer {
        id: id?,
        class: class?,
        method,
        valid,
        award: award?,
        beneficiary,
        scope: scope.unwrap_or_default(),
        when,
        accumulates,
        limit,
        quota,
        on_top: on_top.unwrap_or(gives_pass),
        expires,
        available_after,
        available_from,
        instant: spending.instant,
        terms: spending.terms,
    };
    check_budget(fields, &offer);
    check_class(fields, &offer);
    check_accumulation(fields, &offer);
    check_discount(fields, &offer);
    check_pass(fields, &offer);
    Some(offer)
}

fn read_class(node: &Node<'_>) -> Option<OfferClass> {
    node.choice(&OfferClass::ALL.map(|(name, class)| (name, Some(class))))
}

/// Whom it awards; left out: the event's participant, who is the referrer of a referral.
fn beneficiary(fields: &Object<'_>, context: &Context<'_>) -> Beneficiary {
    let names =
        [("referrer", Some(Beneficiary::Participant)), ("referred", Some(Beneficiary::Referred))];
    let Some(node) = fields.optional("beneficiary") else { return Beneficiary::default() };
    if !context.class_has(|class| class == OfferClass::Referral) {
        let class = context.class_name();
        let message = format!("events of class {class} have one participant");
        node.fault(code::NOT_ALLOWED, message);
    }
    node.choice(&names).unwrap_or_default()
}

/// How an offer is judged; left out: in the call where its class allows it, else by a run.
fn method(fields: &Object<'_>, context: &Context<'_>) -> EvaluationMethod {
    let methods = [
        ("batch", Some(EvaluationMethod::Batch)),
        ("batch_and_interactive", Some(EvaluationMethod::BatchAndInteractive)),
    ];
    let interactive = context.class_has(OfferClass::may_be_interactive);
    let default =
        if interactive { EvaluationMethod::BatchAndInteractive } else { EvaluationMethod::Batch };
    let given = fields.optional("method").and_then(|method| method.choice(&methods));
    if given == Some(EvaluationMethod::BatchAndInteractive) && !interactive {
        let class = context.class_name();
        let message = format!("offers of class {class} are always judged by a run: say batch");
        fields.at("method").fault(code::NOT_ALLOWED, message);
    }
    given.unwrap_or(default)
}

/// When what is awarded can be spent: at once, after a time, or from a day on.
fn availability(fields: &Object<'_>, expires: Expiry) -> (Option<Duration>, Option<Day>) {
    let (after, from) = (fields.optional("available_after"), fields.optional("available_from"));
    if let (Some(_), Some(from)) = (&after, &from) {
        from.fault(code::EXCLUSIVE, "must not stand beside available_after");
    }
    let available_after = after.as_ref().and_then(|after| after.duration());
    let available_from = from.as_ref().and_then(|from| from.date()).map(Day::of);
    let late = "is later than what is awarded expires";
    if let (Some(node), Some(after), Expiry::After(expires)) = (&after, available_after, expires)
        && longer(after, expires)
    {
        node.fault(code::RANGE, late);
    }
    if let (Some(node), Some(after), Expiry::EndOf(_, least)) = (&after, available_after, expires)
        && longer(after, least)
    {
        let message = "is later than what is awarded expires, when it is awarded near the end of \
                       a period: let \"after\" of \"expires\" be at least as long";
        node.fault(code::RANGE, message);
    }
    if let (Some(node), Some(from), Expiry::On(last)) = (&from, available_from, expires)
        && from > last
    {
        node.fault(code::RANGE, late);
    }
    (available_after, available_from)
}

fn longer(one: Duration, other: Duration) -> bool {
    Day(0).plus(one) > Day(0).plus(other)
}

/// A budget that not even one award fits into would never be touched.
fn check_budget(fields: &Object<'_>, offer: &Offer) {
    let (AwardForm::Fixed(award), Some(budget)) = (&offer.award.form, offer.quota.budget) else {
        return;
    };
    if budget < *award {
        let within = fields.optional("limit").and_then(|limit| limit.peek("budget"));
        let message = "is less than a single award: nothing would ever be awarded";
        within.unwrap_or_else(|| fields.at("budget")).fault(code::RANGE, message);
    }
}

/// What a class cannot do without.
fn check_class(fields: &Object<'_>, offer: &Offer) {
    let timed = || {
        let times = |valid: &Validity| valid.times.is_some();
        offer.when.times.is_some() || (!offer.valid.is_empty() && offer.valid.iter().all(times))
    };
    if offer.class == OfferClass::IncreaseRevenueProduct && !offer.when.asks_lines() {
        let message = "must name products, categories or brands: an offer of class \
                       increase_revenue_product is for some of them";
        fields.missing("when", message);
    }
    if offer.class == OfferClass::FinancialStatement && offer.when.kpi.is_none() {
        let message = "must name a kpi: an offer of class financial_statement is for what is \
                       reported of it";
        fields.missing("when", message);
    }
    if offer.class == OfferClass::UtiliseFreeCapacity && !timed() {
        let message = "must name times (days, hours), or every period of valid must: an offer of \
                       class utilise_free_capacity is for some of them";
        fields.missing("when", message);
    }
}
