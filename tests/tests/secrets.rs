//! Canaries: marked secrets go through every path and are looked for everywhere.

use serde_json::json;
use switchyard_tests::{Client, Options, Sandbox, card_payment, unique, with};

/// Card numbers, tokens, keys and personal data that must show nowhere but where they belong.
const CANARIES: &[&str] = &[
    "5555555555554444",
    "canary-token-7391",
    "canary-key-7392",
    "canary.mail.7393",
    "Canary Name 7394",
    "canary-street-7395",
    "sim_test_eu",
    "sy_test_sandbox",
];

#[test]
fn canaries_show_in_no_log_row_metric_or_error() {
    let options = Options::impatient().env("SWITCHYARD__LOG__LEVEL", "trace");
    let sandbox = Sandbox::start_with(options);
    let client = sandbox.client();
    let personal = json!({"id": "c-1", "name": "Canary Name 7394", "email": "canary.mail.7393@shop.example"});
    let address = json!({"line1": "canary-street-7395", "city": "Berlin", "postal_code": "10115", "country": "DE"});
    let body = |token: &str| {
        let body = with(card_payment(token), "customer", personal.clone());
        with(body, "billing_address", address.clone())
    };
    let mut answers = vec![
        client.post("/v1/payments", &unique("canary-key-7392"), &body("tok_approved")),
        client.pay(&body("canary-token-7391")),
        client.pay(&body("tok_timeout_after")),
        client.pay(&body("tok_garbage")),
        client.pay(&body("tok_proxy_page")),
        client.pay(&with(body("tok_approved"), "description", "5555 5555 5555 4444")),
        client.pay(&with(body("tok_approved"), "description", "5555555555554444")),
        client.get("/v1/payments?reference=5555555555554444"),
        client.get("/v1/payments/5555555555554444"),
        Client::new(&sandbox.api, "sy_test_canary-key-7392").get("/v1/payments"),
    ];
    let path = format!("/v1/payments/{}", answers[0].json()["id"].as_str().unwrap());
    answers.push(client.get(&format!("{path}?refresh=true&expand=operations")));
    answers.push(client.post(&format!("{path}/refunds"), &unique("canary-key-7392"), &json!({})));
    for answer in &answers {
        let text = answer.text();
        for canary in CANARIES {
            assert!(!text.contains(canary), "{canary} in an answer: {text}");
        }
    }
    let metrics = Client { address: sandbox.ops.clone(), authorization: None }.get("/metrics").text();
    let log = sandbox.log();
    assert!(!log.is_empty());
    for canary in CANARIES {
        assert!(!metrics.contains(canary), "{canary} in metrics");
        for line in log.lines() {
            assert!(!line.contains(canary), "{canary} in the log: {line}");
        }
    }
    // The ledger of Switchyard itself, its write-ahead log included; the simulator's is the provider's own.
    let mut looked_at = 0;
    for entry in std::fs::read_dir(sandbox.data()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("switchyard") {
            continue;
        }
        looked_at += 1;
        let bytes = std::fs::read(&path).unwrap();
        for canary in CANARIES {
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "{canary} in {name}");
        }
    }
    assert!(looked_at >= 2, "the ledger was not found");
}
