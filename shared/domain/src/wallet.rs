//! A participant's wallet: lots, debt, counters and activity, rebuilt by entering its ledger.

use chrono_tz::Tz;

use crate::activity::{Activity, Watched};
use crate::amount::Amount;
use crate::hold::Hold;
use crate::id::{BalanceCode, OfferId, ParticipantId, PlanId};
use crate::ledger::{Effect, Entry, LotId, Slot};
use crate::pass::{Activation, PassId};
use crate::refusal::Refusal;
use crate::tally::{self, Part, Tally, TallyAward};
use crate::time::{Day, Instant};

/// Most live lots a wallet holds; beyond it the two nearest in expiry merge into the later one.
pub const MAX_LOTS: usize = 400;

/// Most different terms that the lots of a wallet have; beyond it, lots lose theirs.
pub const MAX_TERMS: usize = 32;

/// Most amounts that a wallet remembers as written off; older ones are given up on for good.
pub const MAX_WRITTEN_OFF: usize = 24;

/// Most activations that a wallet keeps; beyond it the one that ends first goes.
pub const MAX_ACTIVATIONS: usize = 16;

/// What was awarded together and expires together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    pub id: LotId,
    /// What is left of it; never nothing.
    pub amount: Amount,
}

/// How often an offer awarded within a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    pub offer: OfferId,
    pub slot: Slot,
    pub count: u32,
}

/// What the programme gave up on: a cancelled award that was spent. Spends of before that come back
/// make up for it, so that the order of cancels does not matter; new awards and spends do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenOff {
    pub balance: BalanceCode,
    /// Sequence of the entry that wrote it off.
    pub entry: u64,
    /// What was not made up for; never nothing.
    pub amount: Amount,
}

/// All that a decision about a participant needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Length of the ledger.
    pub length: u64,
    /// Time of the newest entry: it never goes back.
    pub time: Instant,
    /// In the order in which they are spent.
    pub lots: Vec<Lot>,
    /// Owed per balance, never nothing; by balance.
    pub debts: Vec<(BalanceCode, Amount)>,
    /// The newest at the end, at most [`MAX_WRITTEN_OFF`].
    pub written_off: Vec<WrittenOff>,
    pub blocked: bool,
    /// Whether the participant was erased.
    pub erased: bool,
    pub counters: Vec<Counter>,
    /// What accumulating offers have counted and not consumed; never nothing.
    pub tallies: Vec<Tally>,
    /// Their last awards, which a cancel may have to take back; oldest first.
    pub tally_awards: Vec<TallyAward>,
    /// Oldest first, at most [`crate::activity::ACTIVITY_MONTHS`].
    pub activity: Vec<Activity>,
    /// The latest `performed_on` of its events.
    pub last_event: Option<Instant>,
    /// Funds that are set aside, oldest first; those that lapsed stay until the ledger says so.
    pub holds: Vec<Hold>,
    /// The pass that it belongs to while nobody registered it.
    pub nameless: Option<PassId>,
    /// Whose wallet got what this one had, where it is a duplicate's.
    pub merged_into: Option<ParticipantId>,
    /// By promotions, at most [`MAX_ACTIVATIONS`] and one of a plan; those that ended go with the
    /// next judgement.
    pub activations: Vec<Activation>,
    /// What segments watch, in its order, at most [`crate::activity::MAX_WATCHED`].
    pub watched: Vec<Watched>,
    /// Purchases by day, where a segment asks for days: oldest first, at most
    /// [`crate::activity::ACTIVITY_DAYS`].
    pub days: Vec<(Day, i32)>,
}

impl LotId {
    /// Whether it can be spent, or waits to be, at this time: its last day has not ended.
    pub fn is_live(&self, now: Instant, zone: Tz) -> bool {
        !self.expires.is_some_and(|day| day.has_ended(now, zone))
    }

    /// Whether there is a time, now or later, at which it can be spent.
    pub fn is_of_use(&self, now: Instant, zone: Tz) -> bool {
        let days = self.available_from.zip(self.expires);
        self.is_live(now, zone) && days.is_none_or(|(first, last)| first <= last)
    }

    /// Whether its first day has begun.
    pub fn is_available(&self, now: Instant, zone: Tz) -> bool {
        self.available_from.is_none_or(|day| day.has_begun(now, zone))
    }

    /// First-expiring first; what never expires comes last. Of what expires together, what may be
    /// spent on less comes first, always in the same order: a lot that comes back takes its place.
    fn rank(&self) -> impl PartialOrd {
        let days = (self.expires.is_none(), self.expires, self.available_from);
        (days, &self.balance, self.terms.is_none(), self.terms.as_deref())
    }
}

impl Wallet {
    /// Rebuilds a wallet from its whole ledger.
    pub fn replay<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Wallet {
        let mut wallet = Wallet::default();
        for entry in entries {
            wallet.enter(entry);
        }
        wallet
    }

