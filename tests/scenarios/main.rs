//! Scenarios over HTTP, on stacks of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod calls;
mod cost;
mod desk;
mod people;
mod permissions;
mod runs;
mod storm;
mod story;
mod tidy;
