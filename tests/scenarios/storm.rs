//! The acceptance test of the ledger: many spends at few wallets while processes are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use fastrand::Rng;
use futures_util::future::join_all;
use scenarios::client::{Answer, key_at};
use scenarios::stack::{Stack, signal};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::calls::{points, sequence, spend_of, ticket};
use crate::desk::{available, credit, own_stack, participant, post_event, transactions};

const CLIENTS: usize = 64;
const SPENDS: usize = 3_000;
/// Gift passes and the total of one purchase, wallet by wallet: some run dry, some do not.
const CREDITS: [(usize, &str); 5] =
    [(1, "30.00"), (2, "900.00"), (3, "4000.00"), (1, "20000.00"), (5, "60000.00")];
/// Answers between two kills.
const KILL_EVERY: usize = 25;
/// With each kill the stack's clock leaps: the storm lasts two hours by its own time. In a minute of
/// real time, every key would be searched for in the whole ledger, as keys are for five minutes.
const LEAP_SECONDS: u64 = 60;
/// Times that one request is sent until it counts as never answered.
const MAX_SENT: usize = 100;

/// One spend: its wallet, its key, and whether two clients send it at the same time.
struct Order {
    wallet: usize,
    key: String,
    body: Value,
    twice: bool,
}

/// What was counted on the way.
#[derive(Default)]
struct Counts {
    next: AtomicUsize,
    answers: AtomicUsize,
    repeats: AtomicUsize,
    /// How far the stack's clock is ahead of the machine's, in milliseconds.
    ahead: AtomicU64,
}

impl Counts {
    /// A key that carries the stack's time.
    fn key(&self) -> String {
        let now = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap();
        key_at(now + self.ahead.load(Ordering::Relaxed))
    }
}

type Outcome = (u16, Vec<String>);

/// What one answer says for ever: its status and what it did, but not the balances of the day.
fn outcome(answer: &Answer) -> Outcome {
    let told = ["/transaction", "/requested", "/spent", "/remainder", "/balance", "/code"];
    (answer.status, told.iter().map(|pointer| answer.text(pointer).to_owned()).collect())
}

/// The only refusal that there is reason for.
fn refusal() -> Outcome {
    (409, ["", "", "", "", "", "not_covered"].map(str::to_owned).to_vec())
}

fn orders(rng: &mut Rng, wallets: &[String]) -> Vec<Order> {
    let order = |index: usize| {
        let wallet = rng.usize(..wallets.len());
        let whole = rng.bool().then_some("counter");
        // One key in ten carries no time: such keys are guarded by an item of their own.
        let key = if rng.u8(..10) == 0 { format!("till-{index}") } else { String::new() };
        let body = spend_of(&wallets[wallet], rng.u64(1..=5), whole);
        Order { wallet, key, body, twice: index.is_multiple_of(5) }
    };
    (0..SPENDS).map(order).collect()
}

/// Sends until there is an answer; the key makes that safe.
async fn answered(stack: &Stack, counts: &Counts, key: &str, body: &Value) -> Answer {
    for _ in 0..MAX_SENT {
        let answer = stack.client.post("/v1/spend-requests", key, body).await;
        if let Ok(answer) = answer
            && !matches!(answer.status, 502..=504)
        {
            return answer;
        }
        counts.repeats.fetch_add(1, Ordering::Relaxed);
    }
    panic!("{key} is never answered");
}

/// Takes orders until none is left; answers which it took, under which key, and what was answered.
async fn client(
    stack: &Stack,
    orders: &[Order],
    counts: &Counts,
    kill: &mpsc::UnboundedSender<()>,
) -> Told {
    let mut done = Vec::new();
    loop {
        let next = counts.next.fetch_add(1, Ordering::Relaxed);
        let Some(order) = orders.get(next) else { return done };
        // Made when it is needed, so that it carries the time of its first use.
        let key = if order.key.is_empty() { counts.key() } else { order.key.clone() };
        let copies = if order.twice { 2 } else { 1 };
        let sends = (0..copies).map(|_| answered(stack, counts, &key, &order.body));
        let answers = join_all(sends).await;
        for _ in &answers {
            if counts.answers.fetch_add(1, Ordering::Relaxed).is_multiple_of(KILL_EVERY) {
                kill.send(()).unwrap();
            }
        }
        done.push((next, key, answers));
    }
}

/// Kills a random process of a random function each time that it is told to.
async fn killer(
    stack: &Stack,
    counts: &Counts,
    mut told: mpsc::UnboundedReceiver<()>,
    mut rng: Rng,
) -> Vec<u32> {
    let mut killed = Vec::new();
    while told.recv().await.is_some() {
        stack.advance(&format!("PT{LEAP_SECONDS}S")).await.unwrap();
        counts.ahead.fetch_add(LEAP_SECONDS * 1_000, Ordering::Relaxed);
        let pids = stack.pids(None).await.unwrap();
        if let Some(pid) = rng.choice(pids)
            && signal("KILL", pid).await.is_ok()
        {
            killed.push(pid);
        }
    }
    killed
}

/// Credits a wallet by gift passes and a purchase.
async fn credited(stack: &Stack, participant: &str, passes: usize, total: &str) -> i64 {
    credit(stack, participant, passes).await;
    let posted = post_event(stack, &ticket(participant, total)).await;
    assert_eq!(posted.status, 201, "{posted:?}");
    let awards = posted.body["awards"].as_array().unwrap();
    let awarded: i64 = awards.iter().map(|award| points(&award["amount"])).sum();
    awarded + i64::try_from(passes).unwrap() * 20
}

