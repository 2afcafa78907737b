//! The wire under the SDK: an in-process table, and everything that goes wrong on the way to it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use crate::engine::{Engine, TABLE, tenths};
use crate::fault::{Fault, Gate, Weather, broken, cancelled, failed};
use crate::history::Place;

/// One call as it was made, with tenths of the units that the table reported.
#[derive(Clone, Debug)]
pub struct Call {
    pub operation: String,
    pub written: u64,
    pub read: u64,
}

type Age = Box<dyn Fn(&Place) -> u64 + Send>;
type Matches = Box<dyn Fn(&str, &Value) -> bool + Send>;

struct Inner {
    engine: Engine,
    rng: fastrand::Rng,
    calls: Vec<Call>,
    /// The fault of one call to come, by its number.
    fault: Option<(usize, Fault)>,
    weather: Weather,
    /// How many writes ago an item is read, where a read may be stale.
    age: Option<Age>,
    /// Copies of requests on their way, with the number of calls until they arrive.
    late: Vec<(u32, String, Value)>,
    gates: Vec<(Matches, Gate)>,
    /// Calls that always fail.
    broken: Option<Matches>,
}

/// A table in memory and the wire to it.
#[derive(Clone)]
pub struct Wire(Arc<Mutex<Inner>>);

impl fmt::Debug for Wire {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Wire")
    }
}

/// A reply, or a broken connection.
type Reply = Result<(u16, String), &'static str>;

