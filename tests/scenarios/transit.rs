//! A transport association, the whole way: a file of master data, tickets, points, a spend, the file
//! for Optimizely Campaign, somebody who unsubscribes, and the CRM (`events/transit/`).

use serde_json::json;

use crate::calls::ticket;
use crate::desk::available;
use crate::whole_way::{Way, addresses};

const HEADER: &str = "participant_id,first_name,last_name,email,consent:email,consent_at,\
    consent_source,consent_process,alias:card,alias:external_id,balance,amount,reference,reason";

/// Of whom some opted in, one opted out and one was never asked.
const PEOPLE: [&str; 6] = [
    "anna,Anna,Adler,anna@example.org,true,2026-01-05T09:00:00+01:00,counter,form 12,\
     4917610000000000,CRM/1,points,40,open-anna,opening balance",
    "ben,Ben,Berg,ben@example.org,true,2026-01-05T09:00:00+01:00,web,sign-up,,CRM/2,,,,",
    "cleo,Cleo,Cole,cleo@example.org,false,2026-01-05T09:00:00+01:00,web,sign-up,,CRM/3,,,,",
    "dora,Dora,Dorn,dora@example.org,,,,,,CRM/4,,,,",
    "emil,Emil,Eck,emil@example.org,true,2026-01-05T09:00:00+01:00,web,sign-up,,CRM/5,,,,",
    "fritz,Fritz,Falk,fritz@example.org,true,2026-01-05T09:00:00+01:00,counter,form 12,,CRM/6,\
     points,200,open-fritz,opening balance",
];

#[tokio::test(flavor = "multi_thread")]
async fn r94_r96_tickets_become_points_a_file_for_the_mailing_and_movements_in_the_crm() {
    let way = Way::of("transit").await;
    way.imports(&format!("{HEADER}\n{}\n", PEOPLE.join("\n"))).await;
    let people = PEOPLE.map(|row| row.split(',').next().unwrap());

    // Tickets, found by card and by the number in the CRM: 10 %, 100 to welcome, 25 for a big basket.
    let bought = way.buys(["card", "4917 6100 0000 0000"], ticket("", "60.00")).await;
    assert_eq!(bought, "anna");
    for (number, who) in [("CRM/2", "ben"), ("CRM/3", "cleo"), ("CRM/4", "dora")] {
        assert_eq!(way.buys(["external_id", number], ticket("", "20.00")).await, who);
    }
    let spend = json!({ "amount": "50", "classification": "counter", "unit": "station-1" });
    way.by("/v1/spend-requests", ["external_id", "CRM/1"], spend.clone()).await;
    for (who, points) in
        [("anna", "121"), ("ben", "102"), ("cleo", "102"), ("emil", "0"), ("fritz", "200")]
    {
        assert_eq!(available(&way.stack, who, "points").await, points, "{who}");
    }

    // All who opted in and have 100 points.
    let (full, rows) = way.exports("mail-ready", "full").await;
    let mail = |who: &str| format!("{who}@example.org");
    assert_eq!(addresses(&rows, "add"), ["anna", "ben", "fritz"].map(mail));
    assert_eq!(rows["suppress"], [[mail("cleo")]], "the address, and nothing else");
    assert_eq!(rows.len(), 2, "{rows:?}");
    let anna = &rows["add"][0];
    assert_eq!(anna[1..7].join(","), "anna,Anna,Adler,counter,2026-01-05T09:00:00+01:00,form 12");
    assert_eq!((anna[9].as_str(), anna[10].as_str()), ("mail-ready", "121"));
    let counts = |export: &serde_json::Value| {
        ["members", "added", "changed", "removed", "suppressed"]
            .map(|name| export["counts"][name].as_u64().unwrap())
    };
    assert_eq!(counts(&full), [3, 3, 0, 0, 1]);

    // Ben unsubscribes, Emil comes up to 100, Anna falls below, Fritz has another name.
    way.unsubscribes(["external_id", "CRM/2"]).await;
    assert_eq!(way.buys(["external_id", "CRM/5"], ticket("", "20.00")).await, "emil");
    way.by("/v1/spend-requests", ["card", "4917610000000000"], spend).await;
    way.imports("participant_id,last_name\nfritz,Fink\n").await;
    let (delta, rows) = way.exports("mail-ready", "delta").await;
    assert_eq!(delta["base_run_id"], full["export_id"]);
    assert_eq!(addresses(&rows, "add"), [mail("emil")]);
    assert_eq!(addresses(&rows, "change"), [mail("fritz")]);
    assert_eq!(rows["change"][0][3], "Fink");
    assert_eq!(rows["remove"], [[mail("anna")]]);
    assert_eq!(rows["suppress"], [[mail("ben")]]);
    assert_eq!(counts(&delta), [2, 1, 1, 1, 1]);

    way.crm_knows(&people).await;
}
