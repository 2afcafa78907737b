//! Runs judge pending events: planned by schedule or by hand, carried out from the queue.

mod alerts;
mod conversion;
mod convert;
mod expiry;
mod handler;
mod payout;
mod work;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Runs, handler::handle).await
}
