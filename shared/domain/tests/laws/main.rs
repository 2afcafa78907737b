//! Laws that every decision keeps, and tables of cases that a person can check.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Cents are written apart: `12_50` are 12.50.
#![allow(clippy::inconsistent_digit_grouping)]

mod activity;
mod adjustments;
mod alerts;
mod arbitrary;
mod areas;
mod awards;
mod bookkeeping;
mod calendar;
mod cancels;
mod codes;
mod conditions;
mod conversions;
mod coupons;
mod cover;
mod discounts;
mod event_types;
mod exports;
mod feeds;
mod fixture;
mod forms;
mod gifts;
mod holding;
mod holds;
mod index;
mod laws;
mod limits;
mod lots;
mod machine;
mod media;
mod merges;
mod nameless;
mod orders;
mod passes;
mod people;
mod preview;
mod profiles;
mod promotions;
mod quotas;
mod referrals;
mod refusals;
mod returns;
mod segments;
mod spends;
mod statements;
mod tallies;
mod terms;
mod unasked;
mod verify;
mod windows;
