//! One call, one request on the wire.

use std::process::Command;
use std::time::Duration;

use switchyard_core::clock::Uptime;
use switchyard_core::transport::{Bounds, Transport as _};

use super::server::{OK, Server, Step};
use super::{Client, never_left, no_answer, post};

#[tokio::test]
async fn a_fresh_connection_that_closes_is_not_replaced() {
    let server = Server::start(vec![Step::Close]).await;
    assert!(no_answer(&Client::new().post(&server.url).await));
    assert_eq!(server.requests_in_the_end().await, 1);
}

#[tokio::test]
async fn a_reused_connection_that_closes_is_not_replaced() {
    let server = Server::start(vec![Step::Answer(OK), Step::Close]).await;
    let client = Client::new();
    assert_eq!(client.post(&server.url).await.unwrap().status, 200);
    assert!(no_answer(&client.post(&server.url).await));
    assert_eq!((server.requests_in_the_end().await, server.connections()), (2, 1));
}

#[tokio::test]
async fn a_connection_that_died_while_idle_is_replaced_before_anything_is_sent() {
    for last_words in ["", "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"] {
        let answer = format!("{OK}{last_words}");
        let server = Server::start(vec![Step::AnswerAndClose(answer)]).await;
        let client = Client::new();
        assert_eq!(client.post(&server.url).await.unwrap().status, 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(client.post(&server.url).await.unwrap().status, 200);
        assert_eq!((server.requests_in_the_end().await, server.connections()), (2, 2));
    }
}

#[tokio::test]
async fn redirects_are_answers() {
    for status in [301, 302, 303, 307, 308] {
        let target = Server::start(vec![Step::Answer(OK)]).await;
        let answer = format!("HTTP/1.1 {status} Moved\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", target.url);
        let server = Server::start(vec![Step::AnswerAndClose(answer)]).await;
        let response = Client::new().post(&server.url).await.unwrap();
        assert_eq!((response.status, response.header("location")), (status, Some(target.url.as_str())));
        assert_eq!((server.requests_in_the_end().await, target.connections()), (1, 0));
    }
}

#[tokio::test]
async fn invitations_to_try_again_are_answers() {
    for status in [408, 425, 429, 500, 503] {
        let answer =
            format!("HTTP/1.1 {status} Later\r\nRetry-After: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let server = Server::start(vec![Step::AnswerAndClose(answer)]).await;
        let response = Client::new().post(&server.url).await.unwrap();
        assert_eq!((response.status, response.header("retry-after")), (status, Some("0")));
        assert_eq!(server.requests_in_the_end().await, 1);
    }
}

#[tokio::test]
async fn a_request_past_its_time_is_not_written() {
    let server = Server::start(vec![Step::Answer(OK), Step::Answer(OK)]).await;
    let client = Client::new();
    let bounds = client.bounds(Duration::from_secs(5));
    let past = Bounds { send_by: Uptime(Duration::ZERO), ..bounds };
    assert!(never_left(&client.transport.send(post(&server.url), past).await));
    assert_eq!(server.connections(), 0);
    assert_eq!(client.post(&server.url).await.unwrap().status, 200);
    client.clock.skip(6);
    assert!(never_left(&client.transport.send(post(&server.url), bounds).await));
    assert_eq!(server.requests_in_the_end().await, 1);
    assert_eq!(client.post(&server.url).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_request_whose_time_passes_on_the_way_is_not_written() {
    // The clock is read when the call begins, when a connection is chosen, and directly before the first byte.
    for readings in 0..3 {
        for pooled in [false, true] {
            let server = Server::start(vec![Step::Answer(OK); 3]).await;
            let client = Client::new();
            if pooled {
                client.post(&server.url).await.unwrap();
            }
            let bounds = client.bounds(Duration::from_secs(5));
            client.clock.skip_a_minute_after(readings);
            assert!(never_left(&client.transport.send(post(&server.url), bounds).await), "{readings} {pooled}");
            assert_eq!(server.requests_in_the_end().await, usize::from(pooled));
        }
    }
}

const TARGET: &str = "SWITCHYARD_TEST_TARGET";

/// Runs in a process of its own, whose environment names a proxy.
#[tokio::test]
async fn target_of_the_environment() {
    let Ok(url) = std::env::var(TARGET) else { return };
    assert_eq!(Client::new().post(&url).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    let target = Server::start(vec![Step::Answer(OK)]).await;
    let proxy = Server::start(vec![Step::Answer(OK)]).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "transport::tests::resends::target_of_the_environment"]).env(TARGET, &target.url);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, &proxy.url).env(name.to_lowercase(), &proxy.url);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!((target.requests().len(), proxy.connections()), (1, 0));
}
