//! A server that answers by script, from plain sockets, and counts what arrives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What to do with one request.
#[derive(Clone)]
pub(super) enum Step {
    /// Writes this and waits for the next request on the same connection.
    Answer(&'static str),
    /// Writes this and closes.
    AnswerAndClose(String),
    /// Closes with nothing written.
    Close,
    /// Reads and says nothing more.
    Silence,
}

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Each connection goes through the steps from the first one.
pub(super) struct Server {
    pub(super) url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    connections: Vec<SocketAddr>,
    requests: Vec<String>,
}

impl Server {
    pub(super) async fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/charges?x=1", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let counted = seen.clone();
        tokio::spawn(async move {
            loop {
                let (stream, from) = listener.accept().await.unwrap();
                counted.lock().unwrap().connections.push(from);
                tokio::spawn(serve(stream, steps.clone(), counted.clone()));
            }
        });
        Self { url, seen }
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections.len()
    }

    /// How many requests have arrived, after a while in which another one would have.
    pub(super) async fn requests_in_the_end(&self) -> usize {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.requests().len()
    }
}

async fn serve(mut stream: TcpStream, steps: Vec<Step>, seen: Arc<Mutex<Seen>>) {
    for step in steps {
        let Some(request) = read_request(&mut stream).await else { return };
        seen.lock().unwrap().requests.push(request);
        match step {
            Step::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Step::AnswerAndClose(text) => {
                // The reader may have had enough before the end.
                let _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Step::Close => return,
            Step::Silence => {
                let _ = stream.read_u8().await;
                return;
            }
        }
    }
}

/// Head and body, by content-length. `None` where the connection ended first.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8(bytes.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}
