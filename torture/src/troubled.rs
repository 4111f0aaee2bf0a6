//! A troubled line to the provider: a proxy that cuts, holds, spoils and lies, by chance that can be had again.
//!
//! What was booked is not its affair: the provider's ledger tells.

use crate::chance::Chance;
use crate::wire::header;
use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long the provider, or the gateway, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The connection is reset before the request was read.
    ResetAtOnce,
    /// A part of the request reaches the provider, then both sides are cut.
    CutRequest,
    /// The request reaches nobody, and nobody answers.
    Swallowed,
    /// The provider carries it out, and nobody answers.
    AnswerHeld,
    /// The provider carries it out, and the connection is closed.
    AnswerLost,
    /// The answer ends within its head.
    AnswerCutInHead,
    /// The answer ends within its body.
    AnswerCutInBody,
    /// The answer comes in drops.
    Slow,
    /// The answer is fine, and the connection dies right after it, while the next call may be on its way.
    DiesAfterwards,
    /// Carried out; answered with a page of some machine in between.
    ProxyPage(u16),
    /// Carried out; answered 200 with something else.
    Garbage,
    /// Carried out; answered with an error in no form that the provider documents.
    UndocumentedError(u16),
    /// Carried out; the answer tells of larger amounts.
    WrongAmount,
    /// Not carried out: the provider has too much to do.
    Busy,
}

const TROUBLES: &[(u64, Trouble)] = &[
    (6, Trouble::ResetAtOnce),
    (8, Trouble::CutRequest),
    (1, Trouble::Swallowed),
    (2, Trouble::AnswerHeld),
    (8, Trouble::AnswerLost),
    (6, Trouble::AnswerCutInHead),
    (6, Trouble::AnswerCutInBody),
    (3, Trouble::Slow),
    (10, Trouble::DiesAfterwards),
    (3, Trouble::ProxyPage(502)),
    (2, Trouble::ProxyPage(503)),
    (2, Trouble::ProxyPage(403)),
    (2, Trouble::ProxyPage(404)),
    (4, Trouble::Garbage),
    (2, Trouble::UndocumentedError(500)),
    (2, Trouble::UndocumentedError(302)),
    (2, Trouble::UndocumentedError(408)),
    (2, Trouble::UndocumentedError(425)),
    (2, Trouble::UndocumentedError(409)),
    (5, Trouble::WrongAmount),
    (4, Trouble::Busy),
];

/// The line's switchboard and its figures.
#[derive(Debug, Default)]
pub struct Line {
    /// How many of a hundred calls that move money meet trouble.
    pub percent: AtomicU64,
    /// How many of a hundred look-ups do.
    pub percent_of_look_ups: AtomicU64,
    met: Mutex<BTreeMap<Trouble, u64>>,
    lied_about: Mutex<HashSet<String>>,
    accepted: AtomicU64,
}

impl Line {
    /// Opens a line to `provider`; it listens at the address that comes back, until the process ends.
    ///
    /// # Panics
    /// Where no port is to be had.
    #[must_use]
    pub fn open(provider: &str, chance: Chance) -> (Arc<Self>, String) {
        let line = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (shared, provider) = (Arc::clone(&line), provider.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let number = shared.accepted.fetch_add(1, Ordering::Relaxed);
                let mut call = Carrier {
                    line: Arc::clone(&shared),
                    provider: provider.clone(),
                    chance: chance.child(number),
                    client,
                    upstream: None,
                };
                std::thread::spawn(move || while call.carry().is_some() {});
            }
        });
        (line, address)
    }

    /// No more trouble.
    pub fn mend(&self) {
        self.percent.store(0, Ordering::Relaxed);
        self.percent_of_look_ups.store(0, Ordering::Relaxed);
    }

    /// Calls that met trouble, by kind.
    ///
    /// # Panics
    /// Never: nobody panics with the lock.
    #[must_use]
    pub fn met(&self) -> BTreeMap<Trouble, u64> {
        self.met.lock().expect("nobody panics with it").clone()
    }

    /// The operations about which an answer lied.
    ///
    /// # Panics
    /// Never: nobody panics with the lock.
    #[must_use]
    pub fn lied_about(&self) -> HashSet<String> {
        self.lied_about.lock().expect("nobody panics with it").clone()
    }
}

