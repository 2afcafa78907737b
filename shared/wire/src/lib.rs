//! The JSON that crosses a boundary: bodies, queue messages and the programme document are parsed
//! into the domain; what the domain says is shown as JSON or CSV.

pub mod adjust;
pub mod alias;
pub mod answer;
pub mod coupon;
pub mod csv;
pub mod event;
pub mod fault;
pub mod feed;
pub mod hold;
pub mod import;
pub mod invoice;
pub mod merge;
pub mod message;
pub mod participant;
pub mod pass;
pub mod problem;
pub mod programme;
mod read;
pub mod request;
pub mod returns;
pub mod spend;
pub mod suppression;
