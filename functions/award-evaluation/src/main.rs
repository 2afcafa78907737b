//! Plans evaluation runs and awards pending events.
fn main() {}
