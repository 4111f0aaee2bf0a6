//! SIGKILL under load, again and again; then three books are compared: what merchants were told, Switchyard's ledger, the
//! simulator's ledger. The simulator dies with the gateway each time, and its ledger lives on, as a provider's would.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use switchyard_tests::{Client, Options, Response, Sandbox, card_payment, http, unique, until};

const PATIENCE: Duration = Duration::from_secs(90);
const ROUNDS: u64 = 6;
const MERCHANTS: u64 = 6;

/// What a merchant wants, and what it was told last.
struct Wish {
    key: String,
    body: Value,
    told: Option<Value>,
}

/// One try; `None` where the answer did not come whole.
fn ask(client: &Client, wish: &Wish) -> Option<Response> {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", wish.key.as_str())];
    let request = client.bytes("POST", "/v1/payments", &headers, wish.body.to_string().as_bytes());
    let mut stream = TcpStream::connect(&client.address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    stream.write_all(&request).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    http::parse(&answer)
}

/// Pays until told to stop, each payment until it is answered, as the guide says: with its own key.
fn shop(number: u64, address: &RwLock<Client>, closing: &AtomicBool) -> Vec<Wish> {
    const TOKENS: [&str; 6] = [
        "tok_approved",
        "tok_declined_do_not_honor",
        "tok_approved",
        "tok_error_after",
        "tok_cut_before",
        "tok_cut_after",
    ];
    let mut wishes = Vec::new();
    let mut token = usize::try_from(number).unwrap();
    while !closing.load(Ordering::Relaxed) {
        token += 1;
        let body = card_payment(TOKENS[token % TOKENS.len()]);
        let mut wish = Wish { key: unique("wish"), body, told: None };
        while !closing.load(Ordering::Relaxed) {
            let client = address.read().unwrap().clone();
            match ask(&client, &wish) {
                Some(answer) if matches!(answer.status, 201 | 202) => {
                    wish.told = Some(answer.json());
                    break;
                }
                // Running still, stopping, or gone: the same key again.
                Some(answer) => assert!(matches!(answer.status, 409 | 503), "{}", answer.text()),
                None => {}
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        wishes.push(wish);
    }
    wishes
}

#[test]
fn no_kill_loses_doubles_or_contradicts_a_payment() {
    let sandbox = Sandbox::start_with(Options::impatient());
    let address = Arc::new(RwLock::new(sandbox.client()));
    let closing = Arc::new(AtomicBool::new(false));
    let wishes = Mutex::new(Vec::new());
    let sandbox = std::thread::scope(|scope| {
        for number in 0..MERCHANTS {
            let (address, closing, wishes) = (Arc::clone(&address), Arc::clone(&closing), &wishes);
            scope.spawn(move || wishes.lock().unwrap().extend(shop(number, &address, &closing)));
        }
        let mut sandbox = sandbox;
        for round in 0..ROUNDS {
            // Spread over the life of a process: starting, warm, and in between.
            std::thread::sleep(Duration::from_millis(150 + round * 170));
            sandbox = sandbox.kill_and_restart();
            *address.write().unwrap() = sandbox.client();
        }
        std::thread::sleep(Duration::from_millis(500));
        closing.store(true, Ordering::Relaxed);
        sandbox
    });
    let wishes = wishes.into_inner().unwrap();
    judge(&sandbox, &wishes);
}

fn judge(sandbox: &Sandbox, wishes: &[Wish]) {
    let client = sandbox.client();
    let doubtful = || client.get("/v1/payments?in_doubt=true&limit=100").expect(200).json()["data"].clone();
    until(PATIENCE, doubtful, |open| open.as_array().is_some_and(Vec::is_empty));
    // Our ledger, by id.
    let mut payments: BTreeMap<String, Value> = BTreeMap::new();
    let mut path = "/v1/payments?limit=100".to_owned();
    loop {
        let page = client.get(&path).expect(200).json();
        for payment in page["data"].as_array().unwrap() {
            payments.insert(payment["id"].as_str().unwrap().to_owned(), payment.clone());
        }
        match page["next_cursor"].as_str() {
            Some(cursor) if page["has_more"] == true => path = format!("/v1/payments?limit=100&cursor={cursor}"),
            _ => break,
        }
    }
    // The provider's, by our reference there.
    let charges: HashMap<String, Value> = sandbox
        .ledger("charge")
        .into_iter()
        .map(|charge| (charge["reference"].as_str().unwrap().to_owned(), charge))
        .collect();
    assert_eq!(charges.len(), sandbox.ledger("charge").len(), "two charges of one operation");
    assert!(wishes.len() > 20 && charges.len() > 10, "there was no load: {} {}", wishes.len(), charges.len());

    let mut references: HashMap<&str, usize> = HashMap::new();
    for payment in payments.values() {
        *references.entry(payment["reference"].as_str().unwrap()).or_default() += 1;
    }
    for wish in wishes {
        // One key made one payment at most, whoever hung up.
        let reference = wish.body["reference"].as_str().unwrap();
        assert!(references.get(reference).copied().unwrap_or(0) <= 1, "{reference} was paid twice");
        let Some(told) = &wish.told else { continue };
        let id = told["id"].as_str().unwrap();
        let known = payments.get(id).unwrap_or_else(|| panic!("{id} was acknowledged and is lost"));
        if told["in_doubt"] == false && told["status"] != "processing" {
            assert_eq!(known["status"], told["status"], "{id} was told otherwise");
        }
    }
    let mut explained = 0;
    for (id, payment) in &payments {
        let timeline = sandbox.ops_client().get(&format!("/ops/payments/{id}")).expect(200).json();
        assert!(timeline["contradiction"].is_null(), "{timeline}");
        for operation in timeline["operations"].as_array().unwrap() {
            let charge = charges.get(operation["sent_as"].as_str().unwrap());
            let taken = charge.is_some_and(|charge| charge["status"] == "captured");
            assert_eq!(taken, payment["status"] == "captured", "{id}: {payment} and {charge:?}");
            explained += usize::from(charge.is_some());
            if let Some(charge) = charge {
                assert_eq!(charge["asked"], 1, "{id} was sent again");
            }
        }
    }
    assert_eq!(explained, charges.len(), "a charge that no payment knows of");
    let unbooked = sandbox.unbooked();
    assert!(unbooked.iter().all(|entry| entry["asked"] == 1), "it was sent again: {unbooked:?}");
}
