//! The reader: walks a JSON value with a pointer and collects all violations at once.
//!
//! Reading yields `Option`s: none means that a violation was noted (or an optional field is
//! absent). Whatever was built is dropped at the end if anything was noted, so a reader reads on
//! after a fault to find the next one.

mod scalar;

use std::cell::RefCell;
use std::fmt::Display;

use serde_json::{Map, Value};

use crate::fault::{BodyFault, MAX_VIOLATIONS, Violation, code};

/// The violations found so far.
#[derive(Default)]
pub(crate) struct Faults(RefCell<Vec<Violation>>);

/// One value and where it stands.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    pub value: &'a Value,
    pub pointer: String,
    faults: &'a Faults,
}

/// An object whose fields are all known.
#[derive(Clone)]
pub(crate) struct Object<'a> {
    map: &'a Map<String, Value>,
    known: &'static [&'static str],
    node: Node<'a>,
}

/// Parses JSON.
pub(crate) fn json(bytes: &[u8]) -> Result<Value, BodyFault> {
    serde_json::from_slice(bytes).map_err(|error| BodyFault::Malformed(error.to_string()))
}

/// Reads a value whole: the result, or everything that is wrong with it.
pub(crate) fn read<T>(
    value: &Value,
    reader: impl FnOnce(&Node<'_>) -> Option<T>,
) -> Result<T, BodyFault> {
    let faults = Faults::default();
    let read = reader(&Node { value, pointer: String::new(), faults: &faults });
    let violations = faults.0.into_inner();
    match read {
        Some(read) if violations.is_empty() => Ok(read),
        Some(_) | None => Err(BodyFault::Invalid(violations)),
    }
}

impl<'a> Node<'a> {
    /// Notes a violation here; what several readers find in one place is noted once.
    pub fn fault(&self, code: &'static str, message: impl Display) {
        let mut faults = self.faults.0.borrow_mut();
        if faults.len() < MAX_VIOLATIONS {
            let message = message.to_string();
            let violation = Violation { pointer: self.pointer.clone(), code, message };
            if !faults.contains(&violation) {
                faults.push(violation);
            }
        }
    }

    fn refuse<T>(&self, code: &'static str, message: impl Display) -> Option<T> {
        self.fault(code, message);
        None
    }

    fn within(&self, value: &'a Value, step: impl Display) -> Node<'a> {
        let step = step.to_string().replace('~', "~0").replace('/', "~1");
        Node { value, pointer: format!("{}/{step}", self.pointer), faults: self.faults }
    }

    /// An object; every field that is not among `known` is a violation.
    pub fn object(&self, known: &'static [&'static str]) -> Option<Object<'a>> {
        let Some(map) = self.value.as_object() else {
            return self.refuse(code::TYPE, "must be an object");
        };
        for (name, value) in map {
            if !known.contains(&name.as_str()) {
                let fields = known.join(", ");
                self.within(value, name)
                    .fault(code::UNKNOWN_FIELD, format!("is no field here; known are {fields}"));
            }
        }
        Some(Object { map, known, node: self.clone() })
    }

    /// A field that is looked at before it is known which fields the object may have.
    pub fn peek(&self, name: &'static str) -> Option<Node<'a>> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(self.within(value, name))
    }

    /// A list of at most `most` items; those that cannot be read are left out (and noted).
    pub fn list<T>(&self, most: usize, mut item: impl FnMut(&Node<'a>) -> Option<T>) -> Vec<T> {
        let Some(values) = self.value.as_array() else {
            self.fault(code::TYPE, "must be a list");
            return Vec::new();
        };
        if values.len() > most {
            self.fault(code::LENGTH, format!("must have at most {most} items"));
            return Vec::new();
        }
        let nodes = values.iter().enumerate().map(|(at, value)| self.within(value, at));
        nodes.filter_map(|node| item(&node)).collect()
    }

    /// The fields of an object whose names are the caller's own, at most `most`.
    pub fn entries(&self, most: usize) -> Vec<(&'a str, Node<'a>)> {
        let Some(map) = self.value.as_object() else {
            self.fault(code::TYPE, "must be an object");
            return Vec::new();
        };
        if map.len() > most {
            self.fault(code::LENGTH, format!("must have at most {most} fields"));
        }
        map.iter().map(|(name, value)| (name.as_str(), self.within(value, name))).collect()
    }
}

impl<'a> Object<'a> {
    /// A field that may be absent; null counts as absent.
    pub fn optional(&self, name: &'static str) -> Option<Node<'a>> {
        debug_assert!(self.known.contains(&name), "{name} is read but not known");
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        Some(self.node.within(value, name))
    }

    /// A field that must be there.
    pub fn required(&self, name: &'static str) -> Option<Node<'a>> {
        let node = self.optional(name);
        if node.is_none() {
            self.missing(name, "is required");
        }
        node
    }

    /// The place of a field, there or not: for violations that are found elsewhere.
    pub fn at(&self, name: &'static str) -> Node<'a> {
        self.node.within(self.node.value, name)
    }

    /// Notes that a field is missing, where it is needed for a reason of its own.
    pub fn missing(&self, name: &'static str, message: impl Display) {
        self.at(name).fault(code::REQUIRED, message);
    }

    /// A list field; absent counts as empty.
    pub fn list<T>(
        &self,
        name: &'static str,
        most: usize,
        item: impl FnMut(&Node<'a>) -> Option<T>,
    ) -> Vec<T> {
        self.optional(name).map(|node| node.list(most, item)).unwrap_or_default()
    }
}
