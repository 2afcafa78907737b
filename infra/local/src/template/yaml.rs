//! Reads YAML into plain JSON values; short intrinsics (`!Ref x`) are spelled out (`{"Ref": "x"}`).

use anyhow::{Context, Result, bail};
use saphyr::{LoadableYamlNode, ScalarOwned, YamlOwned};
use serde_json::{Map, Value};

/// The one document in `text`.
pub fn parse(text: &str) -> Result<Value> {
    let documents = YamlOwned::load_from_str(text).context("the template is not YAML")?;
    match documents.as_slice() {
        [document] => plain(document, "template"),
        _ => bail!("the template must be one YAML document, not {}", documents.len()),
    }
}

fn plain(node: &YamlOwned, path: &str) -> Result<Value> {
    Ok(match node {
        YamlOwned::Value(scalar) => match scalar {
            ScalarOwned::Null => Value::Null,
            ScalarOwned::Boolean(truth) => Value::from(*truth),
            ScalarOwned::Integer(number) => Value::from(*number),
            ScalarOwned::String(text) => Value::from(text.as_str()),
            ScalarOwned::FloatingPoint(_) => bail!("{path}: a decimal must stand in quotes"),
        },
        YamlOwned::Sequence(items) => {
            let items = items.iter().enumerate();
            Value::Array(
                items.map(|(i, n)| plain(n, &format!("{path}[{i}]"))).collect::<Result<_>>()?,
            )
        }
        YamlOwned::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let Some(key) = key.as_str() else { bail!("{path}: a key that is not text") };
                object.insert(key.to_owned(), plain(value, &format!("{path}.{key}"))?);
            }
            Value::Object(object)
        }
        YamlOwned::Tagged(tag, inner) => intrinsic(&tag.suffix, plain(inner, path)?, path)?,
        YamlOwned::Representation(text, ..) => Value::from(text.as_str()),
        YamlOwned::Alias(_) | YamlOwned::BadValue => bail!("{path}: not understood"),
    })
}

fn intrinsic(name: &str, argument: Value, path: &str) -> Result<Value> {
    let (key, argument) = match (name, &argument) {
        ("Ref" | "Condition", _) => (name.to_owned(), argument),
        ("GetAtt", Value::String(text)) => {
            let Some((resource, attribute)) = text.split_once('.') else {
                bail!("{path}: !GetAtt needs a resource and an attribute")
            };
            ("Fn::GetAtt".to_owned(), Value::from(vec![resource, attribute]))
        }
        _ => (format!("Fn::{name}"), argument),
    };
    Ok(Value::Object(Map::from_iter([(key, argument)])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn short_intrinsics_are_spelled_out() {
        let text = "a: !Ref X\nb: !GetAtt T.Arn\nc: !Sub ${T.Arn}/x\nd: !If [C, [!Ref Y], 2]\n\
                    e: \"1.5\"\nf: ~\ng: true\n";
        assert_eq!(
            super::parse(text).unwrap(),
            json!({
                "a": {"Ref": "X"},
                "b": {"Fn::GetAtt": ["T", "Arn"]},
                "c": {"Fn::Sub": "${T.Arn}/x"},
                "d": {"Fn::If": ["C", [{"Ref": "Y"}], 2]},
                "e": "1.5", "f": null, "g": true,
            })
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = super::parse("a:\n  b: [1, 1.5]\n").unwrap_err().to_string();
        assert_eq!(error, "template.a.b[1]: a decimal must stand in quotes");
    }
}
