//! Webhooks: signed, sent until they are taken, in order as far as waiting is bearable.

use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use switchyard_tests::receiver::{Received, Receiver, Reply, verified_by_python, verified_by_rust};
use switchyard_tests::{Client, Options, Response, Sandbox, authorization, card_payment, unique, until, with};

const PATIENCE: Duration = Duration::from_secs(60);

fn quick() -> Options {
    Options::default()
        .env("SWITCHYARD__WEBHOOKS__INTERVAL", "20ms")
        .env("SWITCHYARD__WEBHOOKS__TIMEOUT", "2s")
        .env("SWITCHYARD__WEBHOOKS__RETRIES", "100ms,100ms,100ms,100ms,100ms,100ms,100ms,100ms")
}

fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

fn send(client: &Client, method: &str, path: &str, body: &Value) -> Response {
    client.send(method, path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
}

fn endpoint(client: &Client, url: &str, events: &[&str]) -> Value {
    send(client, "POST", "/v1/webhook_endpoints", &json!({"url": url, "events": events})).expect(201).json()
}

fn deliveries(client: &Client, endpoint: &Value, query: &str) -> Vec<Value> {
    let page = client.get(&format!("/v1/webhook_endpoints/{}/deliveries{query}", id(endpoint))).expect(200).json();
    page["data"].as_array().expect("a list").clone()
}

fn kinds(received: &[Received]) -> Vec<String> {
    received.iter().map(Received::kind).collect()
}

fn secret(endpoint: &Value) -> &str {
    endpoint["secret"].as_str().expect("a secret")
}

#[test]
fn events_arrive_signed_and_in_order() {
    let sandbox = Sandbox::start_with(quick());
    let client = sandbox.client();
    client.pay(&card_payment("tok_approved")).expect(201);
    let receiver = Receiver::willing();
    let made = endpoint(&client, &receiver.url(), &["*"]);
    assert!(secret(&made).starts_with("whsec_"));
    let at = format!("/v1/webhook_endpoints/{}", id(&made));
    assert_eq!(client.get(&at).expect(200).json().get("secret"), None);

    // Only what happens from here on.
    client.pay(&card_payment("tok_approved")).expect(201);
    let received = receiver.wait_for(2);
    assert_eq!(kinds(&received), ["payment.created", "payment.captured"]);
    for one in &received {
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(one.path, "/hooks");
        // The same bytes as in the feed.
        assert_eq!(client.get(&format!("/v1/events/{}", one.id())).expect(200).body, one.body);
        assert!(verified_by_rust(secret(&made), one));
        assert!(verified_by_python(secret(&made), one));
        let mut changed = one.clone();
        changed.body.push(b' ');
        assert!(!verified_by_rust(secret(&made), &changed));
        assert!(!verified_by_python(secret(&made), &changed));
    }
    // What was taken at once leaves no row, and nothing was sent twice.
    assert_eq!(deliveries(&client, &made, ""), Vec::<Value>::new());
    let sandbox = sandbox.restart();
    sandbox.client().pay(&card_payment("tok_approved")).expect(201);
    assert_eq!(receiver.wait_for(4).len(), 4);

    // No secret in the log, at rest or in answers.
    let log = sandbox.log();
    assert!(log.contains("\"webhook\"") && !log.contains("whsec_") && !log.contains("v1,"));
    let ledger = std::fs::read(sandbox.data().join("switchyard.db")).unwrap();
    let wal = std::fs::read(sandbox.data().join("switchyard.db-wal")).unwrap_or_default();
    let bare = secret(&made).trim_start_matches("whsec_").as_bytes();
    assert!(![ledger, wal].iter().any(|file| file.windows(bare.len()).any(|window| window == bare)));
    let metrics = sandbox.ops_client().get("/metrics").expect(200).text();
    assert!(metrics.contains("switchyard_webhook_deliveries_total{result=\"delivered\"}"), "{metrics}");
    assert!(metrics.contains("switchyard_webhook_endpoints{enabled=\"true\"} 1"));
    assert!(metrics.contains("switchyard_webhook_oldest_undelivered_seconds"));
}

#[test]
fn a_failure_is_tried_again_under_the_same_id() {
    let sandbox = Sandbox::start_with(quick());
    let client = sandbox.client();
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::status(500),
        1 => Reply::Silence,
        2 => Reply::Status(302, vec![("location", "/elsewhere".into())]),
        3 => Reply::Status(503, vec![("retry-after", "1".into())]),
        _ => Reply::status(200),
    });
    let made = endpoint(&client, &receiver.url(), &["payment.captured"]);
    client.pay(&card_payment("tok_approved")).expect(201);
    let received = receiver.wait_for(5);
    let ids: HashSet<&str> = received.iter().map(Received::id).collect();
    assert_eq!(ids.len(), 1);
    assert!(received.iter().all(|one| one.path == "/hooks" && one.body == received[0].body));
    assert!(received.iter().all(|one| verified_by_rust(secret(&made), one)));
    let seconds = |one: &Received| one.header("webhook-timestamp").parse::<i64>().unwrap();
    assert!(seconds(&received[4]) > seconds(&received[3]), "it asked for a second");

    let done = until(PATIENCE, || deliveries(&client, &made, "?status=delivered"), |list| list.len() == 1);
    assert_eq!(done[0]["event"], received[0].id());
    assert_eq!(done[0]["next_attempt_at"], Value::Null);
    let attempts = done[0]["attempts"].as_array().unwrap();
    let statuses: Vec<&Value> = attempts.iter().map(|attempt| &attempt["response_status"]).collect();
    assert_eq!(statuses, [&json!(500), &Value::Null, &json!(302), &json!(503), &json!(200)]);
    assert!(attempts[1]["duration_ms"].as_u64().unwrap() >= 1_900);
    assert!(attempts[2]["failure"].as_str().unwrap().contains("redirects are not followed"));
    assert_eq!(attempts[4]["failure"], Value::Null);
    assert_eq!(deliveries(&client, &made, "?status=pending"), Vec::<Value>::new());
}

