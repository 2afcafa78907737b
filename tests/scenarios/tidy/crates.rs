//! Imports: who depends on whom, read from the manifests.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::stack::root;

use super::{read, text};

/// Dependencies of a crate, without those of its tests.
fn dependencies(manifest: &str, section: &str) -> BTreeSet<String> {
    let after = manifest.split(&format!("[{section}]\n")).nth(1).unwrap_or_default();
    let lines = after.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next());
    let names = names.filter(|name| !name.is_empty() && !name.starts_with('#'));
    names.map(str::to_owned).collect()
}

/// Folder of each crate, with its manifest.
fn members() -> BTreeMap<String, String> {
    let mut members = BTreeMap::new();
    let mut add = |folder: String| {
        let manifest = text(&format!("{folder}/Cargo.toml"));
        members.insert(folder, manifest);
    };
    for parent in ["functions", "shared"] {
        for entry in std::fs::read_dir(root().join(parent)).unwrap() {
            add(read(&entry.unwrap().path()).0);
        }
    }
    add("infra/local".to_owned());
    add("tests".to_owned());
    members
}

const OURS: [&str; 4] = ["domain", "wire", "store", "harness"];

/// What a crate may import of ours (design, section 2).
fn allowed(folder: &str) -> &'static [&'static str] {
    match folder {
        "shared/domain" | "infra/local" => &[],
        "shared/wire" | "shared/store" => &["domain"],
        "shared/harness" => &["store", "wire", "domain"],
        "tests" => &["wire", "domain"],
        function if function.starts_with("functions/") => &["harness", "store", "wire", "domain"],
        other => panic!("a crate of no room: {other}"),
    }
}

#[test]
fn crates_import_what_their_room_may() {
    let members = members();
    let functions: Vec<&str> =
        members.keys().filter_map(|folder| folder.strip_prefix("functions/")).collect();
    for (folder, manifest) in &members {
        let names = dependencies(manifest, "dependencies");
        for name in &names {
            assert!(!functions.contains(&name.as_str()), "{folder} imports the function {name}");
            let ours = OURS.contains(&name.as_str());
            assert!(!ours || allowed(folder).contains(&name.as_str()), "{folder} imports {name}");
        }
        if folder == "infra/local" || folder == "tests" {
            let more = dependencies(manifest, "dev-dependencies");
            let strange = |name: &&String| {
                OURS.contains(&name.as_str()) && !allowed(folder).contains(&name.as_str())
            };
            assert_eq!(more.iter().find(strange), None, "{folder}");
        }
        let sdk = names.contains("aws-sdk-dynamodb");
        assert_eq!(sdk, folder == "shared/store", "{folder} and the table's SDK");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{folder} has lints of its own");
    }
}

#[test]
fn the_domain_imports_values_only() {
    let values = [
        "chrono",
        "chrono-tz",
        "croner",
        "hmac",
        "regex",
        "rustc-hash",
        "sha2",
        "subtle",
        "thiserror",
    ];
    let names = dependencies(&text("shared/domain/Cargo.toml"), "dependencies");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(names, values, "a new one stands in ARCHITECTURE.md, too");
    let page = text("ARCHITECTURE.md");
    let line = page.lines().find(|line| line.trim_start().starts_with("domain ")).unwrap();
    assert!(values.iter().all(|name| line.contains(name)), "ARCHITECTURE.md says {line}");
    for name in dependencies(&text("shared/wire/Cargo.toml"), "dependencies") {
        let waits = name.starts_with("aws") || name.contains("tokio") || name.contains("lambda");
        assert!(!waits, "wire imports {name}");
    }
}
