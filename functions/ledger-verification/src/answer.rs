//! The one document of a verification: what was looked at, and what does not agree.

use domain::id::RunId;
use domain::time::{Instant, show_instant};
use harness::{Answer, Fault, Request, Room, is_job};
use serde_json::{Value, json};
use store::{
    Noun, VerificationCounts, VerificationFinding, VerificationProgress, VerificationShard,
};

/// Tells of a verification.
pub async fn get(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let parse = |text: &str| RunId::parse(text).ok().filter(|_| is_job("verification", text));
    let parse = |text: &str| parse(text).ok_or(());
    let id = request.path("verification", parse, Noun::Verification)?;
    let known = room.store.verification_progress(&id).await?;
    let programme = room.programme(request.now).await?;
    let show = |millis: i64| show_instant(Instant(millis), programme.zone);
    let verification = &known.verification;
    let ended = verification.ended.as_ref();
    let failed = |shard: &VerificationShard| ended.is_none() && shard.failed_at.is_some();
    let failed = known.shards.iter().filter(|(_, shard)| failed(shard)).count();
    let of_shards = known.shards.iter().flat_map(|(_, shard)| &shard.findings);
    let findings = of_shards.chain(ended.iter().flat_map(|end| &end.findings));
    let body = json!({
        "verification_id": id.as_str(),
        "participant_id": verification.participant,
        "as_of": show(verification.as_of),
        "ended_at": ended.map(|end| show(end.at)),
        "status": status(&known),
        "shards_failed": failed,
        "agrees": ended.map(|_| found(&known) == 0),
        "counts": counts(&known),
        "findings_count": found(&known),
        "findings": findings.map(shown).collect::<Vec<Value>>(),
        "quotas_moved": ended.map_or(&[][..], |end| &end.quotas_moved.names),
        "quotas_moved_count": ended.map_or(0, |end| end.quotas_moved.count),
        "stocks_moved": ended.map_or(&[][..], |end| &end.stocks_moved.names),
        "stocks_moved_count": ended.map_or(0, |end| end.stocks_moved.count),
    });
    Answer::json(200, &body)
}

fn status(known: &VerificationProgress) -> &'static str {
    match known.verification.ended {
        Some(_) => "completed",
        None if known.has_failed() => "failed",
        None => "running",
    }
}

fn total(known: &VerificationProgress) -> VerificationCounts {
    let mut total = VerificationCounts::default();
    known.shards.iter().for_each(|(_, shard)| total.add(&shard.counts));
    total
}

/// How much does not agree, also of what is not kept.
pub fn found(known: &VerificationProgress) -> u64 {
    let of_shared = known.verification.ended.as_ref().map_or(0, |end| end.findings_count);
    total(known).findings + of_shared
}

fn counts(known: &VerificationProgress) -> Value {
    let (total, ended) = (total(known), known.verification.ended.as_ref());
    json!({
        "wallets": total.wallets,
        "entries": total.entries,
        "pages": total.pages,
        "events": total.events,
        "passes": total.passes,
        "aliases": total.aliases,
        "quotas": ended.map_or(0, |end| end.quotas),
        "stocks": ended.map_or(0, |end| end.stocks),
    })
}

/// Ids, a code and a sentence; what a finding has nothing of is left out.
fn shown(finding: &VerificationFinding) -> Value {
    let VerificationFinding { kind, participant, entry, event, pass, offer, coupon, detail } =
        finding;
    let pass = pass.as_ref().map(|(plan, serial)| format!("{plan}.{serial}"));
    let mut subject = json!({
        "participant_id": participant,
        "entry": entry,
        "event_id": event,
        "pass": pass,
        "offer": offer,
        "coupon": coupon,
    });
    if let Some(fields) = subject.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    json!({ "kind": kind, "subject": subject, "detail": detail })
}
