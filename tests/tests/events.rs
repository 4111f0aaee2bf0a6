//! The feed of events: what happened, in order, with each object as it stood.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use switchyard_tests::{Client, Options, Sandbox, authorization, card_payment, unique, until};

const PATIENCE: Duration = Duration::from_secs(30);

fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

fn types(page: &Value) -> Vec<String> {
    let text = |event: &Value| event["type"].as_str().expect("a type").to_owned();
    page["data"].as_array().expect("a list").iter().map(text).collect()
}

fn get(client: &Client, path: &str) -> Value {
    client.get(path).expect(200).json()
}

/// All that the feed holds, as a receiver that lives from it reads it: by cursor, a few at a time.
fn follow(client: &Client, limit: u32) -> Vec<Value> {
    let (mut events, mut path) = (Vec::new(), format!("/v1/events?order=asc&limit={limit}"));
    loop {
        let page = get(client, &path);
        events.extend(page["data"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            return events;
        }
        path = format!("/v1/events?order=asc&limit={limit}&cursor={}", page["next_cursor"].as_str().unwrap());
    }
}

#[test]
fn each_event_shows_its_object_as_it_stood() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let payment = client.pay(&authorization("tok_approved")).expect(201).json();
    let at = format!("/v1/payments/{}", id(&payment));
    let first = client.post(&format!("{at}/captures"), &unique("k"), &json!({"amount": 5_000})).expect(201).json();
    let rest = json!({"amount": 7_500});
    client.post(&format!("{at}/captures"), &unique("k"), &rest).expect(201);
    let refund = client.post(&format!("{at}/refunds"), &unique("k"), &json!({"amount": 700})).expect(201).json();

    let feed = get(&client, "/v1/events?order=asc");
    let told = [
        "payment.created",
        "payment.authorized",
        "capture.created",
        "capture.succeeded",
        "capture.created",
        "capture.succeeded",
        "payment.captured",
        "refund.created",
        "refund.succeeded",
    ];
    assert_eq!(types(&feed), told);
    let event = |place: usize| &feed["data"][place];
    let object = |place: usize| &event(place)["data"]["object"];

    // The objects are what the merchant was answered then, to the last member.
    assert_eq!(object(1), &payment);
    assert_eq!(object(3), &first);
    assert_eq!(object(8), &refund);
    assert_eq!((&object(0)["status"], &object(0)["provider"]["reference"]), (&json!("processing"), &Value::Null));
    assert_eq!(object(0)["pending"][0]["amount"], 12_500);
    assert_eq!(object(2)["payment"]["amount_captured"], 0);
    assert_eq!(object(4)["payment"]["amount_captured"], 5_000);
    assert_eq!(object(6)["amount_captured"], 12_500);
    assert_eq!(object(7)["status"], "processing");

    // What changed, as it was.
    assert_eq!(event(0)["data"]["previous"], Value::Null);
    let previous = &event(1)["data"]["previous"];
    assert_eq!((&previous["status"], &previous["amount_authorized"]), (&json!("processing"), &json!(0)));
    assert_eq!(previous.get("amount"), None);
    let previous = &event(3)["data"]["previous"];
    assert_eq!((&previous["status"], &previous["payment"]["amount_captured"]), (&json!("processing"), &json!(0)));
    assert_eq!(previous["payment"].get("currency"), None);
    assert_eq!(event(6)["data"]["previous"]["status"], "authorized");

    // The envelope.
    assert_eq!((&event(1)["object"], &event(1)["live"]), (&json!("event"), &json!(false)));
    assert_eq!(event(1)["created_at"], payment["updated_at"]);
    assert!(id(event(1)).starts_with("evt_"));
    assert!(event(1)["version"].is_string());
    // Without gaps for each object.
    let mut sequences: HashMap<&str, Vec<u64>> = HashMap::new();
    for event in feed["data"].as_array().unwrap() {
        sequences.entry(id(&event["data"]["object"])).or_default().push(event["sequence"].as_u64().unwrap());
    }
    assert_eq!(sequences.len(), 4);
    for of_one in sequences.values() {
        assert_eq!(*of_one, (1..=u64::try_from(of_one.len()).unwrap()).collect::<Vec<_>>());
    }

    // One by one they read the same, also after a restart.
    let sandbox = sandbox.restart();
    let client = sandbox.client();
    for event in feed["data"].as_array().unwrap() {
        assert_eq!(&get(&client, &format!("/v1/events/{}", id(event))), event);
    }
}

