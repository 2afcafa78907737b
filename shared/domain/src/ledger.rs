//! Ledger entries: what happened to a wallet, with effects that rebuild it exactly.

use std::sync::Arc;

use crate::activity::{Activity, Watch};
use crate::amount::Amount;
use crate::conversion::ConversionMade;
use crate::coupon::CouponTaken;
use crate::id::{
    BalanceCode, Classification, ConversionId, EventId, Key, OfferId, ParticipantId, PlanId, UnitId,
};
use crate::offer::Counts;
use crate::pass::{Activation, PassId};
use crate::programme::ReductionMethod;
use crate::refusal::Refusal;
use crate::tally::{Part, TallyAward};
use crate::terms::Terms;
use crate::time::{Day, Instant, Month};

/// One entry of a participant's ledger; never altered once committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position, from 1, without holes.
    pub sequence: u64,
    /// When it was committed; never earlier than the entry before.
    pub at: Instant,
    /// What it answers; unique in a ledger.
    pub key: EntryKey,
    /// Hash of what was asked: the same key with another payload is refused.
    pub payload: PayloadHash,
    /// What was done, with all that a repeat must answer.
    pub act: Act,
    /// What changed in the wallet.
    pub effects: Vec<Effect>,
    /// What was available afterwards, for each balance that changed.
    pub after: Vec<(BalanceCode, Amount)>,
}

/// The first eight bytes of the SHA-256 of a request, taken after the identifier adjustment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadHash(pub [u8; 8]);

impl PayloadHash {
    /// Of the same body under this key.
    #[must_use]
    pub fn under(self, key: PayloadHash) -> PayloadHash {
        PayloadHash(std::array::from_fn(|at| self.0[at].rotate_left(3) ^ key.0[at]))
    }
}

/// What an entry answers: a kind, and the key within it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EntryKey {
    /// A judgement of an event: the first is turn 0; a run that judges it again is the next.
    Event { event: EventId, turn: u8 },
    /// A spend request under the caller's key.
    Spend(Key),
    /// The spend that came in one call with its purchase.
    SpendWithPurchase(EventId),
    /// A cancel of an event, whole or in part: the first is turn 0, also where it was refused.
    CancelEvent { event: EventId, turn: u16 },
    /// The cancel of the spend with this sequence.
    CancelSpend(u64),
    /// A redemption of a pass: the first is turn 0.
    Redeem { plan: PlanId, serial: u64, turn: u32 },
    /// What expired before the entry with the next sequence.
    Expiry(u64),
    /// The redemption of a pass that is the entry with this sequence was taken back.
    CancelRedemption(u64),
    /// A change of the spending block; its sequence.
    Block(u64),
    /// A spend request that came as an event without a key: its reference is the key.
    SpendRequest(EventId),
    /// A hold under the caller's key.
    Hold(Key),
    /// The settlement or release of a hold under the caller's key.
    EndHold(Key),
    /// What came back from lapsed holds before the entry with the next sequence.
    Lapse(u64),
    /// An adjustment under the caller's key or reference.
    Adjust(Key),
    /// A spend that nobody asked for, made when the purchase was judged: the first is number 0.
    Unasked { event: EventId, number: u8 },
    /// A registration of a nameless wallet under the caller's key.
    Register(Key),
    /// A merge of this wallet into another under the caller's key.
    Merge(Key),
    /// What that entry of a duplicate handed over.
    MergeOf { duplicate: ParticipantId, sequence: u64 },
    /// A conversion at its scheduled time.
    Convert { conversion: ConversionId, at: Instant },
    /// A coupon under the caller's key.
    Coupon(Key),
}

/// What an entry did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// An event was judged; its awards are among the effects.
    Judged,
    /// A spend.
    Spent(SpendMade),
    /// The programme said no.
    Refused(Refusal),
    /// What some entries did was taken back.
    Reversed(TakenBack),
    /// A pass was credited.
    Redeemed,
    /// Lots expired.
    Expired,
    /// Spending was blocked or released.
    Blocked { reason: Box<str> },
    /// Goods came back: what some entries did was reduced.
    Returned(TakenBack),
    /// Funds were set aside.
    Held(HoldMade),
    /// What holds set aside came back: one was released, or some lapsed.
    Released,
    /// A balance was adjusted.
    Adjusted { reason: Box<str> },
    /// A nameless wallet got its participant.
    Registered,
    /// All that it had moved to another wallet.
    MergedInto { participant: ParticipantId, reason: Option<Box<str>> },
    /// What a duplicate had came.
    MergedFrom { participant: ParticipantId },
    /// Points turned into money.
    Converted(ConversionMade),
}

/// What a cancel took back, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// The entries whose effects were taken back or reduced.
    pub entries: Vec<u64>,
    /// As the caller says.
    pub reason: Option<Box<str>>,
}

