//! Sizes: bodies over the limit, gzip that is none, gzip that grows.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{Victim, assert_problem};
use crate::desk::sample;

const MIB: usize = 1_048_576;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_over_the_limit_are_413() {
    let victim = Victim::new().await;
    for route in victim.routes() {
        let mut body = route.body.to_string().into_bytes();
        body.resize(MIB + 1, b' ');
        let own = if route.path == "/v1/programme" { 6 * MIB + 1 } else { MIB + 1 };
        for size in [own, 6 * MIB + 1] {
            body.resize(size, b' ');
            let answer = victim.send(&route, &body).await;
            assert_problem(&answer, 413, "payload_too_large", &route.path);
        }
        victim.assert_unchanged(&route.path).await;
    }
    // Exactly at the limit it is read.
    let mut event = victim.purchase().to_string().into_bytes();
    event.resize(MIB, b' ');
    let preview = victim.routes().remove(1);
    assert_eq!(victim.send(&preview, &event).await.status, 200);
    // More events than a call takes.
    let bulk = victim.routes().remove(2);
    let many = json!({ "events": vec![json!(1); 1_001] }).to_string();
    assert_problem(&victim.send(&bulk, many.as_bytes()).await, 422, "invalid", "1,001 events");
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_is_taken_and_bounded() {
    let victim = Victim::new().await;
    let programme = sample("transit/programme.json").to_string();
    let good = gzip(programme.as_bytes());
    let put = async |body: &[u8], coding: &str| {
        let headers = [("content-encoding", coding)];
        let path = "/v1/programme?dry_run=true";
        victim.stack.client.raw("PUT", path, &headers, Some(body.to_vec())).await.unwrap()
    };
    for coding in ["gzip", "GZIP"] {
        let answer = put(&good, coding).await;
        assert_eq!((answer.status, &answer.body["valid"]), (200, &json!(true)), "{answer:?}");
    }
    let bad: [(&str, Vec<u8>, &str); 7] = [
        ("plain text", programme.clone().into_bytes(), "gzip"),
        ("nothing", Vec::new(), "gzip"),
        ("half of it", good[..good.len() / 2].to_vec(), "gzip"),
        ("a wrong checksum", [&good[..good.len() - 6], &[0; 6]].concat(), "gzip"),
        ("a header alone", good[..10].to_vec(), "gzip"),
        ("another coding", good.clone(), "br"),
        ("twice", gzip(&good), "gzip"),
    ];
    for (what, body, coding) in bad {
        assert_problem(&put(&body, coding).await, 400, "malformed_json", what);
    }
    let bombs = [
        ("blanks", vec![b' '; 40 * MIB]),
        ("zeros", [b"[0".as_slice(), &b",0".repeat(10 * MIB), b"]"].concat()),
        ("objects", [b"[{}".as_slice(), &b",{}".repeat(8 * MIB), b"]"].concat()),
    ];
    for (what, bomb) in bombs {
        assert_problem(&put(&gzip(&bomb), "gzip").await, 413, "payload_too_large", what);
    }
    // Other routes inflate no further than their limit.
    let bomb = gzip(&vec![b' '; 5 * MIB]);
    let headers = [("content-encoding", "gzip")];
    for route in victim.routes().iter().filter(|route| route.path != "/v1/programme") {
        let key = scenarios::client::key();
        let headers = [headers[0], ("idempotency-key", key.as_str())];
        let body = Some(bomb.clone());
        let client = &victim.stack.client;
        let answer = client.raw(route.method, &route.path, &headers, body).await.unwrap();
        assert_problem(&answer, 413, "payload_too_large", &route.path);
    }
    victim.assert_unchanged("gzip").await;
}
