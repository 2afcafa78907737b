//! One participant's ledger, kept as the store keeps it: one key, one entry; every commit is held
//! against the laws.

use domain::amount::Amount;
use domain::apply::{Command, Outcome, apply};
use domain::award::{Facts, Mode};
use domain::cancel::TakeBack;
use domain::checkout::{Checkout, checkout};
use domain::event::{Event, Judge, Judgement, RecordedEvent, SpendOn};
use domain::id::BalanceCode;
use domain::ledger::{Entry, EntryKey, PayloadHash, SpendMade};
use domain::offer::{Beneficiary, Offer};
use domain::participant::Participant;
use domain::pass::Pass;
use domain::programme::Programme;
use domain::quota::Quotas;
use domain::refusal::{Reason, Refusal};
use domain::returns::{Return, ReturnedLine};
use domain::spend::SpendAsked;
use domain::time::Instant;
use domain::wallet::Wallet;

use crate::fixture::*;
use crate::laws;

#[derive(Clone)]
pub struct Book {
    pub programme: Programme,
    pub participant: Participant,
    pub quotas: Quotas,
    /// What other participants use of them.
    pub others: Quotas,
    pub now: Instant,
    pub wallet: Wallet,
    pub ledger: Vec<Entry>,
    pub events: Vec<RecordedEvent>,
    /// Sequences of the spends without a purchase that are not cancelled.
    pub free_spends: Vec<u64>,
    pub keys: u32,
    /// Cancels that were tried.
    tries: u16,
    /// The wallet before the spend that came with the event which is judged next.
    before_spend: Option<Wallet>,
}

impl Book {
    pub fn new(programme: Programme, now: Instant) -> Book {
        Book {
            programme,
            participant: Participant::default(),
            quotas: Quotas::default(),
            others: Quotas::default(),
            now,
            wallet: Wallet::default(),
            ledger: vec![],
            events: vec![],
            free_spends: vec![],
            keys: 0,
            tries: 0,
            before_spend: None,
        }
    }

    pub fn with(offers: Vec<Offer>, now: Instant) -> Book {
        Book::new(programme(offers), now)
    }

    /// Another version of the programme with offers that its editor left.
    pub fn revise(&mut self, edit: impl FnOnce(&mut Vec<Offer>)) {
        let mut offers = self.programme.offers.to_vec();
        edit(&mut offers);
        self.programme.offers = offers.into();
    }

    pub fn available(&self, balance: &BalanceCode) -> i64 {
        self.wallet.available(balance, self.now, ZONE).0
    }

    pub fn pending(&self, balance: &BalanceCode) -> i64 {
        self.wallet.pending(balance, self.now, ZONE).0
    }

    pub fn debt(&self, balance: &BalanceCode) -> i64 {
        self.wallet.debt(balance).0
    }

    /// Lots as `balance amount expires from`.
    pub fn lots(&self) -> Vec<String> {
        let date = |day: Option<domain::time::Day>| {
            day.map_or_else(|| "-".to_owned(), |day| day.date().to_string())
        };
        let show = |lot: &domain::wallet::Lot| {
            let (until, from) = (date(lot.id.expires), date(lot.id.available_from));
            format!("{} {} until {until} from {from}", lot.amount.0, lot.id.balance)
        };
        self.wallet.lots.iter().map(show).collect()
    }

    /// Applies a command, checks the laws and enters what follows.
    pub fn commit(&mut self, command: &Command<'_>) -> Outcome {
        let applied = apply(&self.programme, &self.wallet, self.now, command);
        laws::of_commit(self, &applied);
        let effects = applied.entries.iter().flat_map(|entry| &entry.effects);
        effects.for_each(|effect| self.quotas.note(effect));
        self.ledger.extend(applied.entries);
        self.wallet = applied.wallet;
        // A long ledger is not read again at every entry.
        if self.ledger.len() < 100 || self.ledger.len().is_multiple_of(40) {
            laws::of_ledger(self);
        }
        applied.outcome
    }

    pub fn known(&self, key: &EntryKey) -> Option<&Entry> {
        self.ledger.iter().find(|entry| entry.key == *key)
    }

