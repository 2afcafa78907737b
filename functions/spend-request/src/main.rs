//! Participants spend what they were awarded.

mod coupons;
mod handler;
mod holds;
mod repeat;
mod spender;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Spends, handler::handle).await
}
