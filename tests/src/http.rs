//! A small HTTP/1.1 client that shows all it sends and gets.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a test waits for an answer that must come.
const PATIENCE: Duration = Duration::from_secs(90);

/// Speaks to one address with one key. Each request has a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    /// Host and port.
    pub address: String,
    /// What `Authorization` says; `None` for nothing.
    pub authorization: Option<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

impl Client {
    /// With a bearer key.
    pub fn new(address: &str, key: &str) -> Self {
        Self { address: address.to_owned(), authorization: Some(format!("Bearer {key}")) }
    }

    /// The bytes of a request, for tests that send them in their own way.
    pub fn bytes(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        if let Some(authorization) = &self.authorization {
            head.push_str(&format!("Authorization: {authorization}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }

    /// Sends and waits for the whole answer.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut stream = TcpStream::connect(&self.address).expect("connect");
        stream.set_read_timeout(Some(PATIENCE)).expect("time-out");
        stream.write_all(&self.bytes(method, path, headers, body)).expect("send");
        let mut answer = Vec::new();
        // A server that refuses a body closes with bytes unread, which may arrive as a reset after the answer.
        let end = stream.read_to_end(&mut answer);
        parse(&answer).unwrap_or_else(|| panic!("no whole answer ({end:?}): {}", String::from_utf8_lossy(&answer)))
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], b"")
    }

    /// Posts JSON under an idempotency key.
    pub fn post(&self, path: &str, key: &str, body: &Value) -> Response {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
        self.send("POST", path, &headers, body.to_string().as_bytes())
    }

    /// Posts a new payment under a key of its own.
    pub fn pay(&self, body: &Value) -> Response {
        self.post("/v1/payments", &crate::unique("key"), body)
    }
}

/// Reads a whole answer; `None` where it is cut.
pub fn parse(bytes: &[u8]) -> Option<Response> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    if status == 100 {
        return parse(&bytes[end + 4..]);
    }
    let rest = &bytes[end + 4..];
    let find = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let body = if find("transfer-encoding") == Some("chunked") {
        dechunk(rest)?
    } else {
        let len: usize = find("content-length").and_then(|len| len.parse().ok()).unwrap_or(rest.len());
        rest.get(..len)?.to_vec()
    };
    Some(Response { status, headers, body })
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let len = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if len == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..len)?);
        rest = rest.get(len + 2..)?;
    }
}