#[test]
fn doubt_and_failure_are_told_as_they_were() {
    let sandbox = Sandbox::start_with(Options::impatient());
    let client = sandbox.client();
    let doubtful = client.pay(&card_payment("tok_timeout_after")).expect(202).json();
    let path = format!("/v1/events?order=asc&payment={}", id(&doubtful));
    let feed = until(PATIENCE, || get(&client, &path), |feed| types(feed).len() == 4);
    let told = ["payment.created", "payment.in_doubt", "payment.doubt_resolved", "payment.captured"];
    assert_eq!(types(&feed), told);
    let in_doubt = &feed["data"][1]["data"];
    assert_eq!((&in_doubt["object"]["in_doubt"], &in_doubt["previous"]["in_doubt"]), (&json!(true), &json!(false)));
    // Two events of one change: both show what it was before.
    for place in [2, 3] {
        let data = &feed["data"][place]["data"];
        assert_eq!(
            (&data["object"]["status"], &data["previous"]["status"]),
            (&json!("captured"), &json!("processing"))
        );
    }
    let declined = client.pay(&card_payment("tok_declined_insufficient_funds")).expect(201).json();
    let feed = get(&client, &format!("/v1/events?object={}", id(&declined)));
    assert_eq!(types(&feed), ["payment.failed", "payment.created"]);
    assert_eq!(feed["data"][0]["data"]["object"], declined);
    assert_eq!(feed["data"][1]["data"]["object"]["failure"], Value::Null);
}

#[test]
fn a_receiver_lives_from_the_feed() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    assert_eq!(get(&client, "/v1/events?order=asc")["data"], json!([]));
    for _ in 0..6 {
        client.pay(&card_payment("tok_approved")).expect(201);
    }
    let all = follow(&client, 5);
    assert_eq!(all.len(), 12);
    assert_eq!(follow(&client, 100), all);
    let mut newest = get(&client, "/v1/events?limit=100")["data"].as_array().unwrap().clone();
    newest.reverse();
    assert_eq!(newest, all);

    // At the end there is a place to go on from, and what comes next is found there.
    let end = get(&client, "/v1/events?order=asc&limit=100");
    let next = format!("/v1/events?order=asc&cursor={}", end["next_cursor"].as_str().unwrap());
    let nothing = get(&client, &next);
    assert_eq!((&nothing["data"], &nothing["next_cursor"]), (&json!([]), &end["next_cursor"]));
    client.pay(&card_payment("tok_approved")).expect(201);
    assert_eq!(types(&get(&client, &next)), ["payment.created", "payment.captured"]);
    let after = get(&client, &format!("/v1/events?order=asc&after={}", id(&all[10])));
    assert_eq!(types(&after), ["payment.captured", "payment.created", "payment.captured"]);

    // Filters.
    let captured = get(&client, "/v1/events?type=payment.captured&limit=100");
    assert_eq!(captured["data"].as_array().unwrap().len(), 7);
    assert_eq!(get(&client, "/v1/events?type=refund.*,void.failed")["data"], json!([]));
    let from = all[4]["created_at"].as_str().unwrap();
    let later = get(&client, &format!("/v1/events?created_from={from}&order=asc&limit=100"));
    assert!(later["data"].as_array().unwrap().iter().all(|event| event["created_at"].as_str().unwrap() >= from));
    assert_eq!(later["data"].as_array().unwrap().last().unwrap()["type"], "payment.captured");

    // Another merchant's events are not there, nor is an id that only looks right.
    let (status, key, error) =
        sandbox.run(&["keys", "issue", "--merchant", "demo-shop", "--mode", "test", "--scopes", "payments:read"]);
    assert!(status.success(), "{error}");
    let other = sandbox.client_with(key.lines().last().expect("the secret").trim());
    until(PATIENCE, || other.get("/v1/events").status, |&status| status == 200);
    assert_eq!(get(&other, "/v1/events")["data"], json!([]));
    other.get(&format!("/v1/events/{}", id(&all[0]))).expect(404);
    let mut forged = id(&all[0]).to_owned();
    forged.replace_range(4..5, if forged.as_bytes()[4] == b'0' { "1" } else { "0" });
    for wrong in [forged.as_str(), "evt_1", "pay_01970000000070008000000000000001"] {
        assert_eq!(client.get(&format!("/v1/events/{wrong}")).expect(404).json()["code"], "not_found");
    }

    // All faults at once.
    let wrong =
        "/v1/events?order=up&type=payment&object=x&payment=y&after=evt_1&cursor=1&limit=0&created_from=z&oder=asc";
    let faults = client.get(wrong).expect(400).json();
    let fields: Vec<&str> =
        faults["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    for field in ["order", "type", "object", "payment", "after", "cursor", "limit", "created_from", "oder"] {
        assert!(fields.contains(&field), "{field}: {faults}");
    }
}
