//! The programme document: parsed and validated whole, so that a version that was stored can be
//! activated and nothing in it is found out later.

mod accumulation;
mod activity;
mod alert;
mod area;
mod award;
mod conditions;
mod conversion;
mod coupon;
mod definition;
mod discount;
mod export;
mod feed;
mod gift;
mod names;
mod offer;
mod plan;
mod promotion;
mod segment;
mod spend_method;
mod spending;
mod terms;
mod window;

pub(crate) use window::{day_names, show_clock};

use std::collections::HashSet;

use chrono_tz::Tz;
use domain::amount::{Decimals, Rate};
use domain::id::{BalanceCode, RunId};
use domain::programme::{Balance, Currency, Programme};
use domain::run::{RunDefinition, RunKind};

use crate::fault::{BodyFault, code};
use crate::programme::names::{Known, id, optional_list};
use crate::read::{Node, Object, json, read};

const FIELDS: &[&str] = &[
    "name",
    "time_zone",
    "currency",
    "balances",
    "gifts",
    "definition",
    "classifications",
    "catalogue",
    "kpis",
    "merchants",
    "areas",
    "offers",
    "pass_plans",
    "lists",
    "segments",
    "runs",
    "feeds",
    "conversions",
    "alerts",
    "coupons",
];

const MAX_BALANCES: usize = 20;
const MAX_RUNS: usize = 100;
const RUN_KINDS: [(&str, Option<RunKind>); 3] = [
    ("evaluation", Some(RunKind::Evaluation)),
    ("expiry", Some(RunKind::Expiry)),
    ("alerts", Some(RunKind::Alerts)),
];

/// Parses a programme document and validates it whole: every section, and what sections say
/// of each other. What the contract names and this version does not do is refused as
/// `not_supported`, never ignored.
///
/// Left out, a section is empty; `enrol` is `explicit`, `debt_policy` `carry`, a spend's
/// `within_days` 30, a balance's `worth` 1, a merchant awards and reduces at the `front_end`, an
/// offer is `batch_and_interactive`, limited `multiple`, not on top, and what is awarded never
/// expires, a run is an `evaluation`, a conversion is paid out by its whole bands,
/// an alert takes note of who is in its segment from the start.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_programme(document: &[u8], version: u64) -> Result<Programme, BodyFault> {
    read(&json(document)?, |node| {
        let fields = node.object(FIELDS)?;
        let name = fields.required("name").and_then(|name| name.label(200));
        let zone = fields.required("time_zone").and_then(|zone| zone.parsed(parse_zone));
        let currency = fields.required("currency").and_then(|currency| read_currency(&currency));
        let mut balances = read_balances(&fields);
        balances.extend(gift::gifts(&fields, &balances));
        let kpis = names::kpis(&fields);
        let known = Known {
            currency: currency.as_ref().map_or(any_decimals(), |currency| currency.decimals),
            balances,
            classifications: names::classifications(&fields),
            merchants: names::merchants(&fields),
            areas: area::areas(&fields),
            segments: names::segment_ids(&fields),
            offers: names::offer_ids(&fields),
            lists: activity::lists(&fields),
            kpis: kpis.keys().cloned().collect(),
            pass_plans: promotion::plan_kinds(&fields),
        };
        let catalogue = names::catalogue(&fields);
        let definition = definition::definition(&fields, &known);
        let offers = offer::offers(&fields, &known, definition.as_ref());
        let pass_plans = plan::pass_plans(&fields, &known);
        let segments = segment::segments(&fields, &known);
        let watched = activity::watched(&fields, &segments);
        let counts_days = segments.iter().any(|segment| segment.members.asks_days());
        let runs = read_runs(&fields);
        let feeds = feed::feeds(&fields);
        let conversions = conversion::conversions(&fields, &known);
        let alerts = alert::alerts(&fields, &known, &feeds, &runs);
        let coupons = coupon::coupons(&fields, &known);
        Some(Programme {
            version,
            name: name?,
            zone: zone?,
            currency: currency?,
            balances: known.balances,
            definition: definition?,
            classifications: known.classifications,
            catalogue,
            merchants: known.merchants,
            areas: known.areas,
            kpis,
            offers,
            pass_plans,
            segments,
            watched,
            counts_days,
            runs,
            feeds,
            alerts,
            conversions,
            coupons,
        })
    })
}

/// Stands in for decimals that cannot be read, so that amounts are not faulted for them as well.
fn any_decimals() -> Decimals {
    Decimals::new(6).unwrap_or(Decimals::NONE)
}

fn parse_zone(text: &str) -> Result<Tz, &'static str> {
    text.parse().map_err(|_| "must be a time zone: Europe/Berlin")
}

fn read_decimals(fields: &Object<'_>) -> Option<Decimals> {
    let count = fields.required("decimals")?.integer(0..=6)?;
    Decimals::new(u8::try_from(count).ok()?)
}

fn read_currency(node: &Node<'_>) -> Option<Currency> {
    let fields = node.object(&["code", "decimals"])?;
    let parse = |text: &str| {
        let fits = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
        if fits { Ok(Box::from(text)) } else { Err("must be a currency code: EUR") }
    };
    let code = fields.required("code").and_then(|code| code.parsed(parse));
    let decimals = read_decimals(&fields);
    // A code at fault is noted; the decimals are what amounts are read with all the same.
    Some(Currency { code: code.unwrap_or_default(), decimals: decimals? })
}

fn read_balances(fields: &Object<'_>) -> Vec<Balance> {
    let Some(node) = fields.required("balances") else { return Vec::new() };
    if node.value.as_array().is_some_and(Vec::is_empty) {
        node.fault(code::LENGTH, "must have at least one balance");
    }
    let mut seen = HashSet::new();
    node.list(MAX_BALANCES, |node| {
        let fields = node.object(&["code", "decimals", "worth"])?;
        let code = id(&fields, "code", BalanceCode::parse, &mut seen);
        let decimals = read_decimals(&fields).unwrap_or(any_decimals());
        let worth = fields.optional("worth").and_then(|worth| worth.rate()).unwrap_or(Rate::ONE);
        Some(Balance { code: code?, decimals, worth, gift: None })
    })
}

fn read_runs(fields: &Object<'_>) -> Vec<RunDefinition> {
    let mut seen = HashSet::new();
    optional_list(
        fields,
        "runs",
        MAX_RUNS,
        |fields| {
            let id = id(fields, "id", RunId::parse, &mut seen);
            let does = fields.optional("does").and_then(|does| does.choice(&RUN_KINDS));
            let cron = fields.optional("cron");
            let text = match &cron {
                Some(cron) => Some(cron.text()?),
                None => None,
            };
            let run = RunDefinition::new(id?, does.unwrap_or_default(), text);
            if let (None, Some(cron)) = (&run, &cron) {
                let message = "must be a schedule of five fields, minute hour day month weekday: \
                           0 3 * * *";
                cron.fault(code::PATTERN, message);
            }
            run
        },
        &["id", "does", "cron"],
    )
}