#[test]
fn an_endpoint_that_asks_for_patience_gets_it() {
    let sandbox = Sandbox::start_with(quick());
    let client = sandbox.client();
    let receiver = Receiver::start(|_, _| Reply::Status(429, vec![("retry-after", "3600".into())]));
    let made = endpoint(&client, &receiver.url(), &["payment.captured"]);
    let payment = client.pay(&card_payment("tok_approved")).expect(201).json();
    let waiting = until(
        PATIENCE,
        || deliveries(&client, &made, ""),
        |list| list.len() == 1 && list[0]["attempts"].as_array().is_some_and(|attempts| !attempts.is_empty()),
    );
    let (now, next) = (payment["created_at"].as_str().unwrap(), waiting[0]["next_attempt_at"].as_str().unwrap());
    let hour = |time: &str| time[11..13].parse::<u32>().unwrap();
    assert!(hour(next) != hour(now), "{now} {next}");
    assert_eq!(receiver.received().len(), 1);
}

#[test]
fn an_endpoint_that_is_gone_is_switched_off() {
    let sandbox = Sandbox::start_with(quick());
    let client = sandbox.client();
    let gone = Receiver::start(|_, _| Reply::status(410));
    let other = Receiver::willing();
    let made = endpoint(&client, &gone.url(), &["payment.captured"]);
    endpoint(&client, &other.url(), &["endpoint.*"]);
    client.pay(&card_payment("tok_approved")).expect(201);
    let told = other.wait_for(1).remove(0).json();
    assert_eq!(told["type"], "endpoint.disabled");
    let data = &told["data"];
    assert_eq!((id(&data["object"]), &data["object"]["enabled"]), (id(&made), &json!(false)));
    assert_eq!(data["object"]["disabled_reason"], "it answered 410");
    assert_eq!(data["previous"], json!({"enabled": true, "disabled_reason": null}));
    assert_eq!(data["object"].get("secret"), None);
    let feed = client.get(&format!("/v1/events?object={}", id(&made))).expect(200).json();
    assert_eq!(feed["data"][0], told);

    let at = format!("/v1/webhook_endpoints/{}", id(&made));
    assert_eq!(client.get(&at).expect(200).json()["enabled"], false);
    client.pay(&card_payment("tok_approved")).expect(201);
    assert_eq!(gone.received().len(), 1);

    // Switched on again, it gets what it missed.
    gone.answer(|_, _| Reply::status(200));
    let on = send(&client, "PATCH", &at, &json!({"enabled": true})).expect(200).json();
    assert_eq!((&on["enabled"], &on["disabled_reason"]), (&json!(true), &Value::Null));
    let received = gone.wait_for(3);
    assert_eq!(received.iter().map(Received::id).collect::<HashSet<_>>().len(), 2);
}

