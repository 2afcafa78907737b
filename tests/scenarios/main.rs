//! Scenarios over HTTP, on stacks of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adjustments;
mod bad_input;
mod bank_coalition;
mod calls;
mod cancels;
mod cost;
mod customer_events;
mod desk;
mod event_types;
mod gifts;
mod holds;
mod invoice_points;
mod lifecycle;
mod managers;
mod meter;
mod passes;
mod people;
mod permissions;
mod queues;
mod reads;
mod referrals;
mod repeats;
mod returns;
mod rows;
mod runs;
mod runs_given_up;
mod segments;
mod spend_conditions;
mod spend_methods;
mod spends;
mod storm;
mod story;
mod strays;
mod tale;
mod tidy;
