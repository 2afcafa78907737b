//! Nameless wallets: of whoever holds a gift pass, until somebody registers.

use sha2::{Digest, Sha256};

use crate::id::ParticipantId;
use crate::ledger::Effect;
use crate::pass::symbols::SYMBOLS;
use crate::pass::{Mark, Pass, PassId};
use crate::refusal::Refusal;
use crate::wallet::Wallet;

/// Symbols of 5 bits each: no two passes share a wallet.
const ID_SYMBOLS: usize = 26;

impl PassId {
    /// The participant whose wallet the pass credits where none is named: always the same.
    pub fn nameless(&self) -> ParticipantId {
        let digest = Sha256::digest(format!("nameless\n{}\n{}", self.plan, self.serial));
        let symbol = |at: usize| {
            let bits = (5 * at..5 * at + 5).map(|bit| digest[bit / 8] >> (7 - bit % 8) & 1);
            let value = bits.fold(0, |value, bit| value << 1 | usize::from(bit));
            char::from(SYMBOLS[value]).to_ascii_lowercase()
        };
        ParticipantId::nameless(&(0..ID_SYMBOLS).map(symbol).collect::<String>())
    }
}

impl Pass {
    /// What makes its own wallet nameless: the first redemption into it, also where somebody took
    /// that name before. Once registered, the wallet stays so.
    pub(crate) fn makes_nameless(&self) -> Option<Effect> {
        let own = self.id.nameless();
        let before = self.redemptions.iter().any(|redemption| redemption.participant == own);
        (!before).then(|| Effect::Nameless { pass: self.id.clone() })
    }
}

impl Wallet {
    /// Whether it may be spent from by whoever has proven this pass, or none: a nameless
    /// wallet by its own pass alone, unless that is locked or void; any other by no pass.
    pub fn opens_to(&self, pass: Option<&Pass>) -> Result<(), Refusal> {
        match (&self.nameless, pass) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Refusal::NotNameless),
            (Some(own), Some(pass)) if *own == pass.id => match pass.mark {
                Some(Mark::Void) => Err(Refusal::PassVoid),
                Some(Mark::Locked) => Err(Refusal::PassLocked),
                None => Ok(()),
            },
            (Some(_), _) => Err(Refusal::PassRequired),
        }
    }
}
