//! Messages that are still to be delivered, on disk: what queues hold in memory survives a restart.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message as it was sent.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Message {
    pub queue: String,
    pub body: String,
    #[serde(default)]
    pub attributes: Value,
    /// Of a queue that keeps an order: the group within which it does.
    #[serde(default)]
    pub group: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Sent { id: String, message: Message },
    Deleted(String),
}

/// An append-only file of what was sent and deleted.
#[derive(Debug)]
pub struct Journal {
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    path: PathBuf,
    /// By id, with the order in which they were sent.
    live: BTreeMap<String, (u64, Message)>,
    sent: u64,
    /// Deleted before the sender's answer was noted: a consumer can be that fast.
    early: HashSet<String>,
}

impl Journal {
    /// Opens the journal: itself, empty, and what an earlier run left undelivered, oldest first.
    pub fn open(path: &Path) -> Result<(Self, Vec<Message>)> {
        let shown = path.display();
        let mut left: Vec<(String, Message)> = Vec::new();
        // A last line that was cut short by a crash was never answered, so it is no loss.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for line in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            match line {
                Line::Sent { id, message } => {
                    left.retain(|(known, _)| *known != id);
                    left.push((id, message));
                }
                Line::Deleted(id) => left.retain(|(known, _)| *known != id),
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("{shown} cannot be written"))?;
        let (live, early) = (BTreeMap::new(), HashSet::new());
        let open = Mutex::new(Open { file, path: path.to_owned(), live, sent: 0, early });
        Ok((Self { open }, left.into_iter().map(|(_, message)| message).collect()))
    }

    /// Forgets the earlier run: what it left has been sent again and noted.
    pub fn compact(&self) -> Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        let mut live: Vec<_> = open.live.iter().collect();
        live.sort_by_key(|(_, (order, _))| *order);
        for (id, (_, message)) in live {
            let line = Line::Sent { id: id.clone(), message: message.clone() };
            text.push_str(&serde_json::to_string(&line)?);
            text.push('\n');
        }
        crate::data::write_whole(&open.path, &text)?;
        open.file = OpenOptions::new().append(true).open(&open.path)?;
        Ok(())
    }

    /// Notes a message, or that it now is in another queue.
    pub fn sent(&self, id: &str, message: Message) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.early.remove(id) {
            open.sent += 1;
            let order = open.sent;
            open.live.insert(id.to_owned(), (order, message.clone()));
            open.append(&Line::Sent { id: id.to_owned(), message });
        }
    }

    /// Notes that a message was found in `queue`, where it may have been moved to.
    pub fn found(&self, id: &str, queue: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.live.get_mut(id).map(|(_, message)| message);
        if let Some(message) = known.filter(|message| message.queue != queue) {
            message.queue = queue.to_owned();
            let message = message.clone();
            open.append(&Line::Sent { id: id.to_owned(), message });
        }
    }

    /// Notes that a message is done with.
    pub fn deleted(&self, id: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.live.remove(id) {
            Some(_) => open.append(&Line::Deleted(id.to_owned())),
            None => drop(open.early.insert(id.to_owned())),
        }
    }
}

impl Open {
    fn append(&mut self, line: &Line) {
        let written = serde_json::to_string(line).map_err(anyhow::Error::from);
        let written =
            written.and_then(|line| Ok(self.file.write_all(format!("{line}\n").as_bytes())?));
        if let Err(error) = written {
            eprintln!("local: {} cannot be written: {error}", self.path.display());
        }
    }
}
