//! Customer events come in: posted, previewed, in bulk, read and cancelled.

mod bulk;
mod cancel;
mod handler;
mod invoice;
mod promotion;
mod repeat;
mod spend;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Events, handler::handle).await
}
