//! The services that functions call, each behind one address that knows who calls.

mod buckets;
mod engine;
mod journal;
mod needs;
pub mod queues;
mod secrets;
pub mod tables;

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Result;
use hyper::HeaderMap;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::callers::Callers;
use crate::data::Folder;
use crate::serve::serve;
use crate::template::Stack;
use buckets::Buckets;
use queues::Queues;
use secrets::Secrets;
use tables::Tables;

/// Where the services are.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub table: String,
    pub queue: String,
    pub bucket: String,
    pub secret: String,
}

/// What the services listen on.
pub struct Doors {
    table: TcpListener,
    queue: TcpListener,
    bucket: TcpListener,
    secret: TcpListener,
}

impl Doors {
    /// A free port of this machine for each.
    pub async fn open() -> Result<Self> {
        let any = || TcpListener::bind("127.0.0.1:0");
        let (table, queue, bucket, secret) = tokio::try_join!(any(), any(), any(), any())?;
        Ok(Self { table, queue, bucket, secret })
    }

    /// Their addresses.
    pub fn endpoints(&self) -> Result<Endpoints> {
        let address = |door: &TcpListener| anyhow::Ok(format!("http://{}", door.local_addr()?));
        Ok(Endpoints {
            table: address(&self.table)?,
            queue: address(&self.queue)?,
            bucket: address(&self.bucket)?,
            secret: address(&self.secret)?,
        })
    }
}

/// Makes what `stack` says and serves it until `ended`: the queues, the tables and their thread.
pub async fn start(
    stack: &Stack,
    folder: &Folder,
    doors: Doors,
    callers: &Arc<Callers>,
    services: &mut JoinSet<()>,
    ended: watch::Receiver<bool>,
) -> Result<(Arc<Queues>, Arc<Tables>, JoinHandle<()>)> {
    let kept = |name: &str| folder.kept.then(|| folder.path.join(name));
    let own = || Arc::clone(callers);
    let port = doors.queue.local_addr()?.port();
    let journal = kept("queues.jsonl");
    let queues = Queues::open(journal.as_deref(), &stack.queues, port, own()).await?;
    let queues = Arc::new(queues);
    let file = kept("tables.sqlite");
    let (tables, engine) =
        tables::open(file.as_deref(), &folder.path, &stack.tables, own(), ended.clone())?;
    let tables = Arc::new(tables);
    let buckets = Buckets::open(&folder.path.join("buckets"), &stack.buckets, own())?;
    let secrets = Secrets::open(&folder.path.join("secrets.json"), &stack.secrets, own())?;
    let secrets = Arc::new(secrets);

    let read = Arc::clone(&tables);
    services.spawn(serve(doors.table, ended.clone(), move |request| {
        let tables = Arc::clone(&read);
        async move { tables.handle(request).await }
    }));
    let asked = Arc::clone(&queues);
    services.spawn(serve(doors.queue, ended.clone(), move |request| {
        let queues = Arc::clone(&asked);
        async move { queues.handle(request).await }
    }));
    services.spawn(serve(doors.bucket, ended.clone(), move |request| {
        let buckets = buckets.clone();
        async move { buckets.handle(request).await }
    }));
    services.spawn(serve(doors.secret, ended, move |request| {
        let secrets = Arc::clone(&secrets);
        async move { secrets.handle(request).await }
    }));
    Ok((queues, tables, engine))
}

/// The action that a request of a JSON protocol names: what follows the service in its target.
fn action(headers: &HeaderMap) -> &str {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    target.and_then(|target| target.rsplit('.').next()).unwrap_or_default()
}
