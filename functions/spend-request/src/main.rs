//! Debits wallets.
fn main() {}