struct Carrier {
    line: Arc<Line>,
    provider: String,
    chance: Chance,
    client: TcpStream,
    upstream: Option<TcpStream>,
}

impl Carrier {
    /// One call. `None` once the connection has ended.
    fn carry(&mut self) -> Option<()> {
        let first = read_byte(&mut self.client)?;
        let trouble = self.trouble(first);
        if trouble == Some(Trouble::ResetAtOnce) {
            rustix::net::sockopt::set_socket_linger(&self.client, Some(Duration::ZERO)).ok()?;
            return None;
        }
        let request = message(&mut self.client, vec![first])?;
        match trouble {
            Some(Trouble::Swallowed) => return self.hold(),
            Some(Trouble::CutRequest) => {
                let part = self.chance.between(1, u64::try_from(request.len()).ok()?);
                let mut upstream = TcpStream::connect(&self.provider).ok()?;
                return upstream.write_all(&request[..usize::try_from(part).ok()?]).ok().and(None);
            }
            Some(Trouble::Busy) => {
                let body = r#"{"error": {"type": "rate_limit", "code": "rate_limited", "message": "later"}}"#;
                return self.answer(429, "application/json", body);
            }
            _ => {}
        }
        let answer = self.ask_provider(&request)?;
        self.spoil(trouble, &request, answer)
    }

    fn trouble(&mut self, first: u8) -> Option<Trouble> {
        let percent = if first == b'P' { &self.line.percent } else { &self.line.percent_of_look_ups };
        if !self.chance.percent(percent.load(Ordering::Relaxed)) {
            return None;
        }
        let trouble = *self.chance.weighted(TROUBLES);
        // Whoever asks again is told the truth: a provider that always lies settles nothing.
        if trouble == Trouble::WrongAmount && first != b'P' {
            return None;
        }
        *self.line.met.lock().expect("nobody panics with it").entry(trouble).or_default() += 1;
        Some(trouble)
    }

    fn ask_provider(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        // A connection that has idled may be dead; this line's own trouble must not come from that.
        let mut upstream = match self.upstream.take() {
            Some(open) => open,
            None => TcpStream::connect(&self.provider).ok()?,
        };
        upstream.set_nodelay(true).ok()?;
        upstream.set_read_timeout(Some(PATIENCE)).ok()?;
        upstream.write_all(request).ok()?;
        let answer = message(&mut upstream, Vec::new())?;
        self.upstream = Some(upstream);
        Some(answer)
    }

