//! Around a handler: start-up, HTTP answers, queue batches. The only code that knows a status code
//! or reads a setting.

mod alias;
mod body;
mod changes;
mod fault;
mod http;
mod jobs;
mod named;
mod outbound;
mod pass;
mod programme;
mod queue;
mod repeat;
mod room;
mod runtime;
mod secret;

pub use alias::AliasSecret;
pub use changes::{Changed, Changes};
pub use fault::Fault;
pub use http::{Answer, Request, violation};
pub use jobs::{is_job, job_id, scheduled_job_id};
pub use lambda_runtime::Error;
pub use named::NamedSecrets;
pub use outbound::{Call, Outbound};
pub use programme::Cached;
pub use queue::{Batch, InOrder, Message};
pub use repeat::recalled;
pub use room::{Needs, Room};
pub use runtime::{Invocation, Reply, run};
pub use secret::Secret;
