//! A merchant who hangs up cancels nothing.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;
use switchyard_tests::{Client, Options, Sandbox, card_payment, unique, until};

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
enum Leaves {
    /// Closes with a reset, so that the server's next write or read fails.
    Reset,
    /// Closes its sending half and reads on.
    HalfClose,
    /// Closes as one whose patience is over.
    Close,
}

/// When it leaves: after part of the head, after the head, after part of the body, after all, while the provider is
/// being asked, and after part of the answer.
#[derive(Clone, Copy, Debug)]
enum Stage {
    InHead,
    AfterHead,
    InBody,
    AtOnce,
    DuringCall,
    InAnswer,
}

fn leave(mut stream: TcpStream, how: Leaves) {
    match how {
        Leaves::Reset => {
            // Closing with unread bytes or with a zero linger sends a reset.
            let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
            drop(stream);
        }
        Leaves::HalfClose => {
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
            let _ = stream.read_to_end(&mut Vec::new());
        }
        Leaves::Close => drop(stream),
    }
}

fn send_and_leave(client: &Client, key: &str, body: &str, stage: Stage, how: Leaves) {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    let request = client.bytes("POST", "/v1/payments", &headers, body.as_bytes());
    let head = request.len() - body.len();
    let sent = match stage {
        Stage::InHead => head / 2,
        Stage::AfterHead => head,
        Stage::InBody => head + body.len() / 2,
        Stage::AtOnce | Stage::DuringCall | Stage::InAnswer => request.len(),
    };
    let mut stream = TcpStream::connect(&client.address).expect("connect");
    stream.write_all(&request[..sent]).expect("send");
    match stage {
        // The slow token answers after 2 s: by now the provider is being asked.
        Stage::DuringCall => std::thread::sleep(Duration::from_millis(700)),
        Stage::InAnswer => {
            stream.read_exact(&mut [0; 20]).expect("the answer begins");
        }
        Stage::InHead | Stage::AfterHead | Stage::InBody | Stage::AtOnce => {}
    }
    leave(stream, how);
}

#[test]
fn resets_half_closes_and_closes_at_every_stage_lose_and_double_nothing() {
    let sandbox = Sandbox::start_with(Options::default().env("SWITCHYARD__RECOVERY__INTERVAL", "100ms"));
    let client = sandbox.client();
    let stages = [Stage::InHead, Stage::AfterHead, Stage::InBody, Stage::AtOnce, Stage::DuringCall, Stage::InAnswer];
    let cases: Vec<(Stage, Leaves, String, serde_json::Value)> = stages
        .into_iter()
        .flat_map(|stage| [Leaves::Reset, Leaves::HalfClose, Leaves::Close].map(|how| (stage, how)))
        .map(|(stage, how)| (stage, how, unique("key"), card_payment("tok_slow")))
        .collect();
    std::thread::scope(|scope| {
        for (stage, how, key, body) in &cases {
            let client = client.clone();
            scope.spawn(move || send_and_leave(&client, key, &body.to_string(), *stage, *how));
        }
    });
    // Whoever left asks again, as the guide says, with the same key: each has one payment in the end.
    std::thread::scope(|scope| {
        for (stage, how, key, body) in &cases {
            let client = client.clone();
            scope.spawn(move || {
                let answer = until(PATIENCE, || client.post("/v1/payments", key, body), |answer| answer.status != 409);
                assert_eq!(answer.status, 201, "{stage:?} {how:?}: {}", answer.text());
                assert_eq!(answer.json()["status"], "captured", "{stage:?} {how:?}");
            });
        }
    });
    let charges = sandbox.ledger("charge");
    assert_eq!(charges.len(), cases.len(), "{charges:?}");
    assert!(charges.iter().all(|charge| charge["asked"] == 1), "{charges:?}");
}

#[test]
fn what_was_sent_whole_is_carried_out_though_nobody_waits() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    for how in [Leaves::Reset, Leaves::Close] {
        let body = card_payment("tok_slow");
        send_and_leave(&client, &unique("key"), &body.to_string(), Stage::DuringCall, how);
        let path = format!("/v1/payments?reference={}", body["reference"].as_str().unwrap());
        let list =
            until(PATIENCE, || client.get(&path).expect(200).json(), |list| list["data"][0]["status"] == "captured");
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
    }
}
