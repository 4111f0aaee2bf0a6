//! What a newcomer sees first.

use serde_json::Value;
use switchyard_tests::{Client, Options, Sandbox};

/// The words of the printed `curl` command, quotes taken off as a shell does.
fn words(printed: &str) -> Vec<String> {
    let start = printed.find("curl").expect("a curl command");
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut chars = printed[start..].chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '\'' => quoted = !quoted,
            _ if quoted => word.push(next),
            '\\' if chars.peek() == Some(&'\n') => {
                chars.next();
            }
            '\n' => break,
            ' ' => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(next),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_printed_curl_answers_201_and_all_is_still_there_after_ctrl_c() {
    let sandbox = Sandbox::start();
    let words = words(&sandbox.printed());
    let url = words.iter().find(|word| word.starts_with("http://")).expect("an address").clone();
    let after = |flags: [&str; 2]| -> Vec<String> {
        let pairs = words.windows(2).filter(|pair| flags.contains(&pair[0].as_str()));
        pairs.map(|pair| pair[1].clone()).collect()
    };
    let headers = after(["-H", "--header"]);
    let body = after(["-d", "--data"]).concat();
    let headers: Vec<(&str, &str)> = headers.iter().map(|header| header.split_once(": ").expect("a header")).collect();
    let path = url.strip_prefix(&format!("http://{}", sandbox.api)).expect("the printed address");
    let nobody = Client { address: sandbox.api.clone(), authorization: None };
    let answer = nobody.send("POST", path, &headers, body.as_bytes()).expect(201);
    let payment = answer.json();
    assert!(matches!(payment["status"].as_str(), Some("authorized" | "captured")), "{payment}");

    let sandbox = sandbox.restart();
    let path = format!("/v1/payments/{}", payment["id"].as_str().expect("an id"));
    let again = sandbox.client().get(&path).expect(200).json();
    for member in ["id", "status", "amount", "reference", "created_at", "route", "provider"] {
        assert_eq!(again[member], payment[member], "{member}");
    }
    // The same request again is the same payment, across the restart.
    let replay = Client { address: sandbox.api.clone(), authorization: None };
    let replayed = replay.send("POST", "/v1/payments", &headers, body.as_bytes()).expect(201);
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    assert_eq!(replayed.body, answer.body);
}

#[test]
fn a_data_directory_has_one_serving_process() {
    let sandbox = Sandbox::start();
    let options = Options::default();
    let env = [
        ("SWITCHYARD__API__LISTEN", "127.0.0.1:0"),
        ("SWITCHYARD__OPS__LISTEN", "127.0.0.1:0"),
        ("SWITCHYARD__SIMULATOR__LISTEN", "127.0.0.1:0"),
    ];
    let output = std::process::Command::new(switchyard_tests::process::binary())
        .args(["sandbox", "--data"])
        .arg(sandbox.data())
        .current_dir(sandbox.data())
        .envs(env)
        .envs(options.env)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("is in use by"), "{said}");
    // The first one does not notice.
    sandbox.client().pay(&switchyard_tests::card_payment("tok_approved")).expect(201);
}

#[test]
fn the_sandbox_serves_several_channels_by_its_rules() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let mut channels = std::collections::BTreeSet::new();
    for (currency, country, method) in [("EUR", "DE", "card"), ("JPY", "JP", "card"), ("EUR", "NL", "ideal")] {
        let body = serde_json::json!({
            "amount": 4_200, "currency": currency, "country": country, "order_type": "ecommerce",
            "reference": switchyard_tests::unique("order"), "return_url": "https://shop.example/return",
            "payment_method": {"type": method, "token": "tok_approved"}
        });
        let payment: Value = client.pay(&body).expect(201).json();
        assert_eq!(payment["status"], "captured", "{payment}");
        channels.insert(payment["route"]["channel"].as_str().expect("a channel").to_owned());
        assert!(payment["route"]["rules_version"].as_str().is_some_and(|hash| hash.starts_with("sha256:")));
    }
    assert_eq!(channels.len(), 3, "{channels:?}");
}
