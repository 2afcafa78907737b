//! Storms: everybody does everything at once on a bad wire, and all of it is repeated a week later.

use std::cell::RefCell;
use std::rc::Rc;

use domain::award::Mode;
use domain::event::Judge;
use domain::id::{EventId, Key, TransactionCode};
use domain::programme::Programme;
use domain::returns::ReturnedLine;
use domain::time::Instant;
use store::{
    CancelEvent, CancelSpend, Done, Error, EventCancelled, Judging, Posting, Redeeming, RequestKey,
    Result, Spending, Store,
};
use tokio::task::{JoinSet, LocalSet};

use crate::cast::{
    asked, cancelling, cash, event_id, gift, in_pieces, issue, key, later, open, payload, person,
    plan_key, programme, publish, purchase, run_id, seed, tenfold, tenth_off, timed_key,
};
use crate::fault::Weather;
use crate::laws::walk;
use crate::money::Ask;
use crate::quotas::{discounted, used};
use crate::wire::Wire;

const TASKS: usize = 6;
const REQUESTS: usize = 30;
const PEOPLE: [&str; 2] = ["c-1", "c-2"];

/// One request as its caller remembers it.
#[derive(Clone, Debug)]
enum Request {
    Post { who: &'static str, reference: String, total: i64, judge: bool, spend: Option<i64> },
    Spend { who: &'static str, key: Key, amount: i64, on: Option<EventId> },
    CancelEvent { event: EventId, by: u8 },
    CancelAhead { event: EventId, by: u8 },
    Return { event: EventId, by: u8, pieces: u32 },
    CancelSpend { code: TransactionCode, by: u8 },
    Judge { who: &'static str, events: Vec<EventId> },
    Redeem { who: &'static str, pass: usize, key: Key },
    Hold { who: &'static str, key: Key, amount: i64 },
    Settle { hold: TransactionCode, key: Key, amount: Option<i64>, on: Option<EventId> },
    Release { hold: TransactionCode, key: Key },
    Adjust { who: &'static str, key: Key, amount: i64 },
}

/// What everybody shares: the wire, and what has happened so far.
struct Storm {
    wire: Wire,
    programme: Programme,
    rng: RefCell<fastrand::Rng>,
    events: RefCell<Vec<EventId>>,
    spends: RefCell<Vec<TransactionCode>>,
    holds: RefCell<Vec<TransactionCode>>,
    answers: RefCell<Vec<(Request, String)>>,
}

impl Storm {
    fn new(seed: u64, weather: Weather) -> Storm {
        let wire = Wire::new(seed);
        wire.weather(weather);
        Storm {
            wire,
            programme: programme(vec![tenfold(), cash(), tenth_off(40_00)]),
            rng: RefCell::new(fastrand::Rng::with_seed(seed)),
            events: RefCell::default(),
            spends: RefCell::default(),
            holds: RefCell::default(),
            answers: RefCell::default(),
        }
    }

    fn roll(&self, most: usize) -> usize {
        self.rng.borrow_mut().usize(0..most)
    }

    fn some_event(&self) -> Option<EventId> {
        let events = self.events.borrow();
        (!events.is_empty()).then(|| events[self.roll(events.len())].clone())
    }

    /// A hold, most often one of the newest: the others have ended.
    fn some_hold(&self) -> Option<TransactionCode> {
        let holds = self.holds.borrow();
        let newest = holds.len().saturating_sub(4);
        (!holds.is_empty()).then(|| holds[newest + self.roll(holds.len() - newest)].clone())
    }

    fn draw(&self, task: usize, number: usize, now: Instant) -> Request {
        let who = PEOPLE[self.roll(PEOPLE.len())];
        let amount = 1 + i64::try_from(self.roll(300)).unwrap();
        let number = task * 1_000 + number;
        let timed = timed_key(now.plus_minutes(-3), u64::try_from(number).unwrap());
        let by = u8::try_from(task).unwrap();
        let random = key(&format!("k-{number}"));
        let request = match self.roll(18) {
            0 | 1 => Some(Request::Spend { who, key: timed, amount, on: None }),
            2 => Some(Request::Spend { who, key: random, amount, on: None }),
            3 => self.some_event().map(|event| {
                let key = if self.roll(2) == 0 { timed } else { random };
                Request::Spend { who, key, amount, on: Some(event) }
            }),
            4 => self.some_event().map(|event| Request::CancelEvent { event, by }),
            5 => {
                let spends = self.spends.borrow();
                let code = (!spends.is_empty()).then(|| spends[self.roll(spends.len())].clone());
                code.map(|code| Request::CancelSpend { code, by })
            }
            6 | 7 => {
                let events = (0..5).filter_map(|_| self.some_event()).collect();
                Some(Request::Judge { who, events })
            }
            16 => self.some_event().map(|event| {
                let pieces = 1 + u32::try_from(self.roll(3)).unwrap();
                // Each return has a key of its own.
                Request::Return { event, by: 100 + u8::try_from(number % 100).unwrap(), pieces }
            }),
            // Before or after it comes: some post references below fifty.
            17 if self.roll(3) == 0 => {
                let event = event_id(&format!("e-{}", self.roll(50)));
                Some(Request::CancelAhead { event, by })
            }
            8 => Some(Request::Redeem { who, pass: self.roll(20), key: random }),
            12 => Some(Request::Hold { who, key: timed, amount }),
            13 => self.some_hold().map(|hold| {
                let (amount, on) = (Some(amount).filter(|_| self.roll(2) == 0), self.some_event());
                let on = on.filter(|_| self.roll(3) == 0);
                let key = if self.roll(2) == 0 { timed } else { random };
                Request::Settle { hold, key, amount, on }
            }),
            14 => self.some_hold().map(|hold| Request::Release { hold, key: timed }),
            15 => {
                let amount = if self.roll(3) == 0 { -amount } else { amount };
                Some(Request::Adjust { who, key: random, amount })
            }
            _ => None,
        };
        let (judge, spends) = (self.roll(2) == 0, self.roll(4) == 0);
        let reference = format!("e-{}", if self.roll(5) == 0 { self.roll(50) } else { number });
        request.unwrap_or(Request::Post {
            who,
            reference,
            total: 1_00 * amount,
            judge,
            spend: spends.then_some(5),
        })
    }

    async fn ask(&self, store: &Store, now: Instant, request: &Request) -> Result<String> {
        let programme = &self.programme;
        match request {
            Request::Post { who, reference, total, judge, spend } => {
                let event = &in_pieces(purchase(&person(who), reference, *total, later(0)), 4);
                let spend = spend.map(|amount| asked(amount, later(0)));
                let (spend, judge, payload) = (spend.as_ref(), *judge, hash(request));
                let enrols = true;
                let order = Posting {
                    programme,
                    now,
                    event,
                    payload,
                    spend,
                    judge,
                    enrols,
                    codes: store::Codes::default(),
                };
                let value = store.post_event(&order).await?.value;
                self.events.borrow_mut().push(value.event.id.clone());
                Ok(format!("{:?} {:?}", value.event, value.accepted_at))
            }
            Request::Spend { who, key, amount, on } => {
                let (participant, asked) = (&person(who), &asked(*amount, later(0)));
                let (payload, purchase) = (hash(request), on.as_ref());
                let (key, request) = (RequestKey::Caller(key), None);
                let order = Spending {
                    programme,
                    now,
                    participant,
                    key,
                    payload,
                    asked,
                    purchase,
                    request,
                    bearer: None,
                };
                let Done { value, .. } = store.spend(&order).await?;
                let code = TransactionCode { participant: person(who), sequence: value.sequence };
                self.spends.borrow_mut().push(code);
                Ok(format!("{value:?}"))
            }
            Request::CancelEvent { event, by } => {
                let done = store.cancel_event(&cancelling(programme, now, event, *by)).await?;
                Ok(told(&done.value))
            }
            Request::CancelAhead { event, by } => {
                let order = cancelling(programme, now, event, *by);
                let done = store.cancel_event(&CancelEvent { ahead: true, ..order }).await?;
                Ok(told(&done.value))
            }
            Request::Return { event, by, pieces } => {
                let lines = &[ReturnedLine { index: 0, quantity: *pieces }];
                let order = cancelling(programme, now, event, *by);
                let order = CancelEvent { lines, payload: hash(request), ..order };
                Ok(told(&store.cancel_event(&order).await?.value))
            }
            Request::CancelSpend { code, by } => {
                let order = CancelSpend {
                    programme,
                    now,
                    spend: code,
                    payload: payload(*by),
                    reason: None,
                };
                Ok(store.cancel_spend(&order).await?.value.sequence.to_string())
            }
            Request::Judge { who, events } => {
                let (participant, by) = (&person(who), Judge::Run(run_id("run")));
                let (mode, events) = (Mode::Run, events.as_slice());
                let order = Judging { programme, now, participant, events, mode, by };
                let judged = store.judge(&order).await?.value;
                assert!(judged.iter().all(|event| event.due == domain::event::Due::Nothing));
                Ok(String::new())
            }
            Request::Redeem { who, pass, key: redeem } => {
                let (plan, participant) = (&gift(), &person(who));
                let issue = issue(&format!("i-{pass}"));
                let issued = store.issue_pass(programme, later(0), plan, &issue).await?;
                let (pass, key, payload) = (&issued.0.id, redeem, hash(request));
                let proof = (&plan_key(plan), None);
                let order =
                    Redeeming { programme, now, plan, pass, proof, participant, key, payload };
                Ok(format!("{:?}", store.redeem(&order).await?.value))
            }
            Request::Hold { who, key, amount } => {
                let who = person(who);
                let ask =
                    Ask { payload: hash(request), ..Ask::new(store, programme, &who, now, key) };
                let value = ask.hold(*amount, "PT15M", None).await?.value;
                let code = TransactionCode { participant: who.clone(), sequence: value.sequence };
                self.holds.borrow_mut().push(code);
                Ok(format!("{value:?}"))
            }
            Request::Settle { hold, key, amount, on } => {
                let ask = Ask::new(store, programme, &hold.participant, now, key);
                let ask = Ask { payload: hash(request), ..ask };
                let value = ask.settle(hold.sequence, *amount, on.as_ref()).await?.value;
                let (participant, sequence) = (hold.participant.clone(), value.sequence);
                self.spends.borrow_mut().push(TransactionCode { participant, sequence });
                Ok(format!("{value:?}"))
            }
            Request::Release { hold, key } => {
                let ask = Ask::new(store, programme, &hold.participant, now, key);
                let ask = Ask { payload: hash(request), ..ask };
                Ok(format!("{:?}", ask.release(hold.sequence).await?.value))
            }
            Request::Adjust { who, key, amount } => {
                let who = person(who);
                let ask =
                    Ask { payload: hash(request), ..Ask::new(store, programme, &who, now, key) };
                Ok(format!("{:?}", ask.adjust(*amount, None).await?.value))
            }
        }
    }

    /// Asks until there is an answer; a refusal is one.
    async fn insist(&self, store: &Store, now: Instant, request: &Request) -> String {
        for _ in 0..400 {
            match self.ask(store, now, request).await {
                Ok(answer) => return answer,
                Err(Error::Unavailable(_) | Error::Contended) => {}
                Err(error @ (Error::Refused(_) | Error::NotFound(_) | Error::KeyReused)) => {
                    return error.to_string();
                }
                Err(error) => panic!("{request:?}: {error:?}"),
            }
        }
        panic!("{request:?}: no answer");
    }

    async fn task(self: Rc<Storm>, task: usize) {
        let sizes = [6, 6, 4, 9];
        for number in 0..REQUESTS {
            // Each task's clock is wrong by another two minutes.
            let minutes = number * 2 + task * 2;
            let now = later(i64::try_from(minutes).unwrap());
            let store = open(&self.wire, self.roll(2) == 0).with_page_entries(sizes[self.roll(4)]);
            let request = self.draw(task, number, now);
            if self.roll(4) == 0 {
                // A caller that dies in the middle.
                let patience =
                    std::time::Duration::from_millis(u64::try_from(self.roll(12)).unwrap());
                drop(tokio::time::timeout(patience, self.ask(&store, now, &request)).await);
            }
            let twice = self.roll(5) == 0;
            let ask = || self.insist(&store, now, &request);
            let answer = if twice {
                let (one, two) = tokio::join!(ask(), ask());
                let kept = [&one, &two].map(|answer| is_for_ever(&request, answer));
                // a refused event leaves its reference free, so its twin may find more.
                assert!(one == two || kept != [true; 2], "{request:?}: {one} {two}");
                if kept[0] { one } else { two }
            } else {
                ask().await
            };
            self.answers.borrow_mut().push((request, answer));
        }
    }
}

/// The entry of a cancel.
fn told(cancelled: &EventCancelled) -> String {
    match cancelled {
        EventCancelled::TakenBack(_, sequence) => sequence.to_string(),
        EventCancelled::Ahead => "Ahead".to_owned(),
    }
}

/// What a request says, apart from its key.
fn hash(request: &Request) -> domain::ledger::PayloadHash {
    let text = format!("{request:?}");
    let sum = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte));
    domain::ledger::PayloadHash(sum.to_be_bytes())
}

/// all invariants, in any weather.
#[tokio::test(start_paused = true)]
async fn in_a_storm_everything_happens_once_and_is_answered_alike_a_week_later() {
    let mut seeds = fastrand::Rng::with_seed(seed("storm"));
    for (faults, stale) in [(0, 300), (60, 0), (60, 300), (200, 500)] {
        let weather = Weather { faults, stale, delay: 4 };
        let storm = Rc::new(Storm::new(seeds.u64(..), weather));
        let store = open(&storm.wire, true);
        storm.wire.weather(Weather::default());
        publish(&store).await.unwrap();
        for who in PEOPLE {
            store.register(&person(who), None, vec![]).await.unwrap();
        }
        storm.wire.weather(weather);
        let (mut tasks, local) = (JoinSet::new(), LocalSet::new());
        for task in 0..TASKS {
            tasks.spawn_local_on(Rc::clone(&storm).task(task), &local);
        }
        local.run_until(tasks.join_all()).await;
        storm.wire.weather(Weather::default());
        storm.wire.deliver_late();
        let lengths = PEOPLE.map(|who| walk(&storm.wire, &person(who)).wallet.length);
        let items = storm.wire.items();
        assert_eq!(used(&storm.wire, "tenth-off").1, discounted(&storm.wire), "R-44: to the cent");
        storm.wire.weather(Weather { faults: 0, ..weather });
        let answers = storm.answers.borrow().clone();
        let mut again = 0;
        for (request, answer) in &answers {
            if is_for_ever(request, answer) {
                let week = later(7 * 24 * 60);
                assert_eq!(storm.insist(&store, week, request).await, *answer, "{request:?}");
                again += 1;
            }
        }
        // A repeat that saw old events may have tried a commit, and put a page before it lost.
        let mut found = storm.wire.items();
        found.retain(|place, _| items.contains_key(place) || !place.1.starts_with("L#"));
        assert!(found == items, "a week later nothing happens again");
        for who in PEOPLE {
            walk(&storm.wire, &person(who));
        }
        storm.wire.weather(Weather::default());
        crate::verify::agrees(&storm.wire, "a storm").await;
        println!("storm: {weather:?}: entries {lengths:?}, {again} repeated");
    }
}

/// Whether the ledger remembers the answer: what was not found, or was refused without an entry,
/// may be there a week later.
fn is_for_ever(request: &Request, answer: &str) -> bool {
    match request {
        Request::Judge { .. } => true,
        Request::Spend { .. }
        | Request::Hold { .. }
        | Request::Settle { .. }
        | Request::Release { .. }
        | Request::Adjust { .. } => !answer.starts_with("there is no such"),
        Request::Post { .. }
        | Request::CancelEvent { .. }
        | Request::CancelAhead { .. }
        | Request::Return { .. }
        | Request::CancelSpend { .. }
        | Request::Redeem { .. } => {
            answer.starts_with(|first: char| first.is_ascii_digit())
                || answer.starts_with("Event")
                || answer.starts_with("Pass")
                || answer.starts_with("Ahead")
        }
    }
}
