//! Issues passes and redeems them.
fn main() {}
