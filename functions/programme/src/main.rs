//! The programme document, participants and reads.
fn main() {}
