//! The template, read whole: what the local stack is to make.

mod known;
mod plan;
mod policy;
mod properties;
mod resolve;
mod stream;
mod yaml;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

pub use plan::{FunctionPlan, MappingPlan, RoutePlan, SchedulePlan, SecretPlan, Stack};
pub use policy::Policy;
pub use properties::{FirstCall, GenerateSecretString, Projection, Queue, RouteSettings, Table};
use resolve::{Names, only_entry};
pub use stream::StreamPlan;

/// Where the stack pretends to be.
pub const REGION: &str = "eu-central-1";
/// Whose it pretends to be.
pub const ACCOUNT: &str = "000000000000";
/// The audience of local tokens.
pub const AUDIENCE: &str = "local";

/// The addresses that a template's names become.
#[derive(Clone, Debug)]
pub struct Addresses {
    pub api: String,
    pub queues: String,
}

/// A resource whose type is to be enacted.
struct Resource<'a> {
    id: &'a str,
    kind: &'a str,
    path: String,
    properties: Value,
}

/// Reads the template's `text`; whatever in it is not known is an error that names it.
pub fn read(text: &str, addresses: &Addresses) -> Result<Stack> {
    let template = yaml::parse(text)?;
    let template = template.as_object().context("the template is not a mapping")?;
    known::check_template(template)?;
    let resources = resources(template)?;
    let names = names(template, &resources, addresses)?;
    let mut stack = plan::plan(&resources, &names)?;
    stack.first_call = first_call(template)?;
    Ok(stack)
}

/// What the template's metadata suggests as a first call.
fn first_call(template: &Map<String, Value>) -> Result<Option<FirstCall>> {
    let call = template.get("Metadata").and_then(|metadata| metadata.get("FirstCall"));
    let read = |call| serde_json::from_value(call).context("Metadata.FirstCall");
    call.cloned().map(read).transpose()
}

fn resources(template: &Map<String, Value>) -> Result<Vec<Resource<'_>>> {
    let globals = globals(template)?;
    let mut list = Vec::new();
    for (id, resource) in section(template, "Resources") {
        let path = format!("Resources.{id}");
        let resource = resource.as_object().with_context(|| format!("{path}: not a mapping"))?;
        let kind = resource.get("Type").and_then(Value::as_str);
        let kind = kind.with_context(|| format!("{path}: a resource needs a type"))?;
        if !known::check_resource(&path, kind, resource)? {
            continue;
        }
        let mut properties = resource.get("Properties").cloned().unwrap_or_default();
        if kind == FUNCTION {
            properties = merged(&globals, &properties);
        }
        let path = format!("{path}.Properties");
        let properties = Value::Object(known::enacted(&path, kind, &properties)?);
        list.push(Resource { id, kind, path, properties });
    }
    Ok(list)
}

const API: &str = "AWS::Serverless::HttpApi";
const BUCKET: &str = "AWS::S3::Bucket";
const FUNCTION: &str = "AWS::Serverless::Function";
const QUEUE: &str = "AWS::SQS::Queue";
const SECRET: &str = "AWS::SecretsManager::Secret";
const TABLE: &str = "AWS::DynamoDB::Table";

fn section<'a>(template: &'a Map<String, Value>, name: &str) -> Vec<(&'a str, &'a Value)> {
    let entries = template.get(name).and_then(Value::as_object);
    entries.into_iter().flatten().map(|(key, value)| (key.as_str(), value)).collect()
}

fn globals(template: &Map<String, Value>) -> Result<Value> {
    let mut function = Value::Null;
    for (kind, properties) in section(template, "Globals") {
        if kind != "Function" {
            bail!("Globals.{kind}: the local stack does not know this");
        }
        function = properties.clone();
    }
    Ok(function)
}

/// SAM's merge: mappings are joined, what the function says itself wins.
fn merged(global: &Value, own: &Value) -> Value {
    match (global, own) {
        (Value::Object(global), Value::Object(own)) => {
            let mut object = global.clone();
            for (key, value) in own {
                let value = object.get(key).map_or_else(|| value.clone(), |g| merged(g, value));
                object.insert(key.clone(), value);
            }
            Value::Object(object)
        }
        (global, Value::Null) => global.clone(),
        (_, own) => own.clone(),
    }
}

