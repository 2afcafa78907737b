//! How what is known of a participant changes: profile, consents, aliases, and its erasure.

use super::{
    Channel, Consent, ERASURE, Erased, MERGE, Participant, Profile, ProfileChange, Provenance,
};
use crate::alias::{AliasMark, MAX_ALIASES, Marks};
use crate::refusal::Refusal;
use crate::time::Instant;

impl Consent {
    /// The newest wins, of two at one time the opt-out; what is left decides between two that say
    /// the same, so that the order of arrival never does.
    fn rank(&self) -> impl PartialOrd {
        (self.at, !self.granted, self.source.as_deref(), self.process.as_deref())
    }
}

impl Participant {
    /// Takes over the profile as sent, and the consents that are newer.
    pub fn update(&mut self, profile: Profile, consents: Vec<(Channel, Consent)>) {
        self.profile = profile;
        self.hear(consents);
    }

    /// Changes the profile; notes by whom, where it makes a difference.
    pub fn change(&mut self, change: ProfileChange, provenance: Option<&Provenance>) {
        let before = self.profile.clone();
        match change {
            ProfileChange::Keep => {}
            ProfileChange::Replace(profile) => self.profile = profile,
            ProfileChange::Fill(newer) => self.profile.fill(newer),
        }
        if self.profile != before {
            self.changed = provenance.cloned();
        }
    }

    /// Takes over each consent that is newer by its own timestamp than the one known. Of two
    /// with one timestamp the opt-out wins; of two that say the same, always the same one.
    pub fn hear(&mut self, consents: Vec<(Channel, Consent)>) {
        for (channel, consent) in consents {
            let known = self.consents.get(&channel);
            if known.is_none_or(|known| consent.rank() > known.rank()) {
                self.consents.insert(channel, consent);
            }
        }
    }

    /// Whether this is one of its aliases, made under whichever key.
    pub fn has_alias(&self, marks: &Marks) -> bool {
        marks.all().any(|mark| self.aliases.contains(mark))
    }

    /// Adds an alias; answers whether it is new.
    ///
    /// # Errors
    /// `TooManyAliases`.
    pub fn add_alias(&mut self, marks: &Marks) -> Result<bool, Refusal> {
        if self.has_alias(marks) {
            return Ok(false);
        }
        if self.aliases.len() >= MAX_ALIASES {
            return Err(Refusal::TooManyAliases);
        }
        self.aliases.push(marks.current.clone());
        self.aliases.sort();
        Ok(true)
    }

    /// Removes an alias; answers the marks that it had.
    pub fn remove_alias(&mut self, marks: &Marks) -> Vec<AliasMark> {
        let its = |mark: &mut AliasMark| marks.all().any(|its| its == mark);
        self.aliases.extract_if(.., its).collect()
    }

    /// Takes over what is known of a duplicate: its aliases, the consents that are newer, and
    /// what is not known here of its profile.
    ///
    /// # Errors
    /// `TooManyAliases`: nothing is taken over.
    pub fn absorb(&mut self, duplicate: Participant) -> Result<(), Refusal> {
        if self.aliases.len() + duplicate.aliases.len() > MAX_ALIASES {
            return Err(Refusal::TooManyAliases);
        }
        self.aliases.extend(duplicate.aliases);
        self.aliases.sort();
        self.hear(duplicate.consents.into_iter().collect());
        let mut whole = duplicate.profile;
        whole.fill(std::mem::take(&mut self.profile));
        self.profile = whole;
        Ok(())
    }

    /// What is left of a duplicate that was merged: that no channel is to be used under its name.
    pub fn leave(&mut self, at: Instant) {
        let opt_out = || Consent { granted: false, at, source: None, process: Some(MERGE.into()) };
        let known = std::mem::take(self);
        self.consents = known.consents.into_keys().map(|channel| (channel, opt_out())).collect();
    }

    /// Forgets all that is personal. That no channel may be used any more is left, as is how
    /// long the ledger was: the events of its entries are yet to be looked through. Answers the
    /// aliases that it had.
    pub fn erase(&mut self, at: Instant, length: u64) -> Vec<AliasMark> {
        let opt_out =
            || Consent { granted: false, at, source: None, process: Some(ERASURE.into()) };
        let known = std::mem::take(self);
        self.consents = known.consents.into_keys().map(|channel| (channel, opt_out())).collect();
        self.erased = Some(Erased { at, below: Some(length.saturating_add(1)) });
        known.aliases
    }

    /// Whether the newest consent for the channel is an opt-in.
    pub fn consents_to(&self, channel: &Channel) -> bool {
        self.consents.get(channel).is_some_and(|consent| consent.granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_consent_wins_whatever_the_order_of_arrival() {
        let consent =
            |at, granted| Consent { granted, at: Instant(at), source: None, process: None };
        let cases = [
            ([(1, true), (2, false)], false),
            ([(1, false), (2, true)], true),
            ([(2, true), (2, false)], false),
            ([(2, false), (2, true)], false),
        ];
        for (consents, want) in cases {
            for order in [[0, 1], [1, 0]] {
                let mut participant = Participant::default();
                for at in order {
                    let (time, granted) = consents[at];
                    let sent = vec![("email".into(), consent(time, granted))];
                    participant.update(Profile::default(), sent);
                }
                assert_eq!(
                    participant.consents_to(&"email".into()),
                    want,
                    "{consents:?} {order:?}"
                );
            }
        }
    }
}
