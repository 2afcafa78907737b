//! The whole stack: made in order, run until a signal, ended in order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::callers::Callers;
use crate::clock::Clock;
use crate::control::Control;
use crate::data::{Folder, random_text, read_or_make, write_whole};
use crate::functions::{Functions, Setting};
use crate::gateway::{Gateway, Issuer};
use crate::mapping::Mapping;
use crate::options::Options;
use crate::ready::Ready;
use crate::schedule::Schedule;
use crate::serve::serve;
use crate::services::{self, Doors, Endpoints, queues::Queues, tables::Tables};
use crate::stream::Follower;
use crate::template::{self, Addresses, Stack};
use crate::terminal::Terminal;
use crate::{banner, compile, environment};

/// What is known before anything is made.
struct Plan {
    options: Options,
    terminal: Arc<Terminal>,
    folder: Folder,
    binaries: PathBuf,
    stack: Stack,
}

/// What is made.
struct Running {
    callers: Arc<Callers>,
    clock: Arc<Clock>,
    queues: Arc<Queues>,
    tables: Arc<Tables>,
    functions: Arc<Functions>,
    endpoints: Endpoints,
    /// The engine behind the tables.
    engine: JoinHandle<()>,
    services: JoinSet<()>,
    work: JoinSet<()>,
}

/// Runs the stack until it is told to stop.
pub async fn run(options: Options) -> Result<()> {
    let terminal = Arc::new(Terminal::new(options.quiet));
    let folder = folder(&options)?;
    let api = TcpListener::bind(("127.0.0.1", options.port)).await.with_context(|| {
        let port = options.port;
        format!("port {port} cannot be had; stop what uses it, or give --port another (0 = any)")
    })?;
    let doors = Doors::open().await?;
    let binaries = match &options.functions {
        Some(folder) => folder.clone(),
        None => {
            compile::build(options.quiet)?;
            compile::binaries()?
        }
    };
    let path = options.template.clone();
    let path = path.unwrap_or_else(|| compile::workspace().join("infra/template.yaml"));
    let text = std::fs::read_to_string(&path);
    let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
    let endpoints = doors.endpoints()?;
    let addresses =
        Addresses { api: format!("http://{}", api.local_addr()?), queues: endpoints.queue.clone() };
    let stack = template::read(&text, &addresses).with_context(|| path.display().to_string())?;
    let plan = Plan { options, terminal, folder, binaries, stack };
    // Two ends: first no more work is let in, then the services behind it go.
    let (closing, closed) = watch::channel(false);
    let (ending, ended) = watch::channel(false);
    let mut running = make(&plan, doors, endpoints, ended).await?;
    open(&plan, &mut running, api, addresses.api, closed)?;
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    plan.terminal.say("Stopping.");
    close(&plan, running, closing, ending).await;
    Ok(())
}

fn folder(options: &Options) -> Result<Folder> {
    let target = || {
        let binaries = compile::binaries()?;
        anyhow::Ok(binaries.parent().map_or_else(|| binaries.clone(), |target| target.to_owned()))
    };
    match (options.memory, &options.data) {
        (true, _) => Folder::temporary(&target()?.join("local-memory")),
        (false, Some(data)) => Folder::keep(data),
        (false, None) => Folder::keep(&target()?.join("local")),
    }
}

/// Makes the services, then starts the functions that need them.
async fn make(
    plan: &Plan,
    doors: Doors,
    endpoints: Endpoints,
    ended: watch::Receiver<bool>,
) -> Result<Running> {
    let callers = Arc::new(Callers::new(&plan.stack.functions)?);
    let mut services = JoinSet::new();
    let (queues, tables, engine) =
        services::start(&plan.stack, &plan.folder, doors, &callers, &mut services, ended).await?;
    let settings = plan.stack.functions.iter().filter_map(|function| {
        let caller = Arc::clone(callers.function(&function.name)?);
        Some(Setting {
            environment: environment::of(function, &caller, &endpoints),
            binary: plan.binaries.join(&function.binary),
            plan: Arc::clone(function),
            caller,
        })
    });
    let logs = plan.folder.path.join("logs");
    let functions = Functions::start(settings.collect(), &logs, &plan.terminal).await?;
    Ok(Running {
        callers,
        clock: Arc::default(),
        queues,
        tables,
        functions: Arc::new(functions),
        endpoints,
        engine,
        services,
        work: JoinSet::new(),
    })
}

