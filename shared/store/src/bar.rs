//! Events that were cancelled before they arrived: a bar stands in their place, for ever.

use domain::id::EventId;

use crate::Store;
use crate::error::Result;
use crate::key;
use crate::record::{Asked, StoredEvent, decode_bar, decode_event, encode_bar};
use crate::table::{Demand, Item, binary, item, number, read_binary, read_number};

/// What stands in an event's place.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Event(Box<StoredEvent>),
    /// Nothing arrived yet, and nothing will be accepted.
    Barred(Asked),
}

/// Reads an event item.
pub(crate) fn read_place(item: &Item) -> Result<Place> {
    if item.contains_key("x") {
        return Ok(Place::Barred(decode_bar(read_binary(item, "x")?)?));
    }
    let stored = decode_event(read_binary(item, "d")?, read_number(item, "v")?)?;
    Ok(Place::Event(Box::new(stored)))
}

impl Store {
    /// What stands in an event's place.
    pub(crate) async fn read_place(&self, id: &EventId, fresh: bool) -> Result<Option<Place>> {
        let item = self.table.get(key::event(id), fresh).await?;
        item.as_ref().map(read_place).transpose()
    }

    /// Bars an event; answers whether the bar is there. Not: somebody was faster with something.
    pub(crate) async fn bar(&self, id: &EventId, asked: &Asked) -> Result<bool> {
        let bar = [("v", number(1)), ("x", binary(encode_bar(asked)?))];
        self.table.put_once(item(key::event(id), bar), Demand::Absent).await
    }
}
