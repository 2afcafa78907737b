//! Passes are issued and redeemed.

mod change;
mod handler;
mod issue;
mod nameless;
mod redeem;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Passes, handler::handle).await
}
