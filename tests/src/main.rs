//! `cargo demo`: the main job from nothing, on a stack in memory, told on the terminal.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use scenarios::stack::{Stack, build, root};
use scenarios::story::Teller;
use serde_json::Value;

#[tokio::main]
async fn main() -> ExitCode {
    match tell().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            eprintln!("\nThe demo failed at {}", causes.join("\n    "));
            ExitCode::FAILURE
        }
    }
}

async fn tell() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = arguments.len();
    arguments.retain(|argument| argument != "--built");
    let built = arguments.len() < given;
    let folder = match arguments.as_slice() {
        [] => root().join("events").join("transit"),
        [folder] if !folder.starts_with('-') => PathBuf::from(folder),
        _ => bail!("usage: cargo demo [-- [--built] [FOLDER]], a folder with a story.json"),
    };
    if !built {
        println!("Building the stack and its functions …");
        build(false).await?;
    }
    let stack = Stack::start().await?;
    println!("The stack runs in memory.\n");
    let mut teller = Teller::begin(&stack, &folder).await?;
    let steps = teller.tell(|line| println!("{line}")).await?;
    let export = teller.answers.iter().rev().find(|answer| answer.body.get("files").is_some());
    if let Some(export) = export {
        show_export(&stack, &export.body).await?;
    }
    println!("\nAll {steps} steps answered as expected.");
    stack.stop().await?;
    Ok(())
}

/// Keeps the export's files beside the build, and shows the rows that went out.
async fn show_export(stack: &Stack, export: &Value) -> Result<()> {
    let folder = root().join("target").join("demo");
    std::fs::create_dir_all(&folder)?;
    println!("\nThe export:");
    for file in export.get("files").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default();
        let bytes = stack.client.fetch(text("url")).await.context("an export file is not there")?;
        let name = text("name").rsplit('/').next().unwrap_or_default();
        let place = folder.join(name);
        std::fs::write(&place, &bytes)?;
        println!("    {}", place.display());
        if name.ends_with(".gz") {
            let mut rows = String::new();
            GzDecoder::new(bytes.as_slice()).read_to_string(&mut rows)?;
            rows.lines().take(4).for_each(|row| println!("        {row}"));
        }
    }
    Ok(())
}
