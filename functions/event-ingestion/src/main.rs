//! Takes in customer events: post, preview, bulk, read, cancel.
fn main() {}
