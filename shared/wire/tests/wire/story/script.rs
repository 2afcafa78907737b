//! The script's own language: files, placeholders, and what an answer must at least have.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use domain::time::{Instant, parse_instant, show_instant};
use serde_json::Value;
use wire::event::parse_json;

pub fn transit(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/transit");
    parse_json(&fs::read(folder.join(name)).unwrap()).unwrap()
}

pub fn now() -> Instant {
    parse_instant("2026-11-21T12:00:00+01:00").unwrap()
}

/// Puts in what `{…}` stands for.
pub fn resolve(value: &Value, saved: &HashMap<String, Value>) -> Value {
    if let Some(text) = value.as_str() {
        return Value::String(resolve_text(text, saved));
    }
    if let Some(items) = value.as_array() {
        return items.iter().map(|item| resolve(item, saved)).collect();
    }
    match value.as_object() {
        Some(map) => {
            let fields = map.iter().map(|(name, field)| (name.clone(), resolve(field, saved)));
            Value::Object(fields.collect())
        }
        None => value.clone(),
    }
}

pub fn resolve_text(text: &str, saved: &HashMap<String, Value>) -> String {
    let Some((before, rest)) = text.split_once('{') else { return text.into() };
    let (name, after) = rest.split_once('}').unwrap();
    let value = match name.strip_prefix("now") {
        Some(offset) => {
            let days: i64 = match offset.strip_prefix('-').and_then(|days| days.strip_suffix('d')) {
                Some(days) => days.parse().unwrap(),
                None => {
                    assert_eq!(offset, "");
                    0
                }
            };
            show_instant(Instant(now().0 - days * 86_400_000), chrono_tz::UTC)
        }
        None => saved[name].as_str().unwrap().to_owned(),
    };
    format!("{before}{value}{}", resolve_text(after, saved))
}

/// Whether an answer has everything expected; each item of a list is found in another item.
pub fn matches(want: &Value, got: &Value) -> bool {
    if let (Some(want), Some(got)) = (want.as_object(), got.as_object()) {
        return want.iter().all(|(name, want)| got.get(name).is_some_and(|got| matches(want, got)));
    }
    if let (Some(want), Some(got)) = (want.as_array(), got.as_array()) {
        let mut open: Vec<&Value> = got.iter().collect();
        return want.iter().all(|want| {
            let at = open.iter().position(|got| matches(want, got));
            at.map(|at| open.remove(at)).is_some()
        });
    }
    want == got
}

pub fn body_of(step: &Value) -> Value {
    let Some(from) = step["body_from"].as_str() else { return step["body"].clone() };
    let (file, pointer) = from.split_once('#').unwrap_or((from, ""));
    transit(file).pointer(pointer).unwrap().clone()
}
