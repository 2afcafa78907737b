//! The bonus programme as values and total functions: nothing here waits, reads a clock or knows
//! where it runs.

pub mod adjust;
pub mod amount;
pub mod anniversary;
pub mod apply;
pub mod area;
pub mod award;
pub mod cancel;
pub mod checkout;
pub mod conversion;
pub mod event;
pub mod export;
pub mod feed;
pub mod hold;
pub mod id;
pub mod ledger;
pub mod merge;
pub mod offer;
pub mod participant;
pub mod pass;
pub mod payment_medium;
pub mod preview;
pub mod programme;
pub mod quota;
pub mod refusal;
pub mod returns;
pub mod run;
pub mod schedule;
pub mod segment;
pub mod spend;
pub mod tally;
pub mod terms;
pub mod time;
pub mod wallet;
pub mod window;
