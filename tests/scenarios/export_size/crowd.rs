//! A crowd for exports of many, from a printed seed: a few kinds of people, each made over the API,
//! and as many of each as the dice say.

use scenarios::client::key;
use scenarios::stack::Stack;
use serde_json::json;

use crate::calls::{posted, set_clock};
use crate::copies::{original, put, shard_of};
use crate::desk::{built, purchase, sample};

/// Kinds of people.
const KINDS: usize = 48;
/// In the middle of a month, so that its months are the same whenever it runs.
const NOW: &str = "2027-03-20T12:00:00Z";
const THIS_MONTH: &str = "2027-03-12T12:00:00Z";
const BEFORE: [&str; 3] = ["2026-12-14T12:00:00Z", "2027-01-14T12:00:00Z", "2027-02-14T12:00:00Z"];
/// Segments of `events/programme/programme-activity.json`, as a marketing department asks for them.
pub const SEGMENTS: [&str; 5] = [
    "bought-and-spent-nothing",
    "sales-fell",
    "points-expire",
    "savers-with-mail",
    "coffee-in-the-old-town",
];

/// What people of one kind did.
struct Kind {
    /// Bought this month, and in each of the three months before; nothing is 0.
    sales: u32,
    sales_before: u32,
    coffee_in_the_old_town: bool,
    spent: bool,
    points: u32,
    has_expiring: bool,
    consent: Option<bool>,
}

/// How many people of the crowd each segment has.
#[derive(Clone, Copy, Default)]
pub struct Expected {
    pub members: usize,
    pub addressed: usize,
}

/// What was made.
pub struct Crowd {
    pub people: usize,
    pub segments: [Expected; SEGMENTS.len()],
    pub suppressed: usize,
}

impl Kind {
    fn random(dice: &mut fastrand::Rng) -> Kind {
        Kind {
            sales: dice.choice([0, 0, 20, 60]).unwrap_or_default(),
            sales_before: dice.choice([0, 30, 90]).unwrap_or_default(),
            coffee_in_the_old_town: dice.bool(),
            spent: dice.u8(..3) == 0,
            points: if dice.u8(..8) == 0 { 500 } else { 1_500 },
            has_expiring: dice.bool(),
            consent: match dice.u8(..16) {
                0 => None,
                1 => Some(false),
                _ => Some(true),
            },
        }
    }

    /// Whether it is in each segment, by the words of the segment.
    fn is_in(&self) -> [bool; SEGMENTS.len()] {
        let opted_in = self.consent == Some(true);
        [
            self.sales > 0 && !self.spent,
            self.sales * 2 < self.sales_before,
            self.has_expiring,
            self.points - 10 * u32::from(self.spent && !self.has_expiring) >= 1_000 && opted_in,
            self.coffee_in_the_old_town && self.sales_before > 0,
        ]
    }

    /// Somebody of this kind.
    async fn make(&self, stack: &Stack, id: &str) {
        let consent = self.consent.map(|granted| {
            json!({ "channel": "email", "granted": granted, "at": "2026-01-01T00:00:00Z" })
        });
        let profile = json!({ "first_name": id, "email": format!("{id}@example.org") });
        let body = json!({ "profile": profile, "consents": consent.as_slice() });
        let path = format!("/v1/participants/{id}");
        assert_eq!(stack.client.put(&path, &body).await.unwrap().status, 201);
        let expiring = self.has_expiring.then_some((50, Some("2027-04-09")));
        for (amount, expires) in [(self.points, None)].into_iter().chain(expiring) {
            let mut body = json!({ "balance": "points", "amount": amount.to_string(),
                "reason": "moved here" });
            if let Some(expires) = expires {
                body["expires"] = json!(expires);
            }
            let path = format!("{path}/adjustments");
            assert_eq!(stack.client.post(&path, &key(), &body).await.unwrap().status, 201);
        }
        let before = BEFORE.map(|at| (at, self.sales_before));
        for (at, total) in before.into_iter().chain([(THIS_MONTH, self.sales)]) {
            if total == 0 {
                continue;
            }
            let mut bought = purchase(id, &total.to_string());
            (bought["performed_on"], bought["unit"]) = (json!(at), json!("shop-9"));
            if self.coffee_in_the_old_town {
                (bought["unit"], bought["lines"][0]["category"]) =
                    (json!("shop-1"), json!("coffee"));
            }
            posted(stack, &bought).await;
        }
        if self.spent {
            let body = json!({ "participant_id": id, "balance": "points", "amount": "10" });
            let spent = stack.client.post("/v1/spend-requests", &key(), &body).await.unwrap();
            assert_eq!(spent.status, 201, "{spent:?}");
        }
    }
}

/// A stack whose programme has the segments, and nothing that is awarded.
pub async fn stack() -> Stack {
    built().await;
    let stack = Stack::start().await.unwrap();
    set_clock(&stack, NOW).await;
    let mut programme = sample("programme/programme-activity.json");
    (programme["offers"], programme["lists"]) = (json!([]), json!([]));
    let segments = programme["segments"].as_array_mut().unwrap();
    segments.retain(|segment| SEGMENTS.contains(&segment["id"].as_str().unwrap()));
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    stack
}

/// Puts so many people into the table, each a copy of one who was made over the API under an id of
/// its own; in one shard of the roster, if asked, so that it has files of several parts.
pub async fn gather(stack: &Stack, many: usize, in_one_shard: bool, seed: u64) -> Crowd {
    println!("a crowd of {many} by the seed {seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut kinds = Vec::new();
    for number in 0..KINDS {
        let (kind, id) = (Kind::random(&mut dice), format!("k-{number:02}"));
        kind.make(stack, &id).await;
        let original = original(stack, &id).await;
        kinds.push((kind, original));
    }
    let mut crowd = Crowd { people: 0, segments: <_>::default(), suppressed: 0 };
    kinds.iter().for_each(|(kind, _)| crowd.count(kind));
    let ids = (0_u64..).map(|number| format!("s-{number:07}"));
    let ids = ids.filter(|id| !in_one_shard || shard_of(id) == 0).take(many);
    let mut people = Vec::new();
    for id in ids {
        let (kind, original) = &kinds[dice.usize(..KINDS)];
        crowd.count(kind);
        people.push((original, id));
    }
    put(stack, &people).await;
    crowd
}

impl Crowd {
    fn count(&mut self, kind: &Kind) {
        self.people += 1;
        self.suppressed += usize::from(kind.consent == Some(false));
        for (segment, is_in) in self.segments.iter_mut().zip(kind.is_in()) {
            segment.members += usize::from(is_in);
            segment.addressed += usize::from(is_in && kind.consent == Some(true));
        }
    }
}
