//! One process of a function: started with its environment, given work, watched until its end.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use hyper::body::Bytes;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use uuid::Uuid;

use super::logs::Log;
use super::runtime::{Desk, Job, Reply};
use crate::serve::serve;

const START_TIME: Duration = Duration::from_secs(30);

/// A running process.
#[derive(Debug)]
pub struct Process {
    pub pid: u32,
    jobs: mpsc::Sender<Job>,
    gone: watch::Receiver<bool>,
    kill: Arc<Notify>,
}

/// How an invocation went.
#[derive(Debug)]
pub enum Ran {
    Replied(Reply),
    /// The process ended while it had the invocation.
    Died,
    TimedOut,
    /// The process ended before it took the invocation, so another may have it.
    NotTaken,
}

impl Process {
    /// Starts `binary` and waits until it asks for work.
    pub async fn start(
        binary: &Path,
        environment: &[(String, String)],
        arn: &str,
        log: &Arc<Log>,
        on_end: impl FnOnce(u32) + Send + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut command = Command::new(binary);
        command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            // Ctrl-C is for the stack: it lets its functions finish first.
            .process_group(0);
        let child = command
            .spawn()
            .with_context(|| format!("{} cannot be run; is it built?", binary.display()))?;
        let (jobs, receiver) = mpsc::channel(1);
        let desk = Arc::new(Desk::new(arn.to_owned(), Arc::clone(log), receiver));
        let mut ready = desk.readiness();
        let (gone_sender, mut gone) = watch::channel(false);
        let kill = Arc::new(Notify::new());
        let pid = child.id().context("it ended at once")?;
        tokio::spawn(watch_over(
            child,
            listener,
            desk,
            gone_sender,
            Arc::clone(&kill),
            Arc::clone(log),
            on_end,
        ));
        let process = Self { pid, jobs, gone: gone.clone(), kill };
        tokio::select! {
            _ = ready.wait_for(|ready| *ready) => Ok(process),
            _ = gone.wait_for(|gone| *gone) => bail!("it ended before it asked for work"),
            () = tokio::time::sleep(START_TIME) => {
                process.kill();
                bail!("it did not ask for work within {} s", START_TIME.as_secs())
            }
        }
    }

    /// Whether it still runs.
    pub fn alive(&self) -> bool {
        !*self.gone.borrow()
    }

    /// Ends it.
    pub fn kill(&self) {
        self.kill.notify_one();
    }

    /// Waits for its end.
    pub async fn ended(&self) {
        let _ = self.gone.clone().wait_for(|gone| *gone).await;
    }

    /// Has it work on `payload`.
    pub async fn run(&self, payload: Bytes, timeout: Duration) -> Ran {
        let taken = Arc::new(AtomicBool::new(false));
        let (reply, replied) = oneshot::channel();
        let id = Uuid::new_v4().to_string();
        let job = Job { id, payload, timeout, taken: Arc::clone(&taken), reply };
        if self.jobs.send(job).await.is_err() {
            return Ran::NotTaken;
        }
        let mut gone = self.gone.clone();
        tokio::select! {
            // What it said before its end counts.
            biased;
            Ok(reply) = replied => Ran::Replied(reply),
            _ = gone.wait_for(|gone| *gone) => match taken.load(Ordering::Acquire) {
                true => Ran::Died,
                false => Ran::NotTaken,
            },
            () = tokio::time::sleep(timeout) => {
                self.kill();
                Ran::TimedOut
            }
        }
    }
}

async fn watch_over(
    mut child: Child,
    listener: TcpListener,
    desk: Arc<Desk>,
    gone: watch::Sender<bool>,
    kill: Arc<Notify>,
    log: Arc<Log>,
    on_end: impl FnOnce(u32),
) {
    let pid = child.id().unwrap_or_default();
    if let Some(stdout) = child.stdout.take() {
        log.follow(stdout);
    }
    if let Some(stderr) = child.stderr.take() {
        log.follow(stderr);
    }
    let (stop, stopped) = watch::channel(false);
    let serving = Arc::clone(&desk);
    let server = tokio::spawn(serve(listener, stopped, move |request| {
        let desk = Arc::clone(&serving);
        async move { desk.handle(request).await }
    }));
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => {
            let _ = child.start_kill();
            child.wait().await
        }
    };
    log.line(&match status {
        Ok(status) => format!("[process {pid} ended: {status}]"),
        Err(error) => format!("[process {pid} ended: {error}]"),
    });
    desk.abandon();
    gone.send_replace(true);
    drop(stop);
    server.abort();
    on_end(pid);
}
