//! The wire under the SDK to a table in this process. What the table takes of memory is left out
//! of the account; what the store holds is looked at with every call.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use serde_json::Value;

use crate::ALLOCATOR;
use crate::engine::carry_out;

/// What was seen of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account {
    /// Bytes that the table holds.
    table: i64,
    /// Most bytes that were held otherwise when a call was made.
    pub most: i64,
    /// Thousandths of read units: of the index, of all.
    pub index_reads: u64,
    pub reads: u64,
}

/// The wire, with its account.
#[derive(Clone)]
pub struct Wire(Arc<(Database, Mutex<Account>)>);

impl fmt::Debug for Wire {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Wire")
    }
}

/// Bytes that are allocated in this process.
fn live() -> i64 {
    let stats = ALLOCATOR.stats();
    let bytes = |count: usize| i64::try_from(count).unwrap();
    bytes(stats.bytes_allocated) - bytes(stats.bytes_deallocated)
}

impl Wire {
    pub fn to(database: Database) -> Wire {
        Wire(Arc::new((database, Mutex::default())))
    }

    /// The account since this was asked last; memory counts from what is held now.
    pub fn take_account(&self) -> Account {
        let mut account = self.0.1.lock().unwrap();
        let taken = *account;
        *account = Account { table: live(), ..Account::default() };
        taken
    }

    fn answer(&self, request: &HttpRequest) -> (u16, Vec<u8>) {
        let mut account = self.0.1.lock().unwrap();
        account.most = account.most.max(live() - account.table);
        let before = live();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let of_index = body["IndexName"].is_string();
        let (status, text) = carry_out(&self.0.0, operation, body);
        let units = thousandths(&text);
        if matches!(operation, "GetItem" | "Query") {
            account.reads += units;
            account.index_reads += if of_index { units } else { 0 };
        }
        account.table += live() - before;
        let answer = text.as_bytes().to_vec();
        let before = live();
        drop(text);
        account.table += live() - before;
        (status, answer)
    }
}

fn thousandths(answer: &str) -> u64 {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let units = answer["ConsumedCapacity"]["CapacityUnits"].to_string();
    let (whole, part) = units.split_once('.').unwrap_or((&units, "0"));
    let part: String = format!("{part:0<3}").chars().take(3).collect();
    whole.parse::<u64>().unwrap_or(0) * 1_000 + part.parse::<u64>().unwrap_or(0)
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, answer) = self.answer(&request);
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer));
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