#[test]
fn two_secrets_sign_while_one_replaces_the_other() {
    let sandbox = Sandbox::start_with(quick());
    let client = sandbox.client();
    let receiver = Receiver::willing();
    let made = endpoint(&client, &receiver.url(), &["payment.captured"]);
    let rotate = format!("/v1/webhook_endpoints/{}/rotate_secret", id(&made));
    let second = client.send("POST", &rotate, &[], b"").expect(200).json();
    assert_ne!(secret(&second), secret(&made));
    assert!(second["former_secret_until"].is_string());
    client.pay(&card_payment("tok_approved")).expect(201);
    let both = receiver.wait_for(1).remove(0);
    assert_eq!(both.header("webhook-signature").split(' ').count(), 2);
    for endpoint in [&made, &second] {
        assert!(verified_by_rust(secret(endpoint), &both) && verified_by_python(secret(endpoint), &both));
    }
    // Without an overlap the old one is done for.
    let third = send(&client, "POST", &rotate, &json!({"overlap_seconds": 0})).expect(200).json();
    assert_eq!(third.get("former_secret_until"), None);
    client.pay(&card_payment("tok_approved")).expect(201);
    let one = receiver.wait_for(2).remove(1);
    assert_eq!(one.header("webhook-signature").split(' ').count(), 1);
    assert!(verified_by_rust(secret(&third), &one));
    assert!(!verified_by_rust(secret(&second), &one) && !verified_by_rust(secret(&made), &one));
}

#[test]
fn each_endpoint_gets_what_it_asked_for_and_none_holds_up_another() {
    let sandbox = Sandbox::start_with(quick().env("SWITCHYARD__WEBHOOKS__TIMEOUT", "60s"));
    let client = sandbox.client();
    let (all, captures, named) = (Receiver::willing(), Receiver::willing(), Receiver::willing());
    let slow = Receiver::start(|_, _| Reply::Silence);
    endpoint(&client, &slow.url(), &["*"]);
    endpoint(&client, &all.url(), &["payment.*", "capture.*"]);
    endpoint(&client, &captures.url(), &["capture.succeeded", "void.*"]);
    let chosen = endpoint(&client, &named.url(), &["payment.*"]);

    let payment = client.pay(&authorization("tok_approved")).expect(201).json();
    let at = format!("/v1/payments/{}/captures", id(&payment));
    client.post(&at, &unique("k"), &json!({})).expect(201);
    let told = ["payment.created", "payment.authorized", "capture.created", "capture.succeeded", "payment.captured"];
    assert_eq!(kinds(&all.wait_for(5)), told);
    assert_eq!(kinds(&captures.wait_for(1)), ["capture.succeeded"]);
    named.wait_for(3);

    // A payment that names an endpoint tells it alone.
    let private = with(card_payment("tok_approved"), "webhook_endpoint", id(&chosen));
    let private = client.pay(&private).expect(201).json();
    assert_eq!(private["webhook_endpoint"], id(&chosen));
    named.wait_for(5);
    let last = client.pay(&card_payment("tok_approved")).expect(201).json();
    let received =
        all.wait("the last payment", |received| received.iter().any(|it| it.json()["data"]["object"] == last));
    assert_eq!(received.len(), 7);
    assert!(!slow.received().is_empty());

    // Another's endpoint, or none, cannot be named.
    let unknown = with(card_payment("tok_approved"), "webhook_endpoint", "we_01970000000070008000000000000001");
    let refused = client.pay(&unknown).expect(400).json();
    assert_eq!(refused["errors"][0]["field"], "webhook_endpoint");
    // Removed, it gets nothing more, and what named it goes to all.
    let at = format!("/v1/webhook_endpoints/{}", id(&chosen));
    client.send("DELETE", &at, &[], b"").expect(204);
    client.get(&at).expect(404);
    let refund = format!("/v1/payments/{}/refunds", id(&private));
    client.post(&refund, &unique("k"), &json!({"amount": 1})).expect(201);
    client.pay(&card_payment("tok_approved")).expect(201);
    all.wait_for(9);
    let list = client.get("/v1/webhook_endpoints?limit=2").expect(200).json();
    assert_eq!((list["data"].as_array().unwrap().len(), &list["has_more"]), (2, &json!(true)));
}