    pub fn entry(&self, sequence: u64) -> &Entry {
        &self.ledger[usize::try_from(sequence).unwrap() - 1]
    }

    pub fn accept(&mut self, event: Event) -> usize {
        self.events.push(recorded(event));
        self.events.len() - 1
    }

    pub fn judge(&mut self, which: usize, mode: Mode) -> Judgement {
        let event = self.events[which].clone();
        let by = Judge::Interactive;
        let (participant, quotas) = (self.participant.clone(), self.quotas.clone());
        let before = self.before_spend.take();
        let facts = Facts {
            participant: &participant,
            quotas: &quotas,
            whose: Beneficiary::Participant,
            before_spend: before.as_ref(),
            issuing: domain::pass::Issuing::default(),
        };
        let Outcome::Judged { judgement, due, spends } =
            self.commit(&Command::Judge { event: &event, mode, by, facts })
        else {
            panic!("a judgement is never refused")
        };
        let kept = &mut self.events[which];
        kept.judgements.push(judgement.clone());
        kept.due = due;
        kept.spends.extend(spends);
        laws::of_events(self);
        judgement
    }

    /// Accepts a purchase that is performed now and judges it at once; the event's number.
    pub fn buy(&mut self, reference: &str, total: i64) -> usize {
        let which = self.accept(purchase(reference, total, self.now));
        self.judge(which, Mode::Interactive);
        which
    }

    /// Spends now without classification; the entry's sequence.
    pub fn spend(
        &mut self,
        balance: BalanceCode,
        amount: Option<i64>,
        purchase: Option<usize>,
    ) -> Result<(u64, SpendMade), Refusal> {
        let (classification, unit, performed_on) = (None, None, self.now);
        let amount = amount.map(Amount);
        let asked = SpendAsked { balance, amount, classification, unit, performed_on };
        self.ask(&asked, purchase)
    }

    pub fn ask(
        &mut self,
        asked: &SpendAsked,
        purchase: Option<usize>,
    ) -> Result<(u64, SpendMade), Refusal> {
        let against = purchase.map(|which| self.events[which].clone());
        self.ask_against(asked, purchase, against.as_ref())
    }

    /// Spends in one call with a purchase that is judged next, as the store does: what will be
    /// discounted is not paid.
    pub fn check_out(
        &mut self,
        asked: &SpendAsked,
        which: usize,
    ) -> Result<(u64, SpendMade), Refusal> {
        let (participant, quotas) = (self.participant.clone(), self.quotas.clone());
        let (whose, before_spend) = (Beneficiary::Participant, None);
        let facts = Facts {
            participant: &participant,
            quotas: &quotas,
            whose,
            before_spend,
            issuing: domain::pass::Issuing::default(),
        };
        let event = &self.events[which];
        let Checkout { before, purchase } =
            checkout(&self.programme, &self.wallet, self.now, event, &facts);
        let made = self.ask_against(asked, Some(which), Some(&purchase))?;
        self.before_spend = Some(before);
        Ok(made)
    }

    fn ask_against(
        &mut self,
        asked: &SpendAsked,
        purchase: Option<usize>,
        against: Option<&RecordedEvent>,
    ) -> Result<(u64, SpendMade), Refusal> {
        self.keys += 1;
        let spend_key = EntryKey::Spend(key(&format!("spend-{}", self.keys)));
        let payload = PayloadHash([1; 8]);
        let (key, request, pass) = (spend_key, None, None);
        let command = Command::Spend { key, payload, asked, purchase: against, request, pass };
        match self.commit(&command) {
            Outcome::Refused(refusal) => return Err(refusal),
            Outcome::Done => {}
            Outcome::Judged { .. } => panic!("a spend judges nothing"),
        }
        Ok(self.note_spend(purchase))
    }

    /// Notes the spend that was committed last where it belongs.
    pub fn note_spend(&mut self, purchase: Option<usize>) -> (u64, SpendMade) {
        let sequence = self.wallet.length;
        let spend = SpendOn::of(self.entry(sequence)).expect("a spend");
        let made = spend.made.clone();
        match purchase {
            Some(which) => self.events[which].spends.push(spend),
            None => self.free_spends.push(sequence),
        }
        laws::of_events(self);
        (sequence, made)
    }

