//! Areas: units that lie together, and what is popular there.

use std::collections::HashSet;

use crate::id::{AreaId, ProductId, UnitId};
use crate::programme::Lookup;

/// The areas of a programme; a unit lies in at most one.
#[derive(Clone, Debug, Default)]
pub struct Areas {
    list: Vec<Area>,
    units: Lookup<UnitId, usize>,
}

/// Units that lie together.
#[derive(Clone, Debug)]
pub struct Area {
    pub id: AreaId,
    pub units: Vec<UnitId>,
    pub popular: Popular,
}

/// What is popular in an area; nothing, where it names neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Popular {
    pub products: HashSet<ProductId>,
    pub categories: HashSet<ProductId>,
}

impl From<Vec<Area>> for Areas {
    fn from(list: Vec<Area>) -> Areas {
        let of_area = |(at, area): (usize, &Area)| {
            area.units.iter().map(move |unit| (unit.clone(), at)).collect::<Vec<_>>()
        };
        let units = list.iter().enumerate().flat_map(of_area).collect();
        Areas { list, units }
    }
}

impl Areas {
    /// The area in which a unit lies.
    pub fn of(&self, unit: &UnitId) -> Option<&Area> {
        self.list.get(*self.units.get(unit)?)
    }

    /// An area by its id.
    pub fn get(&self, id: &AreaId) -> Option<&Area> {
        self.list.iter().find(|area| area.id == *id)
    }

    /// All of them, in the order of the document.
    pub fn all(&self) -> &[Area] {
        &self.list
    }
}

impl Popular {
    /// Whether nothing is known to be popular.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty() && self.categories.is_empty()
    }

    /// Whether a product, or its category, is popular.
    pub fn has(&self, product: Option<&ProductId>, category: Option<&ProductId>) -> bool {
        product.is_some_and(|product| self.products.contains(product))
            || category.is_some_and(|category| self.categories.contains(category))
    }
}
