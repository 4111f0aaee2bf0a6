//! HTTP/1.1 as far as the load generator needs it: one request at a time on a connection that is kept, answers whose
//! length is told. Little of its own processor time is the point: it shares the machine with what it measures.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Stands in a request where its number goes, as often as it likes.
const MARK: &[u8] = b"############";

/// No answer measured here comes near.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A request that differs from the next only in its number.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    marks: Vec<usize>,
}

impl Template {
    /// A `POST` of JSON; wherever path, headers or body hold twelve `#` stands the number.
    #[must_use]
    pub fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let mut text = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        let bytes = text.into_bytes();
        let marks = bytes.windows(MARK.len()).enumerate().filter(|(_, found)| *found == MARK);
        Self { marks: marks.map(|(at, _)| at).collect(), bytes }
    }

    /// Bytes of each request.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// A template always has a first line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A copy to put numbers into.
    #[must_use]
    pub fn blank(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Puts a number into a copy.
    pub fn number(&self, copy: &mut [u8], number: u64) {
        let digits = format!("{number:012}");
        for mark in &self.marks {
            let place = copy.get_mut(*mark..mark.saturating_add(MARK.len()));
            if let Some(place) = place.filter(|place| place.len() == digits.len()) {
                place.copy_from_slice(digits.as_bytes());
            }
        }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Bytes of head and body.
    pub bytes: usize,
    /// Whether the server closes the connection after it.
    pub close: bool,
    body: Range<usize>,
}

/// A connection.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    /// # Errors
    /// When nobody listens there.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 << 10) })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is not one this reader understands.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            if let Some(head) = Head::read(&self.buffer)? {
                break head;
            }
            self.more().await?;
        };
        let end = head.length.saturating_add(head.body_length);
        if end > ANSWER_BYTES_MAX {
            return Err(wrong("the answer is too long"));
        }
        while self.buffer.len() < end {
            self.more().await?;
        }
        if self.buffer.len() > end {
            return Err(wrong("more than one answer came"));
        }
        Ok(Answer { status: head.status, bytes: end, close: head.close, body: head.length..end })
    }

    /// The body of the answer that came last.
    #[must_use]
    pub fn body(&self, answer: &Answer) -> &[u8] {
        self.buffer.get(answer.body.clone()).unwrap_or_default()
    }

    async fn more(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection was closed before the answer's end",
            ));
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    body_length: usize,
    close: bool,
}

impl Head {
    /// `None` while it is not there as a whole.
    fn read(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let text =
            std::str::from_utf8(bytes.get(..end).unwrap_or_default()).map_err(|_| wrong("the head is no text"))?;
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.ok_or_else(|| wrong("the first line is no HTTP/1.1 status"))?;
        let (mut body_length, mut close) = (None, false);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                body_length = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("connection") {
                close = value.trim().eq_ignore_ascii_case("close");
            }
        }
        let body_length = body_length.ok_or_else(|| wrong("the answer tells no length"))?;
        Ok(Some(Self { status, length: end.saturating_add(4), body_length, close }))
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Asks for one page and gives its status and text.
///
/// # Errors
/// When the connection breaks.
pub async fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let mut wire = Wire::connect(address).await?;
    let answer = wire.exchange(request.as_bytes()).await?;
    Ok((answer.status, String::from_utf8_lossy(wire.body(&answer)).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_goes_wherever_it_is_marked() {
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        let template = Template::post(address, "/v1", &[("key", "k-############")], "{\"a\":\"############\"}");
        let mut copy = template.blank();
        template.number(&mut copy, 42);
        let text = String::from_utf8(copy).expect("text");
        assert!(text.contains("key: k-000000000042\r\n") && text.ends_with("{\"a\":\"000000000042\"}"), "{text}");
        assert!(text.contains("content-length: 20\r\n"), "{text}");
        assert_eq!(text.len(), template.len());
    }

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        assert!(Head::read(b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n").expect("so far well").is_none());
        let head =
            Head::read(b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc").expect("well");
        assert_eq!(head, Some(Head { status: 201, length: 62, body_length: 3, close: true }));
    }

    #[test]
    fn what_tells_no_length_is_refused() {
        for head in [&b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"[..], b"SSH-2.0\r\n\r\n"] {
            assert!(Head::read(head).is_err());
        }
    }
}
