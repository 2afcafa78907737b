//! The secrets: generated once, kept with the data, read and replaced by those who may.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use hyper::body::Incoming;
use hyper::{HeaderMap, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::callers::Callers;
use crate::data::{random_text, read_or_make, write_whole};
use crate::serve::{Answer, answer, aws_error, whole};
use crate::template::{GenerateSecretString, SecretPlan};

const MAX_BODY: usize = 64 * 1024;
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// What may be done.
const GET: &str = "secretsmanager:GetSecretValue";
const PUT: &str = "secretsmanager:PutSecretValue";

/// All secrets, by ARN.
#[derive(Debug)]
pub struct Secrets {
    file: PathBuf,
    kept: Mutex<BTreeMap<String, Version>>,
    callers: Arc<Callers>,
}

/// The current version of a secret.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Version {
    id: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    secret_id: String,
    /// What is put.
    secret_string: Option<String>,
    client_request_token: Option<String>,
}

impl Secrets {
    /// Reads the secrets from `file` and generates those that are missing.
    pub fn open(file: &Path, secrets: &[SecretPlan], callers: Arc<Callers>) -> Result<Self> {
        let text = read_or_make(file, || Ok("{}".to_owned()))?;
        let mut kept: BTreeMap<String, Version> = serde_json::from_str(&text)
            .with_context(|| format!("{} is not what was written", file.display()))?;
        for secret in secrets {
            if !kept.contains_key(&secret.arn) {
                let text = generate(&secret.generate)?;
                kept.insert(secret.arn.clone(), Version { id: version_id(), text });
            }
        }
        write_whole(file, &serde_json::to_string(&kept)?)?;
        Ok(Self { file: file.to_owned(), kept: Mutex::new(kept), callers })
    }

    /// Answers one call.
    pub async fn handle(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let body = whole(body, MAX_BODY).await.unwrap_or_default();
        match self.answer(&parts.headers, &body) {
            Ok(body) => answer(StatusCode::OK, "application/x-amz-json-1.1", body.to_string()),
            Err((kind, message)) => aws_error(StatusCode::BAD_REQUEST, kind, &message),
        }
    }

    fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, (&'static str, String)> {
        let refuse = |kind, message: &str| (kind, message.to_owned());
        let Some(caller) = self.callers.signer(headers) else {
            return Err(refuse("UnrecognizedClientException", "The security token is invalid."));
        };
        let (action, asked) = (super::action(headers), serde_json::from_slice::<Asked>(body));
        let (permission, put) = match (action, &asked) {
            ("GetSecretValue", Ok(_)) => (GET, None),
            ("PutSecretValue", Ok(Asked { secret_string: Some(text), .. })) => (PUT, Some(text)),
            _ => {
                let message = "The local stack gets secrets, and puts them as text.";
                return Err(refuse("InvalidRequestException", message));
            }
        };
        let id = asked.as_ref().map(|asked| asked.secret_id.clone()).unwrap_or_default();
        let ends = |arn: &str| arn.strip_suffix(&id).is_some_and(|start| start.ends_with(':'));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.keys().find(|arn| **arn == id || ends(arn)).cloned();
        let resource = found.clone().unwrap_or(id);
        let may = caller.may(action, &[(permission, resource)]);
        may.map_err(|message| ("AccessDeniedException", message))?;
        let found = found.and_then(|arn| Some((kept.get(&arn)?.clone(), arn)));
        let Some((mut version, arn)) = found else {
            let message = "Secrets Manager can't find the specified secret.";
            return Err(refuse("ResourceNotFoundException", message));
        };
        if let Some(text) = put {
            let token = asked.as_ref().ok().and_then(|asked| asked.client_request_token.clone());
            version = Version { id: token.unwrap_or_else(version_id), text: text.clone() };
            let mut next = kept.clone();
            next.insert(arn.clone(), version.clone());
            self.write(&next).map_err(|error| ("InternalServiceError", error.to_string()))?;
            *kept = next;
        }
        let mut answer = json!({
            "ARN": arn,
            "Name": arn.rsplit(':').next(),
            "VersionId": version.id,
            "VersionStages": ["AWSCURRENT"],
        });
        if put.is_none() {
            answer["SecretString"] = Value::from(version.text);
        }
        Ok(answer)
    }

    fn write(&self, kept: &BTreeMap<String, Version>) -> Result<()> {
        write_whole(&self.file, &serde_json::to_string(kept)?)
    }
}

fn version_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn generate(how: &GenerateSecretString) -> Result<String> {
    let excluded: Vec<char> = how.exclude_characters.chars().collect();
    if excluded.iter().any(char::is_ascii_alphanumeric) {
        bail!("the local stack only knows to exclude punctuation from a secret");
    }
    let mut object: Map<String, Value> = match &how.secret_string_template {
        None => return random(how, &excluded),
        Some(template) => serde_json::from_str(template).context("a secret's template")?,
    };
    let key = how.generate_string_key.clone().context("a secret's template needs a key")?;
    object.insert(key, Value::from(random(how, &excluded)?));
    Ok(Value::Object(object).to_string())
}

fn random(how: &GenerateSecretString, excluded: &[char]) -> Result<String> {
    let more = PUNCTUATION.chars().filter(|_| !how.exclude_punctuation);
    let more: Vec<char> = more.filter(|mark| !excluded.contains(mark)).collect();
    random_text(how.password_length, &more)
}
