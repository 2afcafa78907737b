//! Whether an event is what an offer asks for.

use crate::amount::{Amount, AmountError};
use crate::area::Popular;
use crate::award::Facts;
use crate::event::{Detail, Event, Line};
use crate::id::{AreaId, MerchantId, ParticipantId, PlanId, ProductId};
use crate::offer::{Beneficiary, Conditions, Offer, Scope};
use crate::payment_medium::PaymentMedium;
use crate::programme::Programme;
use crate::refusal::Reason;
use crate::time::Instant;
use crate::wallet::Wallet;
use crate::window::{Clock, Validity};

/// An event as offers look at it: everything that many of them ask is looked up once.
pub struct Subject<'a> {
    pub event: &'a Event,
    /// Of a purchase.
    pub lines: Vec<Shelf<'a>>,
    /// Whose wallet is judged.
    pub whose: Beneficiary,
    /// The promotion whose code came with it.
    pub shown: Option<&'a PlanId>,
    pub merchant: Option<&'a MerchantId>,
    /// In which its unit lies.
    pub area: Option<&'a AreaId>,
    /// Whether its unit awards.
    awards: bool,
    /// When it was performed, by the programme's clock.
    pub clock: Clock,
    medium: Option<&'a PaymentMedium>,
    amount: Option<Amount>,
    programme: &'a Programme,
}

/// A line with the category and brand that it or the catalogue names.
pub struct Shelf<'a> {
    pub line: &'a Line,
    pub category: Option<&'a ProductId>,
    pub brand: Option<&'a ProductId>,
    pub total: Amount,
    /// Whether it is popular in the area of the event's unit.
    pub popular: bool,
}

impl<'a> Subject<'a> {
    /// Looks an event up. Parsing refuses lines whose total is too large to be an amount.
    pub fn of(programme: &'a Programme, event: &'a Event) -> Subject<'a> {
        let area = event.unit.as_ref().and_then(|unit| programme.areas.of(unit));
        let popular = area.map(|area| &area.popular).filter(|popular| !popular.is_empty());
        let lines: Vec<Shelf<'_>> =
            event.lines().iter().map(|line| shelf(programme, popular, line)).collect();
        // Of a purchase it is the sum of its lines.
        let amount = if lines.is_empty() { event.amount() } else { sum_of(lines.iter()).ok() };
        let medium = event.payment_medium();
        let merchant = event.unit.as_ref().and_then(|unit| programme.merchants.units.get(unit));
        let awards = programme.merchants.awards(merchant);
        let clock = Clock::of(event.performed_on, programme.zone);
        let (whose, area) = (Beneficiary::Participant, area.map(|area| &area.id));
        let shown = None;
        Subject {
            event,
            lines,
            whose,
            shown,
            merchant,
            area,
            awards,
            clock,
            medium,
            amount,
            programme,
        }
    }

    /// The event as offers for somebody look at it.
    #[must_use]
    pub fn seen_for(self, whose: Beneficiary) -> Subject<'a> {
        Subject { whose, ..self }
    }

    /// The event with which a code of this promotion came.
    #[must_use]
    pub fn with_pass(self, shown: Option<&'a PlanId>) -> Subject<'a> {
        Subject { shown, ..self }
    }
}

/// Looks a line up in the catalogue.
pub(crate) fn shelf<'a>(
    programme: &'a Programme,
    popular: Option<&Popular>,
    line: &'a Line,
) -> Shelf<'a> {
    let known = line.product.as_ref().and_then(|product| programme.catalogue.get(product));
    let category = line.category.as_ref().or(known.and_then(|known| known.category.as_ref()));
    let brand = line.brand.as_ref().or(known.and_then(|known| known.brand.as_ref()));
    let popular = popular.is_some_and(|popular| popular.has(line.product.as_ref(), category));
    Shelf { line, category, brand, total: line.total().unwrap_or(Amount::ZERO), popular }
}

impl Conditions {
    /// Whether it asks for certain lines.
    pub fn asks_lines(&self) -> bool {
        let goods = self.products.is_any() && self.categories.is_any() && self.brands.is_any();
        self.popular || !goods
    }

    /// Whether a line is one of those asked for.
    #[inline(always)] // It is asked for each line by each offer.
    pub fn wants(&self, shelf: &Shelf<'_>) -> bool {
        self.products.allows(shelf.line.product.as_ref())
            && self.categories.allows(shelf.category)
            && self.brands.allows(shelf.brand)
            && (!self.popular || shelf.popular)
    }

    /// Whether an amount is within the range.
    pub fn holds_amount(&self, amount: Amount) -> bool {
        self.from.is_none_or(|from| amount >= from) && self.to.is_none_or(|to| amount <= to)
    }

    /// Whether a number of pieces is within the range.
    pub fn holds_quantity(&self, quantity: u64) -> bool {
        let (from, to) = self.quantity;
        from.is_none_or(|from| quantity >= u64::from(from))
            && to.is_none_or(|to| quantity <= u64::from(to))
    }

