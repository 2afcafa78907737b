//! Each platform's files to the byte, and how none of them writes again to whoever unsubscribed
//!

use domain::export::{Dialect, Op};
use wire::csv::ExportRow;
use wire::csv::dialect::{columns, tells_of};

use crate::answers::{now, participant, programme, wallet};
use crate::exports::{addressed, anna, file, segment, suppressed};

/// The four files of a dialect: what they say of Anna, opted in, changed, left and opted out.
fn files(dialect: Dialect) -> [String; 4] {
    let programme = programme();
    let (told, out) = (anna(true), anna(false));
    let row = addressed(&programme, &told, &wallet());
    let segment = &segment(&programme).id;
    let left = ExportRow::removed(&programme, segment, &participant(), Some(&told), now());
    [
        file(dialect, Op::Add, row.clone()),
        file(dialect, Op::Change, row),
        file(dialect, Op::Remove, left),
        file(dialect, Op::Suppress, suppressed(&programme, &out)),
    ]
}

const CONSENT: &str = "web,2026-11-01T09:00:00+01:00,";
const REST: &str = "de-DE,,mail-ready,105,30,2027-01-01T00:00:00+01:00,130,\
    2026-11-20T08:30:00+01:00\n";
const CONSENT_HEADER: &str = "optin_source,optin_at,optin_process";
const REST_HEADER: &str = "locale,time_zone,segment_id,balance_available,balance_pending,\
    next_expiry_at,next_expiry_amount,last_event_at\n";
const NAME: &str = "\"'=Anna, \"\"A\"\"\",Bäcker";

/// Recipients have no state of consent in their file, an import leaves the unsubscribe list alone,
/// and the unsubscriber import only adds to it.
#[test]
fn r95_optimizely_has_a_frozen_header_and_unsubscribes_in_a_file_of_its_own() {
    let [add, change, left, out] = files(Dialect::Optimizely);
    let want = format!(
        "Recipient,external_id,first_name,last_name,{CONSENT_HEADER},{REST_HEADER}\
         anna@example.org,c-1,{NAME},{CONSENT},{REST}"
    );
    assert_eq!(add, want);
    assert_eq!(change, add, "one header, whatever is told");
    assert_eq!((left.as_str(), out.as_str()), ("Recipient\nanna@example.org\n", left.as_str()));
}

/// Field 31 is 1 only where an opt-in is news, 2 for whoever opted out, and in no file of changes.
#[test]
fn r95_emarsys_says_the_opt_in_only_where_it_is_new() {
    let [add, change, left, out] = files(Dialect::Emarsys);
    let want = format!(
        "external_id,Email,First Name,Last Name,Opt-In,{CONSENT_HEADER},{REST_HEADER}\
         c-1,anna@example.org,{NAME},1,{CONSENT},{REST}"
    );
    assert_eq!(add, want);
    let want = format!(
        "external_id,Email,First Name,Last Name,{CONSENT_HEADER},{REST_HEADER}\
         c-1,anna@example.org,{NAME},{CONSENT},{REST}"
    );
    assert_eq!(change, want);
    assert_eq!(left, "external_id,Email\nc-1,anna@example.org\n");
    assert_eq!(out, "external_id,Email,Opt-In\nc-1,anna@example.org,2\n");
}

/// No file of profiles has a column of consent, so none changes it; suppressions are a list of
/// addresses, and the suppressed profiles keep them whatever else is imported.
#[test]
fn r95_klaviyo_keeps_profiles_and_suppressions_apart() {
    let [add, change, left, out] = files(Dialect::Klaviyo);
    let want = format!(
        "Email,external_id,First Name,Last Name,{CONSENT_HEADER},{REST_HEADER}\
         anna@example.org,c-1,{NAME},{CONSENT},{REST}"
    );
    assert_eq!((&add, &change), (&want, &want));
    assert_eq!((left.as_str(), out.as_str()), ("Email\nanna@example.org\n", left.as_str()));
    for op in Op::ALL {
        let headers = columns(Dialect::Klaviyo, op).concat().to_lowercase();
        assert!(!headers.contains("consent") && !headers.contains("subscri"), "{headers}");
    }
}

/// `opted_in` only where an opt-in is news, `unsubscribed` for whoever opted out, no state in a
/// change, and `subscribed`, which says nothing of a consent, never.
#[test]
fn r95_braze_never_says_subscribed_over_unsubscribed() {
    let [add, change, left, out] = files(Dialect::Braze);
    let want = format!(
        "external_id,email,first_name,last_name,email_subscribe,{CONSENT_HEADER},{REST_HEADER}\
         c-1,anna@example.org,{NAME},opted_in,{CONSENT},{REST}"
    );
    assert_eq!(add, want);
    let want = format!(
        "external_id,email,first_name,last_name,{CONSENT_HEADER},{REST_HEADER}\
         c-1,anna@example.org,{NAME},{CONSENT},{REST}"
    );
    assert_eq!(change, want);
    assert_eq!(left, "external_id\nc-1\n");
    assert_eq!(out, "external_id,email,email_subscribe\nc-1,anna@example.org,unsubscribed\n");
    assert!([add, change, left, out].iter().all(|file| !file.contains(",subscribed")));
}

/// Told as subscribed only where an opt-in is news, which an audience takes from no upload for
/// whoever unsubscribed in it; whoever opted out is uploaded as unsubscribed.
#[test]
fn r95_mailchimp_tells_a_status_only_where_it_is_new() {
    let [add, change, left, out] = files(Dialect::Mailchimp);
    let want = format!(
        "Email Address,First Name,Last Name,Status,external_id,{CONSENT_HEADER},{REST_HEADER}\
         anna@example.org,{NAME},subscribed,c-1,{CONSENT},{REST}"
    );
    assert_eq!(add, want);
    let want = format!(
        "Email Address,First Name,Last Name,external_id,{CONSENT_HEADER},{REST_HEADER}\
         anna@example.org,{NAME},c-1,{CONSENT},{REST}"
    );
    assert_eq!(change, want);
    assert_eq!(left, "Email Address\nanna@example.org\n");
    assert_eq!(out, "Email Address,Status\nanna@example.org,unsubscribed\n");
}

/// In no dialect a file that suppresses or removes has a cell that opts in, and what is known of
/// whoever opted out, names and balances, is in none.
#[test]
fn r95_no_file_of_suppressions_opts_in_or_tells_more_than_it_must() {
    for dialect in Dialect::ALL {
        let [_, _, left, out] = files(dialect);
        for file in [left, out] {
            let cells = file.lines().nth(1).unwrap().split(',');
            for cell in cells {
                let opts_in = ["1", "true", "opted_in", "subscribed"].contains(&cell);
                assert!(!opts_in && !cell.contains("Anna") && cell != "105", "{dialect:?} {file}");
            }
        }
        let no_address = ExportRow { external_id: "c-1".into(), ..ExportRow::default() };
        let by_id = ["external_id"].iter().any(|id| columns(dialect, Op::Suppress).contains(id));
        assert_eq!(tells_of(dialect, &no_address), by_id, "{dialect:?}");
    }
}