/// A hold as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldMade {
    /// The spend that it is for: all that is requested is held.
    pub spend: SpendMade,
    /// When it is over unless it is ended before.
    pub lapses_at: Instant,
}

/// A spend as it was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendMade {
    /// The balance it was taken from.
    pub balance: BalanceCode,
    /// What was asked for, in the balance.
    pub requested: Amount,
    /// What was taken, in the balance.
    pub spent: Amount,
    /// What it paid of the purchase, in currency; none without a purchase.
    pub covered: Option<Amount>,
    /// What the participant must pay: in currency against a purchase, else in the balance.
    pub remainder: Amount,
    /// The purchase it was made against.
    pub purchase: Option<EventId>,
    /// How the unit deducts it.
    pub method: ReductionMethod,
    /// Where.
    pub unit: Option<UnitId>,
    /// When, as the caller says.
    pub performed_on: Instant,
    /// Of which classification.
    pub classification: Option<Classification>,
    /// The event it came as; none without an external reference.
    pub request: Option<EventId>,
    /// What led to it.
    pub cause: SpendCause,
}

/// What leads to a spend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SpendCause {
    /// It was asked for.
    #[default]
    Requested,
    /// What this offer awarded was spent at once on the purchase that it awarded.
    Instant { offer: OfferId },
    /// What the wallet held was spent on a purchase without being asked for.
    Automatic,
    /// A coupon was taken for it.
    Coupon(CouponTaken),
}

/// What lots have in common that are one lot: merging and returning keep it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LotId {
    /// The balance.
    pub balance: BalanceCode,
    /// The last day on which it can be spent; none: never expires.
    pub expires: Option<Day>,
    /// The first day on which it can be spent; none: at once.
    pub available_from: Option<Day>,
    /// The conditions under which it is spent; none: there are none.
    pub terms: Option<Arc<Terms>>,
}

/// The window in which a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// Once and for all.
    Ever,
    /// The calendar period with this number.
    Period(i32),
    /// A rolling window is checked against the days of earlier awards.
    On(Day),
    /// A place among the first participants that an offer awards, or a share of its budget.
    Quota,
}

/// One change of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An offer (or, without one, a pass) awarded `amount`, of which `debt` paid debt.
    Award { offer: Option<OfferId>, lot: LotId, amount: Amount, debt: Amount, slot: Option<Slot> },
    /// Spent from a lot.
    Take { lot: LotId, amount: Amount },
    /// A cancelled spend came back to its lot, less what paid debt.
    Return { lot: LotId, amount: Amount, debt: Amount },
    /// A cancelled award was taken from a lot.
    ClawBack { lot: LotId, amount: Amount },
    /// A cancelled award was spent already: carried as debt.
    Owe { balance: BalanceCode, amount: Amount },
    /// A cancelled award frees its place in the limit.
    Free { offer: OfferId, slot: Slot },
    /// The unspent remainder of a lot expired.
    Expire { lot: LotId, amount: Amount },
    /// An accumulating offer counted an event, by these lines of it; none: all of it.
    Counted { offer: OfferId, part: Part, by: i64, counts: Counts, lines: Vec<u16> },
    /// What was counted was consumed by an award, came back when that was taken back, was taken back
    /// itself, or is too old to count.
    Count { offer: OfferId, part: Part, by: i64 },
    /// An award consumed what was counted.
    Tallied(TallyAward),
    /// One of the awards that the record at this place stands for was taken back.
    Untallied { at: u32 },
    /// An award, or its cancel, used or freed what an offer gives all participants together:
    /// `awards` counts in this wallet, `places` and `budget` (in the balance) in all of them.
    Quota { offer: OfferId, awards: i32, places: i32, budget: Amount },
    /// All of one lot moved to another, because a wallet holds a bounded number of lots.
    Merge { from: LotId, into: LotId },
    /// What was done in a month; negative where it is taken back.
    Activity(Activity),
    /// The time of the newest event.
    Seen { performed_on: Instant },
    /// Spending is blocked, or is not any more.
    Block { blocked: bool },
    /// A cancelled award is not taken from this lot: so much of it expired unspent already.
    Gone { lot: LotId, amount: Amount },
    /// A cancelled award was spent already: written off by this entry. Negative where a spend that
    /// came back made up for what that entry wrote off.
    WriteOff { balance: BalanceCode, entry: u64, amount: Amount },
    /// Set aside from a lot, in the hold that the entry with this sequence makes.
    Hold { hold: u64, lapses_at: Instant, lot: LotId, amount: Amount },
    /// Spent of what a hold set aside from a lot.
    TakeHeld { hold: u64, lot: LotId, amount: Amount },
    /// What a hold set aside came back to its lot, less what paid debt.
    Release { hold: u64, lot: LotId, amount: Amount, debt: Amount },
    /// An offer took `amount`, in currency, off the purchase: no balance changes.
    Discount { offer: OfferId, amount: Amount, slot: Option<Slot> },
    /// The wallet is nameless from now on: of whoever holds this pass.
    Nameless { pass: PassId },
    /// It is nameless no more.
    Registered,
    /// It is a duplicate's: what it had went into another.
    Merged { into: ParticipantId },
    /// A code that came with a purchase makes the offers of its plan active for a time.
    Activate(Activation),
    /// That is over, or the purchase was cancelled that made them active.
    Deactivate(Activation),
    /// An offer gave a pass: no balance changes.
    Issue { offer: OfferId, pass: PassId, slot: Option<Slot> },
    /// The participant was erased: the wallet takes no new events.
    Erase,
    /// What a segment watches was so in a month, by these lines of the purchase, none: all of it.
    /// Negative where it is taken back.
    Watched { watch: Watch, month: Month, by: i32, lines: Vec<u16> },
    /// No segment watches it any more.
    Unwatched { watch: Watch },
    /// So many purchases on a day, kept by day because a segment asks for days. Negative where they
    /// are taken back.
    Bought { day: Day, by: i32 },
}

