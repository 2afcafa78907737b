//! Records of what only one type of event has. Variants are numbered by position: append only.

use domain::amount::Amount;
use domain::event::{
    Detail, FinancialAchievement, KpiValue, Line, Purchase, SpendRequest, Statement,
};
use domain::id::{KpiId, ParticipantId, ProductId};
use domain::payment_medium::{Keep, PaymentMedium};
use domain::time::Month;
use serde::{Deserialize, Serialize};

use super::names::{Name, Names, Texts, some};
use crate::error::{Error, Result};

#[derive(Serialize, Deserialize)]
pub enum DetailRecord {
    Purchase(PurchaseRecord),
    Referral(Name),
    SocialMedia(Name, Name, Name),
    Web(Name, Option<u8>),
    Achievement(Option<u8>),
    FinancialAchievement(Option<Name>, i64, Option<MediumRecord>),
    /// Month; of each value the KPI, the product and the amount.
    FinancialStatement(i32, Vec<(Name, Name, i64)>),
    SpendRequest(Name, Option<i64>, Option<Name>),
}

#[derive(Serialize, Deserialize)]
pub struct PurchaseRecord {
    receipt_number: Option<Name>,
    related_transaction: Option<Name>,
    payment_medium: Option<MediumRecord>,
    lines: Vec<LineRecord>,
}

/// Brand, type, adjusted identifier, and how it was adjusted.
#[derive(Serialize, Deserialize)]
pub struct MediumRecord(Option<Name>, Option<Name>, Option<Name>, KeepRecord);

#[derive(Serialize, Deserialize)]
enum KeepRecord {
    All,
    First(u64),
    Last(u64),
}

/// Product, category, brand, quantity, net, VAT.
#[derive(Serialize, Deserialize)]
pub struct LineRecord(Option<Name>, Option<Name>, Option<Name>, u32, i64, i64);

pub fn detail_record(names: &mut Names, detail: &Detail) -> Result<DetailRecord> {
    Ok(match detail {
        Detail::Purchase(purchase) => DetailRecord::Purchase(purchase_record(names, purchase)?),
        Detail::Referral { referred } => DetailRecord::Referral(names.add(referred.as_str())?),
        Detail::SocialMedia { network, profile, action } => {
            DetailRecord::SocialMedia(names.add(network)?, names.add(profile)?, names.add(action)?)
        }
        Detail::Web { url, score } => DetailRecord::Web(names.add(url)?, *score),
        Detail::Achievement { score } => DetailRecord::Achievement(*score),
        Detail::FinancialAchievement(achieved) => DetailRecord::FinancialAchievement(
            names.add_some(achieved.product.as_ref().map(|id| id.as_str()))?,
            achieved.amount.0,
            medium_record(names, achieved.payment_medium.as_ref())?,
        ),
        Detail::FinancialStatement(statement) => {
            let values = statement.values.iter().map(|value| {
                let (kpi, product) = (value.kpi.as_str(), value.product.as_str());
                Ok((names.add(kpi)?, names.add(product)?, value.value.0))
            });
            let values = values.collect::<Result<_>>()?;
            DetailRecord::FinancialStatement(statement.period.0, values)
        }
        Detail::SpendRequest(request) => DetailRecord::SpendRequest(
            names.add(request.balance.as_str())?,
            request.amount.map(|amount| amount.0),
            names.add_some(request.purchase.as_ref().map(|id| id.as_str()))?,
        ),
    })
}

pub fn read_detail(texts: &Texts<'_>, record: &DetailRecord) -> Result<Detail> {
    let parsed = |name: Name| {
        let product = ProductId::parse(&texts.text(name)?);
        product.map_err(|_| Error::Corrupt("event with a bad product"))
    };
    Ok(match record {
        DetailRecord::Purchase(purchase) => Detail::Purchase(read_purchase(texts, purchase)?),
        DetailRecord::Referral(referred) => {
            let referred = ParticipantId::parse(&texts.text(*referred)?);
            let bad = |_| Error::Corrupt("event with a bad participant");
            Detail::Referral { referred: referred.map_err(bad)? }
        }
        DetailRecord::SocialMedia(network, profile, action) => Detail::SocialMedia {
            network: texts.text(*network)?,
            profile: texts.text(*profile)?,
            action: texts.text(*action)?,
        },
        DetailRecord::Web(url, score) => Detail::Web { url: texts.text(*url)?, score: *score },
        DetailRecord::Achievement(score) => Detail::Achievement { score: *score },
        DetailRecord::FinancialAchievement(product, amount, medium) => {
            Detail::FinancialAchievement(FinancialAchievement {
                product: some(*product, parsed)?,
                amount: Amount(*amount),
                payment_medium: read_medium(texts, medium.as_ref())?,
            })
        }
        DetailRecord::FinancialStatement(period, values) => {
            let values = values.iter().map(|(kpi, product, value)| {
                let kpi = KpiId::parse(&texts.text(*kpi)?);
                let kpi = kpi.map_err(|_| Error::Corrupt("event with a bad KPI"))?;
                Ok(KpiValue { kpi, product: parsed(*product)?, value: Amount(*value) })
            });
            let values = values.collect::<Result<_>>()?;
            Detail::FinancialStatement(Statement { period: Month(*period), values })
        }
        DetailRecord::SpendRequest(balance, amount, purchase) => {
            Detail::SpendRequest(SpendRequest {
                balance: texts.balance(*balance)?,
                amount: amount.map(Amount),
                purchase: some(*purchase, |name| texts.event(name))?,
            })
        }
    })
}

