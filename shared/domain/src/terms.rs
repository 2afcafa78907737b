//! Terms: the conditions under which a lot may be spent, which travel with the award.

use std::sync::Arc;

use crate::amount::Amount;
use crate::id::{MerchantId, ProductId, UnitId};
use crate::ledger::LotId;
use crate::offer::{OneOf, Shelf};
use crate::time::Instant;
use crate::window::Times;

/// Most products, categories, brands, units and merchants that terms name together: every wallet
/// with such a lot carries them.
pub const MAX_TERM_IDS: usize = 32;

/// What a spend must be like to use a lot: all that is given must hold, and an empty list does not
/// restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Terms {
    /// By `performed_on` of the spend, in any of these; none: at any time.
    pub periods: Vec<Period>,
    /// By `performed_on` of the spend, at these days and hours.
    pub times: Option<Times>,
    /// The lines of a purchase that it may pay, together with categories and brands.
    pub products: OneOf<ProductId>,
    pub categories: OneOf<ProductId>,
    pub brands: OneOf<ProductId>,
    /// Where it may be spent.
    pub units: OneOf<UnitId>,
    pub merchants: OneOf<MerchantId>,
    /// It is spent automatically; none: on request.
    pub automatic: Option<Automatic>,
}

/// A time from one instant to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// Inclusive.
    pub from: Option<Instant>,
    /// Exclusive.
    pub to: Option<Instant>,
}

/// Within which bounds a lot is spent automatically, in its balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Automatic {
    /// What the wallet must hold of the balance.
    pub minimum_balance: Option<Amount>,
    /// The least that is spent at a time.
    pub minimum: Option<Amount>,
    /// The most that is spent at a time.
    pub maximum: Option<Amount>,
}

impl Period {
    /// Whether the instant lies in it.
    pub fn holds(self, at: Instant) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }
}

impl Terms {
    /// Whether they ask for certain lines of a purchase.
    pub fn asks_lines(&self) -> bool {
        !(self.products.is_any() && self.categories.is_any() && self.brands.is_any())
    }

    /// Whether a line is one of those that they ask for.
    pub(crate) fn wants(&self, shelf: &Shelf<'_>) -> bool {
        self.products.allows(shelf.line.product.as_ref())
            && self.categories.allows(shelf.category)
            && self.brands.allows(shelf.brand)
    }

    /// How many products, categories, brands, units and merchants they name.
    pub fn ids(&self) -> usize {
        let lines = [&self.products, &self.categories, &self.brands];
        let lines: usize = lines.iter().map(|list| list.values().len()).sum();
        lines + self.units.values().len() + self.merchants.values().len()
    }
}

impl LotId {
    /// Its terms, if they ask for certain lines of a purchase.
    pub(crate) fn line_terms(&self) -> Option<&Arc<Terms>> {
        self.terms.as_ref().filter(|terms| terms.asks_lines())
    }
}
