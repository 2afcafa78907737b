//! Holds, adjustments and bookings of a participant of the tests, kept in its book.

use domain::adjust::Adjustment;
use domain::amount::Amount;
use domain::apply::{Command, Outcome, settle_up};
use domain::hold::{HoldTime, SettleAsked};
use domain::id::{BalanceCode, Key};
use domain::ledger::{PayloadHash, SpendMade};
use domain::refusal::Refusal;
use domain::spend::SpendAsked;
use domain::time::Day;

use crate::bookkeeping::Book;
use crate::fixture::key;
use crate::laws;

fn done(outcome: Outcome) -> Result<(), Refusal> {
    match outcome {
        Outcome::Refused(refusal) => Err(refusal),
        Outcome::Done => Ok(()),
        Outcome::Judged { .. } => panic!("nothing is judged"),
    }
}

impl Book {
    fn next_key(&mut self) -> Key {
        self.keys += 1;
        key(&format!("key-{}", self.keys))
    }

    /// Sets aside what is asked for; the sequence of the hold.
    pub fn hold(
        &mut self,
        asked: &SpendAsked,
        purchase: Option<usize>,
        time: &str,
    ) -> Result<u64, Refusal> {
        let (key, payload, time) =
            (&self.next_key(), PayloadHash([4; 8]), HoldTime::parse(time).unwrap());
        let purchase = purchase.map(|which| self.events[which].clone());
        let purchase = purchase.as_ref();
        done(self.commit(&Command::Hold { key, payload, asked, purchase, time, pass: None }))?;
        Ok(self.wallet.length)
    }

    /// Sets aside an amount without classification or purchase.
    pub fn hold_of(
        &mut self,
        balance: BalanceCode,
        amount: i64,
        time: &str,
    ) -> Result<u64, Refusal> {
        let asked = SpendAsked {
            balance,
            amount: Some(Amount(amount)),
            classification: None,
            unit: None,
            performed_on: self.now,
        };
        self.hold(&asked, None, time)
    }

    /// Settles a hold, against its own purchase unless another is named.
    pub fn settle(
        &mut self,
        hold: u64,
        amount: Option<i64>,
        purchase: Option<usize>,
    ) -> Result<(u64, SpendMade), Refusal> {
        let held_for = self.entry(hold).hold().expect("a hold").spend.clone();
        let named =
            self.events.iter().position(|e| Some(&e.event.id) == held_for.purchase.as_ref());
        let purchase = purchase.or(named);
        let event = purchase.map(|which| self.events[which].clone());
        let asked = &SettleAsked { hold, held_for, amount: amount.map(Amount) };
        let (key, payload, event) = (&self.next_key(), PayloadHash([5; 8]), event.as_ref());
        done(self.commit(&Command::Settle { key, payload, asked, purchase: event }))?;
        Ok(self.note_spend(purchase))
    }

    pub fn release(&mut self, hold: u64) -> Result<(), Refusal> {
        let (key, payload) = (&self.next_key(), PayloadHash([6; 8]));
        done(self.commit(&Command::Release { key, payload, hold }))
    }

    pub fn adjust(
        &mut self,
        balance: BalanceCode,
        amount: i64,
        expires: Option<Day>,
    ) -> Result<(), Refusal> {
        let (amount, reason) = (Amount(amount), "moved here".into());
        let adjustment = &Adjustment { balance, amount, reason, expires };
        let (key, payload) = (&self.next_key(), PayloadHash([7; 8]));
        done(self.commit(&Command::Adjust { key, payload, adjustment }))
    }

    /// Books what is over, as the expiry run does; the number of entries.
    pub fn settle_up(&mut self) -> usize {
        let applied = settle_up(&self.programme, &self.wallet, self.now, PayloadHash([8; 8]));
        assert_eq!(laws::of_booking(self, &applied.entries), applied.wallet);
        let count = applied.entries.len();
        self.ledger.extend(applied.entries);
        self.wallet = applied.wallet;
        laws::of_ledger(self);
        count
    }
}
