//! What happens is told to the targets of the programme's feeds.

mod dataverse;
mod deliver;
mod handler;
mod hint;
mod replay;
mod webhook;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Feeds, handler::handle).await
}
