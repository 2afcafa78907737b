//! Entries against the events and passes that they name, and what those say of entries.
//!
//! An event or a pass names all of its entries in a ledger. It is met at the first of them; the
//! others are noted, and each must be what it was said to be when it comes.

use super::{Check, Disagreement, Items, Other, events_of, issued, used_by};
use crate::amount::Amount;
use crate::event::{EventState, EventType, Judgement, RecordedEvent};
use crate::id::{OfferId, ParticipantId};
use crate::ledger::{Act, Effect, Entry, EntryKey, LotId};
use crate::pass::{Pass, PassId};

/// What an event or a pass says of an entry.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    by: Other,
    what: Claimed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claimed {
    /// Which judgement of the participant it was.
    Judged(usize),
    /// Which spend.
    Spent(usize),
    /// Goods came back; all that was left.
    TakenBack { whole: bool },
    /// The spend of this entry was cancelled.
    SpendTakenBack(u64),
    /// Which redemption.
    Redeemed(usize),
}

/// The judgements of an event that stand in a ledger; none: it is of somebody else.
fn judgements_of<'e>(event: &'e RecordedEvent, who: &ParticipantId) -> Option<&'e [Judgement]> {
    if event.event.participant == *who {
        return Some(&event.judgements);
    }
    (event.event.referred() == Some(who)).then_some(event.referred.as_slice())
}

/// All that an event says of entries of a ledger, in their order.
fn claims_of(event: &RecordedEvent, who: &ParticipantId) -> Vec<(u64, Claimed)> {
    let judgements = judgements_of(event, who).unwrap_or_default();
    let judged = judgements.iter().map(|judgement| judgement.sequence);
    let mut claims: Vec<(u64, Claimed)> = judged.zip((0..).map(Claimed::Judged)).collect();
    if event.event.participant == *who {
        let spends = event.spends.iter().map(|spend| spend.sequence);
        claims.extend(spends.zip((0..).map(Claimed::Spent)));
        let last = event.returns.len().wrapping_sub(1);
        for (at, back) in event.returns.iter().enumerate() {
            let whole = at == last && event.state == EventState::Cancelled;
            let what = match event.spends.first().filter(|_| is_request(event)) {
                Some(spend) => Claimed::SpendTakenBack(spend.sequence),
                None => Claimed::TakenBack { whole },
            };
            claims.push((back.sequence, what));
        }
    }
    claims.sort_by_key(|(sequence, _)| *sequence);
    claims
}

fn is_request(event: &RecordedEvent) -> bool {
    event.event.event_type() == EventType::SpendRequest
}

/// The redemptions of a pass that stand in a ledger, in their order.
fn redemptions_of(pass: &Pass, who: &ParticipantId) -> Vec<(u64, Claimed)> {
    let own = pass.redemptions.iter().enumerate().filter(|(_, one)| one.participant == *who);
    let mut claims: Vec<_> = own.map(|(at, one)| (one.sequence, Claimed::Redeemed(at))).collect();
    claims.sort_by_key(|(sequence, _)| *sequence);
    claims
}

impl Check {
    pub(super) fn against_events(
        &mut self,
        entry: &Entry,
        items: &Items,
        claimed: &mut Vec<Claim>,
    ) {
        let at = Some(entry.sequence);
        for id in events_of(entry) {
            self.verified.events += 1;
            let by = Other::Event(id.clone());
            let event = match items.events.get(id) {
                None => {
                    self.find(Disagreement::EventMissing, at, Some(by), "It is not stored.");
                    continue;
                }
                Some(None) => {
                    self.find(Disagreement::Unreadable, at, Some(by), "It cannot be read.");
                    continue;
                }
                Some(Some(event)) => event,
            };
            let Some(judgements) = judgements_of(event, &self.participant) else {
                self.find(Disagreement::EventOfAnother, at, Some(by), "It is of somebody else.");
                continue;
            };
            let claims = claims_of(event, &self.participant);
            let what = self.meet(entry.sequence, &by, claims, claimed);
            let own = event.event.participant == self.participant;
            let differs = match what {
                Some(Claimed::Judged(turn)) => judged_differs(entry, turn, &judgements[turn]),
                Some(Claimed::Spent(at)) => spent_differs(entry, event, at),
                Some(Claimed::TakenBack { whole }) => back_differs(entry, whole),
                Some(Claimed::SpendTakenBack(_) | Claimed::Redeemed(_)) => Some("a cancel"),
                None if is_noted(entry, own) => {
                    let said = "The event does not know of it.";
                    self.find(Disagreement::NotInEvent, at, Some(by.clone()), said);
                    None
                }
                None => None,
            };
            if let Some(part) = differs {
                let said = format!("Entry and event differ in {part}.");
                self.find(Disagreement::EventDiffers, at, Some(by.clone()), said);
            }
            if let (Some(what), None) = (what, differs) {
                self.note(entry, &by, event, what);
            }
        }
    }