    fn holds_score(&self, score: Option<u8>) -> bool {
        let (from, to) = self.score;
        let holds =
            |score| from.is_none_or(|from| score >= from) && to.is_none_or(|to| score <= to);
        self.score == (None, None) || score.is_some_and(holds)
    }

    fn asks_profile(&self) -> bool {
        !(self.segments.is_any() && self.tags.is_any())
    }
}

impl Offer {
    /// Why this offer is not even a candidate for the event: its validity, unit, merchant,
    /// classification or lines.
    pub fn excludes(&self, subject: &Subject<'_>) -> Option<Reason> {
        let (event, when) = (subject.event, &self.when);
        let clock = &subject.clock;
        if !self.valid.is_empty() && !self.valid.iter().any(|v| v.may_hold(clock)) {
            return Some(Reason::NotValid);
        }
        if when.times.as_ref().is_some_and(|times| !times.holds(clock)) {
            return Some(Reason::NotValid);
        }
        if !when.units.allows(event.unit.as_ref()) || !when.merchants.allows(subject.merchant) {
            return Some(Reason::UnitNotIncluded);
        }
        if !when.areas.allows(subject.area) {
            return Some(Reason::UnitNotIncluded);
        }
        if !subject.awards {
            return Some(Reason::UnitDoesNotAward);
        }
        if !when.classifications.allows(event.classification.as_ref()) {
            return Some(Reason::ClassificationNotIncluded);
        }
        let matches = !when.asks_lines() || subject.lines.iter().any(|line| when.wants(line));
        (!matches).then_some(Reason::NoMatchingLine)
    }

    /// Why a candidate does not award the event, whatever lots, limits and quotas say.
    pub fn mismatch(
        &self,
        programme: &Programme,
        subject: &Subject<'_>,
        wallet: &Wallet,
        now: Instant,
        facts: &Facts<'_>,
    ) -> Option<Reason> {
        let (when, profile) = (&self.when, &facts.participant.profile);
        let holds =
            |valid: &Validity| valid.holds(&subject.clock, profile.birthday, profile.name_day);
        if !self.valid.is_empty() && !self.valid.iter().any(holds) {
            return Some(Reason::NotValid);
        }
        let amount = self.amount(subject);
        if when.kpi.is_some() && amount.is_none() {
            return Some(Reason::AwardsNothing);
        }
        if !when.holds_score(subject.event.score()) {
            return Some(Reason::ScoreOutOfRange);
        }
        if self.scope == Scope::Transaction {
            if !amount.is_none_or(|amount| when.holds_amount(amount)) {
                return Some(Reason::AmountOutOfRange);
            }
            let wanted = || subject.lines.iter().filter(|line| when.wants(line));
            let pieces = || wanted().map(|line| u64::from(line.line.quantity)).sum();
            if when.quantity != (None, None) && !when.holds_quantity(pieces()) {
                return Some(Reason::QuantityOutOfRange);
            }
        }
        let brand = subject.medium.and_then(|medium| medium.brand.as_ref());
        let kind = subject.medium.and_then(|medium| medium.kind.as_ref());
        if !when.payment_brands.allows(brand) || !when.payment_types.allows(kind) {
            return Some(Reason::PaymentMediumNotIncluded);
        }
        let who = subject.event.whose(facts.whose);
        if !self.addresses(programme, who, wallet, now, facts) {
            return Some(Reason::NotInSegment);
        }
        let active = self.is_active(subject, wallet, now);
        (!active).then_some(Reason::PassRequired)
    }

    /// Whether the participant has one of its tags, and is in one of its segments.
    pub fn addresses(
        &self,
        programme: &Programme,
        who: &ParticipantId,
        wallet: &Wallet,
        now: Instant,
        facts: &Facts<'_>,
    ) -> bool {
        let (when, tags) = (&self.when, self.when.tags.values());
        let has = |tag| facts.participant.profile.tags.contains(tag);
        let member = |id| {
            programme.segment(id).is_some_and(|segment| {
                segment.members.holds(who, facts.participant, wallet, now, programme.zone)
            })
        };
        (tags.is_empty() || tags.iter().any(has))
            && (when.segments.is_any() || when.segments.values().iter().any(member))
    }

    /// What amount conditions and percentages of the transaction look at, in currency: of a
    /// statement what it reports of the offer's KPI, where it reports it.
    pub fn amount(&self, subject: &Subject<'_>) -> Option<Amount> {
        let Some(kpi) = &self.when.kpi else { return subject.amount };
        let Detail::FinancialStatement(statement) = &subject.event.detail else { return None };
        let reports = statement.reports(subject.programme, kpi);
        reports.then(|| statement.reported(subject.programme, kpi))
    }

    /// Whether a judgement needs the participant's profile.
    pub fn asks_profile(&self) -> bool {
        self.when.asks_profile() || self.valid.iter().any(Validity::asks_profile)
    }
}

/// The sum of the lines that meet a condition.
pub fn sum_of<'a>(lines: impl Iterator<Item = &'a Shelf<'a>>) -> Result<Amount, AmountError> {
    let mut lines = lines;
    lines.try_fold(Amount::ZERO, |sum, line| sum.plus(line.total))
}
