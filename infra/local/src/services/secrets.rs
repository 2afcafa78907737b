//! The secrets: generated once, kept with the data, read by those who may.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::callers::Callers;
use crate::data::{random_text, read_or_make, write_whole};
use crate::serve::{Answer, answer, aws_error, whole};
use crate::template::{GenerateSecretString, SecretPlan};

const MAX_BODY: usize = 64 * 1024;
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// All secrets, by ARN.
#[derive(Debug)]
pub struct Secrets {
    values: BTreeMap<String, String>,
    callers: Arc<Callers>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    secret_id: String,
}

impl Secrets {
    /// Reads the secrets from `file` and generates those that are missing.
    pub fn open(file: &Path, secrets: &[SecretPlan], callers: Arc<Callers>) -> Result<Self> {
        let text = read_or_make(file, || Ok("{}".to_owned()))?;
        let mut values: BTreeMap<String, String> = serde_json::from_str(&text)
            .with_context(|| format!("{} is not what was written", file.display()))?;
        for secret in secrets {
            if !values.contains_key(&secret.arn) {
                values.insert(secret.arn.clone(), generate(&secret.generate)?);
            }
        }
        write_whole(file, &serde_json::to_string(&values)?)?;
        Ok(Self { values, callers })
    }

    /// Answers one call.
    pub async fn handle(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let refuse = |kind, message: &str| aws_error(StatusCode::BAD_REQUEST, kind, message);
        let Some(caller) = self.callers.signer(&parts.headers) else {
            return refuse("UnrecognizedClientException", "The security token is invalid.");
        };
        let action = super::action(&parts.headers);
        let body = whole(body, MAX_BODY).await.ok();
        let asked = body.and_then(|body| serde_json::from_slice::<Asked>(&body).ok());
        let Some(asked) = asked.filter(|_| action == "GetSecretValue") else {
            return refuse("InvalidRequestException", "The local stack only reads secrets.");
        };
        let id = asked.secret_id;
        let ends = |arn: &str| arn.strip_suffix(&id).is_some_and(|start| start.ends_with(':'));
        let found = self.values.iter().find(|(arn, _)| **arn == id || ends(arn));
        let resource = found.map_or(&id, |(arn, _)| arn);
        if let Err(m) = caller.may(action, &[("secretsmanager:GetSecretValue", resource.clone())]) {
            return refuse("AccessDeniedException", &m);
        }
        let Some((arn, value)) = found else {
            return refuse("ResourceNotFoundException", "Secrets Manager can't find the secret.");
        };
        let body = json!({
            "ARN": arn,
            "Name": arn.rsplit(':').next(),
            "SecretString": value,
            "VersionId": "00000000-0000-0000-0000-000000000001",
            "VersionStages": ["AWSCURRENT"],
        });
        answer(StatusCode::OK, "application/x-amz-json-1.1", body.to_string())
    }
}

fn generate(how: &GenerateSecretString) -> Result<String> {
    let excluded: Vec<char> = how.exclude_characters.chars().collect();
    if excluded.iter().any(char::is_ascii_alphanumeric) {
        bail!("the local stack only knows to exclude punctuation from a secret");
    }
    let more = PUNCTUATION.chars().filter(|_| !how.exclude_punctuation);
    let more: Vec<char> = more.filter(|mark| !excluded.contains(mark)).collect();
    random_text(how.password_length, &more)
}
