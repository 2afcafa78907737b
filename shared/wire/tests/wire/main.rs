//! What callers send and what they see, and every sample payload of `events/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod bodies;
mod event_types;
mod exports;
mod fixtures;
mod gifts;
mod holds;
mod offers;
mod people;
mod segments;
mod story;
mod terms;
mod transactions;
