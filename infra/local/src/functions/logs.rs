//! What functions write: a file each, and the warnings among it on the terminal.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::terminal::Terminal;

const MARKS: [&str; 4] = ["\"ERROR\"", "\"WARN\"", " ERROR ", "panicked at"];

/// The log of one function.
#[derive(Debug)]
pub struct Log {
    function: String,
    file: Mutex<File>,
    terminal: Arc<Terminal>,
}

impl Log {
    /// Opens `folder/<function>.log` to write at its end.
    pub fn open(folder: &Path, function: &str, terminal: Arc<Terminal>) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("{function}.log"));
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { function: function.to_owned(), file: Mutex::new(file), terminal })
    }

    /// Writes a line.
    pub fn line(&self, line: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write_all(format!("{line}\n").as_bytes());
        drop(file);
        if MARKS.iter().any(|mark| line.contains(mark)) {
            self.terminal.warn(&self.function, line);
        }
    }

    /// Writes a line that matters to whoever watches.
    pub fn warning(&self, line: &str) {
        self.line(line);
        self.terminal.warn(&self.function, line);
    }

    /// Copies `from` until it ends.
    pub fn follow(self: &Arc<Self>, from: impl AsyncRead + Send + Unpin + 'static) {
        let log = Arc::clone(self);
        tokio::spawn(async move {
            let mut reader = BufReader::new(from);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
                log.line(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        });
    }
}
