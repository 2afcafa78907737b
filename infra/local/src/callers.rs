//! Who calls the services, what they may do there, and what they did.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use hyper::HeaderMap;
use serde_json::{Value, json};

use crate::capacity::Units;
use crate::template::FunctionPlan;

/// The access key id of tests' own clients, which may do everything.
const OPERATOR: &str = "local-operator";

/// One function, or the operator, as the services see it.
#[derive(Debug)]
pub struct Caller {
    pub key_id: String,
    pub secret: String,
    plan: Option<Arc<FunctionPlan>>,
    pub invocations: AtomicU64,
    pub errors: AtomicU64,
    failed_conditions: AtomicU64,
    done: Mutex<Done>,
}

#[derive(Debug, Default)]
struct Done {
    calls: BTreeMap<String, u64>,
    denied: BTreeMap<String, u64>,
    written: Units,
    read: Units,
}

impl Caller {
    fn new(name: &str, plan: Option<Arc<FunctionPlan>>) -> Result<Self> {
        Ok(Self {
            key_id: format!("local-{name}"),
            secret: crate::data::random_text(40, &[])?,
            plan,
            invocations: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            failed_conditions: AtomicU64::new(0),
            done: Mutex::default(),
        })
    }

    /// Counts a call of `action`, and whether the caller may do all that it `needs`.
    pub fn may(&self, action: &str, needs: &[(&str, String)]) -> Result<(), String> {
        let allows = |need: &(&str, String)| {
            self.plan.as_ref().is_none_or(|plan| plan.policy.allows(need.0, &need.1))
        };
        let denied = needs.iter().find(|need| !allows(need));
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        match denied {
            None => {
                *done.calls.entry(action.to_owned()).or_default() += 1;
                Ok(())
            }
            Some((permission, resource)) => {
                *done.denied.entry(format!("{permission} {resource}")).or_default() += 1;
                Err(format!(
                    "User: {} is not authorized to perform: {permission} on resource: {resource}",
                    self.key_id
                ))
            }
        }
    }

    /// Adds what a call consumed.
    pub fn consumed(&self, written: Units, read: Units) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.written += written;
        done.read += read;
    }

    /// Counts a write that its condition refused; services bill it, but do not say how much.
    pub fn failed_condition(&self) {
        self.failed_conditions.fetch_add(1, Ordering::Relaxed);
    }

    fn stats(&self, pids: Vec<u32>) -> Value {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "invocations": self.invocations.load(Ordering::Relaxed),
            "errors": self.errors.load(Ordering::Relaxed),
            "pids": pids,
            "write_units": done.written.number(),
            "read_units": done.read.number(),
            "failed_conditions": self.failed_conditions.load(Ordering::Relaxed),
            "calls": done.calls,
            "denied": done.denied,
            "unused_permissions": self.plan.as_ref().map(|plan| plan.policy.unused()),
        })
    }

    fn reset(&self) {
        for counter in [&self.invocations, &self.errors, &self.failed_conditions] {
            counter.store(0, Ordering::Relaxed);
        }
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = Done::default();
    }
}

/// All callers.
#[derive(Debug)]
pub struct Callers {
    functions: BTreeMap<String, Arc<Caller>>,
    pub operator: Arc<Caller>,
}

impl Callers {
    /// A caller for each function, and the operator.
    pub fn new(functions: &[Arc<FunctionPlan>]) -> Result<Self> {
        let mut callers = BTreeMap::new();
        for plan in functions {
            let caller = Caller::new(&plan.name, Some(Arc::clone(plan)))?;
            callers.insert(plan.name.clone(), Arc::new(caller));
        }
        let operator = Arc::new(Caller::new(OPERATOR.trim_start_matches("local-"), None)?);
        Ok(Self { functions: callers, operator })
    }

    /// Everyone with a key.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Caller>> {
        self.functions.values().chain([&self.operator])
    }

    /// The caller of that name.
    pub fn function(&self, name: &str) -> Option<&Arc<Caller>> {
        self.functions.get(name)
    }

    /// The caller whose access key id this is.
    pub fn by_key(&self, key_id: &str) -> Option<&Arc<Caller>> {
        self.all().find(|caller| caller.key_id == key_id)
    }

    /// The caller that signed a request with these headers.
    pub fn signer(&self, headers: &HeaderMap) -> Option<&Arc<Caller>> {
        let signature = headers.get(hyper::header::AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = signature.split_once("Credential=")?;
        self.by_key(credential.split('/').next()?)
    }

    /// What every function did since the last reset; `pids` are its processes.
    pub fn stats(&self, pids: impl Fn(&str) -> Vec<u32>) -> Value {
        let functions =
            self.functions.iter().map(|(name, caller)| (name.clone(), caller.stats(pids(name))));
        json!({"functions": functions.collect::<serde_json::Map<_, _>>()})
    }

    /// Starts counting anew; used permissions stay used.
    pub fn reset(&self) {
        self.all().for_each(|caller| caller.reset());
    }
}
