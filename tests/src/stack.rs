//! A local stack of one's own: started, asked, and stopped.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::client::{Answer, Client};

/// How long a stack may take to be ready.
const READY: Duration = Duration::from_secs(60);

/// A running stack; it is stopped when it is dropped.
#[derive(Debug)]
pub struct Stack {
    child: Child,
    /// The ready file.
    pub ready: Value,
    /// A caller with all scopes.
    pub client: Client,
    folder: PathBuf,
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// Builds the stack and its functions; cargo shows what it builds. Within `cargo test`, `tests` has
/// them built with the features that the tests have chosen, so that nothing is built twice.
///
/// # Errors
/// They do not build.
pub async fn build(tests: bool) -> Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let binaries = binaries()?;
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["build", "--workspace", "--bins"]);
    if tests {
        command.arg("--tests");
    }
    if binaries.ends_with("release") {
        command.arg("--release");
    }
    if !command.status().await?.success() {
        bail!("the stack does not build");
    }
    Ok(binaries)
}

/// Where this build's binaries are: beside this one, or above it for a test.
///
/// # Errors
/// There is no such folder.
pub fn binaries() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("no folder")?;
    let folder = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    Ok(folder.context("no folder")?.to_path_buf())
}

impl Stack {
    /// Starts a stack in memory. Its binaries must be built.
    ///
    /// # Errors
    /// It does not become ready.
    pub async fn start() -> Result<Stack> {
        Stack::start_with(&["--memory"]).await
    }

    /// Starts a stack with further arguments.
    ///
    /// # Errors
    /// It does not become ready.
    pub async fn start_with(arguments: &[&str]) -> Result<Stack> {
        let binaries = binaries()?;
        let folder = std::env::temp_dir().join(format!("accrue-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder)?;
        let ready_file = folder.join("ready.json");
        let child = Command::new(binaries.join("local"))
            .current_dir(root())
            .args(["--port", "0", "--quiet", "--functions"])
            .arg(&binaries)
            .arg("--ready-file")
            .arg(&ready_file)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("the stack does not start")?;
        let mut stack = Stack { child, ready: Value::Null, client: Client::new("", "")?, folder };
        let waited = tokio::time::timeout(READY, stack.wait_until_ready(&ready_file)).await;
        stack.ready = waited.context("the stack is not ready in time")??;
        stack.client = Client::new(stack.text("api"), stack.text("token"))?;
        Ok(stack)
    }

    async fn wait_until_ready(&mut self, file: &Path) -> Result<Value> {
        loop {
            if let Ok(text) = std::fs::read(file) {
                return Ok(serde_json::from_slice(&text)?);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the stack ended: {status}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn text(&self, name: &str) -> &str {
        self.ready.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until no message is visible or in flight.
    ///
    /// # Errors
    /// No answer came.
    pub async fn idle(&self) -> Result<Answer> {
        self.client.get("/_local/idle").await
    }

    /// Moves the time that invocations carry by a duration, or asks for it with `P0D`.
    /// Milliseconds since 1970.
    ///
    /// # Errors
    /// No answer came.
    pub async fn advance(&self, by: &str) -> Result<Answer> {
        self.local("clock", &json!({ "advance": by })).await
    }

    /// A caller with these scopes and claims.
    ///
    /// # Errors
    /// No answer came.
    pub async fn caller(&self, scopes: &[&str], claims: &Value) -> Result<Client> {
        let body = json!({ "scopes": scopes, "claims": claims });
        let answer = self.local("token", &body).await?;
        Ok(self.client.with_token(answer.text("/token")))
    }

    /// `POST /_local/…`.
    ///
    /// # Errors
    /// No answer came.
    pub async fn local(&self, what: &str, body: &Value) -> Result<Answer> {
        let path = format!("/_local/{what}");
        self.client.raw("POST", &path, &[], Some(body.to_string().into_bytes())).await
    }

    /// What each function did.
    ///
    /// # Errors
    /// No answer came.
    pub async fn stats(&self) -> Result<Value> {
        Ok(self.client.get("/_local/stats").await?.body)
    }

    /// Asks the stack to stop and waits for it; answers its exit code.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn stop(mut self) -> Result<Option<i32>> {
        if let Some(pid) = self.child.id() {
            signal("TERM", pid).await?;
        }
        Ok(self.child.wait().await?.code())
    }

    /// Ends the stack's own process at once, as a power cut would.
    ///
    /// # Errors
    /// It cannot be ended.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// The processes of a function, named as in the template; of all without a name.
    ///
    /// # Errors
    /// No answer came.
    pub async fn pids(&self, function: Option<&str>) -> Result<Vec<u32>> {
        let stats = self.stats().await?;
        let functions = stats.get("functions").and_then(Value::as_object).into_iter().flatten();
        let wanted = functions.filter(|(name, _)| function.is_none_or(|wanted| wanted == *name));
        let pids = wanted.filter_map(|(_, stats)| stats.get("pids").and_then(Value::as_array));
        let pids = pids.flatten().filter_map(|pid| u32::try_from(pid.as_u64()?).ok());
        Ok(pids.collect())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // Asked, not killed: it then ends its functions. `kill_on_drop` is for one that hangs.
        if let Some(pid) = self.child.id() {
            let asked = std::process::Command::new("kill").arg(pid.to_string()).status();
            let ends = || self.child.try_wait().ok().flatten().is_some();
            let patience = 200;
            if asked.is_ok() {
                let _ended = std::iter::repeat_with(ends)
                    .inspect(|_| std::thread::sleep(Duration::from_millis(10)))
                    .take(patience)
                    .any(|ended| ended);
            }
        }
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}

/// Sends a signal to a process.
///
/// # Errors
/// There is no such process.
pub async fn signal(name: &str, pid: u32) -> Result<()> {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null());
    let status = kill.status().await?;
    if status.success() { Ok(()) } else { bail!("no process {pid}") }
}
