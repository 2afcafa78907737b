//! Stories: calls in order with what they must answer, told on the terminal. `events/README.md`
//! says how one is written.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::client::{Answer, Call, key_at};
use crate::stack::Stack;
use crate::summary;

const DAY: u64 = 86_400_000;

/// A story on its way.
pub struct Teller<'a> {
    stack: &'a Stack,
    folder: PathBuf,
    /// The stack's time when the story began, in milliseconds since 1970.
    now: u64,
    saved: HashMap<String, String>,
    /// Answers, by the name of what they saved.
    pub answers: Vec<Answer>,
}

impl<'a> Teller<'a> {
    /// Begins the story of a folder.
    ///
    /// # Errors
    /// The stack does not tell its time.
    pub async fn begin(stack: &'a Stack, folder: &Path) -> Result<Teller<'a>> {
        let answer = stack.advance("P0D").await?;
        let now = answer.text("/now");
        let now = domain_time(now).context("the stack does not tell its time")?;
        let (folder, saved) = (folder.to_path_buf(), HashMap::new());
        Ok(Teller { stack, folder, now, saved, answers: Vec::new() })
    }

    /// Tells all steps; `say` is given each line for the terminal.
    ///
    /// # Errors
    /// An answer is not as expected, or none came.
    pub async fn tell(&mut self, say: impl Fn(&str)) -> Result<usize> {
        let text = std::fs::read(self.folder.join("story.json")).context("no story.json")?;
        let steps: Vec<Value> = serde_json::from_slice(&text).context("story.json")?;
        for (index, step) in steps.iter().enumerate() {
            let said = step.get("say").and_then(Value::as_str).unwrap_or_default();
            say(&format!("{:>2}. {said}", index + 1));
            let told = self.step(step, &say).await;
            told.with_context(|| format!("step {}: {said}", index + 1))?;
        }
        Ok(steps.len())
    }

    async fn step(&mut self, step: &Value, say: &impl Fn(&str)) -> Result<()> {
        let text = |name: &str| step.get(name).and_then(Value::as_str);
        if text("wait") == Some("idle") {
            let idle = self.stack.idle().await?;
            return if idle.status == 200 { Ok(()) } else { bail!("the queues do not empty") };
        }
        let method = text("method").context("no method")?;
        let path = self.fill(text("path").context("no path")?, true)?;
        let key = text("key").map(|key| self.fill(key, false)).transpose()?;
        let body = self.body(step)?;
        let call = Call { method, path: &path, key: key.as_deref(), body: body.as_ref() };
        let answer = self.stack.client.send(&call).await?;
        let expected = step.pointer("/expect/status").and_then(Value::as_u64);
        if expected != Some(u64::from(answer.status)) {
            bail!("expected {expected:?}, answered {}: {}", answer.status, answer.body);
        }
        if let Some(expected) = step.pointer("/expect/body") {
            let expected = self.fill_all(expected)?;
            check(&expected, &answer.body, "")?;
        }
        let saves = step.get("save").and_then(Value::as_object).into_iter().flatten();
        for (name, pointer) in saves {
            let value = pointer.as_str().and_then(|pointer| answer.body.pointer(pointer));
            let value = match value.with_context(|| format!("no {name}"))? {
                Value::String(text) => text.clone(),
                other @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_)) => other.to_string(),
            };
            self.saved.insert(name.clone(), value);
        }
        say(&format!("    {method} {} → {}", text("path").unwrap_or_default(), answer.status));
        summary::lines(&answer.body).iter().for_each(|line| say(&format!("        {line}")));
        self.answers.push(answer);
        Ok(())
    }

    fn body(&self, step: &Value) -> Result<Option<Value>> {
        if let Some(body) = step.get("body") {
            return self.fill_all(body).map(Some);
        }
        let Some(from) = step.get("body_from").and_then(Value::as_str) else { return Ok(None) };
        let (file, pointer) = from.split_once('#').unwrap_or((from, ""));
        let text = std::fs::read(self.folder.join(file)).with_context(|| file.to_owned())?;
        let value: Value = serde_json::from_slice(&text)?;
        let part = value.pointer(pointer).with_context(|| from.to_owned())?;
        self.fill_all(part).map(Some)
    }

    fn fill_all(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.fill(text, false)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.fill_all(item)).collect::<Result<_>>()?)
            }
            Value::Object(fields) => {
                let filled =
                    fields.iter().map(|(name, field)| Ok((name.clone(), self.fill_all(field)?)));
                Value::Object(filled.collect::<Result<_>>()?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    fn fill(&self, text: &str, in_path: bool) -> Result<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').context("a placeholder without an end")?;
            let value = self.value(name)?;
            filled.push_str(before);
            if in_path {
                filled.extend(utf8_percent_encode(&value, NON_ALPHANUMERIC));
            } else {
                filled.push_str(&value);
            }
            rest = tail;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, name: &str) -> Result<String> {
        if let Some(name) = name.strip_prefix("key:") {
            return Ok(named_key(name, self.now));
        }
        let days = match name {
            "now" => Some(0),
            name => name
                .strip_prefix("now-")
                .and_then(|days| days.strip_suffix('d'))
                .and_then(|days| days.parse::<u64>().ok()),
        };
        match days {
            Some(days) => show_time(self.now - days * DAY),
            None => {
                self.saved.get(name).cloned().with_context(|| format!("nothing saved as {name}"))
            }
        }
    }
}

/// One key for each name: the same name is the same key, so that a story can repeat itself.
fn named_key(name: &str, now: u64) -> String {
    let time = key_at(now);
    let mut tail = 0_u64;
    for byte in name.bytes() {
        tail = tail.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(byte));
    }
    format!("{}7000-8000-{:012x}", &time[..14], tail & 0xffff_ffff_ffff)
}

fn domain_time(text: &str) -> Option<u64> {
    u64::try_from(domain::time::parse_instant(text)?.0).ok()
}

fn show_time(millis: u64) -> Result<String> {
    let at = domain::time::Instant(i64::try_from(millis)?);
    let text = at.utc().context("time out of range")?;
    Ok(text.to_rfc3339())
}

/// Checks that an answer holds at least what is expected.
///
/// # Errors
/// Where it differs, and how.
pub fn check(expected: &Value, answered: &Value, at: &str) -> Result<()> {
    match (expected, answered) {
        (Value::Object(expected), Value::Object(_)) => {
            for (name, value) in expected {
                let at = format!("{at}/{name}");
                let answered = answered.get(name).with_context(|| format!("{at} is missing"))?;
                check(value, answered, &at)?;
            }
            Ok(())
        }
        (Value::Array(expected), Value::Array(answered)) => {
            let mut left: Vec<&Value> = answered.iter().collect();
            for (index, item) in expected.iter().enumerate() {
                let found = left.iter().position(|known| check(item, known, "").is_ok());
                let found = found.with_context(|| {
                    format!("{at}/{index}: nothing like {item} in {answered:?}")
                })?;
                left.remove(found);
            }
            Ok(())
        }
        (expected, answered) if expected == answered => Ok(()),
        (expected, answered) => bail!("{at}: expected {expected}, answered {answered}"),
    }
}
