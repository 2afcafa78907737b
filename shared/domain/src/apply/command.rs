//! What can happen to a wallet.

use crate::adjust::Adjustment;
use crate::award::{Facts, Mode};
use crate::cancel::TakeBack;
use crate::conversion::Conversion;
use crate::coupon::CouponAsked;
use crate::event::{Judge, RecordedEvent};
use crate::hold::{HoldTime, SettleAsked};
use crate::id::{EventId, Key, ParticipantId};
use crate::ledger::{Entry, EntryKey, PayloadHash};
use crate::merge::HandOver;
use crate::pass::{Pass, PassId, PassPlan};
use crate::spend::SpendAsked;
use crate::time::Instant;
use crate::wallet::Wallet;

/// Something that is to happen to one wallet.
#[derive(Clone, Debug)]
pub enum Command<'a> {
    /// Judge an event by the offers that may.
    Judge { event: &'a RecordedEvent, mode: Mode, by: Judge, facts: Facts<'a> },
    /// Spend; `key` is a spend's or that of the spend within its purchase.
    Spend {
        key: EntryKey,
        payload: PayloadHash,
        asked: &'a SpendAsked,
        purchase: Option<&'a RecordedEvent>,
        /// The event that the spend came as.
        request: Option<&'a EventId>,
        /// The pass that was proven.
        pass: Option<&'a Pass>,
    },
    /// Take back all or a part of what entries did.
    Cancel { key: EntryKey, payload: PayloadHash, back: TakeBack<'a> },
    /// Credit what a pass is worth; `own`: to its own wallet, which is nameless at first.
    Redeem { pass: &'a Pass, plan: &'a PassPlan, payload: PayloadHash, own: bool },
    /// Block spending, or release it.
    Block { blocked: bool, reason: &'a str },
    /// Erase the participant: spending is blocked for good.
    Erase,
    /// Set funds aside.
    Hold {
        key: &'a Key,
        payload: PayloadHash,
        asked: &'a SpendAsked,
        purchase: Option<&'a RecordedEvent>,
        time: HoldTime,
        /// The pass that was proven.
        pass: Option<&'a Pass>,
    },
    /// Spend what is held, and give back the rest.
    Settle {
        key: &'a Key,
        payload: PayloadHash,
        asked: &'a SettleAsked,
        purchase: Option<&'a RecordedEvent>,
    },
    /// Give back what is held.
    Release { key: &'a Key, payload: PayloadHash, hold: u64 },
    /// Credit or debit by hand.
    Adjust { key: &'a Key, payload: PayloadHash, adjustment: &'a Adjustment },
    /// Give a nameless wallet its participant, who has proven its pass.
    Register { key: &'a Key, payload: PayloadHash, pass: &'a Pass },
    /// Hand all over to another wallet.
    HandOver { key: &'a Key, payload: PayloadHash, asked: HandOver<'a> },
    /// Take over what a duplicate handed over in this entry, with which its wallet became this.
    TakeOver { duplicate: &'a ParticipantId, payload: PayloadHash, from: (&'a Entry, &'a Wallet) },
    /// Turn points into money, at the scheduled time.
    Convert { conversion: &'a Conversion, at: Instant },
    /// Take a coupon, and pay for it.
    TakeCoupon { key: &'a Key, payload: PayloadHash, asked: CouponAsked<'a> },
}

impl Command<'_> {
    /// Whether it begins something: a duplicate that was merged only ends what was begun.
    pub(super) fn is_new(&self) -> bool {
        match self {
            Command::Spend { .. }
            | Command::Redeem { .. }
            | Command::Hold { .. }
            | Command::Adjust { .. }
            | Command::Register { .. }
            | Command::TakeOver { .. }
            | Command::Convert { .. }
            | Command::TakeCoupon { .. } => true,
            Command::Judge { .. }
            | Command::Cancel { .. }
            | Command::Block { .. }
            | Command::Erase
            | Command::Settle { .. }
            | Command::Release { .. }
            | Command::HandOver { .. } => false,
        }
    }

    /// The key of its entry, and the hash of what was asked.
    pub(super) fn identity(&self, sequence: u64) -> (EntryKey, PayloadHash) {
        match self {
            Command::Judge { event, .. } => {
                let turn = u8::try_from(event.judgements.len()).unwrap_or(u8::MAX);
                (EntryKey::Event { event: event.event.id.clone(), turn }, event.payload)
            }
            Command::Spend { key, payload, .. } | Command::Cancel { key, payload, .. } => {
                (key.clone(), *payload)
            }
            Command::Redeem { pass, payload, .. } => {
                let PassId { plan, serial } = pass.id.clone();
                let turn = u32::try_from(pass.redemptions.len()).unwrap_or(u32::MAX);
                (EntryKey::Redeem { plan, serial, turn }, *payload)
            }
            Command::Block { .. } | Command::Erase => {
                (EntryKey::Block(sequence), PayloadHash::default())
            }
            Command::Hold { key, payload, .. } => (EntryKey::Hold((*key).clone()), *payload),
            Command::Settle { key, payload, .. } | Command::Release { key, payload, .. } => {
                (EntryKey::EndHold((*key).clone()), *payload)
            }
            Command::Adjust { key, payload, .. } => (EntryKey::Adjust((*key).clone()), *payload),
            Command::TakeCoupon { key, payload, .. } => {
                (EntryKey::Coupon((*key).clone()), *payload)
            }
            Command::Register { key, payload, .. } => {
                (EntryKey::Register((*key).clone()), *payload)
            }
            Command::HandOver { key, payload, .. } => (EntryKey::Merge((*key).clone()), *payload),
            Command::TakeOver { duplicate, payload, from: (entry, _) } => {
                let (duplicate, sequence) = ((*duplicate).clone(), entry.sequence);
                (EntryKey::MergeOf { duplicate, sequence }, *payload)
            }
            Command::Convert { conversion, at } => {
                let conversion = conversion.id.clone();
                (EntryKey::Convert { conversion, at: *at }, PayloadHash::default())
            }
        }
    }
}
