//! `cargo verify`: has a stack verify its ledgers, waits, and tells what does not agree.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use scenarios::client::Client;
use scenarios::verification::{agrees, lines, verify};
use serde_json::Value;

/// Where the token for `--api` is: an argument would be seen by everybody on the machine.
const TOKEN: &str = "ACCRUE_TOKEN";
const USAGE: &str = "\
usage: cargo verify -- (--ready-file FILE | --api URL) [--participant ID] [--json]

  --ready-file FILE  what `cargo local -- --ready-file FILE` wrote
  --api URL          any stack; the token, with the scope operations, is in ACCRUE_TOKEN
  --participant ID   one wallet alone
  --json             the document as it is

Ends with 0 only if nothing disagrees.";

#[derive(Default)]
struct Asked {
    ready: Option<PathBuf>,
    api: Option<String>,
    participant: Option<String>,
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn asked() -> Result<Asked> {
    let (mut asked, mut arguments) = (Asked::default(), std::env::args().skip(1));
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context(USAGE);
        match argument.as_str() {
            "--ready-file" => asked.ready = Some(value()?.into()),
            "--api" => asked.api = Some(value()?),
            "--participant" => asked.participant = Some(value()?),
            "--json" => asked.json = true,
            _ => bail!(USAGE),
        }
    }
    Ok(asked)
}

fn client(asked: &Asked) -> Result<Client> {
    match (&asked.ready, &asked.api) {
        (Some(file), None) => {
            let text = std::fs::read(file).with_context(|| file.display().to_string())?;
            let ready: Value = serde_json::from_slice(&text)?;
            let text =
                |name: &str| ready.get(name).and_then(Value::as_str).context("no ready file");
            Client::new(text("api")?, text("token")?)
        }
        (None, Some(api)) => {
            let token = std::env::var(TOKEN).context("no token in ACCRUE_TOKEN")?;
            Client::new(api.trim_end_matches('/'), &token)
        }
        (Some(_), Some(_)) | (None, None) => bail!(USAGE),
    }
}

async fn run() -> Result<bool> {
    let asked = asked()?;
    let document = verify(&client(&asked)?, asked.participant.as_deref()).await?;
    if asked.json {
        println!("{document:#}");
    } else {
        lines(&document)?.iter().for_each(|line| println!("{line}"));
    }
    Ok(agrees(&document))
}
