//! Capacity units: decimals, summed exactly as thousandths.

use serde_json::{Number, Value};

/// A sum of capacity units.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Units {
    thousandths: u64,
}

impl std::ops::AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.thousandths = self.thousandths.saturating_add(other.thousandths);
    }
}

impl Units {
    /// The number in a service's answer, read from its text.
    fn parse(value: Option<&Value>) -> Option<Self> {
        let text = value?.as_number()?.to_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let part = format!("{part:0<3}");
        let thousandths = part.get(..3)?.parse::<u64>().ok()?;
        let whole = whole.parse::<u64>().ok()?.checked_mul(1000)?;
        Some(Self { thousandths: whole.checked_add(thousandths)? })
    }

    /// As a JSON number, with no more decimals than it has.
    pub fn number(self) -> Value {
        let (whole, part) = (self.thousandths / 1000, self.thousandths % 1000);
        let text = format!("{whole}.{part:03}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        text.parse::<Number>().map_or(Value::Null, Value::Number)
    }
}

/// What `ConsumedCapacity` (one, or a list) says was written and read.
pub fn consumed(action: &str, capacity: &Value) -> (Units, Units) {
    let (mut written, mut read) = (Units::default(), Units::default());
    let one = std::slice::from_ref(capacity);
    for table in capacity.as_array().map_or(one, Vec::as_slice) {
        let split = (
            Units::parse(table.get("WriteCapacityUnits")),
            Units::parse(table.get("ReadCapacityUnits")),
        );
        let (w, r) = match split {
            (None, None) => {
                let total = Units::parse(table.get("CapacityUnits")).unwrap_or_default();
                let reads = matches!(
                    action,
                    "BatchGetItem" | "GetItem" | "Query" | "Scan" | "TransactGetItems"
                );
                if reads { (Units::default(), total) } else { (total, Units::default()) }
            }
            (w, r) => (w.unwrap_or_default(), r.unwrap_or_default()),
        };
        written += w;
        read += r;
    }
    (written, read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn units_are_summed_exactly() {
        let capacity: Value =
            serde_json::from_str(r#"[{"CapacityUnits": 0.5}, {"CapacityUnits": 2.0}]"#).unwrap();
        let (written, read) = consumed("Query", &capacity);
        assert_eq!(
            (written.number().to_string(), read.number().to_string()),
            ("0".into(), "2.5".into())
        );
        let (written, read) = consumed(
            "TransactWriteItems",
            &json!({"CapacityUnits": 4, "WriteCapacityUnits": 4, "ReadCapacityUnits": 0}),
        );
        assert_eq!(
            (written.number().to_string(), read.number().to_string()),
            ("4".into(), "0".into())
        );
    }
}
