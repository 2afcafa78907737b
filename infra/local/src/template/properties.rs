//! The properties that are enacted, by resource type; an unknown one fails to deserialize.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `AWS::DynamoDB::Table`; serializes to the body of a `CreateTable` call.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Table {
    #[serde(default)]
    pub table_name: String,
    pub attribute_definitions: Vec<AttributeDefinition>,
    pub key_schema: Vec<KeyElement>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub global_secondary_indexes: Vec<Index>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_specification: Option<StreamSpecification>,
}

/// What a table's stream tells of each change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct StreamSpecification {
    /// A template says that there is a stream by saying what it tells; a call says both.
    #[serde(skip_deserializing, default = "is_enabled")]
    pub stream_enabled: bool,
    pub stream_view_type: String,
}

fn is_enabled() -> bool {
    true
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct AttributeDefinition {
    pub attribute_name: String,
    pub attribute_type: String,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct KeyElement {
    pub attribute_name: String,
    pub key_type: String,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Index {
    pub index_name: String,
    pub key_schema: Vec<KeyElement>,
    pub projection: Projection,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Projection {
    pub projection_type: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub non_key_attributes: Vec<String>,
}

/// `AWS::SQS::Queue`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Queue {
    #[serde(rename = "QueueName", default)]
    pub _queue_name: Option<String>,
    pub deduplication_scope: Option<String>,
    pub delay_seconds: Option<u32>,
    #[serde(default)]
    pub fifo_queue: bool,
    pub fifo_throughput_limit: Option<String>,
    pub maximum_message_size: Option<u32>,
    pub message_retention_period: Option<u32>,
    pub receive_message_wait_time_seconds: Option<u32>,
    pub redrive_policy: Option<RedrivePolicy>,
    pub visibility_timeout: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RedrivePolicy {
    pub dead_letter_target_arn: String,
    pub max_receive_count: u32,
}

/// `AWS::S3::Bucket`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Bucket {
    #[serde(rename = "BucketName", default)]
    pub _bucket_name: Option<String>,
}

/// `AWS::SecretsManager::Secret`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Secret {
    #[serde(rename = "Name", default)]
    pub _name: Option<String>,
    pub generate_secret_string: GenerateSecretString,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct GenerateSecretString {
    #[serde(default = "default_length")]
    pub password_length: usize,
    #[serde(default)]
    pub exclude_punctuation: bool,
    #[serde(default)]
    pub exclude_characters: String,
    /// An object in JSON, which gets the generated text under the key.
    pub secret_string_template: Option<String>,
    pub generate_string_key: Option<String>,
}

fn default_length() -> usize {
    32
}

/// `AWS::Serverless::HttpApi`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct HttpApi {
    pub auth: Option<ApiAuth>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct ApiAuth {
    pub default_authorizer: String,
    pub authorizers: BTreeMap<String, Authorizer>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Authorizer {
    pub identity_source: String,
    pub jwt_configuration: JwtConfiguration,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtConfiguration {
    pub issuer: String,
    pub audience: Vec<String>,
}

/// A call to begin with; the body is a file of the repository.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct FirstCall {
    pub method: String,
    pub path: String,
    pub body: String,
}

/// `AWS::Serverless::Function`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Function {
    #[serde(rename = "FunctionName", default)]
    pub _function_name: Option<String>,
    #[serde(default = "default_memory")]
    pub memory_size: u32,
    #[serde(default = "default_timeout")]
    pub timeout: u32,
    #[serde(default)]
    pub environment: Environment,
    #[serde(default)]
    pub policies: Vec<PolicyDocument>,
    #[serde(default)]
    pub events: BTreeMap<String, Event>,
}

fn default_memory() -> u32 {
    128
}

fn default_timeout() -> u32 {
    3
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Environment {
    #[serde(default)]
    pub variables: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct PolicyDocument {
    #[serde(rename = "Version", default)]
    pub _version: Option<String>,
    pub statement: Vec<Statement>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Statement {
    #[serde(rename = "Sid", default)]
    pub _sid: Option<String>,
    pub effect: String,
    pub action: OneOrMany,
    pub resource: OneOrMany,
}

/// A text or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    /// As a list.
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// What calls a function.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Event {
    #[serde(rename = "Type")]
    pub kind: String,
    pub properties: Value,
}

/// A route of an HTTP API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct HttpApiEvent {
    #[serde(rename = "ApiId")]
    pub _api_id: String,
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub auth: RouteAuth,
    pub route_settings: Option<RouteSettings>,
}

/// How many calls of a route are let in: so many at once, and then so many a second.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct RouteSettings {
    pub throttling_burst_limit: u32,
    pub throttling_rate_limit: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct RouteAuth {
    #[serde(default)]
    pub authorization_scopes: Vec<String>,
}

/// A queue mapping.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct SqsEvent {
    pub queue: String,
    #[serde(default = "default_batch")]
    pub batch_size: usize,
    #[serde(default)]
    pub function_response_types: Vec<String>,
    #[serde(default)]
    pub scaling_config: ScalingConfig,
}

fn default_batch() -> usize {
    10
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct ScalingConfig {
    pub maximum_concurrency: Option<usize>,
}

/// A schedule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct ScheduleEvent {
    pub schedule_expression: String,
    pub schedule_expression_timezone: Option<String>,
    pub input: Option<String>,
}
