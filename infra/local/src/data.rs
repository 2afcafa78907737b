//! Where things are kept: a folder that one running stack holds, and what is random in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The folder of one stack, held until dropped.
#[derive(Debug)]
pub struct Folder {
    pub path: PathBuf,
    pub kept: bool,
    _lock: File,
}

impl Folder {
    /// The folder `path`, to be found again by the next run.
    pub fn keep(path: &Path) -> Result<Self> {
        let lock = lock_file(path)?;
        let shown = path.display();
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), kept: true, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "{shown} is in use by another running stack; stop it, or give --data another folder"
            ),
            Err(TryLockError::Error(error)) => bail!("{shown} cannot be locked: {error}"),
        }
    }

    /// A folder of this process alone, below `parent`; those of processes that ended are removed.
    pub fn temporary(parent: &Path) -> Result<Self> {
        // One at a time: a folder that is made but not yet locked looks like one that was left.
        let turn = lock_file(parent)?;
        turn.lock()?;
        for entry in fs::read_dir(parent)?.flatten().filter(|entry| entry.path().is_dir()) {
            if lock_file(&entry.path()).is_ok_and(|lock| lock.try_lock().is_ok()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let path = parent.join(std::process::id().to_string());
        Ok(Self { kept: false, ..Self::keep(&path)? })
    }
}

fn lock_file(folder: &Path) -> Result<File> {
    let shown = folder.display();
    if folder.is_file() {
        bail!("{shown} is a file; a folder is needed");
    }
    fs::create_dir_all(folder).with_context(|| format!("{shown} cannot be made"))?;
    let mut options = OpenOptions::new();
    let lock = options.create(true).truncate(false).write(true).open(folder.join("lock"));
    lock.with_context(|| format!("{shown} cannot be written"))
}

/// Writes `text` so that readers see all of it or nothing, and nobody else can read it.
pub fn write_whole(path: &Path, text: &str) -> Result<()> {
    let shown = path.display();
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("{shown} cannot be written"))
}

/// What stands in `path`, or what `make` gives when nothing does yet.
pub fn read_or_make(path: &Path, make: impl FnOnce() -> Result<String>) -> Result<String> {
    if let Ok(text) = fs::read_to_string(path) {
        return Ok(text);
    }
    let text = make()?;
    write_whole(path, &text)?;
    Ok(text)
}

/// `length` random characters: letters, digits and `more`.
pub fn random_text(length: usize, more: &[char]) -> Result<String> {
    let letters = ('A'..='Z').chain('a'..='z').chain('0'..='9');
    let alphabet: Vec<char> = letters.chain(more.iter().copied()).collect();
    // Bytes above the last whole multiple would make the first characters likelier.
    let fair = 256 / alphabet.len() * alphabet.len();
    let mut text = String::with_capacity(length);
    let mut taken = 0;
    while taken < length {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).context("no randomness")?;
        let usable = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        for byte in usable.take(length - taken) {
            text.push(alphabet[byte % alphabet.len()]);
            taken += 1;
        }
    }
    Ok(text)
}
