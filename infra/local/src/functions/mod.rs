//! The functions: their processes, and the runtime interface that these ask for work.

mod logs;
mod pool;
mod process;
mod runtime;

pub use pool::{Functions, Outcome, Setting};
