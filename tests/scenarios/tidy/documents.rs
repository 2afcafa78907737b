//! Documents: what they name is there, and what is there is named.

use std::collections::BTreeMap;

use scenarios::stack::root;

use super::{files, read, rust, text};

const DOCUMENTS: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "GLOSSARY.md",
    "DECISIONS.md",
    "CHANGELOG.md",
    "events/README.md",
];

/// What stands between backticks in a line, with what follows it.
fn spans(line: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((_, after)) = rest.split_once('`') {
        let Some((span, tail)) = after.split_once('`') else { break };
        found.push((span, tail));
        rest = tail;
    }
    found
}

fn is_path(span: &str) -> bool {
    let plain = !span.contains(['<', '#', ' ', '*', '{', ':']) && !span.starts_with('/');
    let ends = [".rs", ".yaml", ".md", ".toml", ".json"].iter().any(|end| span.ends_with(end));
    plain && (span.contains('/') || ends)
}

/// By the convention of ARCHITECTURE.md: a span with a `/` or a file's ending is a path from the
/// root, one that ends in `()` a function; `name()` in `path` is defined there.
#[test]
fn architecture_names_what_is_there() {
    let page = text("ARCHITECTURE.md");
    let sources: BTreeMap<String, String> = ["functions", "shared", "infra/local", "tests"]
        .iter()
        .flat_map(|f| rust(f))
        .map(|p| read(&p))
        .collect();
    let mut named = 0;
    for line in page.lines() {
        for (span, tail) in spans(line) {
            if is_path(span) {
                assert!(root().join(span).exists(), "ARCHITECTURE.md names {span}");
                named += 1;
            } else if let Some(name) = span.strip_suffix("()") {
                let name = name.rsplit("::").next().unwrap();
                let defined = format!("fn {name}");
                let is_in = |text: &String| {
                    let ends = |after: &str| after.starts_with(['(', '<']);
                    text.match_indices(&defined).any(|(at, _)| ends(&text[at + defined.len()..]))
                };
                let there = spans(tail).first().map(|(span, _)| *span).filter(|span| is_path(span));
                let words = tail.split('`').next().unwrap_or_default();
                match there.filter(|_| words.ends_with(" in ")) {
                    Some(path) => {
                        let text = sources.get(path);
                        assert!(text.is_some_and(is_in), "{span} is not in {path}");
                    }
                    None => assert!(sources.values().any(is_in), "there is no {span}"),
                }
                named += 1;
            }
        }
    }
    assert!(named > 30, "ARCHITECTURE.md names {named} places");
}

#[test]
fn links_lead_somewhere() {
    for document in DOCUMENTS {
        let page = text(document);
        let folder = root().join(document);
        for part in page.split("](").skip(1) {
            let target = part.split(')').next().unwrap().split('#').next().unwrap();
            let elsewhere = target.contains("://") || target.is_empty();
            let there = folder.parent().unwrap().join(target).exists();
            assert!(elsewhere || there, "{document} links to {target}");
        }
        for gap in ["@COST@", "@LOTS@", "TODO", "TBD", "FIXME"] {
            assert!(!page.contains(gap), "{document} has a gap: {gap}");
        }
    }
}

/// Every sample's kind stands in the table of `events/README.md`, by which a test of `wire` reads
/// it; what a story has besides is named in the page or in a test.
#[test]
fn every_sample_is_named_and_read() {
    let page = text("events/README.md");
    let tests: String =
        rust("tests").iter().chain(&rust("shared/wire/tests")).map(|p| read(p).1).collect();
    for path in files("events").iter().filter(|path| !path.ends_with("README.md")) {
        let (name, _) = read(path);
        let parts: Vec<&str> = name.split('/').collect();
        let [_, folder, file] = parts.as_slice() else { panic!("{name} is in no folder") };
        let row = page.lines().find(|line| line.starts_with(&format!("| `{folder}/` |")));
        match row {
            Some(row) => {
                let kind = file.split(['-', '.']).next().unwrap();
                assert!(row.contains(&format!("`{kind}`")), "{name}: no {kind} in the table");
            }
            None => {
                let story = text(&format!("events/{folder}/story.json"));
                let page = page.contains(&format!("{folder}/{file}"));
                let named = page || tests.contains(file) || story.contains(file);
                assert!(named, "{name} is read by no test");
            }
        }
        let pair = |from: &str, to: &str| name.strip_suffix(from).map(|n| format!("{n}{to}"));
        let refused = pair(".refused.json", ".violations.json");
        let other = refused.or_else(|| pair(".violations.json", ".refused.json"));
        assert!(other.is_none_or(|other| root().join(other).exists()), "{name} has no pair");
    }
}

/// Of an alias that ended with `--`, the `--` of the README would reach the command and end its
/// options.
#[test]
fn commands_take_options_after_two_hyphens() {
    let aliases = text(".cargo/config.toml");
    for command in ["local", "demo", "verify"] {
        let alias = format!("{command} = \"run --quiet --bin {command}\"");
        assert!(aliases.lines().any(|line| line == alias), "{aliases}");
    }
}
