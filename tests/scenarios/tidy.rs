//! The repository agrees with itself: template, crates, samples and documents.

mod crates;
mod documents;
mod rows;
mod sources;
mod stack;
pub mod template;

use std::path::{Path, PathBuf};

use scenarios::stack::root;

/// All files below a folder of the repository, except what is built; sorted.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && name != ".git" {
                open.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Rust sources below a folder.
fn rust(folder: &str) -> Vec<PathBuf> {
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    files(folder).into_iter().filter(is_rust).collect()
}

/// Rust sources that are part of a crate, not of its tests.
fn sources(folder: &str) -> Vec<PathBuf> {
    let in_src = |path: &PathBuf| path.iter().any(|part| part == "src");
    rust(folder).into_iter().filter(in_src).collect()
}

/// A file's text; its name from the root.
fn read(path: &Path) -> (String, String) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let name = path.strip_prefix(root()).unwrap_or(path).display().to_string();
    (name, text)
}

/// A file of the repository by its name.
fn text(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|_| panic!("{name} is missing"))
}

/// A source without its tests and comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let line = |line: &str| line.split("//").next().unwrap_or_default().to_owned() + "\n";
    code.lines().map(line).collect()
}

/// Whether a word stands in a text, not as a part of another word.
fn has_word(text: &str, word: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric();
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.chars().next_back().is_some_and(is_letter)
            && !after.chars().next().is_some_and(is_letter)
    })
}

/// `event-ingestion` for `EventIngestion`.
fn kebab(id: &str) -> String {
    let mut name = String::new();
    for letter in id.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
