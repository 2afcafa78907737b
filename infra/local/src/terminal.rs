//! What is shown to the person in front of it.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const SPARE: Duration = Duration::from_secs(5);
const WIDTH: usize = 300;

/// The terminal.
#[derive(Debug)]
pub struct Terminal {
    quiet: bool,
    warned: Mutex<BTreeMap<String, (Instant, u32)>>,
}

impl Terminal {
    /// One that says things, unless it is to be quiet.
    pub fn new(quiet: bool) -> Self {
        Self { quiet, warned: Mutex::default() }
    }

    /// Says a line; a closed terminal is no reason to stop.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// Shows a warning of a function, or counts it if it just showed one.
    pub fn warn(&self, function: &str, line: &str) {
        if self.quiet {
            return;
        }
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let skipped = match warned.get_mut(function) {
            Some((at, skipped)) if now.duration_since(*at) < SPARE => {
                *skipped += 1;
                return;
            }
            Some((_, skipped)) => *skipped,
            None => 0,
        };
        warned.insert(function.to_owned(), (now, 0));
        let line: String = line.chars().take(WIDTH).collect();
        let more = if skipped > 0 { format!(" (and {skipped} before)") } else { String::new() };
        let _ = writeln!(std::io::stderr(), "{function}: {line}{more}");
    }
}
