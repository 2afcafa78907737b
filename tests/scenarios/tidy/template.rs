//! The template as a value, and what stands in it.

use saphyr::{LoadableYamlNode, ScalarOwned, YamlOwned};
use scenarios::stack::root;
use serde_json::{Map, Value, json};

/// A route of the API and the scope that it needs.
#[derive(Clone, Debug)]
pub struct RouteOf {
    /// Logical id of its function.
    pub function: String,
    pub method: String,
    pub path: String,
    pub scope: String,
}

impl RouteOf {
    /// `POST /v1/events`.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// `infra/template.yaml`; an intrinsic is an object of its name.
pub fn template() -> Value {
    let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let documents = YamlOwned::load_from_str(&text).unwrap();
    plain(&documents[0])
}

fn plain(node: &YamlOwned) -> Value {
    match node {
        YamlOwned::Value(scalar) => match scalar {
            ScalarOwned::Null => Value::Null,
            ScalarOwned::Boolean(truth) => json!(truth),
            ScalarOwned::Integer(number) => json!(number),
            ScalarOwned::String(text) => json!(text.as_str()),
            ScalarOwned::FloatingPoint(_) => panic!("a decimal in the template"),
        },
        YamlOwned::Sequence(items) => items.iter().map(plain).collect(),
        YamlOwned::Mapping(entries) => {
            let field = |(key, value): (&YamlOwned, &YamlOwned)| {
                (key.as_str().unwrap().to_owned(), plain(value))
            };
            Value::Object(entries.iter().map(field).collect())
        }
        YamlOwned::Tagged(tag, inner) => {
            Value::Object(Map::from_iter([(tag.suffix.clone(), plain(inner))]))
        }
        YamlOwned::Representation(text, ..) => json!(text.as_str()),
        YamlOwned::Alias(_) | YamlOwned::BadValue => panic!("not understood: {node:?}"),
    }
}

/// Resources of a type: logical id and properties.
pub fn resources(kind: &str) -> Vec<(String, Value)> {
    let template = template();
    let all = template["Resources"].as_object().unwrap();
    let of_kind = all.iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(id, resource)| (id.clone(), resource["Properties"].clone())).collect()
}

/// Events of a type: logical id of the function, and the event's properties.
pub fn events(kind: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (function, properties) in resources("AWS::Serverless::Function") {
        let events = properties["Events"].as_object().cloned().unwrap_or_default();
        for event in events.values().filter(|event| event["Type"] == kind) {
            found.push((function.clone(), event["Properties"].clone()));
        }
    }
    found
}

/// All routes; each has exactly one scope.
pub fn routes() -> Vec<RouteOf> {
    let route = |(function, properties): (String, Value)| {
        let text = |name: &str| properties[name].as_str().unwrap().to_owned();
        let scopes = properties["Auth"]["AuthorizationScopes"].as_array().cloned();
        let scopes = scopes.unwrap_or_default();
        assert_eq!(scopes.len(), 1, "scopes of {}", text("Path"));
        let scope = scopes[0].as_str().unwrap().to_owned();
        RouteOf { function, method: text("Method"), path: text("Path"), scope }
    };
    events("HttpApi").into_iter().map(route).collect()
}
