use super::*;
use actix_web::HttpServer;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn serve(desk: &Arc<Desk>) -> SocketAddr {
    let shared = Arc::clone(desk);
    let server =
        HttpServer::new(move || App::new().app_data(web::Data::new(shared.api())).configure(configure)).workers(1);
    let server = server.disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    address
}

fn head(length: usize) -> String {
    format!(
        "POST /v1/payments HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sy_test_sandbox\r\n\
         Idempotency-Key: key-1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Everything up to the end of the answer's body.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if length.is_none_or(|length: usize| body.len() >= length) {
                return text;
            }
        }
        let read = stream.read(&mut block).await.unwrap();
        assert!(read > 0, "closed after {text:?}");
        bytes.extend_from_slice(&block[..read]);
    }
}

#[actix_web::test]
async fn bodies_may_come_in_pieces_and_connections_are_kept() {
    let desk = Arc::new(Desk::new());
    let mut stream = TcpStream::connect(serve(&desk).await).await.unwrap();
    for _ in 0..2 {
        let (first, rest) = PAYMENT.split_at(40);
        let (second, third) = rest.split_at(40);
        stream.write_all(head(PAYMENT.len()).as_bytes()).await.unwrap();
        for piece in [first, second, third] {
            tokio::time::sleep(Duration::from_millis(5)).await;
            stream.write_all(piece.as_bytes()).await.unwrap();
        }
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 201 Created"));
    }
}

#[actix_web::test]
async fn a_body_past_the_limit_gets_its_answer_over_the_wire() {
    let desk = Arc::new(Desk::new());
    let address = serve(&desk).await;
    let large = vec![b'x'; 1024 * 1024];
    for announced in [true, false] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut request = head(large.len()).into_bytes();
        if !announced {
            let chunked = head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
            request = format!("{chunked}{:x}\r\n", large.len()).into_bytes();
        }
        stream.write_all(&request).await.unwrap();
        // What the gateway does not want to read it may refuse to take.
        let _ = stream.write_all(&large).await;
        let text = answer(&mut stream).await;
        assert!(text.starts_with("HTTP/1.1 413 ") && text.contains("\"code\":\"body_too_large\""), "{text}");
    }
}

#[actix_web::test]
async fn a_client_that_leaves_is_counted_and_nothing_reaches_the_engine() {
    let desk = Arc::new(Desk::new());
    let mut stream = TcpStream::connect(serve(&desk).await).await.unwrap();
    stream.write_all(head(PAYMENT.len()).as_bytes()).await.unwrap();
    stream.write_all(&PAYMENT.as_bytes()[..40]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stream);
    for _ in 0..200 {
        if !desk.counted.0.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let counted = desk.counted.0.lock().unwrap().clone();
    assert!(matches!(counted[..], [("/v1/payments", "POST", 400 | 499)]), "{counted:?}");
    assert!(desk.engine.created.lock().unwrap().is_empty());
}

#[actix_web::test]
async fn head_has_no_body() {
    let desk = Arc::new(Desk::new());
    let mut stream = TcpStream::connect(serve(&desk).await).await.unwrap();
    let request = "HEAD /v1/payments HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sy_test_sandbox\r\n\
                   Connection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with("\r\n\r\n"), "{text}");
}
