//! Keys of the one table: made here and nowhere else.

use domain::alias::AliasMark;
use domain::id::{
    AlertId, Classification, CouponId, EventId, FeedId, Key, OfferId, ParticipantId, PlanId,
};
use domain::pass::PassId;
use domain::time::{Instant, Month};
use domain::verify::Shared;
use sha2::{Digest, Sha256};

/// Name of the one global index.
pub const INDEX: &str = "index";
/// Shards of the pending index and of the roster: a run's parallelism.
pub const SHARDS: u8 = 8;

/// Partition and sort key of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemKey {
    pub pk: String,
    pub sk: String,
}

/// Sort key of the wallet state.
pub const STATE: &str = "S";
/// Sort key of the profile.
pub const PROFILE: &str = "A";
/// Sort key of a pass.
pub const PASS: &str = "X";
/// Prefix of the places of feeds; they sort before pages.
pub const FEEDS: &str = "F#";
/// Prefix of what alerts know; it sorts before pages.
pub const ALERTS: &str = "I#";
/// Prefix of ledger pages; pages sort before the state.
pub const PAGES: &str = "L#";

fn item(pk: String, sk: &str) -> ItemKey {
    ItemKey { pk, sk: sk.to_owned() }
}

/// Partition of a participant: state, pages and profile.
pub fn participant(id: &ParticipantId) -> String {
    format!("P#{id}")
}

/// The wallet state.
pub fn state(id: &ParticipantId) -> ItemKey {
    item(participant(id), STATE)
}

/// The profile.
pub fn profile(id: &ParticipantId) -> ItemKey {
    item(participant(id), PROFILE)
}

/// The participant of a partition key.
pub fn read_participant(pk: &str) -> Option<ParticipantId> {
    ParticipantId::parse(pk.strip_prefix("P#")?).ok()
}

/// What a feed's target knows of a participant.
pub fn feed_place(id: &ParticipantId, feed: &FeedId) -> ItemKey {
    ItemKey { pk: participant(id), sk: format!("{FEEDS}{feed}") }
}

/// What an alert knows of a participant.
pub fn alert(id: &ParticipantId, alert: &AlertId) -> ItemKey {
    ItemKey { pk: participant(id), sk: format!("{ALERTS}{alert}") }
}

/// Partition, first and last sort key of what all alerts know of a participant, those too that the
/// programme has no longer.
pub fn all_alerts(id: &ParticipantId) -> (String, String, String) {
    (participant(id), ALERTS.to_owned(), format!("{ALERTS}~"))
}

/// The alert of a sort key.
pub fn read_alert_sort(sk: &str) -> Option<AlertId> {
    AlertId::parse(sk.strip_prefix(ALERTS)?).ok()
}

/// Marks that an alert has gone over everybody of a shard.
pub fn alert_begun(alert: &AlertId, shard: u8) -> ItemKey {
    ItemKey { pk: format!("J#{alert}#alert"), sk: format!("SHARD#{shard}") }
}

/// The ledger page that begins with this sequence.
pub fn page(id: &ParticipantId, first: u64) -> ItemKey {
    ItemKey { pk: participant(id), sk: page_sort(first) }
}

/// Sort key of the page that begins with this sequence; sorts by number.
pub fn page_sort(first: u64) -> String {
    format!("{PAGES}{first:012}")
}

/// The first sequence of a page's sort key.
pub fn read_page_sort(sort: &str) -> Option<u64> {
    sort.strip_prefix(PAGES)?.parse().ok()
}

/// An event.
pub fn event(id: &EventId) -> ItemKey {
    item(format!("E#{id}"), "E")
}

/// The event of a partition key.
pub fn read_event(pk: &str) -> Option<EventId> {
    EventId::parse(pk.strip_prefix("E#")?).ok()
}

/// A caller's key that carries no time, among those of one participant and one kind.
pub fn guard(kind: &str, id: &ParticipantId, key: &Key) -> ItemKey {
    item(format!("U#{kind}#{id}#{key}"), "U")
}

/// Whom an alias names.
pub fn alias(mark: &AliasMark) -> ItemKey {
    item(format!("U#alias#{}#{}", mark.kind.name(), hex(&mark.hash)), "U")
}

