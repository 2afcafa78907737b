//! A running stack of `tests/template.yaml`, and a client of it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const BOUND: Duration = Duration::from_secs(60);

/// A stack; it is stopped when dropped.
pub struct Stack {
    child: Child,
    pub ready: Value,
    pub client: reqwest::Client,
}

/// A folder of this test's own, empty.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// The command that runs the test template's stack, with its files in `folder`.
pub fn command(folder: &Path, options: &[&str]) -> Command {
    let binaries = folder.join("functions");
    std::fs::create_dir_all(&binaries).unwrap();
    let local = Path::new(env!("CARGO_BIN_EXE_local"));
    let echo = local.parent().unwrap().join("examples/echo");
    for name in ["echo", "slow-echo"] {
        let _ = std::fs::remove_file(binaries.join(name));
        std::os::unix::fs::symlink(&echo, binaries.join(name)).unwrap();
    }
    let mut command = Command::new(local);
    command
        .args(["--port", "0", "--functions"])
        .arg(binaries)
        .arg("--template")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/template.yaml"))
        .arg("--ready-file")
        .arg(folder.join("ready.json"))
        .args(options)
        .stdin(Stdio::null());
    command
}

/// Looks again and again until `look` finds something, within a bound.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let mut interval = tokio::time::interval(Duration::from_millis(5));
    let looked = tokio::time::timeout(BOUND, async {
        loop {
            interval.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    });
    looked.await.unwrap_or_else(|_| panic!("not within {BOUND:?}: {what}"))
}

impl Stack {
    pub async fn memory(name: &str) -> Self {
        Self::start(&folder(name), &["--memory", "--quiet"]).await
    }

    pub async fn start(folder: &Path, options: &[&str]) -> Self {
        let file = folder.join("ready.json");
        let _ = std::fs::remove_file(&file);
        let mut child = command(folder, options).spawn().unwrap();
        let ready = until("the ready file", async || {
            assert_eq!(child.try_wait().unwrap(), None, "the stack ended");
            std::fs::read_to_string(&file).ok()
        });
        let ready = serde_json::from_str(&ready.await).unwrap();
        Self { child, ready, client: reqwest::Client::new() }
    }

    fn api(&self, path: &str) -> String {
        format!("{}{path}", self.ready["api"].as_str().unwrap())
    }

    /// A request with a token for everything.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let token = self.ready["token"].as_str().unwrap();
        self.client.request(method, self.api(path)).bearer_auth(token)
    }

    /// Status and body of a request with a token for everything.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.request(method, path);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    pub async fn stats(&self, function: &str) -> Value {
        self.call("GET", "/_local/stats", Value::Null).await.1["functions"][function].clone()
    }

    /// A call of a service, as the operator.
    pub async fn service(&self, endpoint: &str, target: &str, body: &Value) -> Value {
        let key = self.ready["access_key_id"].as_str().unwrap();
        let answer = self.client.post(self.ready[endpoint].as_str().unwrap());
        let answer = answer
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .header("x-amz-date", "20261121T000000Z")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={key}/20261121/eu-central-1/any/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature=0"
                ),
            );
        let answer = answer.body(body.to_string()).send().await.unwrap();
        answer.json().await.unwrap_or_default()
    }

    /// Sends a message to `queue`.
    pub async fn send(&self, queue: &str, body: Value) {
        let url = &self.ready["queues"][queue];
        let message = json!({"QueueUrl": url, "MessageBody": body.to_string()});
        let sent = self.service("queue_endpoint", "AmazonSQS.SendMessage", &message).await;
        assert!(sent["MessageId"].is_string(), "{sent}");
    }

    /// Takes a message from `queue`, if there is one.
    pub async fn receive(&self, queue: &str) -> Option<Value> {
        let receive = json!({"QueueUrl": self.ready["queues"][queue], "WaitTimeSeconds": 0});
        let mut received =
            self.service("queue_endpoint", "AmazonSQS.ReceiveMessage", &receive).await;
        let messages = received["Messages"].as_array_mut()?;
        messages.pop()
    }

    /// What stands in the table under `pk`.
    pub async fn items(&self, pk: &str) -> Vec<Value> {
        let query = json!({
            "TableName": self.ready["table"], "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
        });
        let found = self.service("table_endpoint", "DynamoDB_20120810.Query", &query).await;
        found["Items"].as_array().cloned().unwrap_or_else(|| panic!("{found}"))
    }

    pub async fn idle(&self) {
        let idle = tokio::time::timeout(BOUND, self.call("GET", "/_local/idle", Value::Null));
        assert_eq!(idle.await.expect("idle").0, 200);
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, and gives its exit status.
    pub async fn stop(mut self) -> std::process::ExitStatus {
        signal(self.child.id(), "TERM");
        until("its end", async || self.child.try_wait().unwrap()).await
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(self.child.id(), "TERM");
            let bound = Instant::now() + BOUND;
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < bound {
                std::thread::yield_now();
            }
        }
    }
}

/// Sends a signal to a process.
pub fn signal(pid: u32, signal: &str) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status();
    assert!(sent.unwrap().success(), "kill -{signal} {pid}");
}
