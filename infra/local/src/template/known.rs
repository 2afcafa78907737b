//! Which parts of a template mean nothing on one machine; all else is enacted, or an error.

use anyhow::{Result, bail};
use serde_json::{Map, Value};

/// Properties by resource (or event) type that are read and deliberately not acted upon.
const ACKNOWLEDGED: &[(&str, &[&str])] = &[
    (
        "AWS::DynamoDB::Table",
        &[
            "BillingMode",
            "DeletionProtectionEnabled",
            "PointInTimeRecoverySpecification",
            "SSESpecification",
            "Tags",
        ],
    ),
    (
        "AWS::S3::Bucket",
        &[
            "BucketEncryption",
            "LifecycleConfiguration",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "VersioningConfiguration",
        ],
    ),
    ("AWS::SQS::Queue", &["SqsManagedSseEnabled", "Tags"]),
    ("AWS::SecretsManager::Secret", &["Description", "Tags"]),
    (
        "AWS::Serverless::Function",
        &[
            "Architectures",
            "CodeUri",
            "Description",
            "Handler",
            "LoggingConfig",
            "ReservedConcurrentExecutions",
            "Runtime",
            "Tags",
            "Tracing",
        ],
    ),
    ("AWS::Serverless::HttpApi", &["AccessLogSettings", "Description", "FailOnWarnings", "Tags"]),
    ("DynamoDB", &["MaximumBatchingWindowInSeconds"]),
    ("HttpApi", &["PayloadFormatVersion"]),
    ("SQS", &[]),
    ("ScheduleV2", &["Description", "RetryPolicy"]),
];

/// Resource types that only watch, log or guard what is deployed.
const ACKNOWLEDGED_TYPES: &[&str] = &[
    "AWS::CloudWatch::Alarm",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
];

/// Keys beside a resource's type and properties.
const RESOURCE_KEYS: &[&str] =
    &["DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy"];

const TEMPLATE_KEYS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Transform",
];

/// Refuses a template with a section that is not known.
pub fn check_template(template: &Map<String, Value>) -> Result<()> {
    only("", template, TEMPLATE_KEYS)
}

/// Refuses a resource with a key that is not known; true when its type is to be enacted.
pub fn check_resource(path: &str, kind: &str, resource: &Map<String, Value>) -> Result<bool> {
    if ACKNOWLEDGED_TYPES.contains(&kind) {
        return Ok(false);
    }
    only(path, resource, RESOURCE_KEYS)?;
    if !kind.starts_with("AWS::") || acknowledged(kind).is_none() {
        bail!("{path}: the local stack does not know the resource type {kind}");
    }
    Ok(true)
}

/// `properties` without those that have no meaning here.
pub fn enacted(path: &str, kind: &str, properties: &Value) -> Result<Map<String, Value>> {
    let Some(acknowledged) = acknowledged(kind) else {
        bail!("{path}: the local stack does not know the type {kind}")
    };
    match properties {
        Value::Object(all) => {
            let enacted = all.iter().filter(|(key, _)| !acknowledged.contains(&key.as_str()));
            Ok(enacted.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        Value::Null => Ok(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            bail!("{path}: not a mapping")
        }
    }
}

fn acknowledged(kind: &str) -> Option<&'static [&'static str]> {
    ACKNOWLEDGED.iter().find(|(known, _)| *known == kind).map(|(_, list)| *list)
}

fn only(path: &str, entries: &Map<String, Value>, known: &[&str]) -> Result<()> {
    match entries.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => bail!("{path}.{key}: the local stack does not know this"),
        None => Ok(()),
    }
}