#[test]
fn a_later_event_waits_for_an_earlier_one_of_its_payment() {
    let sandbox = Sandbox::start_with(quick().env("SWITCHYARD__WEBHOOKS__ORDER_WAIT", "1h"));
    let client = sandbox.client();
    let receiver = Receiver::willing();
    let made = endpoint(&client, &receiver.url(), &["payment.*"]);
    let reference = unique("held-up");
    let held = reference.clone();
    let of_held = move |one: &Received| one.json()["data"]["object"]["reference"] == held.as_str();
    let refuse = of_held.clone();
    receiver.answer(move |one, before| if refuse(one) && before < 6 { Reply::status(500) } else { Reply::status(200) });
    client.pay(&with(card_payment("tok_approved"), "reference", reference.as_str())).expect(201);
    client.pay(&card_payment("tok_approved")).expect(201);
    let done = |received: &[Received]| received.iter().any(|it| of_held(it) && it.kind() == "payment.captured");
    let received = receiver.wait("the event that waited", done);
    // All tries of the first come before the second, which came once; the other payment waited for nobody.
    let of_one: Vec<String> = received.iter().filter(|one| of_held(one)).map(Received::kind).collect();
    let (last, tries) = of_one.split_last().unwrap();
    assert_eq!(last, "payment.captured");
    assert!(tries.len() >= 2 && tries.iter().all(|kind| kind == "payment.created"), "{of_one:?}");
    let first_other = received.iter().position(|one| !of_held(one)).unwrap();
    assert!(first_other < received.len() - 2, "{:?}", kinds(&received));
    until(PATIENCE, || deliveries(&client, &made, "?status=delivered"), |list| list.len() == 2);
}

#[test]
fn a_later_event_overtakes_one_that_takes_too_long() {
    let options = quick().env("SWITCHYARD__WEBHOOKS__ORDER_WAIT", "300ms").env("SWITCHYARD__WEBHOOKS__RETRIES", "1h");
    let sandbox = Sandbox::start_with(options);
    let client = sandbox.client();
    let receiver = Receiver::start(|one, _| Reply::status(if one.kind() == "payment.created" { 500 } else { 200 }));
    let made = endpoint(&client, &receiver.url(), &["payment.*"]);
    client.pay(&card_payment("tok_approved")).expect(201);
    assert_eq!(kinds(&receiver.wait_for(2)), ["payment.created", "payment.captured"]);
    let pending = until(PATIENCE, || deliveries(&client, &made, "?status=pending"), |list| list.len() == 1);
    assert_eq!(pending[0]["attempts"].as_array().unwrap().len(), 1);
}

