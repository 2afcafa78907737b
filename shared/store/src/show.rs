//! Items shown readably, for people who look into the table. Profiles are not shown.

use crate::error::{Error, Result};
use crate::key;
use crate::ledger::read_state;
use crate::record::decode_page;
use crate::table::{Item, read_binary, read_text};

/// What an item holds, whatever it is.
///
/// # Errors
/// `Corrupt`: it is not what this code wrote, or of another version.
pub fn show(item: &Item) -> Result<String> {
    let (pk, sk) = (read_text(item, "pk")?, read_text(item, "sk")?);
    Ok(match pk.split('#').next().unwrap_or_default() {
        "P" if sk == key::STATE => format!("{:#?}", read_state(item)?),
        "P" if sk == key::PROFILE => format!("{:#?}", crate::participant::read_profile(item)?),
        "P" if sk.starts_with(key::FEEDS) => crate::feed::show_place(item)?,
        "P" if sk.starts_with(key::ALERTS) => crate::alert::show_turns(item)?,
        "P" => format!("{:#?}", decode_page(read_binary(item, "d")?)?),
        "E" => format!("{:#?}", crate::bar::read_place(item)?),
        "X" => crate::pass::show_pass_item(item)?,
        "C" => crate::coupon::show_coupon_item(item)?,
        "U" | "G" | "J" => format!("{item:#?}"),
        _ => return Err(Error::Corrupt("a key of no known kind")),
    })
}
