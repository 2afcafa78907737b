//! The repository agrees with itself: template, crates, samples and documents.

pub mod template;
