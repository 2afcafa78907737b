//! What feeds are told: the canonical message, and the batch of Dataverse.

use domain::feed::{Feed, FeedType, Target, TargetUrl};
use domain::id::{EventId, FeedId, Key, PlanId};
use domain::ledger::{Act, Effect, Entry, EntryKey, PayloadHash};
use domain::participant::{Consent, Participant, Profile};
use domain::pass::{Generation, Issue, PassKeys};
use domain::programme::Programme;
use domain::{amount::Amount, id::BalanceCode};
use serde_json::Value;
use wire::feed::{self, FeedMessage};
use wire::programme::parse_programme;

use crate::answers::{lot, now, participant, programme};

fn read(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    std::fs::read(folder.join(name)).unwrap()
}

fn one(url: &str) -> Feed {
    Feed {
        id: FeedId::parse("crm").unwrap(),
        url: TargetUrl::parse(url).unwrap(),
        secret: "default".into(),
        types: FeedType::ALL.to_vec(),
        target: Target::Webhook,
    }
}

fn messages(programme: &Programme) -> Vec<FeedMessage> {
    let award = Effect::Award {
        offer: None,
        lot: lot("points", None, None),
        amount: Amount(20),
        debt: Amount(0),
        slot: None,
    };
    let judged = EntryKey::Event { event: EventId::parse("till:R-1").unwrap(), turn: 0 };
    let entry = |sequence, key, act, effects| Entry {
        sequence,
        at: now(),
        key,
        payload: PayloadHash::default(),
        act,
        effects,
        after: vec![(BalanceCode::parse("points").unwrap(), Amount(80))],
    };
    let blocked = Act::Blocked { reason: "dispute".into() };
    let consent = Consent { granted: true, at: now(), source: Some("web".into()), process: None };
    let mut known = Participant {
        profile: Profile {
            first_name: Some("Anna".into()),
            email: Some("anna@example.org".into()),
            tags: vec!["o'clock".into()],
            ..Profile::default()
        },
        ..Participant::default()
    };
    known.consents.insert("email".into(), consent.clone());
    let who = participant();
    vec![
        feed::participant(programme, &who, 3, &known),
        feed::consent(programme, &who, 3, &"email".into(), &consent),
        feed::movement(programme, &who, &entry(1, judged, Act::Judged, vec![award])),
        feed::movement(programme, &who, &entry(2, EntryKey::Block(2), blocked, vec![])),
    ]
}

#[test]
fn r96_a_webhook_is_sent_what_the_sample_shows() {
    let body = feed::webhook(&one("https://crm.example/hook"), &messages(&programme())).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let want: Value = serde_json::from_slice(&read("crm-feed/webhook.json")).unwrap();
    assert_eq!(body, want, "{}", serde_json::to_string_pretty(&body).unwrap());
}

/// the email platform gets the code; nobody gets a pass that is for nobody.
#[test]
fn r81_an_electronic_pass_is_told_with_its_code_where_it_is_for_somebody() {
    let programme = parse_programme(&read("transit/programme.json"), 1).unwrap();
    let plan = programme.pass_plan(&PlanId::parse("gift-20").unwrap()).unwrap();
    let keys = PassKeys::parse("a key of thirty-two characters or more").unwrap();
    let key = keys.of(&plan.id, Generation(0)).unwrap();
    for (recipient, told) in [(Some("anna@example.org"), true), (None, false)] {
        let issue = Issue {
            key: Key::parse("k-1").unwrap(),
            payload: PayloadHash::default(),
            generation: Generation(0),
            value: None,
            recipient: recipient.map(Into::into),
            channel: None,
        };
        let pass = plan.issue(7, issue, now());
        let message = feed::pass_issued(&programme, plan, &pass, key.told(7), now());
        assert_eq!(message.is_some(), told);
        let Some(message) = message else { continue };
        let shown = serde_json::to_value(&message).unwrap();
        assert_eq!(shown["id"], "pass_issued:gift-20.7");
        assert_eq!(shown["pass"]["code"], Value::from(key.told(7).code));
        assert_eq!(shown["pass"]["recipient"], "anna@example.org");
        assert_eq!(shown.get("participant_id"), None);
    }
}

#[test]
fn r96_dataverse_gets_one_changeset_of_upserts_by_alternate_key() {
    let org = TargetUrl::parse("https://org.crm4.dynamics.com/").unwrap();
    let batch = feed::dataverse::batch(&org, &messages(&programme())).unwrap();
    assert_eq!(batch.path, "/api/data/v9.2/$batch");
    let boundary = batch.content_type.strip_prefix("multipart/mixed; boundary=").unwrap();
    let text = String::from_utf8(batch.body).unwrap();
    assert!(text.starts_with(&format!("--{boundary}\r\n")));
    assert!(text.ends_with(&format!("--{boundary}--\r\n")));
    assert!(!text.replace("\r\n", "").contains('\n'), "every line ends as MIME wants it");
    assert!(!text.contains("If-Match"), "what is not there yet is made");
    let service = "PATCH https://org.crm4.dynamics.com/api/data/v9.2";
    for part in [
        format!("{service}/accrue_participants(accrue_key='c-1') HTTP/1.1\r\n"),
        format!("{service}/accrue_consents(accrue_key='c-1%3Aemail') HTTP/1.1\r\n"),
        format!("{service}/accrue_movements(accrue_key='c-1.1-N%3A0') HTTP/1.1\r\n"),
    ] {
        assert_eq!(text.matches(&part).count(), 1, "{part}: {text}");
    }
    assert_eq!(text.matches("Content-ID: ").count(), 4);
    assert_eq!(text.matches("\r\nContent-Transfer-Encoding: binary\r\n").count(), 4);
    let again = feed::dataverse::batch(&org, &messages(&programme())).unwrap();
    assert_eq!(text.as_bytes(), again.body, "the same again, word for word");
}

#[test]
fn r96_a_batch_is_done_when_all_of_it_is() {
    let part = |status: &str| format!("--c\r\n\r\nHTTP/1.1 {status}\r\nOData-Version: 4.0\r\n\r\n");
    let fine = part("204 No Content");
    assert!(feed::dataverse::all_done(fine.repeat(3).as_bytes()));
    for bad in ["412 Precondition Failed", "500 Internal Server Error"] {
        assert!(!feed::dataverse::all_done((fine.clone() + &part(bad)).as_bytes()), "{bad}");
    }
    assert!(!feed::dataverse::all_done(b""), "no answer is none");
}
