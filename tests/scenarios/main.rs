//! Scenarios over HTTP, on stacks of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adjustments;
mod bad_input;
mod calls;
mod cost;
mod desk;
mod holds;
mod lifecycle;
mod managers;
mod meter;
mod people;
mod permissions;
mod queues;
mod reads;
mod rows;
mod runs;
mod spends;
mod storm;
mod story;
mod strays;
mod tidy;
