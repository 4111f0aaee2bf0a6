//! What counts as an answer, and what leaves it open whether the provider acted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use switchyard_core::limits::PROVIDER_BODY_BYTES_MAX;
use switchyard_core::transport::{HeaderText, HttpMethod, HttpRequest, Transport as _};

use super::super::{HttpTransport, Observe, Outcome, Settings, tls_settings};
use super::server::{OK, Server, Step};
use super::{Client, TestClock, never_left, no_answer, post};

#[tokio::test]
async fn what_goes_out_is_what_was_asked_for() {
    let server = Server::start(vec![Step::Answer(OK)]).await;
    let response = Client::new().post(&server.url).await.unwrap();
    assert_eq!((response.status, &*response.body), (200, &b"ok"[..]));
    let host = server.url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let agent = concat!("switchyard/", env!("CARGO_PKG_VERSION"));
    let expected = format!(
        "POST /v1/charges?x=1 HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer sk_secret\r\n\
         content-type: application/json\r\nuser-agent: {agent}\r\ncontent-length: 15\r\n\r\n{{\"amount\":1050}}"
    );
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn a_get_has_no_body_and_no_length() {
    let server = Server::start(vec![Step::Answer(OK)]).await;
    let client = Client::new();
    let request = HttpRequest { method: HttpMethod::Get, url: server.url.clone(), headers: vec![], body: Bytes::new() };
    client.transport.send(request, client.bounds(Duration::from_secs(5))).await.unwrap();
    let request = server.requests().remove(0);
    assert!(
        request.starts_with("GET /v1/charges?x=1 HTTP/1.1\r\n") && !request.contains("content-length"),
        "{request}"
    );
}

#[tokio::test]
async fn names_of_headers_come_in_lower_case_and_values_that_are_no_text_are_left_out() {
    let answer = "HTTP/1.1 201 Created\r\nX-Request-ID: r1\r\nX-Odd: \u{e9}\r\nTransfer-Encoding: chunked\r\n\r\n\
                  3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
    let server = Server::start(vec![Step::Answer(answer)]).await;
    let response = Client::new().post(&server.url).await.unwrap();
    assert_eq!((response.status, &*response.body), (201, &b"abcdefg"[..]));
    assert_eq!((response.header("x-request-id"), response.header("x-odd")), (Some("r1"), None));
}

#[tokio::test]
async fn silence_is_no_answer() {
    let server = Server::start(vec![Step::Silence]).await;
    assert!(no_answer(&Client::new().post_within(&server.url, 200).await));
    assert_eq!(server.requests_in_the_end().await, 1);
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let cut = [
        "HTTP/1.1 200 OK\r\nconte",
        "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{\"status\":",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ];
    for text in cut {
        let server = Server::start(vec![Step::AnswerAndClose(text.into())]).await;
        assert!(no_answer(&Client::new().post(&server.url).await), "{text}");
        let server = Server::start(vec![Step::Answer(text), Step::Silence]).await;
        assert!(no_answer(&Client::new().post_within(&server.url, 200).await), "{text}");
        assert_eq!(server.requests_in_the_end().await, 1);
    }
}

#[tokio::test]
async fn garbage_is_no_answer() {
    for text in ["SSH-2.0-OpenSSH_9.6\r\n", "\x16\x03\x01\x02", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"] {
        let server = Server::start(vec![Step::AnswerAndClose(text.into())]).await;
        assert!(no_answer(&Client::new().post(&server.url).await), "{text:?}");
        assert_eq!(server.requests_in_the_end().await, 1);
    }
}

#[tokio::test]
async fn an_answer_past_the_limit_is_no_answer() {
    let body = "a".repeat(PROVIDER_BODY_BYTES_MAX);
    let told = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let untold = |body: &str| format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}");
    for answer in [told(&body), untold(&body)] {
        let server = Server::start(vec![Step::AnswerAndClose(answer)]).await;
        assert_eq!(Client::new().post(&server.url).await.unwrap().body.len(), PROVIDER_BODY_BYTES_MAX);
    }
    let body = body + "a";
    for answer in [told(&body), untold(&body)] {
        let server = Server::start(vec![Step::AnswerAndClose(answer)]).await;
        assert!(no_answer(&Client::new().post(&server.url).await));
        assert_eq!(server.requests_in_the_end().await, 1);
    }
}

#[tokio::test]
async fn requests_that_cannot_be_written_never_leave_and_show_nothing() {
    let client = Client::new();
    let mut bad_header = post("http://127.0.0.1:9/");
    bad_header.headers.push(("x-key", HeaderText::Secret("sk_\nsecret".into())));
    let bad = ["", "/v1", "ftp://h/", "http://user:sk_secret@h/", "http://h:99999/"].map(post);
    for request in bad.into_iter().chain([bad_header]) {
        let result = client.transport.send(request, client.bounds(Duration::from_secs(5))).await;
        assert!(never_left(&result) && !format!("{result:?}").contains("secret"), "{result:?}");
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<Outcome>>);

impl Observe for Heard {
    fn sent(&self, _: Duration, outcome: Outcome) {
        self.0.lock().unwrap().push(outcome);
    }
}

#[tokio::test]
async fn each_request_is_observed_once() {
    let heard = Arc::new(Heard::default());
    let settings = Settings::new(tls_settings(&[]).unwrap());
    let transport = HttpTransport::new(settings, Arc::new(TestClock::new()), Some(heard.clone()));
    let client = Client { transport, ..Client::new() };
    let server = Server::start(vec![Step::Answer(OK), Step::Close]).await;
    let _ = client.post(&server.url).await;
    let _ = client.post(&server.url).await;
    let _ = client.post("nowhere").await;
    assert_eq!(*heard.0.lock().unwrap(), [Outcome::Answered(200), Outcome::NoAnswer, Outcome::NeverLeft]);
}
