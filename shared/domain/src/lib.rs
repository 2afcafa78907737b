//! The bonus programme as values and total functions: nothing here waits, reads a clock or knows
//! where it runs.

pub mod adjust;
pub mod amount;
pub mod apply;
pub mod award;
pub mod cancel;
pub mod event;
pub mod hold;
pub mod id;
pub mod ledger;
pub mod offer;
pub mod participant;
pub mod pass;
pub mod payment_medium;
pub mod preview;
pub mod programme;
pub mod refusal;
pub mod run;
pub mod segment;
pub mod spend;
pub mod time;
pub mod wallet;