    pub fn cancel_event(&mut self, which: usize) -> Result<(), Refusal> {
        self.give_back(which, &[])
    }

    /// So many pieces of lines of a purchase come back: (line, pieces); none: all that is left.
    pub fn give_back(&mut self, which: usize, lines: &[(u16, u32)]) -> Result<(), Refusal> {
        let before = self.events[which].clone();
        let lines = lines
            .iter()
            .map(|(index, quantity)| ReturnedLine { index: *index, quantity: *quantity });
        let (sequence, key) = (self.wallet.length + 1, PayloadHash::default());
        let lines = lines.collect();
        let mut after = before.with_return(
            &self.programme,
            Return { sequence, key, payload: key, lines, reason: None },
        )?;
        self.tries += 1;
        let cancel = EntryKey::CancelEvent { event: before.event.id.clone(), turn: self.tries };
        self.cancel(cancel, &before.entries(), Some((&before, &after)))?;
        after.returns.last_mut().unwrap().sequence = self.wallet.length;
        self.events[which] = after;
        laws::of_events(self);
        Ok(())
    }

    pub fn cancel_spend(&mut self, sequence: u64) -> Result<(), Refusal> {
        let cancel = EntryKey::CancelSpend(sequence);
        if self.known(&cancel).is_some() {
            return Err(Refusal::AlreadyCancelled);
        }
        let own = |spend: &SpendOn| spend.sequence == sequence;
        match self.events.iter().position(|event| event.spends.iter().any(own)) {
            Some(which) => {
                let before = self.events[which].clone();
                let mut after = before.clone();
                after.spends.iter_mut().filter(|s| own(s)).for_each(|s| s.cancelled = true);
                self.cancel(cancel, &[sequence], Some((&before, &after)))?;
                self.events[which] = after;
            }
            None => self.cancel(cancel, &[sequence], None)?,
        }
        self.free_spends.retain(|known| *known != sequence);
        laws::of_events(self);
        Ok(())
    }

    fn cancel(
        &mut self,
        key: EntryKey,
        sequences: &[u64],
        event: Option<(&RecordedEvent, &RecordedEvent)>,
    ) -> Result<(), Refusal> {
        let entries: Vec<Entry> = sequences.iter().map(|at| self.entry(*at).clone()).collect();
        let (payload, ledger) = (PayloadHash([2; 8]), self.ledger.clone());
        let back = TakeBack { entries: &entries, event, later: &[], reason: None };
        // As the store does: the ledger is read where it is needed, and only so far.
        let from = back.history(&self.programme, &self.wallet, self.now);
        let skipped = from.map_or(ledger.len(), |from| usize::try_from(from).unwrap() - 1);
        let back = TakeBack { later: &ledger[skipped..], ..back };
        match self.commit(&Command::Cancel { key, payload, back }) {
            Outcome::Refused(refusal) => Err(refusal),
            Outcome::Done | Outcome::Judged { .. } => Ok(()),
        }
    }

    pub fn redeem(&mut self, pass: &Pass) -> Outcome {
        let (plan, payload) = (gift(), PayloadHash([3; 8]));
        self.commit(&Command::Redeem { pass, plan: &plan, payload, own: false })
    }

    pub fn erase(&mut self) {
        self.commit(&Command::Erase);
    }

    pub fn block(&mut self, blocked: bool) {
        self.commit(&Command::Block { blocked, reason: "dispute" });
    }
}

/// A judgement as `offer amount` and `offer reason`.
pub fn told(judgement: &Judgement) -> Vec<String> {
    let awards = judgement.awards.iter().map(|a| format!("{} {}", a.offer, a.amount.0));
    let discounts = judgement.discounts.iter().map(|d| format!("{} off {}", d.offer, d.amount.0));
    let awards = awards.chain(discounts);
    let told =
        |(offer, reason): &(domain::id::OfferId, Reason)| format!("{offer} {}", reason.code());
    awards.chain(judgement.passed_over.iter().map(told)).collect()
}
