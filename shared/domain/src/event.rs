//! Customer events and what became of them.

use crate::amount::{Amount, AmountError};
use crate::id::{
    BalanceCode, Classification, EventId, OfferId, ParticipantId, ProductId, RunId, UnitId,
};
use crate::ledger::{LotId, PayloadHash, SpendMade};
use crate::payment_medium::PaymentMedium;
use crate::refusal::Reason;
use crate::returns::Return;
use crate::spend::SpendAsked;
use crate::time::Instant;

mod detail;
mod event_type;

pub use detail::{Detail, FinancialAchievement, KpiValue, MAX_VALUES, SpendRequest, Statement};
pub use event_type::EventType;

/// Most lines of a purchase.
pub const MAX_LINES: usize = 500;

/// An event as it was accepted; it is never modified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub participant: ParticipantId,
    pub classification: Option<Classification>,
    /// Where it was performed.
    pub unit: Option<UnitId>,
    pub performed_on: Instant,
    /// Whether offers that may be interactive judge it in the call that brings it.
    pub immediate: bool,
    pub detail: Detail,
}

/// What was bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    pub receipt_number: Option<Box<str>>,
    pub related_transaction: Option<Box<str>>,
    pub payment_medium: Option<PaymentMedium>,
    /// 1 to [`MAX_LINES`].
    pub lines: Vec<Line>,
}

/// One line of a purchase; amounts in currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub product: Option<ProductId>,
    pub category: Option<ProductId>,
    pub brand: Option<ProductId>,
    /// At least 1.
    pub quantity: u32,
    /// Of one piece.
    pub net: Amount,
    /// Of the line.
    pub vat: Amount,
}

impl Line {
    /// Quantity × net + VAT.
    pub fn total(&self) -> Result<Amount, AmountError> {
        self.net.times(self.quantity)?.plus(self.vat)
    }
}

impl Purchase {
    /// The sum of the lines.
    pub fn total(&self) -> Result<Amount, AmountError> {
        self.lines.iter().try_fold(Amount::ZERO, |sum, line| sum.plus(line.total()?))
    }

    /// The net and the VAT of the lines. Parsing refuses a purchase whose total is too large.
    pub fn net_and_vat(&self) -> (Amount, Amount) {
        let vat = Amount(self.lines.iter().map(|line| line.vat.0).sum());
        (self.total().unwrap_or(vat).less(vat), vat)
    }
}

impl Event {
    /// Its type.
    pub fn event_type(&self) -> EventType {
        self.detail.event_type()
    }

    /// The lines of a purchase; none of other events.
    pub fn lines(&self) -> &[Line] {
        match &self.detail {
            Detail::Purchase(purchase) => &purchase.lines,
            Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::Web { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialAchievement(_)
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => &[],
        }
    }

    /// What was purchased, in currency; nothing by what is no purchase. Parsing refuses a purchase
    /// whose total is too large.
    pub fn purchased(&self) -> Amount {
        match &self.detail {
            Detail::Purchase(purchase) => purchase.total().unwrap_or(Amount::ZERO),
            Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::Web { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialAchievement(_)
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => Amount::ZERO,
        }
    }

    /// What a condition on the amount looks at, in currency: the total of a purchase, the amount
    /// of a financial achievement; other events have none.
    pub fn amount(&self) -> Option<Amount> {
        match &self.detail {
            Detail::Purchase(_) => Some(self.purchased()),
            Detail::FinancialAchievement(achieved) => Some(achieved.amount),
            Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::Web { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => None,
        }
    }

    /// What a survey came to, from 0 to 10, where the event says so.
    pub fn score(&self) -> Option<u8> {
        match &self.detail {
            Detail::Web { score, .. } | Detail::Achievement { score } => *score,
            Detail::Purchase(_)
            | Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::FinancialAchievement(_)
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => None,
        }
    }

    /// Whom its participant referred, where it is a referral.
    pub fn referred(&self) -> Option<&ParticipantId> {
        if let Detail::Referral { referred } = &self.detail { Some(referred) } else { None }
    }

    /// What is to be spent, where it is a spend request.
    pub fn asked(&self) -> Option<SpendAsked> {
        let Detail::SpendRequest(request) = &self.detail else { return None };
        Some(SpendAsked {
            balance: request.balance.clone(),
            amount: request.amount,
            classification: self.classification.clone(),
            unit: self.unit.clone(),
            performed_on: self.performed_on,
        })
    }

    /// How it was paid, where it is a purchase or a financial achievement that says so.
    pub fn payment_medium(&self) -> Option<&PaymentMedium> {
        match &self.detail {
            Detail::Purchase(purchase) => purchase.payment_medium.as_ref(),
            Detail::FinancialAchievement(achieved) => achieved.payment_medium.as_ref(),
            Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::Web { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => None,
        }
    }
}

/// Life-cycle state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventState {
    Posted,
    Cancelled,
}

/// Which offers have not judged an event yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// None: the event is processed.
    Nothing,
    /// Those that only a run applies: the event was judged immediately.
    BatchOnly,
    /// All of them.
    Everything,
}

/// What judged an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judge {
    /// The call that brought it, or the queue right after.
    Interactive,
    /// A run.
    Run(RunId),
}

/// An award that an event led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awarded {
    pub offer: OfferId,
    pub lot: LotId,
    pub amount: Amount,
    /// Whether the offer is one of those of which only the best applies.
    pub exclusive: bool,
    /// Indices of the awarded lines among those of the purchase, which it was computed from; none:
    /// the whole purchase.
    pub lines: Vec<u16>,
    /// Whether it is for what was counted over many events.
    pub counted: bool,
}