    /// Carries out one entry: the only way in which a wallet changes.
    pub fn enter(&mut self, entry: &Entry) {
        self.begin(entry);
        for effect in &entry.effects {
            self.carry_out(effect);
        }
    }

    /// Takes over what an entry says of itself; its effects come next.
    pub(crate) fn begin(&mut self, entry: &Entry) {
        self.length = entry.sequence;
        self.time = entry.at;
    }

    /// Carries out one effect.
    pub fn carry_out(&mut self, effect: &Effect) {
        match effect {
            Effect::Award { offer, lot, amount, debt, slot } => {
                self.owe(&lot.balance, Amount(debt.0.saturating_neg()));
                self.put(lot, amount.less(*debt));
                if let (Some(offer), Some(slot)) = (offer, slot) {
                    self.count(offer, *slot, true);
                }
            }
            Effect::Return { lot, amount, debt } => {
                self.owe(&lot.balance, Amount(debt.0.saturating_neg()));
                self.put(lot, amount.less(*debt));
            }
            Effect::Take { lot, amount }
            | Effect::ClawBack { lot, amount }
            | Effect::Expire { lot, amount } => self.take(lot, *amount),
            Effect::Owe { balance, amount } => self.owe(balance, *amount),
            Effect::Free { offer, slot } => self.count(offer, *slot, false),
            Effect::Count { offer, part, by } | Effect::Counted { offer, part, by, .. } => {
                tally::count(&mut self.tallies, offer, part, *by);
            }
            Effect::Tallied(award) => tally::push(&mut self.tally_awards, award),
            Effect::Untallied { at } => tally::pop(&mut self.tally_awards, *at),
            Effect::Quota { offer, awards, .. } if *awards != 0 => {
                self.count(offer, Slot::Quota, *awards > 0);
            }
            Effect::Quota { .. } => {}
            Effect::Merge { from, into } => {
                let moved = self.held(from);
                self.take(from, moved);
                self.put(into, moved);
            }
            Effect::Activity(activity) => self.act(activity),
            Effect::Watched { watch, month, by, .. } => self.watch(watch, *month, *by),
            Effect::Bought { day, by } => self.buy(*day, *by),
            Effect::Unwatched { watch } => self.watched.retain(|known| known.watch != *watch),
            Effect::Seen { performed_on } => {
                self.last_event = self.last_event.max(Some(*performed_on));
            }
            Effect::Block { blocked } => self.blocked = *blocked,
            Effect::Erase => self.erased = true,
            Effect::Gone { .. } => {}
            Effect::WriteOff { balance, entry, amount } => {
                self.write_off(balance, *entry, *amount);
            }
            Effect::Hold { hold, lapses_at, lot, amount } => {
                self.take(lot, *amount);
                self.hold(*hold, *lapses_at, lot, *amount);
            }
            Effect::Discount { offer, slot: Some(slot), .. } => self.count(offer, *slot, true),
            Effect::Discount { .. } => {}
            Effect::Nameless { pass } => self.nameless = Some(pass.clone()),
            Effect::Registered => self.nameless = None,
            Effect::Merged { into } => self.merged_into = Some(into.clone()),
            Effect::Issue { offer, slot: Some(slot), .. } => self.count(offer, *slot, true),
            Effect::Issue { .. } => {}
            Effect::Activate(activation) => self.activate(activation),
            Effect::Deactivate(ended) => self.activations.retain(|known| known != ended),
            Effect::TakeHeld { hold, lot, amount } => self.let_go(*hold, lot, *amount),
            Effect::Release { hold, lot, amount, debt } => {
                self.let_go(*hold, lot, *amount);
                self.owe(&lot.balance, Amount(debt.0.saturating_neg()));
                self.put(lot, amount.less(*debt));
            }
        }
    }

    /// Why no event is taken for it any more: the participant was erased or merged.
    pub fn gone(&self) -> Option<Refusal> {
        let merged = self.merged_into.as_ref().map(|_| Refusal::ParticipantMerged);
        self.erased.then_some(Refusal::ParticipantErased).or(merged)
    }

    /// What a lot holds.
    pub fn held(&self, id: &LotId) -> Amount {
        self.lots.iter().find(|lot| lot.id == *id).map_or(Amount::ZERO, |lot| lot.amount)
    }

    /// What can be spent of a balance at this time.
    pub fn available(&self, balance: &BalanceCode, now: Instant, zone: Tz) -> Amount {
        let wallet = self.at(now, zone);
        wallet.total(balance, |id| id.is_live(now, zone) && id.is_available(now, zone))
    }

