//! Scenarios over HTTP, on stacks of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod desk;
mod story;