    fn spoil(&mut self, trouble: Option<Trouble>, request: &[u8], answer: Vec<u8>) -> Option<()> {
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let length = answer.len();
        let mut cut_between = |from: usize, to: usize, client: &mut TcpStream| -> Option<()> {
            let end = self.chance.between(u64::try_from(from).ok()?, u64::try_from(to.max(from + 1)).ok()?);
            client.write_all(answer.get(..usize::try_from(end).ok()?)?).ok().and(None)
        };
        match trouble {
            None => self.client.write_all(&answer).ok(),
            Some(Trouble::AnswerHeld) => self.hold(),
            Some(Trouble::AnswerLost) => None,
            Some(Trouble::AnswerCutInHead) => cut_between(1, head, &mut self.client),
            Some(Trouble::AnswerCutInBody) => cut_between(head, length, &mut self.client),
            Some(Trouble::Slow) => {
                for drop in answer.chunks(answer.len() / 8 + 1) {
                    self.client.write_all(drop).ok()?;
                    std::thread::sleep(Duration::from_millis(25));
                }
                Some(())
            }
            Some(Trouble::DiesAfterwards) => {
                self.client.write_all(&answer).ok()?;
                std::thread::sleep(Duration::from_micros(self.chance.between(0, 3_000)));
                None
            }
            Some(Trouble::ProxyPage(status)) => self.answer(status, "text/html", "<html><h1>Sorry</h1></html>"),
            Some(Trouble::Garbage) => self.answer(200, "application/json", "{\"status\": \"appro"),
            Some(Trouble::UndocumentedError(status)) => self.answer(status, "application/json", "{\"oops\": true}"),
            Some(Trouble::WrongAmount) => {
                if let Some(lie) = larger_amounts(&answer) {
                    let head = String::from_utf8_lossy(request).into_owned();
                    let key = header(&head, "idempotency-key")?.trim_matches('"').to_owned();
                    self.line.lied_about.lock().expect("nobody panics with it").insert(key);
                    return self.client.write_all(&lie).ok();
                }
                self.client.write_all(&answer).ok()
            }
            Some(Trouble::ResetAtOnce | Trouble::CutRequest | Trouble::Swallowed | Trouble::Busy) => None,
        }
    }

    fn answer(&mut self, status: u16, kind: &str, body: &str) -> Option<()> {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status} So be it\r\nContent-Type: {kind}\r\nRetry-After: 1\r\nLocation: http://127.0.0.1:9/\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        self.client.write_all(text.as_bytes()).ok()
    }

    /// Says nothing until the other side has had enough.
    fn hold(&mut self) -> Option<()> {
        self.client.set_read_timeout(Some(PATIENCE)).ok()?;
        read_byte(&mut self.client).and(None)
    }
}

fn read_byte(stream: &mut TcpStream) -> Option<u8> {
    let mut byte = [0_u8];
    stream.read_exact(&mut byte).ok()?;
    Some(byte[0])
}

/// One whole request or answer, as it came.
fn message(stream: &mut TcpStream, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let mut piece = [0_u8; 16 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = std::str::from_utf8(&bytes[..end]).ok()?;
            let length: usize = header(head, "content-length").map_or(Some(0), |length| length.parse().ok())?;
            if bytes.len() >= end + 4 + length {
                bytes.truncate(end + 4 + length);
                return Some(bytes);
            }
        }
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    }
}

/// The same answer with every amount larger by its first digit; `None` where there is none that can be.
fn larger_amounts(answer: &[u8]) -> Option<Vec<u8>> {
    // Nobody can tell that less was approved in part than is said.
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(answer, |head| &answer[head + 4..]);
    let object: serde_json::Value = serde_json::from_slice(body).ok()?;
    let in_part = |charge: &serde_json::Value| charge["amount_authorized"].as_i64() < charge["amount"].as_i64();
    if [&object, &object["charge"]].into_iter().any(|charge| charge["amount_authorized"].is_i64() && in_part(charge)) {
        return None;
    }
    let mut lie = answer.to_vec();
    let mut lied = false;
    let mut from = 0;
    while let Some(place) = answer.get(from..)?.windows(7).position(|window| window == b"\"amount") {
        from += place + 7;
        let digit = from + answer.get(from..)?.iter().position(|byte| *byte == b':')? + 1;
        let digit = digit + answer.get(digit..)?.iter().position(|byte| *byte != b' ')?;
        if matches!(answer.get(digit), Some(b'1'..=b'8')) {
            lie[digit] += 1;
            lied = true;
        }
    }
    lied.then_some(lie)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lie_has_the_length_of_the_truth() {
        let truth = br#"{"id":"ch_1","amount":125,"amount_captured": 70,"amount_refunded":0}"#;
        let lie = larger_amounts(truth).unwrap();
        assert_eq!(lie, br#"{"id":"ch_1","amount":225,"amount_captured": 80,"amount_refunded":0}"#);
        assert!(larger_amounts(br#"{"amount":0}"#).is_none());
    }
}
