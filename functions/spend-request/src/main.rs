//! Participants spend what they were awarded.

mod handler;
mod holds;
mod repeat;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Aliases, handler::handle).await
}
