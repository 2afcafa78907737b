//! Sources: what must not stand in them.

use super::{code, files, has_word, read, rust, sources, text};

fn none_of(folders: &[&str], words: &[&str]) {
    for path in folders.iter().flat_map(|folder| sources(folder)) {
        let (name, text) = read(&path);
        let code = code(&text);
        for word in words {
            assert!(!has_word(&code, word), "{name} has {word}");
        }
    }
}

#[test]
fn the_domain_never_waits_and_knows_no_clock() {
    none_of(
        &["shared/domain"],
        &[
            "std::env",
            "std::time",
            "std::fs",
            "std::io",
            "tokio",
            "serde_json",
            "rand",
            "fastrand",
            "getrandom",
            "SystemTime",
            "now()",
            "async",
            "await",
            "Serialize",
            "println",
        ],
    );
}

#[test]
fn only_the_harness_reads_a_setting_or_knows_a_status_code() {
    let all = ["functions", "shared/domain", "shared/wire", "shared/store"];
    none_of(&all, &["env::var", "env::vars", "env::var_os", "StatusCode"]);
    let never = ["aws_sdk_s3", "aws_sdk_sqs", "aws_sdk_secretsmanager", "aws_config"];
    none_of(&["functions", "shared/domain", "shared/wire"], &never);
    none_of(
        &["functions", "shared/domain", "shared/wire", "shared/harness"],
        &["aws_sdk_dynamodb"],
    );
    none_of(
        &["functions", "shared/harness", "shared/wire", "shared/domain"],
        &["pk", "sk", "ix_pk"],
    );
}

#[test]
fn the_local_stack_knows_no_loyalty_word() {
    // Words of the glossary that any stack has: messages in a journal, functions that run, …
    let of_any_stack = [
        "event",
        "pending",
        "available",
        "due",
        "entry",
        "effect",
        "journal",
        "page",
        "unit",
        "limit",
        "export",
        "run",
        "fold",
        "guard",
        "refusal",
        "failure",
        "violation",
        "covered",
        "remainder",
        "pass",
        "shard",
        "judge",
        "balance",
        "worth",
        "hold",
        "release",
        "settle",
        "lapse",
        "target",
        "place",
        "hint",
        "replay",
        "alias",
        "list",
        "activity",
        "watched",
        "turn",
        "pool",
        "cause",
    ];
    let glossary = text("GLOSSARY.md");
    let bold = |line: &str| line.split("**").nth(1).map(str::to_owned);
    let words: Vec<String> = glossary.lines().filter_map(bold).collect();
    assert!(words.len() > 30, "{words:?}");
    let loyalty = words.iter().filter(|word| !of_any_stack.contains(&word.as_str()));
    let loyalty: Vec<&String> = loyalty.collect();
    for must in ["programme", "participant", "award", "offer", "wallet", "lot", "pass plan"] {
        assert!(loyalty.iter().any(|word| *word == must), "{must} is not in GLOSSARY.md");
    }
    for path in sources("infra/local") {
        let (name, text) = read(&path);
        let text = text.to_lowercase().replace('_', " ");
        for word in &loyalty {
            let plural = format!("{word}s");
            let found = has_word(&text, word) || has_word(&text, &plural);
            assert!(!found, "{name} says {word}");
        }
    }
}

#[test]
fn sources_are_short_exact_and_cannot_stop_a_function() {
    // Tables may be longer: name them here.
    let longer: [&str; 0] = [];
    for path in ["functions", "shared", "infra/local", "tests/src"].iter().flat_map(|f| sources(f))
    {
        let (name, text) = read(&path);
        let lines = text.lines().count();
        assert!(lines <= 400 || longer.contains(&name.as_str()), "{name} has {lines} lines");
        assert!(text.starts_with("//! "), "{name} does not say what it is");
        let code = code(&text);
        for word in ["f32", "f64"] {
            assert!(!has_word(&code, word), "{name} has a float");
        }
        for call in [".unwrap()", ".expect(", "panic!(", "todo!("] {
            assert!(!code.contains(call), "{name} has {call}");
        }
    }
}

#[test]
fn no_test_is_ignored() {
    let ignored = ["#[", "ignore"].concat();
    for folder in ["functions", "shared", "infra/local", "tests"] {
        for path in rust(folder) {
            let (name, text) = read(&path);
            assert!(!text.contains(&ignored), "{name} has a test that nobody runs");
        }
    }
}

#[test]
fn no_file_knows_a_machine() {
    let own = ["/home", "/root", "/Users", "/work"].map(|folder| format!("{folder}/"));
    for path in files("").into_iter().filter(|path| !path.ends_with("Cargo.lock")) {
        let (name, text) = read(&path);
        for folder in &own {
            let starts = text.match_indices(folder.as_str()).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '}' | '/'))
            });
            assert!(!starts, "{name} names a folder below {folder}");
        }
    }
}