    /// The lots of a balance that can be spent at this time, in the order in which they are.
    pub(crate) fn spendable<'w>(
        &'w self,
        balance: &'w BalanceCode,
        now: Instant,
        zone: Tz,
    ) -> impl Iterator<Item = &'w Lot> {
        let lots = self.lots.iter().filter(|lot| lot.id.balance == *balance);
        lots.filter(move |lot| lot.id.is_live(now, zone) && lot.id.is_available(now, zone))
    }

    /// What waits for its first day.
    pub fn pending(&self, balance: &BalanceCode, now: Instant, zone: Tz) -> Amount {
        let wallet = self.at(now, zone);
        wallet.total(balance, |id| id.is_live(now, zone) && !id.is_available(now, zone))
    }

    /// What is owed of a balance.
    pub fn debt(&self, balance: &BalanceCode) -> Amount {
        self.debts.iter().find(|(code, _)| code == balance).map_or(Amount::ZERO, |(_, owed)| *owed)
    }

    /// What now makes the offers of a promotion active for an event that was performed then.
    pub fn activation(
        &self,
        plan: &PlanId,
        performed_on: Instant,
        now: Instant,
    ) -> Option<&Activation> {
        let mut of_plan = self.activations.iter().filter(|known| known.plan == *plan);
        of_plan.find(|known| known.from <= performed_on && now.max(performed_on) < known.until)
    }

    /// How often an offer awarded in slots that match.
    pub fn awarded(&self, offer: &OfferId, matches: impl Fn(Slot) -> bool) -> u32 {
        let counted = self.counters.iter().filter(|c| c.offer == *offer && matches(c.slot));
        counted.map(|counter| counter.count).sum()
    }

    /// What an accumulating offer has counted in a part.
    pub fn counted(&self, offer: &OfferId, part: &Part) -> i64 {
        let of = |tally: &&Tally| tally.offer == *offer && tally.part == *part;
        self.tallies.iter().find(of).map_or(0, |tally| tally.sum)
    }

    /// All that an accumulating offer has counted.
    pub fn tallies_of(&self, offer: &OfferId) -> Vec<Tally> {
        self.tallies.iter().filter(|tally| tally.offer == *offer).cloned().collect()
    }

    /// Everything that the lots of a balance hold, live or not.
    pub fn total(&self, balance: &BalanceCode, counts: impl Fn(&LotId) -> bool) -> Amount {
        let lots = self.lots.iter().filter(|lot| lot.id.balance == *balance && counts(&lot.id));
        Amount(lots.map(|lot| lot.amount.0).sum())
    }

    fn activate(&mut self, activation: &Activation) {
        self.activations.retain(|known| known.plan != activation.plan);
        self.activations.push(activation.clone());
        let ends = self.activations.iter().enumerate().map(|(at, known)| (known.until, at));
        if self.activations.len() > MAX_ACTIVATIONS
            && let Some((_, first)) = ends.min()
        {
            self.activations.remove(first);
        }
    }

    fn put(&mut self, id: &LotId, amount: Amount) {
        if amount.is_zero() {
            return;
        }
        match self.lots.iter_mut().find(|lot| lot.id == *id) {
            Some(lot) => lot.amount.0 = lot.amount.0.saturating_add(amount.0),
            None => {
                let at = self.lots.partition_point(|lot| lot.id.rank() <= id.rank());
                self.lots.insert(at, Lot { id: id.clone(), amount });
            }
        }
    }

    fn take(&mut self, id: &LotId, amount: Amount) {
        if let Some(at) = self.lots.iter().position(|lot| lot.id == *id) {
            self.lots[at].amount.0 = self.lots[at].amount.0.saturating_sub(amount.0);
            if self.lots[at].amount.is_zero() {
                self.lots.remove(at);
            }
        }
    }

    /// Adds to what is owed; less than nothing where debt is paid.
    fn owe(&mut self, balance: &BalanceCode, by: Amount) {
        let at = self.debts.partition_point(|(code, _)| code < balance);
        match self.debts.get_mut(at).filter(|(code, _)| code == balance) {
            Some((_, owed)) => owed.0 = owed.0.saturating_add(by.0),
            None => self.debts.insert(at, (balance.clone(), by)),
        }
        self.debts.retain(|(_, owed)| owed.0 > 0);
    }

    fn write_off(&mut self, balance: &BalanceCode, entry: u64, by: Amount) {
        let known = |known: &&mut WrittenOff| known.entry == entry && known.balance == *balance;
        match self.written_off.iter_mut().find(known) {
            Some(known) => known.amount.0 = known.amount.0.saturating_add(by.0),
            None => {
                self.written_off.push(WrittenOff { balance: balance.clone(), entry, amount: by });
            }
        }
        self.written_off.retain(|known| known.amount.0 > 0);
        let excess = self.written_off.len().saturating_sub(MAX_WRITTEN_OFF);
        self.written_off.drain(..excess);
    }

    fn count(&mut self, offer: &OfferId, slot: Slot, up: bool) {
        let found = self.counters.iter_mut().find(|c| c.offer == *offer && c.slot == slot);
        match found {
            Some(counter) if up => counter.count = counter.count.saturating_add(1),
            Some(counter) => counter.count = counter.count.saturating_sub(1),
            None if up => self.counters.push(Counter { offer: offer.clone(), slot, count: 1 }),
            None => {}
        }
        self.counters.retain(|counter| counter.count > 0);
    }
}
