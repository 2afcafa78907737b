//! What printing costs: `cargo bench -p domain --bench print` prints the instructions of making
//! 100,000 rows of a print file with PINs, counted by valgrind as in `judge.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::hint::black_box;
use std::process::Command;

use domain::id::PlanId;
use domain::pass::{Generation, PassKeys};

/// Rows of a page; both counts of pages have the same digits.
const ROWS: u64 = 50_000;

fn main() {
    let given: Vec<String> = std::env::args().collect();
    match given.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "repeat", pages] => print(pages.parse().unwrap()),
        _ => {
            let told = instructions().map_or("-".to_owned(), |i| (i / 1_000_000).to_string());
            println!("100,000 rows of a print file with PINs: {told} million instructions");
        }
    }
}

fn print(pages: u64) {
    let plan = PlanId::parse("gift-card").unwrap();
    let keys = PassKeys::parse(&"k".repeat(64)).unwrap();
    let key = keys.of(&plan, Generation::default()).unwrap();
    for page in 0..pages {
        black_box(key.print(page * ROWS..(page + 1) * ROWS, true));
    }
}

/// Of two pages; none without valgrind.
fn instructions() -> Option<u64> {
    let pages = |pages: u64| {
        let this = std::env::current_exe().ok()?;
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(this);
        let told = valgrind.args(["repeat", &pages.to_string()]).output().ok()?.stderr;
        let told = String::from_utf8(told).ok()?;
        let collected = told.lines().find_map(|line| line.split_once("Collected :"))?.1;
        collected.trim().parse::<u64>().ok()
    };
    Some(pages(3)? - pages(1)?)
}
