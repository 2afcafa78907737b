//! The local stack as its callers see it.

// Helpers outside of test functions are test code as well.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod streams;
mod support;

use serde_json::{Value, json};
use support::{Stack, command, folder, signal, until};

#[tokio::test]
async fn routes_need_their_token_and_scope() {
    let stack = Stack::memory("routes").await;
    for (method, path, status, code) in [
        ("GET", "/v1/echo", 201, Value::Null),
        ("GET", "/v1/nothing", 404, json!("route_not_found")),
        ("GET", "/", 404, json!("route_not_found")),
        ("DELETE", "/v1/echo", 405, json!("method_not_allowed")),
        ("GET", "/v1/echo/%zz", 400, json!("bad_request")),
        ("GET", "/v1/echo/%ff", 400, json!("bad_request")),
        ("GET", "/_local/nothing", 404, json!("route_not_found")),
    ] {
        let (found, body) = stack.call(method, path, Value::Null).await;
        assert_eq!((found, &body["code"]), (status, &code), "{method} {path}: {body}");
    }
    let url = format!("{}/v1/echo", stack.ready["api"].as_str().unwrap());
    let answer = stack.client.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let asked = json!({"scopes": ["echo.write"], "claims": {"sub": "someone"}});
    let (_, token) = stack.call("POST", "/_local/token", asked).await;
    let token = token["token"].as_str().unwrap();
    let answer = stack.client.get(&url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let answer = stack.client.post(&url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let large = vec![b'a'; 6 * 1024 * 1024 + 1];
    let answer = stack.request("POST", "/v1/echo").body(large).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    for half in ["POST /v1/echo HTTP/1.1\r\ncontent-length: 100\r\n\r\nhalf", "GET /v1", "\0\0"] {
        let address = stack.ready["api"].as_str().unwrap().trim_start_matches("http://");
        let mut connection = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut connection, half.as_bytes()).unwrap();
    }
    let wide = "a".repeat(200_000);
    let answer = stack.request("GET", "/v1/echo").header("x-wide", wide).send().await;
    assert!(answer.is_err() || answer.unwrap().status() == 431);
    assert_eq!(stack.call("GET", "/v1/echo", Value::Null).await.0, 201);
}

#[tokio::test]
async fn requests_become_events() {
    let stack = Stack::memory("events").await;
    let answer = stack.request("GET", "/v1/echo/a%3A%2Fb?x=1&x=2&y=%20").header("X-Mine", "m");
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.headers()["x-own"], "yes");
    let body: Value = answer.json().await.unwrap();
    let event = &body["event"];
    for (pointer, expected) in [
        ("/version", json!("2.0")),
        ("/routeKey", json!("GET /v1/echo/{thing}")),
        ("/pathParameters", json!({"thing": "a:/b"})),
        ("/queryStringParameters", json!({"x": "1,2", "y": " "})),
        ("/rawQueryString", json!("x=1&x=2&y=%20")),
        ("/headers/x-mine", json!("m")),
        ("/requestContext/http/method", json!("GET")),
        ("/requestContext/stage", json!("$default")),
        ("/requestContext/authorizer/jwt/scopes", json!(["echo.read"])),
        ("/requestContext/authorizer/jwt/claims/scope", json!("echo.read echo.write")),
        ("/requestContext/authorizer/jwt/claims/aud", json!("[local]")),
        ("/isBase64Encoded", json!(false)),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(event.get("body"), None);
    assert!(event["requestContext"]["timeEpoch"].is_u64());
    let environment = body["environment"].as_array().unwrap();
    assert!(environment.contains(&json!("AWS_ENDPOINT_URL_DYNAMODB")));
    assert!(!environment.contains(&json!("PATH")), "{environment:?}");

    let packed = stack.request("POST", "/v1/echo").header("content-encoding", "gzip").body("{}");
    let body: Value = packed.send().await.unwrap().json().await.unwrap_or_default();
    // The function reads no packed body; that it got one is all that is looked at here.
    assert_eq!(body["code"], "bad_gateway");
}

#[tokio::test]
async fn what_a_process_does_is_not_the_stacks_end() {
    let stack = Stack::memory("deaths").await;
    for (what, status) in [("die", 502), ("fail", 502), ("live", 201)] {
        let (found, _) = stack.call("POST", "/v1/echo", json!({"do": what})).await;
        assert_eq!(found, status, "{what}");
    }
    let (status, body) = stack.call("POST", "/v1/slow", json!({"do": "hang"})).await;
    assert_eq!((status, &body["code"]), (504, &json!("gateway_timeout")));
    assert_eq!(stack.call("POST", "/v1/slow", json!({})).await.0, 201);

    // Killed while it works: the caller learns it, the next one does not.
    let hanging = stack.request("POST", "/v1/echo").json(&json!({"do": "hang"})).send();
    let killing = async {
        until("an invocation", async || {
            (stack.stats("echo").await["invocations"] == 4).then_some(())
        })
        .await;
        let pids = stack.stats("echo").await["pids"].as_array().unwrap().clone();
        for pid in &pids {
            signal(u32::try_from(pid.as_u64().unwrap()).unwrap(), "KILL");
        }
        // One that was idle may be handed a call until the stack sees that it is gone.
        until("their end", async || {
            let left = stack.stats("echo").await["pids"].as_array().unwrap().clone();
            (!left.iter().any(|pid| pids.contains(pid))).then_some(())
        })
        .await;
    };
    let (answer, ()) = tokio::join!(hanging, killing);
    assert_eq!(answer.unwrap().status(), 502);
    let others = (0..32).map(|_| stack.call("POST", "/v1/echo", json!({"do": "live"})));
    let others: Vec<_> = others.collect();
    for other in others {
        assert_eq!(other.await.0, 201);
    }
    let stats = stack.stats("echo").await;
    assert_eq!((&stats["invocations"], &stats["errors"]), (&json!(36), &json!(3)));
}

#[tokio::test]
async fn messages_come_again_until_they_are_done_or_given_up() {
    let stack = Stack::memory("messages").await;
    stack.call("POST", "/_local/clock", json!({"now": "2031-05-01T00:00:00Z"})).await;
    for (name, what, until) in
        [("fine", "live", "0"), ("later", "fail", "2"), ("never", "fail", "99")]
    {
        stack.send("Work", json!({"name": name, "do": what, "until": until})).await;
    }
    stack.idle().await;
    for (name, deliveries) in [("fine", 1), ("later", 2), ("never", 3)] {
        assert_eq!(stack.items(name).await.len(), deliveries, "{name}");
    }
    let given_up = until("a dead letter", async || stack.receive("WorkDeadLetters").await).await;
    assert!(given_up["Body"].as_str().unwrap().contains("never"), "{given_up}");
    for (name, what) in [("killed", "die"), ("nonsense", "talk nonsense")] {
        stack.send("Work", json!({"name": name, "do": what, "until": "2"})).await;
        stack.idle().await;
        assert_eq!(stack.items(name).await.len(), 2, "{name}");
    }
    let item = stack.items("fine").await.remove(0);
    let record: Value = serde_json::from_str(item["record"]["S"].as_str().unwrap()).unwrap();
    assert_eq!(record["eventSource"], "aws:sqs");
    let first = record["attributes"]["ApproximateFirstReceiveTimestamp"].as_str().unwrap();
    assert!(first.starts_with("193536"), "not of the moved clock: {first}");
}

#[tokio::test]
async fn schedules_fire_when_asked() {
    let stack = Stack::memory("schedules").await;
    let set = json!({"now": "2027-03-01T10:00:00+01:00"});
    assert_eq!(stack.call("POST", "/_local/clock", set).await.0, 200);
    let (_, moved) = stack.call("POST", "/_local/clock", json!({"advance": "P1M1DT1H"})).await;
    assert!(moved["now"].as_str().unwrap().starts_with("2027-04-02T10:00:"), "{moved}");
    let (status, body) = stack.call("POST", "/_local/schedules/EchoTick/run", json!({})).await;
    assert_eq!(status, 200);
    assert!(body["tick"].as_str().unwrap().starts_with("2027-04-02T10:00:"), "{body}");
    assert_eq!(stack.call("POST", "/_local/schedules/No/run", json!({})).await.0, 404);
    for wrong in [json!({"advance": "5D"}), json!({"now": "then"}), json!({}), json!({"x": 1})] {
        assert_eq!(stack.call("POST", "/_local/clock", wrong).await.0, 422);
    }
}

#[tokio::test]
async fn a_route_lets_in_its_burst_and_then_its_rate() {
    let stack = Stack::memory("throttled").await;
    let url = format!("{}/v1/slow", stack.ready["api"].as_str().unwrap());
    let unknown = stack.client.put(&url).send().await.unwrap();
    assert_eq!(unknown.status(), 401, "who has no token takes nothing");
    let mut let_in = 0;
    let refused = loop {
        let (status, body) = stack.call("PUT", "/v1/slow", Value::Null).await;
        if status != 201 {
            break (status, body["code"].clone());
        }
        let_in += 1;
    };
    assert_eq!(refused, (429, json!("too_many_requests")));
    assert!(let_in >= 2, "the burst, and what a slow machine lets fill in between: {let_in}");
    assert_eq!(stack.call("POST", "/v1/slow", Value::Null).await.0, 201, "another route");
    stack.call("POST", "/_local/clock", json!({"advance": "PT1S"})).await;
    assert_eq!(stack.call("PUT", "/v1/slow", Value::Null).await.0, 201);
}

#[tokio::test]
async fn functions_may_only_do_what_they_are_granted() {
    let stack = Stack::memory("grants").await;
    let table = stack.ready["table"].clone();
    let put = json!({"TableName": table, "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}});
    let once = json!({"TableName": table, "Item": put["Item"],
        "ConditionExpression": "attribute_not_exists(pk)"});
    let get = json!({"TableName": table, "Key": put["Item"], "ConsistentRead": false});
    let steps = json!({"TransactItems": [{"Put": put}, {"Update": {"TableName": table,
        "Key": {"pk": {"S": "c"}, "sk": {"S": "d"}}, "UpdateExpression": "REMOVE x"}}]});
    let query = json!({"TableName": table, "IndexName": "index",
        "KeyConditionExpression": "ix = :x",
        "ExpressionAttributeValues": {":x": {"S": "a"}}});
    let queue = |name: &str| json!({"QueueUrl": stack.ready["queues"][name], "MessageBody": "{}"});
    let key = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:Key";
    for (service, target, body, status, kind) in [
        ("DYNAMODB", "DynamoDB_20120810.PutItem", &put, 200, ""),
        ("DYNAMODB", "DynamoDB_20120810.PutItem", &once, 400, "ConditionalCheckFailedException"),
        ("DYNAMODB", "DynamoDB_20120810.GetItem", &get, 200, ""),
        ("DYNAMODB", "DynamoDB_20120810.TransactWriteItems", &steps, 400, "AccessDeniedException"),
        ("DYNAMODB", "DynamoDB_20120810.Query", &query, 400, "AccessDeniedException"),
        ("DYNAMODB", "DynamoDB_20120810.ListTables", &json!({}), 400, "AccessDeniedException"),
        ("SQS", "AmazonSQS.SendMessage", &queue("Work"), 200, ""),
        ("SQS", "AmazonSQS.SendMessage", &queue("Unread"), 403, "AccessDeniedException"),
        ("SECRETS_MANAGER", "secretsmanager.GetSecretValue", &json!({"SecretId": key}), 200, ""),
        (
            "SECRETS_MANAGER",
            "secretsmanager.GetSecretValue",
            &json!({"SecretId": "x"}),
            400,
            "AccessDeniedException",
        ),
        (
            "SECRETS_MANAGER",
            "secretsmanager.PutSecretValue",
            &json!({"SecretId": key, "SecretString": "mine"}),
            400,
            "AccessDeniedException",
        ),
    ] {
        let asked = json!({"do": "call", "service": service, "target": target, "with": body});
        let (_, answer) = stack.call("POST", "/v1/echo", asked).await;
        let called = &answer["called"];
        assert_eq!(called["status"], status, "{target}: {called}");
        let found = called["body"]["__type"].as_str().unwrap_or_default();
        assert!(found.ends_with(kind), "{target}: {called}");
        if service == "SECRETS_MANAGER" && status == 200 {
            assert_eq!(called["body"]["SecretString"].as_str().unwrap().len(), 40);
        }
    }
    stack.idle().await;
    let stats = stack.stats("echo").await;
    assert_eq!(stats["read_units"], json!(0.5), "{stats}");
    assert_eq!(stats["failed_conditions"], 1, "{stats}");
    assert_eq!(stats["calls"]["GetItem"], 1, "{stats}");
    assert_eq!(stats["denied"].as_object().unwrap().len(), 6, "{stats}");
    let unused = stats["unused_permissions"].as_array().unwrap();
    assert_eq!(unused.len(), 1, "{unused:?}");
    assert!(unused[0].as_str().unwrap().starts_with("dynamodb:DeleteItem arn:"), "{unused:?}");
    stack.call("POST", "/_local/stats/reset", json!({})).await;
    assert_eq!(stack.stats("echo").await["calls"], json!({}));
}

#[tokio::test]
async fn what_is_kept_is_there_again() {
    let folder = folder("kept");
    let data = folder.join("data");
    let options = ["--quiet", "--data", data.to_str().unwrap()];
    let stack = Stack::start(&folder, &options).await;
    let put =
        json!({"TableName": stack.ready["table"], "Item": {"pk": {"S": "kept"}, "sk": {"S": "1"}}});
    stack.service("table_endpoint", "DynamoDB_20120810.PutItem", &put).await;
    let (get, secret) = ("secretsmanager.GetSecretValue", json!({"SecretId": "Key"}));
    let made = stack.service("secret_endpoint", get, &secret).await;
    let both = format!("{}\nanother", made["SecretString"].as_str().unwrap());
    let put = json!({"SecretId": "Key", "SecretString": both});
    let put = stack.service("secret_endpoint", "secretsmanager.PutSecretValue", &put).await;
    assert_ne!(put["VersionId"], made["VersionId"]);
    stack.send("Unread", json!({"name": "waits"})).await;
    stack.send("Unread", json!({"name": "taken"})).await;
    stack.send("Work", json!({"name": "never", "do": "fail", "until": "99"})).await;
    stack.idle().await;
    let taken = until("a message", async || stack.receive("Unread").await).await;
    let (queue, receipt) = (&stack.ready["queues"]["Unread"], &taken["ReceiptHandle"]);
    let delete = json!({"QueueUrl": queue, "ReceiptHandle": receipt});
    stack.service("queue_endpoint", "AmazonSQS.DeleteMessage", &delete).await;

    let second = command(&folder, &options).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("in use by another running stack"), "{said}");
    assert!(stack.stop().await.success());

    let stack = Stack::start(&folder, &options).await;
    assert_eq!(stack.items("kept").await.len(), 1);
    let kept = stack.service("secret_endpoint", get, &secret).await;
    assert_eq!((&kept["SecretString"], &kept["VersionId"]), (&json!(both), &put["VersionId"]));
    let waits = until("a message", async || stack.receive("Unread").await).await;
    assert_ne!(waits["Body"], taken["Body"]);
    let given_up = until("a dead letter", async || stack.receive("WorkDeadLetters").await).await;
    assert!(given_up["Body"].as_str().unwrap().contains("never"), "{given_up}");
    assert_eq!(stack.items("never").await.len(), 3);
    assert!(stack.stop().await.success());
}

#[tokio::test]
async fn no_process_outlives_the_stack() {
    let stack = Stack::memory("outlive").await;
    assert_eq!(stack.call("GET", "/v1/echo", Value::Null).await.0, 201);
    let pids = stack.stats("echo").await["pids"].as_array().unwrap().clone();
    assert!(!pids.is_empty());
    signal(stack.pid(), "KILL");
    for pid in pids {
        until("the end of a function", async || {
            (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(())
        })
        .await;
    }
}

#[test]
fn wrong_ways_to_start_are_named() {
    let folder = folder("wrong");
    let run = |options: &[&str]| {
        let output = command(&folder, options).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.lines().count(), 1, "{said}");
        (output.status.code(), said)
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let unknown = folder.join("unknown.yaml");
    std::fs::write(
        &unknown,
        "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties: { KmsMasterKeyId: x }\n",
    )
    .unwrap();
    for (options, code, expected) in [
        (&["--prot", "1"][..], 2, "invalid option '--prot'"),
        (&["--memory", "--port", &port], 1, "cannot be had"),
        (&["--data", "/dev/null/x"], 1, "cannot be made"),
        (
            &["--memory", "--template", unknown.to_str().unwrap()],
            1,
            "Resources.Q.Properties.KmsMasterKeyId: unknown field",
        ),
    ] {
        let (found, said) = run(options);
        assert_eq!(found, Some(code), "{options:?}: {said}");
        assert!(said.contains(expected), "{options:?}: {said}");
    }
}