    /// Notes whether the event says that what this entry did was taken back.
    fn note(&mut self, entry: &Entry, by: &Other, event: &RecordedEvent, what: Claimed) {
        let cancelled = event.state == EventState::Cancelled;
        let own = event.event.participant == self.participant;
        let gone = match what {
            Claimed::Judged(_) if own => {
                if cancelled && event.returns.is_empty() {
                    let said = "The event was cancelled by no entry.";
                    let at = Some(entry.sequence);
                    self.find(Disagreement::CancelDiffers, at, Some(by.clone()), said);
                }
                return;
            }
            Claimed::Judged(_) => cancelled,
            Claimed::Spent(at) => {
                // A spend against a purchase is cancelled there, not where it came as an event.
                let elsewhere = entry.spend().is_some_and(|made| made.purchase.is_some());
                if is_request(event) && elsewhere {
                    return;
                }
                event.spends[at].cancelled
            }
            Claimed::TakenBack { .. } | Claimed::SpendTakenBack(_) | Claimed::Redeemed(_) => return,
        };
        self.standing.insert(entry.sequence, (by.clone(), gone));
    }

    pub(super) fn against_passes(
        &mut self,
        entry: &Entry,
        items: &Items,
        claimed: &mut Vec<Claim>,
    ) {
        if let EntryKey::Redeem { plan, serial, turn } = &entry.key {
            let id = PassId { plan: plan.clone(), serial: *serial };
            if let Some((pass, Some(at))) = self.redemption(entry, &id, items, claimed) {
                let turn = usize::try_from(*turn).ok();
                self.redeemed(entry, pass, at, turn, None);
            }
        }
        let event = entry.event().and_then(|event| items.events.get(event)?.as_ref());
        let own = event.filter(|event| event.event.participant == self.participant);
        if let Some(event) = own
            && let Some((id, turn)) = used_by(event, entry)
            && let Some((pass, Some(at))) = self.redemption(entry, &id, items, claimed)
        {
            let gone = event.state == EventState::Cancelled;
            self.redeemed(entry, pass, at, usize::try_from(turn).ok(), Some(gone));
        }
        for id in issued(entry) {
            self.pass(entry, id, items);
        }
    }

    /// A pass that an entry names; what is not there is a finding.
    fn pass<'i>(&mut self, entry: &Entry, id: &PassId, items: &'i Items) -> Option<&'i Pass> {
        self.verified.passes += 1;
        let (kind, said) = match items.passes.get(id) {
            Some(Some(pass)) => return Some(pass),
            Some(None) => (Disagreement::Unreadable, "It cannot be read."),
            None => (Disagreement::PassMissing, "It is not stored."),
        };
        self.find(kind, Some(entry.sequence), Some(Other::Pass(id.clone())), said);
        None
    }

    /// The pass that an entry redeemed, and which of its redemptions it says that this is.
    fn redemption<'i>(
        &mut self,
        entry: &Entry,
        id: &PassId,
        items: &'i Items,
        claimed: &mut Vec<Claim>,
    ) -> Option<(&'i Pass, Option<usize>)> {
        let pass = self.pass(entry, id, items)?;
        let by = Other::Pass(id.clone());
        let claims = redemptions_of(pass, &self.participant);
        let what = self.meet(entry.sequence, &by, claims, claimed);
        let Some(Claimed::Redeemed(at)) = what else {
            let said = "The pass does not know of the redemption.";
            self.find(Disagreement::NotInPass, Some(entry.sequence), Some(by), said);
            return Some((pass, None));
        };
        Some((pass, Some(at)))
    }

    /// Holds an entry against the redemption that it is; `gone` where an event says whether it was
    /// taken back, else an entry must.
    fn redeemed(
        &mut self,
        entry: &Entry,
        pass: &Pass,
        at: usize,
        turn: Option<usize>,
        gone: Option<bool>,
    ) {
        let (redemption, sequence) = (&pass.redemptions[at], entry.sequence);
        let by = || Some(Other::Pass(pass.id.clone()));
        let mut credits = entry.effects.iter().filter_map(|effect| {
            let Effect::Award { offer: None, lot, amount, .. } = effect else { return None };
            Some((*amount, lot.expires))
        });
        let (credited, expires) = credits.next().unwrap_or_default();
        let same = credited == redemption.amount && expires == redemption.expires;
        if !same || turn != Some(at) {
            let said = "Entry and pass differ in what was redeemed.";
            self.find(Disagreement::PassDiffers, Some(sequence), by(), said);
        }
        match gone {
            Some(gone) if gone != redemption.cancelled => {
                let said = "Event and pass differ in whether it was taken back.";
                self.find(Disagreement::CancelDiffers, Some(sequence), by(), said);
            }
            Some(_) => {}
            None => {
                let by = Other::Pass(pass.id.clone());
                self.standing.insert(sequence, (by, redemption.cancelled));
            }
        }
    }

    /// What an event or a pass says of this entry. Where it is the first of its entries, what it
    /// says of the others is noted.
    fn meet(
        &mut self,
        sequence: u64,
        by: &Other,
        claims: Vec<(u64, Claimed)>,
        claimed: &mut Vec<Claim>,
    ) -> Option<Claimed> {
        if let Some(at) = claimed.iter().position(|claim| claim.by == *by) {
            return Some(claimed.remove(at).what);
        }
        let (_, what) = *claims.iter().find(|(of, _)| *of == sequence)?;
        for (of, what) in claims {
            if of < sequence {
                // It would have been met there.
                self.not_there(of, by.clone());
            } else if of > sequence && of <= self.length {
                self.claims.entry(of).or_default().push(Claim { by: by.clone(), what });
            }
        }
        Some(what)
    }

    /// What was said of this entry by what it does not name.
    pub(super) fn unanswered(&mut self, entry: &Entry, claimed: Vec<Claim>) {
        for claim in claimed {
            let cancels = match claim.what {
                Claimed::SpendTakenBack(spend) => entry.key == EntryKey::CancelSpend(spend),
                Claimed::Judged(_)
                | Claimed::Spent(_)
                | Claimed::TakenBack { .. }
                | Claimed::Redeemed(_) => false,
            };
            if !cancels || !matches!(entry.act, Act::Reversed(_)) {
                self.not_there(entry.sequence, claim.by);
            }
        }
    }

    fn not_there(&mut self, sequence: u64, by: Other) {
        let said = format!("The {} names this entry, which is something else.", by.name());
        self.find(Disagreement::NotInLedger, Some(sequence), Some(by), said);
    }

    /// What an entry takes back must be taken back where it is noted.
    pub(super) fn taken_back(&mut self, entry: &Entry) {
        let Act::Reversed(back) = &entry.act else { return };
        for sequence in &back.entries {
            if let Some((by, false)) = self.standing.remove(sequence) {
                let said = format!("The {} does not say that it was taken back.", by.name());
                self.find(Disagreement::CancelDiffers, Some(*sequence), Some(by), said);
            }
        }
    }
}