#[test]
fn what_could_not_be_delivered_is_listed_and_sent_again() {
    let sandbox = Sandbox::start_with(quick().env("SWITCHYARD__WEBHOOKS__RETRIES", "50ms,50ms"));
    let client = sandbox.client();
    let receiver = Receiver::start(|_, _| Reply::status(500));
    let made = endpoint(&client, &receiver.url(), &["payment.captured"]);
    for _ in 0..3 {
        client.pay(&card_payment("tok_approved")).expect(201);
    }
    let dead = until(PATIENCE, || deliveries(&client, &made, "?status=dead"), |list| list.len() == 3);
    assert_eq!(receiver.received().len(), 9);
    assert!(dead.iter().all(|row| row["attempts"].as_array().unwrap().len() == 3 && row["next_attempt_at"].is_null()));
    let first = client.get(&format!("/v1/webhook_endpoints/{}/deliveries?limit=2", id(&made))).expect(200).json();
    let next = format!("?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(deliveries(&client, &made, &next).len(), 1);

    // One by its id, to whom it concerns; then what is dead in a span of time.
    receiver.answer(|_, _| Reply::status(200));
    let event = dead[2]["event"].as_str().unwrap();
    let again = client.send("POST", &format!("/v1/events/{event}/redeliver"), &[], b"").expect(202).json();
    assert_eq!(again["events"], 1);
    let received = receiver.wait_for(10);
    assert_eq!(received[9].id(), event);
    until(PATIENCE, || deliveries(&client, &made, "?status=delivered"), |list| list.len() == 1);
    let range = format!("/v1/webhook_endpoints/{}/redeliver", id(&made));
    let body = json!({"created_from": "2026-01-01T00:00:00Z", "only": "dead"});
    let again = send(&client, "POST", &range, &body).expect(202).json();
    assert_eq!((&again["events"], &again["has_more"]), (&json!(2), &json!(false)));
    receiver.wait_for(12);
    let done = until(PATIENCE, || deliveries(&client, &made, "?status=delivered"), |list| list.len() == 3);
    assert!(done.iter().all(|row| row["attempts"].as_array().unwrap().len() == 4));

    // What was taken can be sent again as well, and by name where it was not asked for.
    let body = json!({"created_from": "2026-01-01T00:00:00Z"});
    assert_eq!(send(&client, "POST", &range, &body).expect(202).json()["events"], 3);
    receiver.wait_for(15);
    let created = client.get("/v1/events?type=payment.created").expect(200).json();
    let path = format!("/v1/events/{}/redeliver", id(&created["data"][0]));
    assert_eq!(client.send("POST", &path, &[], b"").expect(202).json()["events"], 0);
    send(&client, "POST", &path, &json!({"webhook_endpoint": id(&made)})).expect(202);
    assert_eq!(receiver.wait_for(16)[15].kind(), "payment.created");
    let stranger = json!({"webhook_endpoint": "we_01970000000070008000000000000001"});
    send(&client, "POST", &path, &stranger).expect(404);
}

#[test]
fn nothing_is_lost_when_the_process_is_killed() {
    let sandbox = Sandbox::start_with(quick());
    let client = sandbox.client();
    let receiver = Receiver::start(|_, before| match before % 5 {
        0 => Reply::Silence,
        1 => Reply::status(500),
        _ => Reply::status(200),
    });
    endpoint(&client, &receiver.url(), &["*"]);
    for _ in 0..10 {
        client.pay(&card_payment("tok_approved")).expect(201);
    }
    receiver.wait_for(3);
    let sandbox = sandbox.kill_and_restart();
    sandbox.client().pay(&card_payment("tok_approved")).expect(201);
    receiver.wait_for(12);
    let sandbox = sandbox.kill_and_restart();
    receiver.answer(|_, _| Reply::status(200));
    let feed = sandbox.client().get("/v1/events?order=asc&limit=100").expect(200).json();
    let ids: HashSet<String> = feed["data"].as_array().unwrap().iter().map(|event| id(event).to_owned()).collect();
    assert_eq!(ids.len(), 22);
    receiver.wait("every event", |received| {
        let seen: HashSet<&str> = received.iter().map(Received::id).collect();
        ids.iter().all(|id| seen.contains(id.as_str()))
    });
}

#[test]
fn private_addresses_are_refused_outside_the_sandbox() {
    let data = Arc::new(tempfile::TempDir::new().unwrap());
    let receiver = Receiver::willing();
    let sandbox = Sandbox::start_on(Arc::clone(&data), quick());
    let client = sandbox.client();
    // Made where they are allowed, as a name would be that led elsewhere then.
    let plain = endpoint(&client, &receiver.url(), &["payment.created"]);
    let tls = endpoint(&client, &format!("https://127.0.0.1:{}/", receiver.port()), &["payment.created"]);
    let name = endpoint(&client, &format!("https://localhost:{}/", receiver.port()), &["payment.created"]);
    drop(sandbox);
    let sandbox = Sandbox::start_on(data, quick().env("SWITCHYARD__WEBHOOKS__PRIVATE_ADDRESSES", "refuse"));
    let client = sandbox.client();
    client.pay(&card_payment("tok_approved")).expect(201);
    for (endpoint, why) in [(&plain, "only https is spoken to"), (&tls, "private"), (&name, "private")] {
        let tried = |list: &Vec<Value>| list.len() == 1 && list[0]["attempts"][0]["failure"].is_string();
        let row = until(PATIENCE, || deliveries(&client, endpoint, ""), tried).remove(0);
        assert!(row["attempts"][0]["failure"].as_str().unwrap().contains(why), "{row}");
        assert_eq!(row["attempts"][0]["response_status"], Value::Null);
    }
    assert!(receiver.received().is_empty());
    for url in [receiver.url(), "https://10.0.0.1/".into(), "https://[::1]/".into(), "https://localhost/".into()] {
        let body = json!({"url": url, "events": ["*"]});
        let refused = send(&client, "POST", "/v1/webhook_endpoints", &body).expect(400).json();
        assert_eq!(refused["errors"][0]["field"], "url");
    }
}

#[test]
fn serving_refuses_private_addresses_without_being_told() {
    let data = Arc::new(tempfile::TempDir::new().unwrap());
    let receiver = Receiver::willing();
    let sandbox = Sandbox::start_on(Arc::clone(&data), quick());
    let made = endpoint(&sandbox.client(), &receiver.url(), &["payment.created"]);
    let issue = ["keys", "issue", "--merchant", "sandbox", "--mode", "test", "--scopes"];
    let said = sandbox.run(&[&issue[..], &["payments:write,webhooks:manage"]].concat());
    let key = said.1.lines().last().expect("the secret").trim().to_owned();
    drop(sandbox);

    let mut serving = Command::new(switchyard_tests::process::binary())
        .args(["serve", "--config", concat!(env!("CARGO_MANIFEST_DIR"), "/../config"), "--data"])
        .arg(data.path())
        .current_dir(data.path())
        .env("SWITCHYARD__API__LISTEN", "127.0.0.1:0")
        .env("SWITCHYARD__OPS__LISTEN", "127.0.0.1:0")
        .env("SWITCHYARD__API__PUBLIC_URL", "https://pay.example.com")
        .env("SWITCHYARD__SIMULATOR__URL", "http://127.0.0.1:9")
        .env("SWITCHYARD__LOG__FILE", data.path().join("serve.log"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(serving.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let line = lines.find(|line| line.trim_start().starts_with("API")).expect("its address");
    let api = line.split("http://").nth(1).expect("an address").trim().trim_end_matches('/').to_owned();
    let client = Client::new(&api, &key);
    client.pay(&card_payment("tok_approved")).expect(201);
    let tried = |list: &Vec<Value>| list.len() == 1 && list[0]["attempts"][0]["failure"].is_string();
    let row = until(PATIENCE, || deliveries(&client, &made, ""), tried).remove(0);
    let body = json!({"url": receiver.url(), "events": ["*"]});
    let refused = send(&client, "POST", "/v1/webhook_endpoints", &body).status;
    serving.kill().expect("it ends");
    serving.wait().expect("it ends");
    assert!(row["attempts"][0]["failure"].as_str().unwrap().contains("only https"), "{row}");
    assert_eq!(refused, 400);
    assert!(receiver.received().is_empty());
}

#[test]
fn faults_are_told_at_once_and_endpoints_are_their_merchants_own() {
    let sandbox = Sandbox::start_with(quick());
    let client = sandbox.client();
    let wrong = json!({"url": "ftp://x", "events": ["payment"], "enabled": 1, "description": "", "secret": "x"});
    let faults = send(&client, "POST", "/v1/webhook_endpoints", &wrong).expect(400).json();
    let fields: HashSet<&str> =
        faults["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(fields, HashSet::from(["url", "events", "enabled", "description", "secret"]));
    let made = endpoint(&client, "http://127.0.0.1:1/", &["payment.*"]);
    let at = format!("/v1/webhook_endpoints/{}", id(&made));
    let changed = json!({"url": "http://127.0.0.1:2/", "events": ["void.*"], "description": "till", "enabled": false});
    let changed = send(&client, "PATCH", &at, &changed).expect(200).json();
    assert_eq!((&changed["url"], &changed["description"]), (&json!("http://127.0.0.1:2/"), &json!("till")));
    let cleared = send(&client, "PATCH", &at, &json!({"description": null})).expect(200).json();
    assert_eq!((&cleared["description"], &cleared["events"]), (&Value::Null, &json!(["void.*"])));
    assert_eq!(client.get(&at).expect(200).json(), cleared);

    let issue = |merchant: &str, scopes: &str| {
        let said = sandbox.run(&["keys", "issue", "--merchant", merchant, "--mode", "test", "--scopes", scopes]);
        assert!(said.0.success(), "{said:?}");
        sandbox.client_with(said.1.lines().last().expect("the secret").trim())
    };
    let other = issue("demo-shop", "webhooks:manage");
    until(PATIENCE, || other.get("/v1/webhook_endpoints").status, |&status| status == 200);
    assert_eq!(other.get("/v1/webhook_endpoints").json()["data"], json!([]));
    other.get(&at).expect(404);
    send(&other, "PATCH", &at, &json!({"enabled": true})).expect(404);
    other.send("DELETE", &at, &[], b"").expect(404);
    let reader = issue("sandbox", "payments:read");
    until(PATIENCE, || reader.get("/v1/events").status, |&status| status == 200);
    assert_eq!(reader.get(&at).expect(403).json()["code"], "scope_missing");

    for _ in 0..31 {
        endpoint(&client, "http://127.0.0.1:1/", &["void.failed"]);
    }
    let body = json!({"url": "http://127.0.0.1:1/", "events": ["*"]});
    let refused = send(&client, "POST", "/v1/webhook_endpoints", &body).expect(422).json();
    assert_eq!(refused["code"], "too_many_endpoints");
}
