//! Records of the conditions that lots carry: each once per item, where any lot has some.

use std::hash::Hash;
use std::sync::Arc;

use domain::amount::Amount;
use domain::id::{IdError, MerchantId, ProductId, UnitId};
use domain::offer::OneOf;
use domain::terms::{Automatic, Period, Terms};
use domain::time::Instant;
use domain::window::{Hours, Times};
use serde::{Deserialize, Serialize};

use super::names::{Name, Names, Texts};
use crate::error::Result;

#[derive(Serialize, Deserialize)]
pub struct TermsRecord {
    /// From, to.
    periods: Vec<(Option<i64>, Option<i64>)>,
    /// A bit for each day from Monday on, and hours from, to.
    times: Option<(u8, Vec<(u16, u16)>)>,
    /// Products, categories, brands.
    lines: [Vec<Name>; 3],
    units: Vec<Name>,
    merchants: Vec<Name>,
    /// Minimum balance, minimum, maximum.
    automatic: Option<[Option<i64>; 3]>,
}

/// The conditions that were met while lots were put into a record.
pub fn terms_records(names: &mut Names) -> Result<Vec<TermsRecord>> {
    let met = std::mem::take(&mut names.terms);
    met.iter().map(|terms| terms_record(names, terms)).collect()
}

/// The conditions of a record whose texts are these.
pub fn read_terms(texts: &[String], records: &[TermsRecord]) -> Result<Vec<Arc<Terms>>> {
    let texts = Texts { texts, terms: &[] };
    records.iter().map(|record| Ok(Arc::new(read_one(&texts, record)?))).collect()
}

fn terms_record(names: &mut Names, terms: &Terms) -> Result<TermsRecord> {
    let bound = |bound: Option<Amount>| bound.map(|amount| amount.0);
    let at = |at: Option<Instant>| at.map(|at| at.0);
    let hours = |times: &Times| times.hours.iter().map(|hours| (hours.from, hours.to)).collect();
    let mut products = |list: &OneOf<ProductId>| add(names, list, ProductId::as_str);
    Ok(TermsRecord {
        periods: terms.periods.iter().map(|period| (at(period.from), at(period.to))).collect(),
        times: terms.times.as_ref().map(|times| (times.day_bits(), hours(times))),
        lines: [products(&terms.products)?, products(&terms.categories)?, products(&terms.brands)?],
        units: add(names, &terms.units, UnitId::as_str)?,
        merchants: add(names, &terms.merchants, MerchantId::as_str)?,
        automatic: terms.automatic.map(|automatic| {
            let Automatic { minimum_balance, minimum, maximum } = automatic;
            [bound(minimum_balance), bound(minimum), bound(maximum)]
        }),
    })
}

fn read_one(texts: &Texts<'_>, record: &TermsRecord) -> Result<Terms> {
    let at = |at: Option<i64>| at.map(Instant);
    let hours = |hours: &[(u16, u16)]| {
        hours.iter().map(|(from, to)| Hours { from: *from, to: *to }).collect()
    };
    let times = record.times.as_ref();
    let products = |list: &[Name]| read(texts, list, ProductId::parse);
    let [named, categories, brands] = &record.lines;
    Ok(Terms {
        periods: record
            .periods
            .iter()
            .map(|(from, to)| Period { from: at(*from), to: at(*to) })
            .collect(),
        times: times.map(|(days, open)| Times::of_bits(*days, hours(open))),
        products: products(named)?,
        categories: products(categories)?,
        brands: products(brands)?,
        units: read(texts, &record.units, UnitId::parse)?,
        merchants: read(texts, &record.merchants, MerchantId::parse)?,
        automatic: record.automatic.map(|[minimum_balance, minimum, maximum]| Automatic {
            minimum_balance: minimum_balance.map(Amount),
            minimum: minimum.map(Amount),
            maximum: maximum.map(Amount),
        }),
    })
}

fn add<T: Ord + Hash>(
    names: &mut Names,
    list: &OneOf<T>,
    text: fn(&T) -> &str,
) -> Result<Vec<Name>> {
    list.values().iter().map(|value| names.add(text(value))).collect()
}

fn read<T: Clone + Ord + Hash>(
    texts: &Texts<'_>,
    list: &[Name],
    parse: fn(&str) -> std::result::Result<T, IdError>,
) -> Result<OneOf<T>> {
    let values = list.iter().map(|name| texts.parse(*name, parse));
    Ok(values.collect::<Result<Vec<T>>>()?.into())
}
