//! The template's resources as the things that are made on this machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::policy::Policy;
use super::properties::{
    Bucket, Event, FirstCall, Function, GenerateSecretString, HttpApi, HttpApiEvent, Queue,
    RouteSettings, ScheduleEvent, Secret, SqsEvent, Table,
};
use super::resolve::{Names, plain_text};
use super::stream::{StreamEvent, StreamPlan};
use super::{API, BUCKET, FUNCTION, QUEUE, Resource, SECRET, TABLE, known};

/// Everything that is to be made.
#[derive(Debug, Default)]
pub struct Stack {
    pub tables: Vec<Table>,
    pub queues: Vec<(String, Queue)>,
    pub buckets: Vec<String>,
    pub secrets: Vec<SecretPlan>,
    pub functions: Vec<Arc<FunctionPlan>>,
    pub routes: Vec<RoutePlan>,
    pub mappings: Vec<MappingPlan>,
    pub schedules: Vec<SchedulePlan>,
    pub streams: Vec<StreamPlan>,
    /// The issuer and audiences that every route's token must carry, if the API has an authorizer.
    pub authorizer: Option<(String, Vec<String>)>,
    pub first_call: Option<FirstCall>,
}

#[derive(Debug)]
pub struct SecretPlan {
    pub arn: String,
    pub generate: GenerateSecretString,
}

#[derive(Debug)]
pub struct FunctionPlan {
    /// The binary's name: the logical id in kebab case.
    pub binary: String,
    pub name: String,
    pub arn: String,
    pub memory: u32,
    pub timeout: Duration,
    pub environment: BTreeMap<String, String>,
    pub policy: Policy,
}

#[derive(Clone, Debug)]
pub struct RoutePlan {
    pub method: String,
    pub path: String,
    pub scopes: Vec<String>,
    pub settings: Option<RouteSettings>,
    pub function: String,
}

#[derive(Clone, Debug)]
pub struct MappingPlan {
    pub queue_arn: String,
    pub batch: usize,
    pub partial: bool,
    pub concurrency: usize,
    pub function: String,
}

#[derive(Clone, Debug)]
pub struct SchedulePlan {
    pub id: String,
    pub expression: String,
    pub zone: String,
    pub input: String,
    pub function: String,
}

