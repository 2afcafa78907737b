//! Changes of a table as the function that follows them sees them.

use serde_json::{Value, json};

use crate::support::{Stack, folder, until};

async fn change(stack: &Stack, pk: &str, sk: &str, what: &str) {
    let item = json!({"pk": {"S": pk}, "sk": {"S": sk}, "do": {"S": what}});
    let put = json!({"TableName": stack.ready["table"], "Item": item});
    let put = stack.service("table_endpoint", "DynamoDB_20120810.PutItem", &put).await;
    assert_eq!(put.get("__type"), None, "{put}");
}

/// The sort keys of the changes that the function noted, in the order of the stream.
async fn noted(stack: &Stack) -> Vec<String> {
    let items = stack.items("noted").await;
    items.iter().map(|item| item["key"]["S"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn changes_come_in_order_until_they_are_done_with_and_what_is_not_wanted_never() {
    let stack = Stack::memory("changes").await;
    stack.call("POST", "/_local/clock", json!({"now": "2031-05-01T00:00:00Z"})).await;
    let said = ["live", "die once", "live", "fail once", "live", "live"];
    for (number, what) in said.into_iter().enumerate() {
        change(&stack, "followed", &number.to_string(), what).await;
        change(&stack, "not", &number.to_string(), "die").await;
    }
    stack.idle().await;
    assert_eq!(noted(&stack).await, ["0", "1", "2", "3", "4", "5"]);
    change(&stack, "followed", "0", "changed").await;
    stack.idle().await;
    let item = stack.items("noted").await.pop().unwrap();
    let record: Value = serde_json::from_str(item["record"]["S"].as_str().unwrap()).unwrap();
    for (pointer, expected) in [
        ("/eventName", json!("MODIFY")),
        ("/eventSource", json!("aws:dynamodb")),
        ("/dynamodb/Keys", json!({"pk": {"S": "followed"}, "sk": {"S": "0"}})),
        ("/dynamodb/OldImage/do/S", json!("live")),
        ("/dynamodb/NewImage/do/S", json!("changed")),
    ] {
        assert_eq!(record.pointer(pointer), Some(&expected), "{pointer}");
    }
    let arn = record["eventSourceARN"].as_str().unwrap();
    assert!(arn.contains("table/Things/stream/"), "{arn}");
    let at = record["dynamodb"]["ApproximateCreationDateTime"].to_string();
    assert!(at.starts_with("19353"), "not of the moved clock: {at}");
}

#[tokio::test]
async fn a_change_that_always_fails_is_given_up_and_holds_up_no_other_for_ever() {
    let stack = Stack::memory("given-up").await;
    for (number, what) in ["live", "die", "live"].into_iter().enumerate() {
        change(&stack, "followed", &number.to_string(), what).await;
    }
    stack.idle().await;
    assert_eq!(noted(&stack).await, ["0", "1", "2"]);
    let told = until("what was given up", async || stack.receive("GivenUp").await).await;
    let told: Value = serde_json::from_str(told["Body"].as_str().unwrap()).unwrap();
    assert_eq!(told["DDBStreamBatchInfo"]["batchSize"], 1, "{told}");
    assert!(!told.to_string().contains("followed"), "{told}");
    assert!(stack.receive("GivenUp").await.is_none());
}

#[tokio::test]
async fn a_stack_that_starts_again_goes_on_where_it_was() {
    let folder = folder("changes-kept");
    let data = folder.join("data");
    let options = ["--quiet", "--data", data.to_str().unwrap()];
    let stack = Stack::start(&folder, &options).await;
    change(&stack, "followed", "0", "live").await;
    stack.idle().await;
    let handled = stack.stats("echo").await["invocations"].clone();
    assert_eq!(handled, 1);
    let at = data.join("EchoFollow.at");
    let place = std::fs::read_to_string(&at).unwrap();
    change(&stack, "followed", "1", "live").await;
    stack.idle().await;
    assert!(stack.stop().await.success());

    // As if the stack had been cut off before it noted how far it was.
    std::fs::write(&at, place).unwrap();
    let stack = Stack::start(&folder, &options).await;
    stack.idle().await;
    assert_eq!(stack.stats("echo").await["invocations"], 1, "the second change, once more");
    assert_eq!(noted(&stack).await, ["0", "1"]);
    assert!(stack.stop().await.success());
}

#[tokio::test]
async fn an_ordered_queue_keeps_the_order_of_each_group_over_a_restart() {
    let folder = folder("ordered");
    let data = folder.join("data");
    let options = ["--quiet", "--data", data.to_str().unwrap()];
    let mut stack = Stack::start(&folder, &options).await;
    for number in 0..8 {
        let url = &stack.ready["queues"]["Ordered.fifo"];
        let message = json!({"QueueUrl": url, "MessageBody": number.to_string(),
            "MessageGroupId": "one", "MessageDeduplicationId": number.to_string()});
        let sent = stack.service("queue_endpoint", "AmazonSQS.SendMessage", &message).await;
        assert!(sent["MessageId"].is_string(), "{sent}");
    }
    let mut taken = Vec::new();
    for _ in 0..2 {
        assert!(stack.stop().await.success());
        stack = Stack::start(&folder, &options).await;
    }
    while taken.len() < 8 {
        let url = stack.ready["queues"]["Ordered.fifo"].clone();
        let message = until("a message", async || stack.receive("Ordered.fifo").await).await;
        taken.push(message["Body"].as_str().unwrap().to_owned());
        let delete = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
        stack.service("queue_endpoint", "AmazonSQS.DeleteMessage", &delete).await;
    }
    assert_eq!(taken.concat(), "01234567");
}

#[tokio::test]
async fn a_secret_with_a_template_is_made_of_it() {
    let stack = Stack::memory("template-secret").await;
    let (get, secret) = ("secretsmanager.GetSecretValue", json!({"SecretId": "Keys"}));
    let made = stack.service("secret_endpoint", get, &secret).await;
    let made: Value = serde_json::from_str(made["SecretString"].as_str().unwrap()).unwrap();
    assert_eq!(made["other"], "known");
    assert_eq!(made["made"].as_str().unwrap().len(), 20);
}