impl Wire {
    /// An empty table, made as the template says.
    pub fn new(seed: u64) -> Wire {
        Wire(Arc::new(Mutex::new(Inner {
            engine: Engine::new(),
            rng: fastrand::Rng::with_seed(seed),
            calls: Vec::new(),
            fault: None,
            weather: Weather::default(),
            age: None,
            late: Vec::new(),
            gates: Vec::new(),
            broken: None,
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Puts items behind the store's back.
    pub fn load(&self, items: &BTreeMap<Place, Value>) {
        for item in items.values() {
            let put = json!({ "TableName": TABLE, "Item": item });
            let (status, answer) = self.inner().engine.carry_out("PutItem", &put);
            assert_eq!(status, 200, "{answer}");
        }
    }

    /// Removes an item behind the store's back.
    pub fn remove(&self, place: &Place) {
        let key = json!({ "pk": { "S": place.0 }, "sk": { "S": place.1 } });
        let delete = json!({ "TableName": TABLE, "Key": key });
        let delete = json!({ "TransactItems": [{ "Delete": delete }] });
        let (status, answer) = self.inner().engine.carry_out("TransactWriteItems", &delete);
        assert_eq!(status, 200, "{answer}");
    }

    /// Everything that is stored.
    pub fn items(&self) -> BTreeMap<Place, Value> {
        self.inner().engine.history.items()
    }

    /// The calls since this was asked last.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.inner().calls)
    }

    /// Lets one of the next calls go wrong.
    pub fn fault_at(&self, call: usize, fault: Fault) {
        let mut inner = self.inner();
        let call = inner.calls.len() + call;
        inner.fault = Some((call, fault));
    }

    /// Whether the fault that was asked for is still to come.
    pub fn awaits_fault(&self) -> bool {
        self.inner().fault.is_some()
    }

    pub fn weather(&self, weather: Weather) {
        self.inner().weather = weather;
    }

    /// Reads that may be stale show an item as it was this many writes ago.
    pub fn age(&self, age: impl Fn(&Place) -> u64 + Send + 'static) {
        self.inner().age = Some(Box::new(age));
    }

    /// From now on calls that match fail, again and again.
    pub fn break_calls(&self, matches: impl Fn(&str, &Value) -> bool + Send + 'static) {
        self.inner().broken = Some(Box::new(matches));
    }

    /// What was broken is mended.
    pub fn mend(&self) {
        self.inner().broken = None;
    }

    /// Stops the next call that matches.
    pub fn gate(&self, matches: impl Fn(&str, &Value) -> bool + Send + 'static) -> Gate {
        let gate = Gate::default();
        self.inner().gates.push((Box::new(matches), gate.clone()));
        gate
    }

    /// Stops the next write of a wallet state.
    pub fn gate_commit(&self) -> Gate {
        self.gate(|operation, body| match operation {
            "PutItem" => body["Item"]["sk"]["S"] == "S",
            "TransactWriteItems" => body["TransactItems"][0]["Put"]["Item"]["sk"]["S"] == "S",
            _ => false,
        })
    }

    /// Lets all copies arrive that are on their way.
    pub fn deliver_late(&self) {
        let mut inner = self.inner();
        for (_, operation, body) in std::mem::take(&mut inner.late) {
            inner.engine.carry_out(&operation, &body);
        }
    }

    async fn reply(self, operation: String, body: Value) -> Reply {
        let stopped = self.inner().stopped(&operation, &body);
        if let Some(gate) = stopped {
            gate.wait().await;
        }
        self.delay().await;
        let reply = self.inner().handle(&operation, body);
        self.delay().await;
        reply
    }

    async fn delay(&self) {
        let most = self.inner().weather.delay;
        if most > 0 {
            let time = self.inner().rng.u64(0..=most);
            tokio::time::sleep(Duration::from_millis(time)).await;
        }
    }
}

impl Inner {
    fn stopped(&mut self, operation: &str, body: &Value) -> Option<Gate> {
        let at = self.gates.iter().position(|(matches, _)| matches(operation, body))?;
        Some(self.gates.remove(at).1)
    }

    fn handle(&mut self, operation: &str, body: Value) -> Reply {
        let number = self.calls.len();
        self.calls.push(Call { operation: operation.to_owned(), written: 0, read: 0 });
        if self.broken.as_ref().is_some_and(|matches| matches(operation, &body)) {
            return Ok(broken());
        }
        let fault = self.next_fault(number, operation);
        let reply = match fault {
            Some(Fault::Before) => Err("refused"),
            Some(Fault::Throttled) => Ok(failed("ThrottlingException")),
            Some(Fault::OverCapacity) => {
                Ok(cancelled(operation, &body, "ProvisionedThroughputExceeded"))
            }
            Some(Fault::Conflict) => Ok(cancelled(operation, &body, "TransactionConflict")),
            None | Some(Fault::After | Fault::LostReply | Fault::Duplicate) => {
                Ok(self.read_or_write(operation, &body))
            }
        };
        self.arrive_late();
        match fault {
            Some(Fault::After) => return Ok(broken()),
            Some(Fault::LostReply) => return Err("reset"),
            Some(Fault::Duplicate) => {
                let calls = self.rng.u32(1..=40);
                self.late.push((calls, operation.to_owned(), body));
            }
            Some(_) | None => {}
        }
        reply
    }

    fn next_fault(&mut self, number: usize, operation: &str) -> Option<Fault> {
        if let Some((_, fault)) = self.fault.take_if(|(at, _)| *at == number) {
            assert!(fault.applies_to(operation), "{fault:?} on {operation}");
            return Some(fault);
        }
        let rolled = self.rng.u32(0..1000) < self.weather.faults;
        let fault = Fault::ALL[self.rng.usize(0..Fault::ALL.len())];
        (rolled && fault.applies_to(operation)).then_some(fault)
    }

    fn arrive_late(&mut self) {
        for (calls, _, _) in &mut self.late {
            *calls = calls.saturating_sub(1);
        }
        let (now, later) = std::mem::take(&mut self.late).into_iter().partition(|late| late.0 == 0);
        self.late = later;
        let now: Vec<(u32, String, Value)> = now;
        for (_, operation, body) in now {
            self.engine.carry_out(&operation, &body);
        }
    }

    fn read_or_write(&mut self, operation: &str, body: &Value) -> (u16, String) {
        let Inner { rng, weather, age, engine, .. } = self;
        let aged = |place: &Place| match age {
            Some(age) => age(place),
            None if rng.u32(0..1000) < weather.stale => rng.u64(1..=12),
            None => 0,
        };
        let (status, text) = match engine.history.stale(operation, body, aged) {
            Some(stale) if self.age.is_some() || self.weather.stale > 0 => (200, stale.to_string()),
            Some(_) | None => self.engine.carry_out(operation, body),
        };
        let answer: Value = serde_json::from_str(&text).unwrap();
        let capacity = &answer["ConsumedCapacity"];
        let tables = capacity.as_array().map_or(std::slice::from_ref(capacity), Vec::as_slice);
        let tenths = tables.iter().map(|table| tenths(&table["CapacityUnits"])).sum();
        if let Some(call) = self.calls.last_mut() {
            match operation {
                "PutItem" | "TransactWriteItems" => call.written = tenths,
                _ => call.read = tenths,
            }
        }
        (status, text)
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let reply = self.clone().reply(operation, body);
        HttpConnectorFuture::new(async move {
            let (status, text) = reply.await.map_err(|why| ConnectorError::io(why.into()))?;
            Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(text)))
        })
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
