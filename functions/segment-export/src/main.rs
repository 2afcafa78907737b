//! The participants of a segment are written to files.

mod handler;
mod write;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Exports, handler::handle).await
}