/// What one judgement of an event came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The ledger entry.
    pub sequence: u64,
    pub by: Judge,
    /// Version of the programme that judged.
    pub programme: u64,
    pub awards: Vec<Awarded>,
    pub passed_over: Vec<(OfferId, Reason)>,
}

/// A spend against a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendOn {
    /// The ledger entry.
    pub sequence: u64,
    pub made: SpendMade,
    pub cancelled: bool,
    /// What came back of it with returned goods, in its balance.
    pub returned: Amount,
}

impl SpendOn {
    /// A spend as it was carried out.
    pub fn new(sequence: u64, made: SpendMade) -> SpendOn {
        SpendOn { sequence, made, cancelled: false, returned: Amount::ZERO }
    }
}

/// An accepted event with everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    pub event: Event,
    pub payload: PayloadHash,
    pub accepted_at: Instant,
    pub state: EventState,
    pub due: Due,
    pub judgements: Vec<Judgement>,
    /// Of a referral: the judgement for the referred participant, in that one's ledger.
    pub referred: Option<Judgement>,
    pub spends: Vec<SpendOn>,
    /// Cancels in part, and at last the one that cancelled it.
    pub returns: Vec<Return>,
}

impl RecordedEvent {
    /// An event that nothing has judged yet.
    pub fn accepted(event: Event, payload: PayloadHash, accepted_at: Instant) -> RecordedEvent {
        RecordedEvent {
            event,
            payload,
            accepted_at,
            state: EventState::Posted,
            due: Due::Everything,
            judgements: Vec::new(),
            referred: None,
            spends: Vec::new(),
            returns: Vec::new(),
        }
    }

    /// A spend request that was carried out, as the event that it came as. No offer judges
    /// it, so nothing is due.
    pub fn spent_by(
        event: Event,
        payload: PayloadHash,
        accepted_at: Instant,
        spend: SpendOn,
    ) -> RecordedEvent {
        let accepted = RecordedEvent::accepted(event, payload, accepted_at);
        RecordedEvent { due: Due::Nothing, spends: vec![spend], ..accepted }
    }

    /// Takes over from its purchase whether its spend was taken back: a spend against a purchase
    /// is cancelled there, by its own cancel or with the purchase.
    pub fn follow(&mut self, purchase: &RecordedEvent) {
        let gone = |of: u64| purchase.spends.iter().any(|on| on.sequence == of && on.cancelled);
        if self.spends.first().is_some_and(|own| gone(own.sequence)) {
            self.cancel_spends();
        }
    }

    /// Marks the event, and what was spent by it or against it, as cancelled.
    pub fn cancel_spends(&mut self) {
        self.state = EventState::Cancelled;
        self.spends.iter_mut().for_each(|spend| spend.cancelled = true);
    }

    /// What spends still pay of the purchase, in currency.
    pub fn covered(&self) -> Amount {
        Amount(self.spends.iter().map(|spend| spend.covered().0).sum())
    }

    /// Whether an offer awarded this event or was passed over before.
    pub fn has_judged(&self, offer: &OfferId) -> bool {
        self.judgements.iter().any(|judgement| {
            judgement.awards.iter().any(|award| award.offer == *offer)
                || judgement
                    .passed_over
                    .iter()
                    .any(|(passed, reason)| passed == offer && *reason != Reason::AwaitsRun)
        })
    }

    /// Whether one of the offers of which only the best applies awarded this event.
    pub fn has_exclusive_award(&self) -> bool {
        self.judgements.iter().flat_map(|judgement| &judgement.awards).any(|award| award.exclusive)
    }

    /// All judgements, first that of whom a referral referred.
    pub fn all_judgements(&self) -> impl Iterator<Item = &Judgement> {
        self.referred.iter().chain(&self.judgements)
    }

    /// Sums per balance of what is still awarded, to all whom the event awarded.
    pub fn awarded(&self) -> Vec<(BalanceCode, Amount)> {
        let awards = self.all_judgements().flat_map(|judgement| {
            let left = |award| self.still_awarded(judgement.sequence, award);
            judgement.awards.iter().map(move |award| (&award.lot.balance, left(award)))
        });
        sums(awards.filter(|(_, amount)| !amount.is_zero()))
    }

    /// Sums per balance of what is still spent against it.
    pub fn spent(&self) -> Vec<(BalanceCode, Amount)> {
        let spends = self.spends.iter().map(|spend| (&spend.made.balance, spend.spent()));
        sums(spends.filter(|(_, amount)| !amount.is_zero()))
    }

    /// Sequences of the entries of its participant's ledger that a cancel takes back.
    pub fn entries(&self) -> Vec<u64> {
        let spends = self.spends.iter().filter(|spend| !spend.cancelled);
        let judgements = self.judgements.iter().map(|judgement| judgement.sequence);
        judgements.chain(spends.map(|spend| spend.sequence)).collect()
    }
}

/// Adds up amounts per balance, in order of first mention.
pub fn sums<'a>(
    amounts: impl Iterator<Item = (&'a BalanceCode, Amount)>,
) -> Vec<(BalanceCode, Amount)> {
    let mut sums: Vec<(BalanceCode, Amount)> = Vec::new();
    for (balance, amount) in amounts {
        match sums.iter_mut().find(|(code, _)| code == balance) {
            Some((_, sum)) => sum.0 += amount.0,
            None => sums.push((balance.clone(), amount)),
        }
    }
    sums
}
