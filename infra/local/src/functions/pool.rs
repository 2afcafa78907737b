//! The processes of each function: as many as are needed, up to a bound, used again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use hyper::body::Bytes;
use tokio::sync::Semaphore;

use super::logs::Log;
use super::process::{Process, Ran};
use super::runtime::Reply;
use crate::callers::Caller;
use crate::template::FunctionPlan;
use crate::terminal::Terminal;

/// Processes of one function at a time.
const PROCESSES: usize = 4;
/// Invocations that may wait for a process.
const WAITING: usize = 1000;
/// Processes that one invocation may be handed to before it is given up.
const HANDOVERS: usize = 3;

/// How an invocation ended.
#[derive(Debug)]
pub enum Outcome {
    Answer(Bytes),
    /// The function says that it failed.
    Error(Bytes),
    /// Its process died, or could not be started.
    Died,
    TimedOut,
    /// Too many others wait.
    Busy,
}

/// What the processes of a function are started with.
#[derive(Debug)]
pub struct Setting {
    pub plan: Arc<FunctionPlan>,
    pub binary: PathBuf,
    pub environment: Vec<(String, String)>,
    pub caller: Arc<Caller>,
}

#[derive(Debug)]
struct Pool {
    setting: Setting,
    log: Arc<Log>,
    slots: Semaphore,
    waiting: AtomicUsize,
    idle: Mutex<Vec<Arc<Process>>>,
    pids: Mutex<BTreeSet<u32>>,
    closing: AtomicBool,
}

/// All functions, by name.
#[derive(Debug)]
pub struct Functions {
    pools: BTreeMap<String, Arc<Pool>>,
}

impl Functions {
    /// Starts the first process of every function, side by side.
    pub async fn start(
        settings: Vec<Setting>,
        logs: &std::path::Path,
        terminal: &Arc<Terminal>,
    ) -> Result<Self> {
        let mut pools = BTreeMap::new();
        for setting in settings {
            let name = setting.plan.name.clone();
            let log = Arc::new(Log::open(logs, &name, Arc::clone(terminal))?);
            pools.insert(
                name,
                Arc::new(Pool {
                    setting,
                    log,
                    slots: Semaphore::new(PROCESSES),
                    waiting: AtomicUsize::new(0),
                    idle: Mutex::default(),
                    pids: Mutex::default(),
                    closing: AtomicBool::new(false),
                }),
            );
        }
        let mut starts = Vec::new();
        for (name, pool) in &pools {
            let (name, pool) = (name.clone(), Arc::clone(pool));
            starts.push(tokio::spawn(async move {
                let process = pool.start().await.with_context(|| format!("function {name}"))?;
                pool.idle().push(process);
                anyhow::Ok(())
            }));
        }
        for start in starts {
            start.await??;
        }
        Ok(Self { pools })
    }

    /// Invokes `function`. It goes on even if whoever asked does not wait for it.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Outcome {
        let Some(pool) = self.pools.get(function) else { return Outcome::Died };
        let pool = Arc::clone(pool);
        let invoked = tokio::spawn(async move {
            pool.setting.caller.invocations.fetch_add(1, Ordering::Relaxed);
            let outcome = pool.invoke(payload).await;
            if !matches!(outcome, Outcome::Answer(_)) {
                pool.setting.caller.errors.fetch_add(1, Ordering::Relaxed);
            }
            outcome
        });
        invoked.await.unwrap_or(Outcome::Died)
    }

    /// The processes of `function`.
    pub fn pids(&self, function: &str) -> Vec<u32> {
        let pool = self.pools.get(function);
        pool.map(|pool| pool.pids().iter().copied().collect()).unwrap_or_default()
    }

    /// Ends all processes.
    pub async fn stop(&self) {
        for pool in self.pools.values() {
            pool.closing.store(true, Ordering::Release);
            // All slots: nothing is at work any more, or the time that it was given is over.
            let grace = std::time::Duration::from_secs(10);
            let all = pool.slots.acquire_many(u32::try_from(PROCESSES).unwrap_or(u32::MAX));
            let _all = tokio::time::timeout(grace, all).await;
            pool.slots.close();
            let processes = std::mem::take(&mut *pool.idle());
            for process in processes {
                process.kill();
                process.ended().await;
            }
        }
    }
}

impl Pool {
    async fn invoke(self: &Arc<Self>, payload: Bytes) -> Outcome {
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= WAITING + PROCESSES {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Outcome::Busy;
        }
        let slot = self.slots.acquire().await;
        let outcome = match slot {
            Ok(_slot) => self.hand_over(payload).await,
            Err(_) => Outcome::Died,
        };
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        outcome
    }

    async fn hand_over(self: &Arc<Self>, payload: Bytes) -> Outcome {
        for _ in 0..HANDOVERS {
            let process = match self.take_idle() {
                Some(process) => process,
                None => match self.start().await {
                    Ok(process) => process,
                    Err(error) => {
                        self.log.warning(&format!("[cannot be started: {error:#}]"));
                        return Outcome::Died;
                    }
                },
            };
            let ran = process.run(payload.clone(), self.setting.plan.timeout).await;
            match ran {
                Ran::Replied(reply) => {
                    self.idle().push(process);
                    return match reply {
                        Reply::Answer(body) => Outcome::Answer(body),
                        Reply::Error(body) => {
                            let text = String::from_utf8_lossy(&body);
                            self.log.warning(&format!("[failed: {text}]"));
                            Outcome::Error(body)
                        }
                    };
                }
                Ran::Died => return Outcome::Died,
                Ran::TimedOut => {
                    self.log.warning("[took too long, and was ended]");
                    process.ended().await;
                    return Outcome::TimedOut;
                }
                Ran::NotTaken => {}
            }
        }
        Outcome::Died
    }

    fn take_idle(&self) -> Option<Arc<Process>> {
        let mut idle = self.idle();
        idle.retain(|process| process.alive());
        idle.pop()
    }

    async fn start(self: &Arc<Self>) -> Result<Arc<Process>> {
        let pool = Arc::clone(self);
        let on_end = move |pid| pool.ended(pid);
        let Setting { plan, binary, environment, .. } = &self.setting;
        let process = Process::start(binary, environment, &plan.arn, &self.log, on_end).await?;
        self.pids().insert(process.pid);
        if !process.alive() {
            self.pids().remove(&process.pid);
        }
        Ok(Arc::new(process))
    }

    /// A process ended: when it was the last one, another is made ready.
    fn ended(self: &Arc<Self>, pid: u32) {
        let worked = self.pids().remove(&pid);
        if worked && self.pids().is_empty() && !self.closing.load(Ordering::Acquire) {
            let pool = Arc::clone(self);
            tokio::spawn(async move {
                let Ok(_slot) = pool.slots.acquire().await else { return };
                if pool.pids().is_empty()
                    && let Ok(process) = pool.start().await
                {
                    pool.idle().push(process);
                }
            });
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Process>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pids(&self) -> std::sync::MutexGuard<'_, BTreeSet<u32>> {
        self.pids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
