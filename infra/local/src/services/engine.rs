//! The embedded engine of the tables, opened so that its streams stay quick.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use dynoxide::Database;
use rusqlite::Connection;

/// The engine looks for the newest change of a table with every write, and for the next ones with
/// every read of its stream: without this it would look through all of them.
const INDEX: &str = "CREATE INDEX IF NOT EXISTS stream_order \
                     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";
/// A stream keeps its changes for a day, here as deployed.
const TRIM: &str = "DELETE FROM _stream_records WHERE created_at < unixepoch() - 86400";

/// Opens the engine on `file`; without one in memory, with a draft in `folder` for a moment.
pub fn open(file: Option<&Path>, folder: &Path) -> Result<Database> {
    let failed = |error| anyhow!("the tables cannot be opened: {error}");
    if let Some(file) = file {
        let database = Database::new(&file.to_string_lossy()).map_err(failed)?;
        prepare(file)?;
        return Ok(database);
    }
    let database = Database::memory().map_err(failed)?;
    let draft = folder.join("tables.draft");
    let path = draft.to_string_lossy();
    database.vacuum_into(&path).map_err(failed)?;
    prepare(&draft)?;
    database.restore_from(&path).map_err(failed)?;
    std::fs::remove_file(&draft).context("the draft of the tables")?;
    Ok(database)
}

fn prepare(file: &Path) -> Result<()> {
    let connection = Connection::open(file)?;
    connection.execute_batch(INDEX)?;
    connection.execute_batch(TRIM)?;
    Ok(())
}
