//! Ids of runs and exports that are started under a key.

use domain::id::Key;
use domain::time::Instant;
use sha2::{Digest, Sha256};
use wire::csv::hex;

/// The id of what is started under a key: the same key always names the same run or export.
pub fn job_id(kind: &str, key: &Key) -> String {
    let digest = Sha256::digest(format!("{kind}\n{key}").as_bytes());
    format!("{kind}-{}", hex(&digest[..12]))
}

/// The id of what a schedule starts: the same schedule and time always name the same one. No key
/// of a caller leads to it.
pub fn scheduled_job_id(kind: &str, schedule: &str, due: Instant) -> String {
    let digest = Sha256::digest(format!("schedule\n{kind}\n{schedule}\n{}", due.0).as_bytes());
    format!("{kind}-{}", hex(&digest[..12]))
}

/// Whether an id is that of a job of this kind: all are kept side by side.
pub fn is_job(kind: &str, id: &str) -> bool {
    let digest = id.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-'));
    digest.is_some_and(|digest| {
        digest.len() == 24 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_one_kind_are_told_from_others() {
        let id = job_id("export", &Key::parse("a key").unwrap());
        assert!(is_job("export", &id) && !is_job("run", &id));
        assert!(!is_job("export", "export-nightly.2026-11-21T0300"));
        assert!(is_job("export", &scheduled_job_id("export", "all", Instant(0))));
    }
}
