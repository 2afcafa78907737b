//! Runs judge pending events: planned by schedule or by hand, carried out from the queue.

mod expiry;
mod handler;
mod work;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Runs, handler::handle).await
}
