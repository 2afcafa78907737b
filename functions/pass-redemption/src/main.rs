//! Passes are issued and redeemed.

mod handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Passes, handler::handle).await
}
