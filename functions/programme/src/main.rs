//! The programme document, participants, and what is read of them.

mod adjust;
mod coupons;
mod data;
mod erase;
mod handler;
mod import;
mod merge;
mod people;
mod reads;
mod succession;
mod suppress;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), harness::Error> {
    harness::run(harness::Needs::Evaluations, handler::handle).await
}