/// Whether the event must know of an entry that names it.
fn is_noted(entry: &Entry, own: bool) -> bool {
    match &entry.act {
        Act::Judged | Act::Spent(_) => true,
        // Of a referral the referrer's ledger alone.
        Act::Reversed(_) | Act::Returned(_) => own,
        Act::Refused(_)
        | Act::Redeemed
        | Act::Expired
        | Act::Blocked { .. }
        | Act::Held(_)
        | Act::Released
        | Act::Adjusted { .. }
        | Act::Registered
        | Act::MergedInto { .. }
        | Act::MergedFrom { .. }
        | Act::Converted(_) => false,
    }
}

fn judged_differs(entry: &Entry, turn: usize, judgement: &Judgement) -> Option<&'static str> {
    let right = matches!(&entry.key, EntryKey::Event { turn: of, .. } if usize::from(*of) == turn);
    if !right || entry.act != Act::Judged {
        return Some("which judgement it is");
    }
    let (mut awards, mut discounts, mut passes) = (Vec::new(), Vec::new(), Vec::new());
    for effect in &entry.effects {
        if let Effect::Award { offer: Some(offer), lot, amount, .. } = effect {
            awards.push((offer, lot, *amount));
        } else if let Effect::Discount { offer, amount, .. } = effect {
            discounts.push((offer, *amount));
        } else if let Effect::Issue { offer, pass, .. } = effect {
            passes.push((offer, pass));
        }
    }
    type Award<'a> = (&'a OfferId, &'a LotId, Amount);
    let told = judgement.awards.iter();
    let told: Vec<Award<'_>> = told.map(|one| (&one.offer, &one.lot, one.amount)).collect();
    let discounted = judgement.discounts.iter().map(|one| (&one.offer, one.amount));
    let given = judgement.passes.iter().map(|one| (&one.offer, &one.pass));
    match () {
        () if awards != told => Some("awards"),
        () if !discounted.eq(discounts) => Some("discounts"),
        () if !given.eq(passes) => Some("passes"),
        () => None,
    }
}

fn spent_differs(entry: &Entry, event: &RecordedEvent, at: usize) -> Option<&'static str> {
    (entry.spend() != Some(&event.spends[at].made)).then_some("what was spent")
}

fn back_differs(entry: &Entry, whole: bool) -> Option<&'static str> {
    let as_said = match &entry.act {
        Act::Reversed(_) => whole,
        Act::Returned(_) => !whole,
        Act::Judged
        | Act::Spent(_)
        | Act::Refused(_)
        | Act::Redeemed
        | Act::Expired
        | Act::Blocked { .. }
        | Act::Held(_)
        | Act::Released
        | Act::Adjusted { .. }
        | Act::Registered
        | Act::MergedInto { .. }
        | Act::MergedFrom { .. }
        | Act::Converted(_) => false,
    };
    (!as_said).then_some("what came back")
}
