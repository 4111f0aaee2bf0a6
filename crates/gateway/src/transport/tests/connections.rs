//! Connections: made, kept, let go, and not to be had.

use std::time::Duration;
use switchyard_core::Transport as _;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::server::{OK, Server, Step};
use super::{Client, never_left};

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(vec![Step::Answer(OK); 5]).await;
    let client = Client::new();
    for _ in 0..5 {
        client.post(&server.url).await.unwrap();
    }
    assert_eq!((server.requests().len(), server.connections()), (5, 1));
}

#[tokio::test]
async fn calls_at_the_same_time_have_connections_of_their_own() {
    let server = Server::start(vec![Step::Answer(OK); 5]).await;
    let client = Client::with(|settings| settings.idle_connections_max = 2);
    let calls = (0..4).map(|_| client.post(&server.url));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((server.connections(), client.transport.idle.len()), (4, 2));
}

#[tokio::test]
async fn idle_connections_grow_too_old() {
    let server = Server::start(vec![Step::Answer(OK); 5]).await;
    let client = Client::new();
    client.post(&server.url).await.unwrap();
    client.clock.skip(14);
    client.post(&server.url).await.unwrap();
    assert_eq!(server.connections(), 1);
    client.clock.skip(15);
    client.post(&server.url).await.unwrap();
    assert_eq!(server.connections(), 2);
    client.clock.skip(15);
    client.transport.close_idle();
    assert_eq!(client.transport.idle.len(), 0);
}

#[tokio::test]
async fn a_provider_may_tell_how_long_it_keeps_them() {
    const FIVE: &str = "HTTP/1.1 200 OK\r\nkeep-alive: timeout=5, max=100\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(vec![Step::Answer(FIVE); 5]).await;
    let client = Client::new();
    client.post(&server.url).await.unwrap();
    client.clock.skip(3);
    client.post(&server.url).await.unwrap();
    client.clock.skip(4);
    client.post(&server.url).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_is_to_be_closed_is_not_kept() {
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(vec![Step::Answer(closing), Step::Answer(OK)]).await;
    let client = Client::new();
    client.post(&server.url).await.unwrap();
    assert_eq!(client.transport.idle.len(), 0);
}

#[tokio::test]
async fn a_call_that_is_given_up_takes_its_connection_along() {
    let server = Server::start(vec![Step::Answer(OK), Step::Silence]).await;
    let client = Client::new();
    client.post(&server.url).await.unwrap();
    let _ = tokio::time::timeout(Duration::from_millis(50), client.post(&server.url)).await;
    assert_eq!((server.requests_in_the_end().await, client.transport.idle.len()), (2, 0));
}

#[tokio::test]
async fn a_refused_connection_never_left() {
    // Bound and not listening: nobody else can take the port meanwhile.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    assert!(never_left(&Client::new().post(&url).await));
}

#[tokio::test]
async fn an_unknown_name_never_left() {
    assert!(never_left(&Client::new().post("http://nobody.invalid/").await));
}

#[tokio::test]
async fn a_connection_that_is_not_accepted_in_time_never_left() {
    let (url, _full) = full_backlog().await;
    let client = Client::with(|settings| settings.connect_timeout = Duration::from_millis(300));
    assert!(never_left(&client.post(&url).await));
    assert!(never_left(&Client::new().post_within(&url, 300).await));
}

/// A listener that accepts nothing and whose queue is full, so that the kernel answers no further connection.
async fn full_backlog() -> (String, (TcpListener, Vec<TcpStream>)) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    (format!("http://{address}/"), (listener, waiting))
}

#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    // `localhost` may stand for ::1 as well, where nobody listens.
    let server = Server::start(vec![Step::Answer(OK)]).await;
    let url = server.url.replace("127.0.0.1", "localhost");
    assert_eq!(Client::new().post(&url).await.unwrap().status, 200);
    assert!(server.requests()[0].contains("\r\nhost: localhost:"));
}

#[tokio::test]
async fn addresses_of_version_6_work() {
    // Some machines have none.
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let client = Client::new();
    let (result, accepted) = tokio::join!(client.post_within(&url, 300), listener.accept());
    assert!(accepted.is_ok() && super::no_answer(&result), "{result:?}");
}
