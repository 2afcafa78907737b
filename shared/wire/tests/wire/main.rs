//! What callers send and what they see, and every sample payload of `events/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alerts;
mod answers;
mod bodies;
mod conversions;
mod coupons;
mod dialects;
mod event_types;
mod exports;
mod feeds;
mod fixtures;
mod gifts;
mod holds;
mod nameless;
mod offers;
mod people;
mod promotions;
mod segments;
mod story;
mod terms;
mod transactions;
