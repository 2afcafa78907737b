//! The participants of a segment are written to files.

mod answer;
mod finish;
mod handler;
mod parts;
mod start;
mod stream;
mod work;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Exports, handler::handle).await
}
