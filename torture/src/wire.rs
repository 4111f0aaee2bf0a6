//! HTTP/1.1 as merchants speak it, well and badly: with patience, without, and with every way to hang up.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// An answer that came whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `Idempotent-Replayed: true`.
    pub replayed: bool,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// How somebody behaves while asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Waits for the answer.
    Patient,
    /// Waits so many milliseconds, then closes.
    Impatient(u64),
    /// Sends all and resets the connection at once.
    Reset,
    /// Sends all, closes its sending side, and waits.
    HalfClose,
    /// Sends a part of so many percent and closes.
    Cut(u64),
}

/// How long the patient wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection, kept open while it goes well.
#[derive(Debug, Default)]
pub struct Wire {
    open: Option<(String, TcpStream)>,
    left_over: Vec<u8>,
}

/// A request's bytes.
#[must_use]
pub fn request(method: &str, path: &str, address: &str, headers: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    } else if method == "POST" {
        text.push_str("Content-Length: 0\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or_default());
    text.into_bytes()
}

impl Wire {
    /// Sends and waits as `manner` says. `None` where no whole answer came: nobody knows then what the request did.
    pub fn ask(&mut self, address: &str, bytes: &[u8], manner: Manner) -> Option<Answer> {
        let answer = self.try_ask(address, bytes, manner);
        if answer.is_none() || manner != Manner::Patient {
            self.open = None;
        }
        answer
    }

    fn try_ask(&mut self, address: &str, bytes: &[u8], manner: Manner) -> Option<Answer> {
        if self.open.as_ref().is_none_or(|(known, _)| known != address) {
            let stream = TcpStream::connect(address).ok()?;
            stream.set_nodelay(true).ok()?;
            self.left_over.clear();
            self.open = Some((address.to_owned(), stream));
        }
        let (_, stream) = self.open.as_mut()?;
        let patience = match manner {
            Manner::Impatient(millis) => Duration::from_millis(millis),
            Manner::Patient | Manner::Reset | Manner::HalfClose | Manner::Cut(_) => PATIENCE,
        };
        stream.set_read_timeout(Some(patience)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        let part = match manner {
            Manner::Cut(percent) => bytes.len() * usize::try_from(percent).ok()? / 100,
            Manner::Patient | Manner::Impatient(_) | Manner::Reset | Manner::HalfClose => bytes.len(),
        };
        stream.write_all(&bytes[..part]).ok()?;
        match manner {
            Manner::Patient | Manner::Impatient(_) => {}
            Manner::Cut(_) => return None,
            Manner::Reset => {
                rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO)).ok()?;
                return None;
            }
            Manner::HalfClose => stream.shutdown(Shutdown::Write).ok()?,
        }
        read(stream, &mut self.left_over)
    }
}

/// Reads one answer.
pub fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Answer> {
    let mut piece = [0_u8; 16 * 1024];
    loop {
        if let Some((answer, length)) = parse(buffer) {
            buffer.drain(..length);
            return Some(answer);
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(count) => buffer.extend_from_slice(&piece[..count]),
        }
    }
}

/// One whole answer at the beginning of `bytes`, and its length.
fn parse(bytes: &[u8]) -> Option<(Answer, usize)> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length: usize = header(head, "content-length").map_or(Some(0), |length| length.parse().ok())?;
    let body = bytes.get(head_end..head_end.checked_add(length)?)?.to_vec();
    let replayed = header(head, "idempotent-replayed") == Some("true");
    Some((Answer { status, replayed, body }, head_end + length))
}

/// A header's value.
#[must_use]
pub fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    head.split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_none() {
        let bytes = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nIdempotent-Replayed: true\r\n\r\n{}rest";
        let (answer, length) = parse(bytes).unwrap();
        assert_eq!((answer.status, answer.replayed, answer.body.as_slice()), (201, true, b"{}".as_slice()));
        assert_eq!(&bytes[length..], b"rest");
        for short in 0..length {
            assert!(parse(&bytes[..short]).is_none(), "{short}");
        }
    }
}
