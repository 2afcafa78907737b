//! Exports under way, how they end, and which one the next delta starts from.

use domain::id::SegmentId;
use store::{Completed, Export, ExportStatus, Store};

use crate::cast::{later, open, run_id};
use crate::requests::export;
use crate::wire::Wire;

async fn complete(store: &Store, id: &str, minute: i64) {
    let begun = Export { as_of: later(minute).0, ..export() };
    store.start_export(&run_id(id), &begun).await.unwrap();
    let version = store.export_progress(&run_id(id)).await.unwrap().version;
    let ended = Export { status: ExportStatus::Completed, ..begun };
    let completed = Completed { export: id.to_owned(), as_of: ended.as_of, addressed: 1 };
    store.end_export(&run_id(id), &ended, version, Some(&completed)).await.unwrap();
}

async fn last(store: &Store, dialect: &str) -> Option<String> {
    let segment = SegmentId::parse("all").unwrap();
    store.last_export(&segment, dialect).await.unwrap().map(|last| last.export)
}

#[tokio::test]
async fn r94_the_newest_completed_export_is_the_base_whichever_ends_last() {
    let store = open(&Wire::new(0), false);
    assert_eq!(last(&store, "canonical").await, None);
    complete(&store, "export-2", 2).await;
    complete(&store, "export-1", 1).await;
    assert_eq!(last(&store, "canonical").await.as_deref(), Some("export-2"));
    complete(&store, "export-3", 3).await;
    assert_eq!(last(&store, "canonical").await.as_deref(), Some("export-3"));
    assert_eq!(last(&store, "braze").await, None);
}

#[tokio::test]
async fn r94_an_export_ends_once_and_is_open_until_then() {
    let store = open(&Wire::new(0), false);
    let id = &run_id("export-1");
    store.start_export(id, &export()).await.unwrap();
    assert_eq!(store.open_exports(None, 9).await.unwrap(), std::slice::from_ref(id));
    assert_eq!(store.open_exports(Some("export-1"), 9).await.unwrap(), []);
    let refused = Export { status: ExportStatus::Shrunk, ..export() };
    store.end_export(id, &refused, 1, None).await.unwrap();
    // Whoever comes second with another end changes nothing.
    let ended = Export { status: ExportStatus::Completed, ..export() };
    let completed = Completed { export: id.to_string(), as_of: ended.as_of, addressed: 1 };
    store.end_export(id, &ended, 1, Some(&completed)).await.unwrap();
    assert_eq!(store.export(id).await.unwrap(), refused);
    assert_eq!(last(&store, "canonical").await, None);
    assert_eq!(store.open_exports(None, 9).await.unwrap(), []);
}
