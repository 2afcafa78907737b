//! The environment of a function: what a deployed one finds, and where the services are here.

use crate::callers::Caller;
use crate::services::Endpoints;
use crate::template::{FunctionPlan, REGION};

/// The environment of `function`, whole: nothing is inherited.
pub fn of(function: &FunctionPlan, caller: &Caller, at: &Endpoints) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = function.environment.clone().into_iter().collect();
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", caller.key_id.as_str()),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ENDPOINT_URL_DYNAMODB", &at.table),
        ("AWS_ENDPOINT_URL_S3", &at.bucket),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &at.secret),
        ("AWS_ENDPOINT_URL_SQS", &at.queue),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.memory.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
        ("AWS_REGION", REGION),
        ("AWS_SECRET_ACCESS_KEY", &caller.secret),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ] {
        all.push((name.to_owned(), value.to_owned()));
    }
    all
}