fn names(
    template: &Map<String, Value>,
    resources: &[Resource<'_>],
    addresses: &Addresses,
) -> Result<Names> {
    let mut names = Names::default();
    for (name, value) in [
        ("AWS::AccountId", ACCOUNT),
        ("AWS::Partition", "aws"),
        ("AWS::Region", REGION),
        ("AWS::StackName", "local"),
    ] {
        names.refs.insert(name.to_owned(), Value::from(value));
    }
    let own = authorizer_parameters(resources, addresses);
    for (name, parameter) in section(template, "Parameters") {
        let value = own.get(name).cloned().or_else(|| parameter.get("Default").cloned());
        let value = value.with_context(|| {
            format!("Parameters.{name}: no default, and the local stack has no value for it")
        })?;
        names.refs.insert(name.to_owned(), value);
    }
    for resource in resources {
        name_resource(&mut names, resource, addresses)?;
    }
    Ok(names)
}

/// The parameters that an authorizer takes its issuer and audience from: here, the stack itself.
fn authorizer_parameters(
    resources: &[Resource<'_>],
    addresses: &Addresses,
) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    let apis = resources.iter().filter(|resource| resource.kind == API);
    let authorizers = apis.filter_map(|api| api.properties.pointer("/Auth/Authorizers"));
    for authorizer in authorizers.filter_map(Value::as_object).flat_map(Map::values) {
        for (pointer, value) in [("/issuer", addresses.api.as_str()), ("/audience/0", AUDIENCE)] {
            let value_at = authorizer.pointer(&format!("/JwtConfiguration{pointer}"));
            let reference = value_at.and_then(Value::as_object).and_then(only_entry);
            if let Some(("Ref", Value::String(parameter))) = reference {
                values.insert(parameter.clone(), Value::from(value));
            }
        }
    }
    values
}

fn name_resource(names: &mut Names, resource: &Resource<'_>, at: &Addresses) -> Result<()> {
    let given = |property: &str, default: String| match resource.properties.get(property) {
        None => Ok(default),
        Some(Value::String(name)) => Ok(name.clone()),
        Some(_) => bail!("{}.{property}: the local stack only knows a plain name", resource.path),
    };
    let id = resource.id;
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}");
    let (reference, attributes) = match resource.kind {
        TABLE => {
            let name = given("TableName", id.to_owned())?;
            let table = arn("dynamodb", &format!("table/{name}"));
            let stream = format!("{table}/stream/local");
            (name, vec![("Arn", table), ("StreamArn", stream)])
        }
        QUEUE => {
            let is_fifo = resource.properties.get("FifoQueue") == Some(&Value::Bool(true));
            let default = if is_fifo { format!("{id}.fifo") } else { id.to_owned() };
            let name = given("QueueName", default)?;
            let url = format!("{}/{ACCOUNT}/{name}", at.queues);
            (url.clone(), vec![("Arn", arn("sqs", &name)), ("QueueName", name), ("QueueUrl", url)])
        }
        BUCKET => {
            let name = given("BucketName", id.to_lowercase())?;
            (name.clone(), vec![("Arn", format!("arn:aws:s3:::{name}"))])
        }
        SECRET => {
            let secret =
                arn("secretsmanager", &format!("secret:{}", given("Name", id.to_owned())?));
            (secret.clone(), vec![("Id", secret)])
        }
        FUNCTION => {
            let name = given("FunctionName", plan::kebab(id))?;
            let function = arn("lambda", &format!("function:{name}"));
            (name, vec![("Arn", function)])
        }
        _ => (id.to_owned(), vec![("ApiEndpoint", at.api.clone())]),
    };
    names.refs.insert(id.to_owned(), Value::from(reference));
    for (attribute, value) in attributes {
        names.attributes.insert((id.to_owned(), attribute.to_owned()), value);
    }
    Ok(())
}
