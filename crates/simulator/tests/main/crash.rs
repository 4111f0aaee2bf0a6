//! Whatever was answered before the process is killed is in the ledger after it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::client::{Client, simulator_at};

const FILE: &str = "SIMULATOR_CRASH_TEST_FILE";

/// Not a test, but the process that [`the_ledger_survives_being_killed`] kills.
#[actix_web::test]
#[ignore = "serves until it is killed"]
async fn serve_until_killed() {
    let file = PathBuf::from(std::env::var_os(FILE).expect("started by the test below"));
    let (_running, client) = simulator_at(&file).await;
    println!("\naddress {}", client.address);
    std::future::pending::<()>().await;
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[actix_web::test]
async fn the_ledger_survives_being_killed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("simulator.db");
    let mut child = Killed(
        Command::new(std::env::current_exe().unwrap())
            .args(["crash::serve_until_killed", "--exact", "--ignored", "--nocapture"])
            .env(FILE, &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| line.strip_prefix("address ").map(str::to_owned)).expect("it starts");
    let client = Client { address: address.parse().unwrap(), api_key: "sim_test_acme".into() };

    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut answered = Vec::new();
                for number in 0.. {
                    let key = format!("{caller}-{number}");
                    let body = crate::client::by_card("tok_approved", "automatic");
                    match client.try_post("/v1/charges", &key, &body).await {
                        Ok(answer) => answered.push((key, answer.id())),
                        Err(_) => break,
                    }
                }
                answered
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(child);

    let (running, client) = simulator_at(&file).await;
    for caller in callers {
        let answered = caller.await.unwrap();
        assert!(!answered.is_empty(), "nothing was answered before the kill");
        for (key, id) in answered {
            let found = client.get(&format!("/v1/charges?reference={key}")).await.body;
            assert_eq!(found["data"][0]["id"], id, "{key}");
        }
    }
    running.stop().await;
}
