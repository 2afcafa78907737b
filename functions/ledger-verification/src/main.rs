//! Wallets are recomputed from their ledgers, and what does not agree is told.

mod answer;
mod finish;
mod handler;
mod start;
mod work;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Verifications, handler::handle).await
}
