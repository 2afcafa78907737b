//! An answer in a few lines, for the terminal.

use serde_json::Value;

/// What a person wants to know of an answer: awards, spends, refusals, balances.
pub fn lines(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for award in list(answer, "awards") {
        let offer = text(award, "offer");
        lines.push(format!("+ {} {}  {offer}", text(award, "amount"), text(award, "balance")));
    }
    for passed in list(answer, "passed_over") {
        lines.push(format!("· {}: {}", text(passed, "offer"), text(passed, "reason")));
    }
    if let Some(credited) = answer.get("credited") {
        lines.push(format!("+ {} {}", text(credited, "amount"), text(credited, "balance")));
    }
    let spends = list(answer, "spends").chain(answer.get("spent").map(|_| answer));
    for spend in spends.filter(|spend| spend.get("requested").is_some()) {
        let (spent, left) = (text(spend, "spent"), text(spend, "remainder"));
        lines.push(format!("− {spent} spent, {left} left to pay  {}", text(spend, "transaction")));
    }
    if answer.get("title").is_some() {
        lines.push(format!("✗ {}: {}", text(answer, "code"), text(answer, "detail")));
    }
    if let Some(counts) = answer.get("events").and_then(Value::as_u64) {
        let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
        let (awarded, failed) = (number("awarded"), number("failed"));
        lines.push(format!("{counts} events judged, {awarded} awards, {failed} failed"));
    }
    lines.extend(balances(answer));
    for row in list(answer, "transactions") {
        let amount = format!("{} {}", text(row, "amount"), text(row, "balance"));
        lines.push(format!(
            "{}  {:<8} {amount:<12} {}",
            text(row, "code"),
            text(row, "kind"),
            text(row, "cause")
        ));
    }
    if answer.get("repeated").and_then(Value::as_bool) == Some(true) {
        lines.push("= the answer that was given before".to_owned());
    }
    lines
}

fn balances(answer: &Value) -> Option<String> {
    let shown = list(answer, "balances").map(|balance| {
        let debt = text(balance, "debt");
        let owed = debt.bytes().any(|b| (b'1'..=b'9').contains(&b));
        let owed = if owed { format!(" (owes {debt})") } else { String::new() };
        format!("{} {}{owed}", text(balance, "available"), text(balance, "balance"))
    });
    let shown: Vec<String> = shown.collect();
    (!shown.is_empty()).then(|| format!("= {}", shown.join(", ")))
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
