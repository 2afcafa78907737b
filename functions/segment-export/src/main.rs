//! Writes the participants of a segment to files.
fn main() {}
