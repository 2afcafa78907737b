//! What scenarios and the demo share: a stack of their own, a client, and stories.

pub mod client;
pub mod stack;
pub mod story;
pub mod summary;
pub mod verification;