/// Lets work in: messages, schedules, requests; and tells everyone.
fn open(
    plan: &Plan,
    running: &mut Running,
    api: TcpListener,
    address: String,
    closed: watch::Receiver<bool>,
) -> Result<()> {
    let Plan { options, terminal, folder, stack, .. } = plan;
    let followers = follow(plan, running, &closed)?;
    let (functions, clock) = (&running.functions, &running.clock);
    let mut consumed = Vec::new();
    for mapping in &stack.mappings {
        let of = stack.functions.iter().find(|function| function.name == mapping.function);
        let policy = &of.context("a mapping without a function")?.policy;
        let queues = Arc::clone(&running.queues);
        let mapping = Mapping::new(
            mapping.clone(),
            policy,
            queues,
            Arc::clone(functions),
            Arc::clone(clock),
        )?;
        consumed.push(mapping.queue().to_owned());
        running.work.spawn(mapping.run(closed.clone()));
    }
    let mut schedules = BTreeMap::new();
    for schedule in &stack.schedules {
        let id = schedule.id.clone();
        let schedule = Schedule::new(schedule.clone(), Arc::clone(functions), Arc::clone(clock))?;
        let schedule = Arc::new(schedule);
        schedules.insert(id, Arc::clone(&schedule));
        running.work.spawn(schedule.run(closed.clone()));
    }
    let key = read_or_make(&folder.path.join("token.key"), || random_text(64, &[]))?;
    let issuer = issuer(stack, &key).map(Arc::new);
    let token = match &issuer {
        Some(issuer) => Some(issuer.token(&issuer.scopes, &Map::new())?),
        None => None,
    };
    let gateway = Gateway::new(stack, issuer.clone(), Arc::clone(functions), Arc::clone(clock))?;
    let control = Control {
        issuer,
        callers: Arc::clone(&running.callers),
        functions: Arc::clone(functions),
        clock: Arc::clone(clock),
        schedules,
        queues: Arc::clone(&running.queues),
        consumed,
        followers,
    };
    let answering = Arc::new((gateway, control));
    running.work.spawn(serve(api, closed, move |request| {
        let answering = Arc::clone(&answering);
        async move {
            let (gateway, control) = &*answering;
            match request.uri().path().starts_with("/_local/") {
                true => control.handle(request).await,
                false => gateway.handle(request).await,
            }
        }
    }));
    let queues = &running.queues;
    let names = stack.queues.iter().map(|(name, _)| (name.clone(), Value::from(queues.url(name))));
    let endpoints = running.endpoints.clone();
    let ready = Ready { api: address, token, endpoints, queues: names.collect() };
    banner::show(terminal, stack, &ready, folder);
    match &options.ready_file {
        Some(file) => write_whole(file, &ready.file(stack, &running.callers.operator).to_string()),
        None => Ok(()),
    }
}

/// Lets changes of tables in.
fn follow(
    plan: &Plan,
    running: &mut Running,
    closed: &watch::Receiver<bool>,
) -> Result<Vec<Arc<Follower>>> {
    let mut followers = Vec::new();
    for stream in &plan.stack.streams {
        let of = plan.stack.functions.iter().find(|function| function.name == stream.function);
        let policy = &of.context("a mapping without a function")?.policy;
        let kept = plan.folder.kept.then(|| plan.folder.path.join(format!("{}.at", stream.id)));
        let follower = Arc::new(Follower::new(
            stream.clone(),
            policy,
            kept,
            Arc::clone(&running.tables),
            Arc::clone(&running.queues),
            Arc::clone(&running.functions),
            Arc::clone(&running.clock),
        )?);
        running.work.spawn(Arc::clone(&follower).run(closed.clone()));
        followers.push(follower);
    }
    Ok(followers)
}

fn issuer(stack: &Stack, key: &str) -> Option<Issuer> {
    let (issuer, audience) = stack.authorizer.clone()?;
    let scopes = stack.routes.iter().flat_map(|route| route.scopes.iter().cloned());
    let mut scopes: Vec<String> = scopes.collect();
    scopes.sort();
    scopes.dedup();
    Some(Issuer::new(issuer, audience, scopes, key))
}

/// Ends everything: what is under way may finish, but not for ever.
async fn close(
    plan: &Plan,
    mut running: Running,
    closing: watch::Sender<bool>,
    ending: watch::Sender<bool>,
) {
    closing.send_replace(true);
    while running.work.join_next().await.is_some() {}
    running.functions.stop().await;
    let names: Vec<String> = plan.stack.queues.iter().map(|(name, _)| name.clone()).collect();
    running.queues.look_into(&names).await;
    ending.send_replace(true);
    while running.services.join_next().await.is_some() {}
    let engine = running.engine;
    // The engine cannot have failed in a way that matters now.
    let _ = tokio::task::spawn_blocking(move || engine.join()).await;
}
