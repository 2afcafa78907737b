//! What one event costs, whatever the number of offers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod market;
