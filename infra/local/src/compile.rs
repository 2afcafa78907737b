//! Builds the functions, as this binary itself was built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The workspace that this binary was built from.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The folder with this binary: `<target>/<profile>`.
pub fn binaries() -> Result<PathBuf> {
    let own = std::env::current_exe().context("where this binary is")?;
    Ok(own.parent().context("where this binary is")?.to_owned())
}

/// Builds all binaries into the folder that this one is in; cargo says what it compiles.
pub fn build(quiet: bool) -> Result<()> {
    let folder = binaries()?;
    let (Some(target), Some(profile)) = (folder.parent(), folder.file_name()) else {
        bail!("{} is not a target folder", folder.display())
    };
    let profile = match profile.to_string_lossy() {
        debug if debug == "debug" => "dev".to_owned(),
        other => other.into_owned(),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--workspace", "--bins", "--profile", &profile, "--target-dir"])
        .arg(target)
        .current_dir(workspace())
        .stdin(Stdio::null());
    if quiet {
        command.arg("--quiet");
    }
    let status = command.status().context("cargo cannot be run")?;
    if !status.success() {
        bail!("the functions could not be built");
    }
    Ok(())
}
