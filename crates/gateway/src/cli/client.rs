//! Asks the operations listener of a process on this machine: one request, one answer, one connection.

use super::Failed;
use super::serving::Serving;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long the process may take to take the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long it may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest answer, in bytes: a hundred thousand keys.
const ANSWER_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Whether somebody listens there.
pub(crate) fn listens(serving: &Serving) -> bool {
    TcpStream::connect_timeout(&serving.ops, CONNECT_TIMEOUT).is_ok()
}

/// Sends a request. The answer's body where its status is one of success, else what it says is wrong.
pub(crate) fn call(serving: &Serving, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failed> {
    let unanswered =
        |error: std::io::Error| Failed(format!("process {} does not answer on {}: {error}", serving.pid, serving.ops));
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        serving.ops,
        serving.token.expose_secret(),
        body.len(),
    );
    let mut stream = TcpStream::connect_timeout(&serving.ops, CONNECT_TIMEOUT).map_err(unanswered)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT)).map_err(unanswered)?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT)).map_err(unanswered)?;
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).map_err(unanswered)?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).map_err(unanswered)?;
    let (status, body) =
        parse(&answer).ok_or_else(|| Failed(format!("what answers on {} is no operations listener", serving.ops)))?;
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let told = body.get("error").and_then(Value::as_str).unwrap_or("no reason was given");
    Err(Failed(format!("refused ({status}): {told}")))
}

/// Status and body of an answer whose body reaches to its end; an empty one is `null`.
fn parse(answer: &[u8]) -> Option<(u16, Value)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, rest) = answer.split_at_checked(end)?;
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let chunked = headers.any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
    let body = rest.get(4..)?;
    match body {
        _ if chunked => None,
        [] => Some((status, Value::Null)),
        _ => Some((status, serde_json::from_slice(body).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::net::TcpListener;

    /// Answers one request and gives it back.
    fn answering(answer: &'static str) -> (Serving, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let serving = Serving { pid: 1, ops: listener.local_addr().unwrap(), token: "hunter2".into() };
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4096];
            let mut read = Vec::new();
            while !read.ends_with(b"\r\n\r\n{\"a\":1}") {
                let length = stream.read(&mut request).unwrap();
                read.extend_from_slice(&request[..length]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&read).into_owned()
        });
        (serving, thread)
    }

    #[test]
    fn it_sends_the_token_and_reads_the_answer() {
        let (serving, server) = answering("HTTP/1.1 201 Created\r\ncontent-length: 7\r\n\r\n{\"b\":2}");
        assert!(call(&serving, "POST", "/ops/keys", Some(&json!({"a": 1}))) == Ok(json!({"b": 2})));
        let request = server.join().unwrap();
        assert!(
            request.starts_with("POST /ops/keys HTTP/1.1\r\n")
                && request.contains("\r\nAuthorization: Bearer hunter2\r\n"),
            "{request}"
        );
    }

    #[test]
    fn a_refusal_is_told_in_its_own_words() {
        let (serving, server) = answering("HTTP/1.1 404 Not Found\r\n\r\n{\"error\": \"there is no such key\"}");
        let refused = call(&serving, "DELETE", "/ops/keys/key_1", Some(&json!({"a": 1})));
        assert!(refused == Err(Failed("refused (404): there is no such key".into())));
        server.join().unwrap();
        assert!(!listens(&serving));
    }

    #[test]
    fn what_is_no_answer_is_not_read_as_one() {
        for answer in [
            "",
            "HTTP/1.1 200 OK",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ] {
            assert_eq!(parse(answer.as_bytes()), None, "{answer}");
        }
        assert_eq!(parse(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, Value::Null)));
    }
}
