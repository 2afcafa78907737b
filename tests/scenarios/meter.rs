//! Counts what operations cost and holds it to a budget.
//!
//! The table's engine counts as the service does: whole items, index entries apart and never
//! doubled by a transaction. It does not count a write that its condition refused, so nothing here
//! may lose a race.

use scenarios::client::key_at;
use scenarios::stack::Stack;
use serde_json::{Value, json};

/// What passes between two kinds: a key is searched for in the last five minutes of a ledger.
const PAUSE_MINUTES: u64 = 10;

/// Units in thousandths.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    written: u64,
    read: u64,
}

/// A table for people, and the budgets that it is held to.
pub struct Meter<'a> {
    pub stack: &'a Stack,
    /// How far the stack's clock is ahead, in minutes.
    ahead: u64,
    rows: Vec<String>,
    over: Vec<String>,
}

/// Thousandths in the text of a number; no float is made of it.
fn thousandths(value: &Value) -> u64 {
    let text = value.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    whole.parse::<u64>().unwrap() * 1_000 + format!("{part:0<3}")[..3].parse::<u64>().unwrap()
}

fn shown(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

impl<'a> Meter<'a> {
    pub fn new(stack: &'a Stack) -> Meter<'a> {
        Meter { stack, ahead: 0, rows: Vec::new(), over: Vec::new() }
    }

    /// A key that carries the stack's time.
    pub fn key(&self) -> String {
        let now = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap();
        key_at(now + self.ahead * 60_000)
    }

    pub async fn begin(&mut self) {
        self.ahead += PAUSE_MINUTES;
        self.stack.advance(&format!("PT{PAUSE_MINUTES}M")).await.unwrap();
        let reset = self.stack.local("stats/reset", &json!({})).await.unwrap();
        assert_eq!(reset.status, 200);
    }

    /// What all functions consumed since `begin`.
    async fn consumed(&self) -> Cost {
        let stats = self.stack.stats().await.unwrap();
        let mut cost = Cost::default();
        // What follows the changes costs a commit nothing.
        let functions = stats["functions"].as_object().unwrap().iter();
        for (_, function) in functions.filter(|(name, _)| *name != "crm-feed") {
            assert_eq!(function["failed_conditions"], 0, "a race was lost: {function}");
            cost.written += thousandths(&function["write_units"]);
            cost.read += thousandths(&function["read_units"]);
        }
        cost
    }

    /// Ends a measurement of `count` operations; budgets in hundredths.
    pub async fn end(&mut self, operation: &str, count: usize, write: u64, reads: u64) {
        let cost = self.consumed().await;
        let each = |sum: u64| sum.div_ceil(10 * u64::try_from(count).unwrap());
        let (written, read) = (each(cost.written), each(cost.read));
        self.rows.push(format!("| {operation} | {} | {} |", shown(written), shown(read)));
        if written > write || read > reads {
            let (write, reads) = (shown(write), shown(reads));
            self.over.push(format!("{operation}: at most {write} written and {reads} read"));
        }
    }

    /// Prints the table, and fails where a budget is exceeded.
    pub fn close(self) {
        println!("| operation | write units | read units |\n|---|---|---|");
        self.rows.iter().for_each(|row| println!("{row}"));
        assert!(self.over.is_empty(), "{:#?}\n{:#?}", self.over, self.rows);
    }
}