/// What each client was answered under each key.
type Told = Vec<(usize, String, Vec<Answer>)>;

/// Lets all clients loose, and the killer; answers what was told and who was killed.
async fn storm(
    stack: &Arc<Stack>,
    orders: &Arc<Vec<Order>>,
    counts: &Arc<Counts>,
    rng: Rng,
) -> (Told, Vec<u32>) {
    let (kill, told) = mpsc::unbounded_channel();
    let killing = tokio::spawn({
        let (stack, counts) = (stack.clone(), counts.clone());
        async move { killer(&stack, &counts, told, rng).await }
    });
    let clients = (0..CLIENTS).map(|_| {
        let (stack, orders) = (stack.clone(), orders.clone());
        let (counts, kill) = (counts.clone(), kill.clone());
        tokio::spawn(async move { client(&stack, &orders, &counts, &kill).await })
    });
    let clients: Vec<_> = clients.collect();
    drop(kill);
    let told = join_all(clients).await.into_iter().flat_map(Result::unwrap).collect();
    (told, killing.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn r69_r70_no_spend_is_lost_doubled_or_overdrawn_whatever_is_killed() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let mut rng = Rng::with_seed(seed);
    let stack = Arc::new(own_stack().await);
    let (mut wallets, mut credits) = (Vec::new(), Vec::new());
    for (passes, total) in CREDITS {
        let id = participant(&stack).await;
        credits.push(credited(&stack, &id, passes, total).await);
        wallets.push(id);
    }
    let orders = Arc::new(orders(&mut rng, &wallets));
    let counts = Arc::new(Counts::default());
    let began = std::time::Instant::now();
    let (told, killed) = storm(&stack, &orders, &counts, rng).await;
    let seconds = began.elapsed().as_secs();
    let alive: BTreeSet<u32> = stack.pids(None).await.unwrap().into_iter().collect();
    let gone = killed.iter().filter(|pid| !alive.contains(pid)).count();
    let (answers, repeats) = (&counts.answers, counts.repeats.load(Ordering::Relaxed));
    println!("seed {seed}: {SPENDS} spends by {CLIENTS} clients in {seconds} s");
    println!("  {answers:?} answers, {repeats} unanswered and repeated, {gone} processes killed");
    assert!(gone > 0 && repeats > 0, "no kill hit anything: {killed:?}");

    let mut outcomes = vec![BTreeMap::new(); wallets.len()];
    for (index, key, answers) in &told {
        let first = outcome(&answers[0]);
        assert!(answers.iter().all(|answer| outcome(answer) == first), "{key}: {answers:?}");
        assert!(first.0 == 201 || first == refusal(), "{key}: {answers:?}");
        let before = outcomes[orders[*index].wallet].insert(key.clone(), first);
        assert_eq!(before, None, "{key} was sent for two orders");
    }
    assert_eq!(told.len(), SPENDS);
    let mut refused = 0;
    for ((wallet, outcomes), credited) in wallets.iter().zip(&outcomes).zip(&credits) {
        refused += audit(&stack, wallet, outcomes, *credited).await;
    }
    println!("  {refused} refused, {} spent", SPENDS - refused);
    assert!(refused > 0 && refused < SPENDS, "{refused} refused");
}

/// Compares one wallet's ledger with what its callers were told; answers the refusals.
async fn audit(
    stack: &Stack,
    wallet: &str,
    outcomes: &BTreeMap<String, Outcome>,
    credited: i64,
) -> usize {
    let rows = transactions(stack, wallet).await;
    let balance: i64 = available(stack, wallet, "points").await.parse().unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let of_kind =
        |kind: &str| -> Vec<&Value> { rows.iter().filter(|r| r["kind"] == kind).collect() };

    // No lost and no double debit: each code that was told is one row, with that amount.
    let spends = of_kind("spend");
    let debits: BTreeMap<String, i64> =
        spends.iter().map(|row| (text(row, "code"), points(&row["amount"]))).collect();
    assert_eq!(debits.len(), spends.len(), "{wallet}: codes are unique");
    let told = outcomes.values().filter(|(status, _)| *status == 201);
    let told: BTreeMap<String, i64> =
        told.map(|(_, told)| (told[0].clone(), -told[2].parse::<i64>().unwrap())).collect();
    assert_eq!(debits, told, "{wallet}");
    let refused = outcomes.values().filter(|(status, _)| *status == 409).count();
    assert_eq!(told.len() + refused, outcomes.len(), "{wallet}: codes are unique");
    assert_eq!(of_kind("refused").len(), refused, "{wallet}");

    // No overdraft: not once, not in all.
    assert!(
        rows.iter()
            .all(|row| row["available_after"].is_null() || points(&row["available_after"]) >= 0)
    );
    let spent: i64 = -debits.values().sum::<i64>();
    assert!((0..=credited).contains(&spent) && balance == credited - spent, "{wallet}: {balance}");

    // The ledger has no hole, and its sum is the balance.
    let sequences: BTreeSet<u64> = rows.iter().map(|row| sequence(&text(row, "code"))).collect();
    let all = u64::try_from(sequences.len()).unwrap();
    assert!(sequences.into_iter().eq(1..=all), "{wallet}");
    let sum: i64 = rows.iter().map(|row| points(&row["amount"])).sum();
    assert_eq!(sum, balance, "{wallet}");
    println!("  {wallet}: {all} entries, credited {credited}, spent {spent}, left {balance}");
    refused
}
