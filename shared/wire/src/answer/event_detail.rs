//! What only one type of event shows.

use domain::amount::{Amount, Decimals};
use domain::event::{Detail, EventState, Line, RecordedEvent, Statement};
use domain::payment_medium::PaymentMedium;
use domain::programme::Programme;
use serde::Serialize;

/// The fields of an event's type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DetailView {
    Purchase {
        receipt_number: Option<String>,
        related_transaction: Option<String>,
        /// As it is stored, its identifier adjusted.
        payment_medium: Option<MediumView>,
        lines: Vec<LineView>,
    },
    Referral {
        referrer_participant_id: String,
        referred_participant_id: String,
    },
    SocialMedia {
        network: String,
        profile: String,
        action: String,
    },
    Web {
        url: String,
        score: Option<u8>,
    },
    Achievement {
        score: Option<u8>,
    },
    FinancialAchievement {
        product: Option<String>,
        /// In currency.
        amount: String,
        payment_medium: Option<MediumView>,
    },
    FinancialStatement {
        period: String,
        kpi_values: Vec<KpiValueView>,
    },
    SpendRequest {
        purchase_event_id: Option<String>,
        balance: String,
        /// What was asked for, in the balance; null: what was open of the purchase.
        amount: Option<String>,
    },
}

/// A payment medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MediumView {
    pub brand: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub identifier: Option<String>,
}

/// A line of a purchase; amounts in currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineView {
    pub product: Option<String>,
    pub category: Option<String>,
    pub brand: Option<String>,
    pub quantity: u32,
    pub net: String,
    pub vat: String,
    pub total: String,
    /// Pieces that came back, where it is not cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<u32>,
}

/// A value of a statement, in currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KpiValueView {
    pub kpi: String,
    pub product: String,
    pub value: String,
}

/// Shows what the event's type has.
pub(crate) fn detail_view(programme: &Programme, recorded: &RecordedEvent) -> DetailView {
    let event = &recorded.event;
    let currency = programme.currency.decimals;
    let text = |text: &str| text.to_owned();
    match &event.detail {
        Detail::Purchase(purchase) => DetailView::Purchase {
            receipt_number: purchase.receipt_number.as_deref().map(text),
            related_transaction: purchase.related_transaction.as_deref().map(text),
            payment_medium: purchase.payment_medium.as_ref().map(medium_view),
            lines: line_views(recorded, &purchase.lines, currency),
        },
        Detail::Referral { referred } => DetailView::Referral {
            referrer_participant_id: event.participant.to_string(),
            referred_participant_id: referred.to_string(),
        },
        Detail::SocialMedia { network, profile, action } => DetailView::SocialMedia {
            network: text(network),
            profile: text(profile),
            action: text(action),
        },
        Detail::Web { url, score } => DetailView::Web { url: text(url), score: *score },
        Detail::Achievement { score } => DetailView::Achievement { score: *score },
        Detail::FinancialAchievement(achieved) => DetailView::FinancialAchievement {
            product: achieved.product.as_ref().map(ToString::to_string),
            amount: achieved.amount.show(currency),
            payment_medium: achieved.payment_medium.as_ref().map(medium_view),
        },
        Detail::FinancialStatement(statement) => DetailView::FinancialStatement {
            period: statement.period.to_string(),
            kpi_values: value_views(statement, currency),
        },
        Detail::SpendRequest(request) => DetailView::SpendRequest {
            purchase_event_id: request.purchase.as_ref().map(ToString::to_string),
            balance: request.balance.to_string(),
            amount: request.amount.map(|amount| programme.show(&request.balance, amount)),
        },
    }
}

fn medium_view(medium: &PaymentMedium) -> MediumView {
    MediumView {
        brand: medium.brand.as_deref().map(Into::into),
        kind: medium.kind.as_deref().map(Into::into),
        identifier: medium.identifier.as_deref().map(Into::into),
    }
}

fn line_views(recorded: &RecordedEvent, lines: &[Line], currency: Decimals) -> Vec<LineView> {
    let (left, posted) = (recorded.left(), recorded.state == EventState::Posted);
    let views = lines.iter().enumerate().map(|(index, line)| {
        let back = line.quantity.saturating_sub(left.quantity(index));
        line_view(line, currency, Some(back).filter(|back| posted && *back > 0))
    });
    views.collect()
}

fn line_view(line: &Line, currency: Decimals, returned: Option<u32>) -> LineView {
    LineView {
        product: line.product.as_ref().map(ToString::to_string),
        category: line.category.as_ref().map(ToString::to_string),
        brand: line.brand.as_ref().map(ToString::to_string),
        quantity: line.quantity,
        net: line.net.show(currency),
        vat: line.vat.show(currency),
        // A line whose total is too large was never accepted.
        total: line.total().unwrap_or(Amount::ZERO).show(currency),
        returned,
    }
}

fn value_views(statement: &Statement, currency: Decimals) -> Vec<KpiValueView> {
    let view = |value: &domain::event::KpiValue| KpiValueView {
        kpi: value.kpi.to_string(),
        product: value.product.to_string(),
        value: value.value.show(currency),
    };
    statement.values.iter().map(view).collect()
}
