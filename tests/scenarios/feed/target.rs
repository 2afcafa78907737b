//! A target of feeds: it keeps what it is sent, and answers as it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Got {
    pub path: String,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// What it was answered.
    pub status: u16,
}

/// Status and body for the request of this number, from 0.
type Says = dyn Fn(usize, &Got) -> (u16, String) + Send + Sync;

/// It listens until the test ends.
#[derive(Clone)]
pub struct Target {
    pub address: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Target {
    pub async fn new(
        says: impl Fn(usize, &Got) -> (u16, String) + Send + Sync + 'static,
    ) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let target = Target { address, got: Arc::default() };
        let (kept, says): (_, Arc<Says>) = (target.clone(), Arc::new(says));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, says) = (kept.clone(), Arc::clone(&says));
                // Who calls may be killed in the midst of it.
                tokio::spawn(async move { drop(kept.answer(stream, &*says).await) });
            }
        });
        target
    }

    async fn answer(&self, mut stream: TcpStream, says: &Says) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        let end = loop {
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            bytes.extend_from_slice(&buffer[..read]);
            if let Some(end) = bytes.windows(4).position(|at| at == b"\r\n\r\n") {
                break end;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers: BTreeMap<String, String> =
            headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let length: usize = headers["content-length"].parse().unwrap();
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            body.extend_from_slice(&buffer[..read]);
        }
        let mut got = Got { path: path.to_owned(), headers, body, status: 0 };
        let answer = {
            let mut all = self.got.lock().unwrap();
            let (status, body) = says(all.len(), &got);
            got.status = status;
            all.push(got);
            format!(
                "HTTP/1.1 {status} Said\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
        };
        stream.write_all(answer.as_bytes()).await
    }

    /// Everything it got, whatever it answered.
    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// The messages that it took, in the order in which they came; each for the first time.
    pub fn taken(&self) -> Vec<Value> {
        let mut messages: Vec<Value> = Vec::new();
        for got in self.got().iter().filter(|got| got.status == 200) {
            let body: Value = serde_json::from_slice(&got.body).unwrap();
            for message in body["messages"].as_array().unwrap() {
                if !messages.iter().any(|known| known["id"] == message["id"]) {
                    messages.push(message.clone());
                }
            }
        }
        messages
    }

    /// The sequences of the movements of a participant that it took.
    pub fn movements(&self, participant: &str) -> Vec<u64> {
        let all = self.taken();
        let own = all
            .iter()
            .filter(|one| one["type"] == "movement" && one["participant_id"] == participant);
        own.map(|one| one["sequence"].as_u64().unwrap()).collect()
    }
}
