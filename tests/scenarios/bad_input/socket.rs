//! What is hardly HTTP, through a socket of one's own: the next call is none the worse.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Victim;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends bytes, ends the sending half, and reads what is answered.
async fn talk(victim: &Victim, bytes: &[u8]) -> String {
    let api = victim.stack.ready["api"].as_str().unwrap();
    let mut socket = TcpStream::connect(api.trim_start_matches("http://")).await.unwrap();
    // It may have hung up before all is sent.
    let _sent = socket.write_all(bytes).await;
    let _ended = socket.shutdown().await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answer)).await;
    let _read = read.expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hardly_http_never_harms_the_next_call() {
    let victim = Victim::new().await;
    let token = victim.stack.ready["token"].as_str().unwrap();
    let head = format!("Host: x\r\nAuthorization: Bearer {token}\r\n");
    let post = format!("POST /v1/events HTTP/1.1\r\n{head}");
    let long = "x".repeat(200_000);
    let many = (0..500).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("nothing", vec![], &[]),
        ("half a line", b"POST /v1/ev".to_vec(), &[400]),
        ("half a request", format!("{post}Content-Length: 100\r\n").into(), &[400]),
        ("half a body", format!("{post}Content-Length: 100\r\n\r\n{{").into(), &[400]),
        ("noise", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], &[400]),
        ("NULs", vec![0; 5_000], &[400]),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[400]),
        ("no version", b"GET /v1/programme\r\n\r\n".to_vec(), &[400]),
        ("a long path", format!("GET /{long} HTTP/1.1\r\n{head}\r\n").into(), &[414, 431]),
        ("a long header", format!("{post}X: {long}\r\n\r\n").into(), &[431]),
        ("many headers", format!("{post}{many}\r\n").into(), &[431]),
        ("a NUL in a header", format!("{post}X: a\0b\r\n\r\n").into(), &[400]),
        ("a folded header", format!("{post}X: a\r\n b\r\n\r\n").into(), &[400]),
        ("a blank in a name", format!("{post}X Y: a\r\n\r\n").into(), &[400]),
        ("no number as length", format!("{post}Content-Length: x\r\n\r\n").into(), &[400]),
        ("a length below 0", format!("{post}Content-Length: -1\r\n\r\n").into(), &[400]),
        (
            "two lengths",
            format!("{post}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}").into(),
            &[400],
        ),
        (
            "bad chunks",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n").into(),
            &[400],
        ),
        (
            "a huge chunk",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n").into(),
            &[400],
        ),
        (
            "a length and chunks",
            format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                .into(),
            &[400],
        ),
        (
            "an unknown transfer",
            format!("{post}Transfer-Encoding: rot13\r\n\r\n{{}}").into(),
            &[400, 501],
        ),
        ("a bad escape", format!("GET /v1/events/%zz HTTP/1.1\r\n{head}\r\n").into(), &[400]),
        ("half an escape", format!("GET /v1/events/a%4 HTTP/1.1\r\n{head}\r\n").into(), &[400]),
        ("no UTF-8", format!("GET /v1/events/%ff%fe HTTP/1.1\r\n{head}\r\n").into(), &[400]),
        (
            "a way up",
            format!("GET /v1/participants/../programme HTTP/1.1\r\n{head}\r\n").into(),
            &[404],
        ),
        (
            "a way up, escaped",
            format!("GET /v1/participants/%2e%2e/wallet HTTP/1.1\r\n{head}\r\n").into(),
            &[404],
        ),
        ("an authority", format!("CONNECT x:80 HTTP/1.1\r\n{head}\r\n").into(), &[404, 405]),
        ("a star", format!("OPTIONS * HTTP/1.1\r\n{head}\r\n").into(), &[404, 405]),
        (
            "a whole address",
            format!("GET http://evil/v1/nothing HTTP/1.1\r\n{head}\r\n").into(),
            &[404],
        ),
        (
            "letters beyond ASCII in a key",
            [post.as_bytes(), b"Idempotency-Key: \xfc\xff\r\nContent-Length: 2\r\n\r\n{}"].concat(),
            &[422],
        ),
    ];
    for (what, bytes, expected) in cases {
        let answer = talk(&victim, &bytes).await;
        match status(&answer) {
            Some(status) => assert!(expected.contains(&status), "{what}: {answer:.300}"),
            // Hanging up is an answer, too, to what is no request.
            None => assert!(answer.is_empty(), "{what}: {answer:.300}"),
        }
        let next = victim.stack.client.get("/v1/programme").await.unwrap();
        assert_eq!(next.status, 200, "after {what}: {next:?}");
    }
    victim.assert_unchanged("nonsense").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_hang_or_leave_hold_up_nobody() {
    let victim = Victim::new().await;
    let api = victim.stack.ready["api"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let token = victim.stack.ready["token"].as_str().unwrap();
    let mut held = Vec::new();
    for number in 0..200 {
        let mut socket = TcpStream::connect(&api).await.unwrap();
        let request = format!(
            "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: 1000\r\n\r\n{{"
        );
        let part = request.len() * number / 200;
        socket.write_all(&request.as_bytes()[..part]).await.unwrap();
        held.push(socket);
    }
    let next = victim.stack.client.get("/v1/programme").await.unwrap();
    assert_eq!(next.status, 200, "{next:?}");
    drop(held);
    victim.assert_unchanged("callers that hang").await;
}