/// `LikeThis` as `like-this`.
pub fn kebab(id: &str) -> String {
    let mut name = String::new();
    for (i, letter) in id.char_indices() {
        if letter.is_ascii_uppercase() && i > 0 {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

pub(super) fn plan(resources: &[Resource<'_>], names: &Names) -> Result<Stack> {
    let mut stack = Stack::default();
    for resource in resources {
        let (path, named) = (&resource.path, text_of(names.refs.get(resource.id)));
        let properties = &resource.properties;
        match resource.kind {
            TABLE => {
                let table: Table = typed(names, path, properties)?;
                stack.tables.push(Table { table_name: named, ..table });
            }
            QUEUE => {
                let queue = typed(names, path, properties)?;
                let name = named.rsplit('/').next().unwrap_or_default();
                stack.queues.push((name.to_owned(), queue));
            }
            BUCKET => {
                let Bucket { _bucket_name: _ } = typed(names, path, properties)?;
                stack.buckets.push(named);
            }
            SECRET => {
                let secret: Secret = typed(names, path, properties)?;
                let generate = secret.generate_secret_string;
                stack.secrets.push(SecretPlan { arn: named, generate });
            }
            API => api(&mut stack, path, typed(names, path, properties)?)?,
            FUNCTION => function(&mut stack, names, resource, named)?,
            other => bail!("{path}: the local stack does not know the resource type {other}"),
        }
    }
    stack.routes.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    Ok(stack)
}

fn text_of(value: Option<&Value>) -> String {
    value.map(plain_text).unwrap_or_default()
}

/// `properties`, resolved, as what they must be; an error says where they are not.
fn typed<T: DeserializeOwned>(names: &Names, path: &str, properties: &Value) -> Result<T> {
    let resolved = names.resolve(properties, path)?.unwrap_or_default();
    serde_path_to_error::deserialize(resolved).map_err(|error| {
        let at = error.path().to_string();
        let at = if at == "." { String::new() } else { format!(".{at}") };
        anyhow::anyhow!("{path}{at}: {}", error.inner())
    })
}

fn api(stack: &mut Stack, path: &str, api: HttpApi) -> Result<()> {
    if stack.authorizer.is_some() {
        bail!("{path}: the local stack knows only one API");
    }
    if let Some(mut auth) = api.auth {
        let authorizer = auth.authorizers.remove(&auth.default_authorizer);
        let authorizer = authorizer.with_context(|| format!("{path}.Auth: no such authorizer"))?;
        if authorizer.identity_source != "$request.header.Authorization" {
            bail!("{path}.Auth: the local stack only knows the authorization header");
        }
        let jwt = authorizer.jwt_configuration;
        stack.authorizer = Some((jwt.issuer, jwt.audience));
    }
    Ok(())
}

fn function(stack: &mut Stack, names: &Names, from: &Resource<'_>, name: String) -> Result<()> {
    let path = &from.path;
    let function: Function = typed(names, path, &from.properties)?;
    for (id, event) in &function.events {
        let at = format!("{path}.Events.{id}");
        attach(stack, names, &at, &format!("{}{id}", from.id), &name, event)?;
    }
    let variables = &function.environment.variables;
    stack.functions.push(Arc::new(FunctionPlan {
        binary: kebab(from.id),
        arn: names
            .attributes
            .get(&(from.id.to_owned(), "Arn".to_owned()))
            .cloned()
            .unwrap_or_default(),
        name,
        memory: function.memory_size,
        timeout: Duration::from_secs(function.timeout.into()),
        environment: variables.iter().map(|(k, v)| (k.clone(), plain_text(v))).collect(),
        policy: Policy::read(path, &function.policies)?,
    }));
    Ok(())
}

fn attach(
    stack: &mut Stack,
    names: &Names,
    path: &str,
    id: &str,
    function: &str,
    event: &Event,
) -> Result<()> {
    let function = function.to_owned();
    let properties = Value::Object(known::enacted(path, &event.kind, &event.properties)?);
    match event.kind.as_str() {
        "HttpApi" => {
            let route: HttpApiEvent = typed(names, path, &properties)?;
            let HttpApiEvent { path, auth, route_settings: settings, .. } = route;
            let (method, scopes) = (route.method.to_uppercase(), auth.authorization_scopes);
            stack.routes.push(RoutePlan { method, path, scopes, settings, function });
        }
        "SQS" => {
            let mapping: SqsEvent = typed(names, path, &properties)?;
            let partial = match mapping.function_response_types.as_slice() {
                [] => false,
                [only] if only == "ReportBatchItemFailures" => true,
                other => bail!("{path}.FunctionResponseTypes: {other:?} is not known"),
            };
            stack.mappings.push(MappingPlan {
                queue_arn: mapping.queue,
                batch: mapping.batch_size,
                partial,
                concurrency: mapping.scaling_config.maximum_concurrency.unwrap_or(10),
                function,
            });
        }
        "DynamoDB" => {
            let event: StreamEvent = typed(names, path, &properties)?;
            stack.streams.push(event.plan(path, id.to_owned(), function)?);
        }
        "ScheduleV2" => {
            let schedule: ScheduleEvent = typed(names, path, &properties)?;
            let zone = schedule.schedule_expression_timezone.unwrap_or_else(|| "UTC".to_owned());
            stack.schedules.push(SchedulePlan {
                id: id.to_owned(),
                expression: schedule.schedule_expression,
                zone,
                input: schedule.input.unwrap_or_else(|| "{}".to_owned()),
                function,
            });
        }
        other => bail!("{path}: the local stack does not know the event type {other}"),
    }
    Ok(())
}