fn purchase_record(names: &mut Names, purchase: &Purchase) -> Result<PurchaseRecord> {
    let payment_medium = medium_record(names, purchase.payment_medium.as_ref())?;
    let lines = purchase.lines.iter().map(|line| line_record(names, line));
    let lines = lines.collect::<Result<_>>()?;
    Ok(PurchaseRecord {
        receipt_number: names.add_some(purchase.receipt_number.as_deref())?,
        related_transaction: names.add_some(purchase.related_transaction.as_deref())?,
        payment_medium,
        lines,
    })
}

fn read_purchase(texts: &Texts<'_>, record: &PurchaseRecord) -> Result<Purchase> {
    let text = |name: Option<Name>| some(name, |name| texts.text(name));
    let lines = record.lines.iter().map(|line| read_line(texts, line));
    Ok(Purchase {
        receipt_number: text(record.receipt_number)?,
        related_transaction: text(record.related_transaction)?,
        payment_medium: read_medium(texts, record.payment_medium.as_ref())?,
        lines: lines.collect::<Result<_>>()?,
    })
}

fn medium_record(
    names: &mut Names,
    medium: Option<&PaymentMedium>,
) -> Result<Option<MediumRecord>> {
    let Some(medium) = medium else { return Ok(None) };
    Ok(Some(MediumRecord(
        names.add_some(medium.brand.as_deref())?,
        names.add_some(medium.kind.as_deref())?,
        names.add_some(medium.identifier.as_deref())?,
        match medium.kept {
            Keep::All => KeepRecord::All,
            Keep::First(count) => KeepRecord::First(count as u64),
            Keep::Last(count) => KeepRecord::Last(count as u64),
        },
    )))
}

fn read_medium(texts: &Texts<'_>, record: Option<&MediumRecord>) -> Result<Option<PaymentMedium>> {
    let text = |name: Option<Name>| some(name, |name| texts.text(name));
    let Some(MediumRecord(brand, kind, identifier, kept)) = record else { return Ok(None) };
    let (brand, kind, identifier) = (text(*brand)?, text(*kind)?, text(*identifier)?);
    let count = |count: &u64| usize::try_from(*count).map_err(|_| Error::Corrupt("bad count"));
    let kept = match kept {
        KeepRecord::All => Keep::All,
        KeepRecord::First(kept) => Keep::First(count(kept)?),
        KeepRecord::Last(kept) => Keep::Last(count(kept)?),
    };
    Ok(Some(PaymentMedium { brand, kind, identifier, kept }))
}

fn line_record(names: &mut Names, line: &Line) -> Result<LineRecord> {
    Ok(LineRecord(
        names.add_some(line.product.as_ref().map(|id| id.as_str()))?,
        names.add_some(line.category.as_ref().map(|id| id.as_str()))?,
        names.add_some(line.brand.as_ref().map(|id| id.as_str()))?,
        line.quantity,
        line.net.0,
        line.vat.0,
    ))
}

fn read_line(texts: &Texts<'_>, record: &LineRecord) -> Result<Line> {
    let product = |name: Option<Name>| {
        let text = some(name, |name| texts.text(name))?;
        let parsed = text.map(|text| ProductId::parse(&text)).transpose();
        parsed.map_err(|_| Error::Corrupt("line with a bad id"))
    };
    let LineRecord(id, category, brand, quantity, net, vat) = record;
    Ok(Line {
        product: product(*id)?,
        category: product(*category)?,
        brand: product(*brand)?,
        quantity: *quantity,
        net: Amount(*net),
        vat: Amount(*vat),
    })
}
