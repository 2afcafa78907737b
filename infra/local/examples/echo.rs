//! The function of the local stack's own tests: it does what its input says, and tells what it got.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let event = event.payload;
    if event["Records"].is_array() {
        return records(&event["Records"]).await;
    }
    if event["requestContext"].is_null() {
        return Ok(event);
    }
    let asked: Value = serde_json::from_str(event["body"].as_str().unwrap_or("null"))?;
    let mut called = Value::Null;
    match asked["do"].as_str() {
        Some("die") => std::process::exit(3),
        Some("fail") => return Err("as asked".into()),
        Some("hang") => std::future::pending::<()>().await,
        Some("call") => {
            let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
            called = call(&text("service"), &text("target"), &asked["with"]).await?;
        }
        _ => {}
    }
    let environment: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    Ok(json!({
        "statusCode": 201,
        "headers": {"content-type": "application/json", "x-own": "yes"},
        "body": json!({"event": event, "called": called, "environment": environment}).to_string(),
    }))
}

/// Notes each delivery in the table, then fails or dies where the message says so.
async fn records(records: &Value) -> Result<Value, Error> {
    let mut failed = Vec::new();
    if !records[0]["dynamodb"].is_null() {
        return changes(records).await;
    }
    for record in records.as_array().into_iter().flatten() {
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap_or_default())?;
        let count = record["attributes"]["ApproximateReceiveCount"].as_str().unwrap_or_default();
        let item = json!({
            "pk": {"S": body["name"]}, "sk": {"S": count}, "record": {"S": record.to_string()},
        });
        let put = json!({"TableName": std::env::var("TABLE")?, "Item": item});
        call("DYNAMODB", "DynamoDB_20120810.PutItem", &put).await?;
        let until = body["until"].as_str().unwrap_or("0").parse::<u32>()?;
        let again = count.parse::<u32>()? < until;
        match body["do"].as_str() {
            Some("die") if again => std::process::exit(3),
            Some("fail") if again => failed.push(json!({"itemIdentifier": record["messageId"]})),
            Some("talk nonsense") if again => return Ok(json!("nonsense")),
            _ => {}
        }
    }
    Ok(json!({"batchItemFailures": failed}))
}

/// Notes each change in the table, then fails or dies where the new item says so.
async fn changes(records: &Value) -> Result<Value, Error> {
    let table = std::env::var("TABLE")?;
    for record in records.as_array().into_iter().flatten() {
        let change = &record["dynamodb"];
        let told = &change["SequenceNumber"];
        let (key, what) = (&change["Keys"]["sk"]["S"], &change["NewImage"]["do"]["S"]);
        let item = json!({
            "pk": {"S": "noted"}, "sk": {"S": told}, "key": {"S": key},
            "record": {"S": record.to_string()},
        });
        let put = json!({"TableName": table, "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)"});
        let put = call("DYNAMODB", "DynamoDB_20120810.PutItem", &put).await?;
        let first = put["status"] == 200;
        match what.as_str() {
            Some("die once") if first => std::process::exit(3),
            Some("die") => std::process::exit(3),
            Some("fail once") if first => {
                return Ok(json!({"batchItemFailures": [{"itemIdentifier": told}]}));
            }
            _ => {}
        }
    }
    Ok(json!({"batchItemFailures": []}))
}

/// A call of a service, signed as far as the local stack looks.
async fn call(service: &str, target: &str, body: &Value) -> Result<Value, Error> {
    let url = std::env::var(format!("AWS_ENDPOINT_URL_{service}"))?;
    let key = std::env::var("AWS_ACCESS_KEY_ID")?;
    let answer = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", target)
        .header("x-amz-date", "20261121T000000Z")
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={key}/20261121/eu-central-1/any/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=0"
            ),
        )
        .body(body.to_string())
        .send()
        .await?;
    let status = answer.status().as_u16();
    Ok(json!({"status": status, "body": answer.json::<Value>().await?}))
}
