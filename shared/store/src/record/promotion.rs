//! Records of promotions: what became of codes, what they made active, passes that were given.

use domain::pass::{Activation, Generation, PassGiven, PassId, PassShown};
use domain::refusal::Refusal;
use domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::names::{Name, Names, Texts};
use crate::error::{Error, Result};

/// Plan, from, until.
#[derive(Serialize, Deserialize)]
pub struct ActivationRecord(Name, i64, i64);

#[derive(Serialize, Deserialize)]
pub enum ShownRecord {
    Unknown,
    /// Plan, serial, the refusal's number.
    Refused(Name, Option<u64>, u8),
    /// Plan, serial, turn, until.
    Accepted(Name, Option<u64>, Option<u32>, Option<i64>),
}

/// Offer, plan, serial, generation of the key.
#[derive(Serialize, Deserialize)]
pub struct GivenRecord(Name, Name, u64, u8);

pub fn activation_record(names: &mut Names, one: &Activation) -> Result<ActivationRecord> {
    Ok(ActivationRecord(names.add(one.plan.as_str())?, one.from.0, one.until.0))
}

pub fn read_activation(texts: &Texts<'_>, record: &ActivationRecord) -> Result<Activation> {
    let ActivationRecord(plan, from, until) = record;
    Ok(Activation { plan: texts.plan(*plan)?, from: Instant(*from), until: Instant(*until) })
}

pub fn shown_record(names: &mut Names, shown: &PassShown) -> Result<ShownRecord> {
    Ok(match shown {
        PassShown::Unknown => ShownRecord::Unknown,
        PassShown::Refused { plan, serial, refusal } => {
            let at = Refusal::ALL.iter().position(|known| known == refusal);
            let number = at.and_then(|at| u8::try_from(at).ok());
            let number = number.ok_or(Error::Corrupt("refusal without a number"))?;
            ShownRecord::Refused(names.add(plan.as_str())?, *serial, number)
        }
        PassShown::Accepted { plan, serial, turn, until } => {
            let until = until.map(|until| until.0);
            ShownRecord::Accepted(names.add(plan.as_str())?, *serial, *turn, until)
        }
    })
}

pub fn read_shown(texts: &Texts<'_>, record: &ShownRecord) -> Result<PassShown> {
    Ok(match record {
        ShownRecord::Unknown => PassShown::Unknown,
        ShownRecord::Refused(plan, serial, number) => {
            let refusal = Refusal::ALL.get(usize::from(*number));
            let refusal = *refusal.ok_or(Error::Corrupt("unknown refusal"))?;
            PassShown::Refused { plan: texts.plan(*plan)?, serial: *serial, refusal }
        }
        ShownRecord::Accepted(plan, serial, turn, until) => PassShown::Accepted {
            plan: texts.plan(*plan)?,
            serial: *serial,
            turn: *turn,
            until: until.map(Instant),
        },
    })
}

pub fn given_record(names: &mut Names, given: &PassGiven) -> Result<GivenRecord> {
    let PassGiven { offer, pass, generation } = given;
    let (offer, plan) = (names.add(offer.as_str())?, names.add(pass.plan.as_str())?);
    Ok(GivenRecord(offer, plan, pass.serial, generation.0))
}

pub fn read_given(texts: &Texts<'_>, record: &GivenRecord) -> Result<PassGiven> {
    let GivenRecord(offer, plan, serial, generation) = record;
    let pass = PassId { plan: texts.plan(*plan)?, serial: *serial };
    let generation = Generation(*generation);
    Ok(PassGiven { offer: texts.offer(*offer)?, pass, generation })
}
