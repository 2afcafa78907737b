//! The store on an embedded table, through the SDK, on a wire that fails, repeats and shows old
//! items. Seeds are printed and stand fast; `STORE_SEED=<number>` runs another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Cents are written apart: `12_50` are 12.50.
#![allow(clippy::inconsistent_digit_grouping)]

mod alerts;
mod arbitrary;
mod cards;
mod cast;
mod conversions;
mod cost;
mod coupon_uses;
mod coupons;
mod engine;
mod event_types;
mod expiry;
mod exports;
mod fault;
mod feeds;
mod folds;
mod history;
mod holds;
mod laws;
mod lists;
mod matrix;
mod merges;
mod money;
mod nameless;
mod operation;
mod pages;
mod passes;
mod people;
mod promotion_cost;
mod promotions;
mod quotas;
mod races;
mod records;
mod referrals;
mod requests;
mod returns;
mod sizes;
mod stale;
mod storm;
mod table;
mod terms;
mod unasked;
mod verify;
mod walks;
mod wire;

/// The store's own records, to look into items with.
#[path = "../../src/record/mod.rs"]
#[allow(dead_code, unused_imports)]
mod record;

/// What the records answer with.
mod error {
    pub use store::{Error, Result};
}