/// Whom a request meant that came with an alias.
pub fn aliased(request: &[u8; 32]) -> ItemKey {
    item(format!("U#aliased#{}", hex(request)), "U")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an offer has given all participants together.
pub fn quota(id: &OfferId) -> ItemKey {
    item(format!("Q#{id}"), "Q")
}

/// Index partition of what all wallets share, quotas and stocks, by [`shared`].
pub const SHARED: &str = "SHARED";

/// A quota or a stock.
pub fn shared(shared: &Shared) -> ItemKey {
    match shared {
        Shared::Quota(offer) => quota(offer),
        Shared::Stock(coupon_id) => coupon(coupon_id),
    }
}

/// The quota or stock of a partition.
pub fn read_shared(pk: &str) -> Option<Shared> {
    let (kind, id) = pk.split_once('#')?;
    match kind {
        "Q" => OfferId::parse(id).ok().map(Shared::Quota),
        "C" => CouponId::parse(id).ok().map(Shared::Stock),
        _ => None,
    }
}

/// A spend that was refused under the reference that it came with.
pub fn reference_guard(id: &ParticipantId, event: &EventId) -> ItemKey {
    item(format!("U#reference#{id}#{event}"), "U")
}

/// The period of a statement. The classification stands last: it may have any character.
pub fn statement(
    id: &ParticipantId,
    period: Month,
    classification: Option<&Classification>,
) -> ItemKey {
    let classification = classification.map(|name| name.as_str()).unwrap_or_default();
    item(format!("U#statement#{id}#{period}#{classification}"), "U")
}

/// A pass.
pub fn pass(id: &PassId) -> ItemKey {
    item(format!("X#{}#{}", id.plan, id.serial), PASS)
}

/// The pass of a partition key.
pub fn read_pass(pk: &str) -> Option<PassId> {
    let (plan, serial) = pk.strip_prefix("X#")?.rsplit_once('#')?;
    Some(PassId { plan: PlanId::parse(plan).ok()?, serial: serial.parse().ok()? })
}

/// Marks a plan that has passes.
pub fn plan_start(plan: &PlanId) -> ItemKey {
    item(format!("X#{plan}"), "PLAN")
}

/// An access to the codes of a plan.
pub fn code_access(plan: &PlanId, at: Instant, mark: u32) -> ItemKey {
    ItemKey { pk: format!("X#{plan}"), sk: format!("ACCESS#{:015}#{mark:010}", at.0) }
}

/// Partition, first and last sort key of the accesses to the codes of a plan.
pub fn code_accesses(plan: &PlanId) -> (String, String, String) {
    (format!("X#{plan}"), "ACCESS#".to_owned(), "ACCESS#~".to_owned())
}

/// A request about a pass that was refused under the caller's key.
pub fn pass_guard(kind: &str, id: &PassId, key: &Key) -> ItemKey {
    item(format!("U#pass#{kind}#{}#{}#{key}", id.plan, id.serial), "U")
}

/// Sort key of a coupon's stock.
pub const STOCK: &str = "STOCK";
/// Sort key of what became of one coupon.
pub const FATE: &str = "C";
/// Prefix of the pages of a coupon's codes.
const CODES: &str = "CODES#";

/// What there is of a coupon.
pub fn coupon(id: &CouponId) -> ItemKey {
    item(format!("C#{id}"), STOCK)
}

/// What became of one coupon whose code was made here.
pub fn coupon_fate(id: &CouponId, number: u64) -> ItemKey {
    item(format!("C#{id}#{number}"), FATE)
}

/// The page of a coupon's codes that begins with this number.
pub fn codes_page(id: &CouponId, first: u64) -> ItemKey {
    ItemKey { pk: format!("C#{id}"), sk: format!("{CODES}{first:012}") }
}

/// Partition, first and last sort key of the pages up to that with the code of this number.
pub fn codes_pages(id: &CouponId, number: u64) -> (String, String, String) {
    (format!("C#{id}"), CODES.to_owned(), format!("{CODES}{number:012}"))
}

/// The first number of a page of codes.
pub fn read_codes_page(sk: &str) -> Option<u64> {
    sk.strip_prefix(CODES)?.parse().ok()
}

/// A code of a coupon's pool, by its mark.
pub fn pool_code(id: &CouponId, mark: &[u8; 32]) -> ItemKey {
    item(format!("U#code#{id}#{}", hex(mark)), "U")
}

/// An upload of codes under the caller's key.
pub fn coupon_upload(id: &CouponId, key: &Key) -> ItemKey {
    item(format!("U#codes#{id}#{key}"), "U")
}

/// The pointer to the active programme.
pub fn active_programme() -> ItemKey {
    item("G".to_owned(), "ACTIVE")
}

/// One part of a programme document.
pub fn programme_part(version: u64, part: usize) -> ItemKey {
    ItemKey { pk: programme_parts(version), sk: format!("PART#{part:04}") }
}

/// All parts of a programme document.
pub fn programme_parts(version: u64) -> String {
    format!("G#{version}")
}

/// A run or export.
pub fn job(id: &str) -> ItemKey {
    item(format!("J#{id}"), "J")
}

/// The progress of one shard of a run.
pub fn job_shard(id: &str, shard: u8) -> ItemKey {
    ItemKey { pk: format!("J#{id}"), sk: format!("SHARD#{shard}") }
}

/// More of what a shard of a verification counted.
pub fn job_shard_sums(id: &str, shard: u8, number: u64) -> ItemKey {
    ItemKey { pk: format!("J#{id}"), sk: format!("SHARD#{shard}#{number}") }
}

/// Index partition of the exports under way.
pub const OPEN_EXPORTS: &str = "EXPORTS";

/// Index partition of the verifications under way.
pub const OPEN_VERIFICATIONS: &str = "VERIFICATIONS";

/// The newest completed export of a segment in a dialect.
pub fn last_export(segment: &str, dialect: &str) -> ItemKey {
    item(format!("J#{segment}#{dialect}"), "LAST")
}

/// The shard of a participant.
pub fn shard_of(id: &ParticipantId) -> u8 {
    Sha256::digest(id.as_str().as_bytes())[0] % SHARDS
}

/// Index partition of the participants of a shard.
pub fn roster(shard: u8) -> String {
    format!("ROSTER#{shard}")
}

/// Index partition of whom alerts have to look at again, of a shard.
pub fn alerts(shard: u8) -> String {
    format!("ALERTS#{shard}")
}

/// Index sort key of an alert: in the order of participants, as the roster is.
pub fn alert_sort(id: &ParticipantId, alert: &AlertId) -> String {
    format!("{id}#{alert}")
}

/// First and last sort key of the alerts of participants after one, up to another.
pub fn alert_range(after: Option<&str>, until: &ParticipantId) -> (String, String) {
    // Ids have no character above this one, nor one below the separator.
    (after.map_or_else(|| "#".to_owned(), |after| format!("{after}#~")), format!("{until}#~"))
}

/// Participant and alert of an index key.
pub fn read_alert(sort: &str) -> Option<(ParticipantId, AlertId)> {
    let (participant, alert) = sort.split_once('#')?;
    Some((ParticipantId::parse(participant).ok()?, AlertId::parse(alert).ok()?))
}

/// Index partition of the events of a shard that wait to be judged.
pub fn pending(shard: u8) -> String {
    format!("PENDING#{shard}")
}

/// Index sort key of a pending event: by participant, then in order of arrival.
pub fn pending_sort(id: &ParticipantId, accepted_at: Instant, event: &EventId) -> String {
    format!("{id}#{:015}#{event}", accepted_at.0)
}

/// What all pending events of a participant begin with.
pub fn pending_prefix(id: &ParticipantId) -> String {
    format!("{id}#")
}

/// Participant, time of acceptance and event of a pending index key.
pub fn read_pending_sort(sort: &str) -> Option<(ParticipantId, Instant, EventId)> {
    let mut parts = sort.splitn(3, '#');
    let participant = ParticipantId::parse(parts.next()?).ok()?;
    let accepted_at = Instant(parts.next()?.parse().ok()?);
    Some((participant, accepted_at, EventId::parse(parts.next()?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_with_separators_stays_within_its_own_key() {
        let participant = ParticipantId::parse("c-1").unwrap();
        let event_id = EventId::parse("till:R#1#2:3").unwrap();
        assert_eq!(event(&event_id).pk, "E#till:R#1#2:3");
        let sort = pending_sort(&participant, Instant(17), &event_id);
        assert_eq!(read_pending_sort(&sort), Some((participant, Instant(17), event_id)));
    }

    #[test]
    fn pages_sort_by_number_and_before_the_state() {
        assert!(page_sort(9) < page_sort(10) && page_sort(999_999_999_999).as_str() < STATE);
        assert!(PROFILE < FEEDS && FEEDS < ALERTS && ALERTS < PAGES);
    }
}
