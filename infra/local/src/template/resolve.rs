//! What `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join` stand for on this machine.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// Everything a template can refer to.
#[derive(Debug, Default)]
pub struct Names {
    /// `Ref`: parameters, pseudo parameters and resources.
    pub refs: BTreeMap<String, Value>,
    /// `Fn::GetAtt`: by resource and attribute.
    pub attributes: BTreeMap<(String, String), String>,
}

impl Names {
    /// `value` without intrinsics; `None` where it is `AWS::NoValue`.
    pub fn resolve(&self, value: &Value, path: &str) -> Result<Option<Value>> {
        Ok(Some(match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
            Value::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (i, item) in items.iter().enumerate() {
                    list.extend(self.resolve(item, &format!("{path}[{i}]"))?);
                }
                Value::Array(list)
            }
            Value::Object(entries) => match only_entry(entries) {
                Some(("Ref", Value::String(name))) if name == "AWS::NoValue" => return Ok(None),
                Some((name, argument)) if name == "Ref" || name.starts_with("Fn::") => {
                    self.intrinsic(name, argument, path)?
                }
                Some(_) | None => self.object(entries, path)?,
            },
        }))
    }

    fn object(&self, entries: &Map<String, Value>, path: &str) -> Result<Value> {
        let mut object = Map::new();
        for (key, value) in entries {
            if let Some(value) = self.resolve(value, &format!("{path}.{key}"))? {
                object.insert(key.clone(), value);
            }
        }
        Ok(Value::Object(object))
    }

    fn intrinsic(&self, name: &str, argument: &Value, path: &str) -> Result<Value> {
        match (name, argument) {
            ("Ref", Value::String(name)) => self.reference(name, path),
            ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(resource), Value::String(attribute)] => {
                    self.attribute(resource, attribute, path).map(Value::from)
                }
                _ => bail!("{path}: Fn::GetAtt needs a resource and an attribute"),
            },
            ("Fn::Sub", Value::String(pattern)) => self.substitute(pattern, path).map(Value::from),
            ("Fn::Join", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(between), list] => {
                    let list = self.resolve(list, path)?.unwrap_or_default();
                    let list = list.as_array().with_context(|| format!("{path}: not a list"))?;
                    let list: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                    Ok(Value::from(list.join(between)))
                }
                _ => bail!("{path}: Fn::Join needs a separator and a list"),
            },
            _ => bail!("{path}: the local stack does not know this form of {name}"),
        }
    }

    fn reference(&self, name: &str, path: &str) -> Result<Value> {
        self.refs.get(name).cloned().with_context(|| format!("{path}: nothing is named {name}"))
    }

    fn attribute(&self, resource: &str, attribute: &str, path: &str) -> Result<String> {
        let known = self.attributes.get(&(resource.to_owned(), attribute.to_owned()));
        known.cloned().with_context(|| format!("{path}: unknown attribute {resource}.{attribute}"))
    }

    fn substitute(&self, pattern: &str, path: &str) -> Result<String> {
        let mut text = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                bail!("{path}: ${{ without }} in {pattern}")
            };
            text.push_str(before);
            match (name.strip_prefix('!'), name.split_once('.')) {
                (Some(literal), _) => text.push_str(&format!("${{{literal}}}")),
                (None, Some((resource, attribute))) => {
                    text.push_str(&self.attribute(resource, attribute, path)?);
                }
                (None, None) => text.push_str(&plain_text(&self.reference(name, path)?)),
            }
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// The entry of an object that has only one: the shape of an intrinsic.
pub fn only_entry(entries: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut all = entries.iter();
    match (all.next(), all.next()) {
        (Some((key, value)), None) => Some((key, value)),
        (Some(_) | None, _) => None,
    }
}

/// A scalar as the text it stands for in a setting.
pub fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names() -> Names {
        let mut names = Names::default();
        names.refs.insert("Zone".into(), json!("Europe/Berlin"));
        names.attributes.insert(("T".into(), "Arn".into()), "arn:t".into());
        names
    }

    #[test]
    fn intrinsics_become_what_they_stand_for() {
        let value = json!({
            "a": {"Ref": "Zone"}, "b": {"Fn::GetAtt": ["T", "Arn"]},
            "gone": {"Ref": "AWS::NoValue"},
            "c": [{"Fn::Sub": "${T.Arn}/${Zone}/${!kept}"}, {"Ref": "AWS::NoValue"}],
            "d": {"Fn::Join": ["-", ["x", {"Ref": "Zone"}]]},
        });
        assert_eq!(
            names().resolve(&value, "p").unwrap(),
            Some(json!({
                "a": "Europe/Berlin", "b": "arn:t", "c": ["arn:t/Europe/Berlin/${kept}"],
                "d": "x-Europe/Berlin",
            }))
        );
    }

    #[test]
    fn what_is_unknown_is_named_with_its_path() {
        let error = |value| names().resolve(&value, "Resources.Q").unwrap_err().to_string();
        assert_eq!(error(json!({"a": {"Ref": "No"}})), "Resources.Q.a: nothing is named No");
        assert_eq!(
            error(json!([{"Fn::If": ["C", 1, 2]}])),
            "Resources.Q[0]: the local stack does not know this form of Fn::If"
        );
    }
}