impl Effect {
    /// How the effect changes a balance, signed; debt counts as negative balance, and what is held
    /// counts as gone: spending it changes nothing more.
    pub fn change(&self) -> Option<(&BalanceCode, Amount)> {
        let negative = |amount: &Amount| Amount(-amount.0);
        match self {
            Effect::Award { lot, amount, .. }
            | Effect::Return { lot, amount, .. }
            | Effect::Release { lot, amount, .. } => Some((&lot.balance, *amount)),
            Effect::Take { lot, amount }
            | Effect::ClawBack { lot, amount }
            | Effect::Expire { lot, amount }
            | Effect::Hold { lot, amount, .. } => Some((&lot.balance, negative(amount))),
            Effect::TakeHeld { lot, .. } => Some((&lot.balance, Amount::ZERO)),
            Effect::Owe { balance, amount } => Some((balance, negative(amount))),
            Effect::Free { .. }
            | Effect::Quota { .. }
            | Effect::Counted { .. }
            | Effect::Count { .. }
            | Effect::Tallied(_)
            | Effect::Untallied { .. }
            | Effect::Merge { .. }
            | Effect::Activity(_)
            | Effect::Seen { .. }
            | Effect::Block { .. }
            | Effect::Gone { .. }
            | Effect::WriteOff { .. }
            | Effect::Discount { .. }
            | Effect::Nameless { .. }
            | Effect::Registered
            | Effect::Merged { .. }
            | Effect::Activate(_)
            | Effect::Deactivate(_)
            | Effect::Issue { .. }
            | Effect::Watched { .. }
            | Effect::Unwatched { .. }
            | Effect::Bought { .. }
            | Effect::Erase => None,
        }
    }
}

impl Entry {
    /// The event this entry is about: of a spend its purchase, or the event that it came as.
    pub fn event(&self) -> Option<&EventId> {
        match &self.key {
            EntryKey::Event { event, .. }
            | EntryKey::SpendWithPurchase(event)
            | EntryKey::CancelEvent { event, .. }
            | EntryKey::Unasked { event, .. } => Some(event),
            EntryKey::Spend(_) | EntryKey::SpendRequest(_) | EntryKey::EndHold(_) => {
                let made = self.spend()?;
                made.purchase.as_ref().or(made.request.as_ref())
            }
            EntryKey::Hold(_) => self.hold()?.spend.purchase.as_ref(),
            EntryKey::CancelSpend(_)
            | EntryKey::Redeem { .. }
            | EntryKey::CancelRedemption(_)
            | EntryKey::Expiry(_)
            | EntryKey::Block(_)
            | EntryKey::Lapse(_)
            | EntryKey::Adjust(_)
            | EntryKey::Register(_)
            | EntryKey::Merge(_)
            | EntryKey::MergeOf { .. }
            | EntryKey::Convert { .. }
            | EntryKey::Coupon(_) => None,
        }
    }

    /// The spend, if this entry is one that was carried out.
    pub fn spend(&self) -> Option<&SpendMade> {
        if let Act::Spent(made) = &self.act { Some(made) } else { None }
    }

    /// The coupon, if this entry took one.
    pub fn coupon(&self) -> Option<&CouponTaken> {
        if let SpendCause::Coupon(taken) = &self.spend()?.cause { Some(taken) } else { None }
    }

    /// The conversion, if this entry is one.
    pub fn conversion(&self) -> Option<&ConversionMade> {
        if let Act::Converted(made) = &self.act { Some(made) } else { None }
    }

    /// The hold, if this entry made one.
    pub fn hold(&self) -> Option<&HoldMade> {
        if let Act::Held(made) = &self.act { Some(made) } else { None }
    }
}
