//! The print file of a plan: what is printed on its cards.

use std::fmt::Write;
use std::ops::Range;

use super::code::{CODE_LENGTH, PIN_DIGITS, PlanKey};

/// Characters of a serial, three separators and a line's end.
const OTHERS: usize = 16;

impl PlanKey {
    /// Rows of the print file under its heading: the same for ever. Neither codes nor PINs need
    /// quotes.
    pub fn print(&self, serials: Range<u64>, pin: bool) -> String {
        let count = usize::try_from(serials.end.saturating_sub(serials.start)).unwrap_or(0);
        let mut rows = String::with_capacity((count + 1) * (OTHERS + CODE_LENGTH + PIN_DIGITS));
        rows.push_str(if pin { "serial,code,pin\n" } else { "serial,code\n" });
        for serial in serials {
            let told = self.told(serial);
            // Writing to a text cannot fail.
            let _written = if pin {
                writeln!(rows, "{serial},{},{}", told.code, told.pin)
            } else {
                writeln!(rows, "{serial},{}", told.code)
            };
        }
        rows
    }
}
