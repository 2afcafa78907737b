//! The programme document, participants, and what is read of them.

mod adjust;
mod handler;
mod merge;
mod reads;
mod succession;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Table, handler::handle).await
}
