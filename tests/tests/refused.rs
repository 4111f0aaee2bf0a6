//! Bad input: its own clear answer, every fault at once, and nothing recorded.

use serde_json::{Value, json};
use switchyard_tests::{Client, Response, Sandbox, card_payment, unique, with};

#[track_caller]
fn problem(answer: Response, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let body = answer.json();
    assert_eq!(body["code"], code, "{body}");
    assert_eq!(body["status"], status);
    for member in ["type", "title", "detail", "request_id"] {
        assert!(body[member].is_string(), "{member} in {body}");
    }
    body
}

fn fields(body: &Value) -> Vec<&str> {
    body["errors"].as_array().expect("errors").iter().map(|error| error["field"].as_str().expect("a field")).collect()
}

fn raw(client: &Client, content_type: &str, body: &[u8]) -> Response {
    let key = unique("key");
    client.send("POST", "/v1/payments", &[("Content-Type", content_type), ("Idempotency-Key", &key)], body)
}

#[test]
fn every_faulty_field_is_named_at_once() {
    let sandbox = Sandbox::start();
    let body = json!({
        "amount": -5, "currency": "EURO", "country": "XX", "order_type": "e-commerce", "refrence": "x",
        "payment_method": {"type": "crad", "token": 7}, "capture": "later", "metadata": {"cart": 1},
        "return_url": "not a url", "customer": {"email": "nobody", "shoe_size": 46}
    });
    let answer = problem(sandbox.client().pay(&body), 400, "invalid_request");
    let named = fields(&answer);
    for field in [
        "amount",
        "currency",
        "country",
        "order_type",
        "refrence",
        "reference",
        "payment_method.type",
        "payment_method.token",
        "capture",
        "metadata.cart",
        "return_url",
        "customer.email",
        "customer.shoe_size",
    ] {
        assert!(named.contains(&field), "{field} is not in {named:?}");
    }
    let text = answer.to_string();
    for nearest in ["reference", "card", "ecommerce"] {
        assert!(text.contains(&format!("`{nearest}`")), "{nearest} is not suggested: {text}");
    }
    assert_eq!(sandbox.client().get("/v1/payments").json()["data"], json!([]));
    assert_eq!(sandbox.ledger("charge").len(), 0);
}

#[test]
fn each_kind_of_bad_body_has_its_own_answer() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let good = card_payment("tok_approved");
    problem(raw(&client, "application/json", b"{\"amount\": 1"), 400, "invalid_json");
    problem(raw(&client, "application/json", b""), 400, "invalid_json");
    problem(raw(&client, "application/json", b"[]"), 400, "invalid_request");
    problem(
        raw(&client, "application/json", &[b"{\"a\": \"", &[0xff, 0xfe][..], b"\"}"].concat()),
        400,
        "invalid_json",
    );
    problem(raw(&client, "application/json", b"{\"amount\": 1, \"amount\": 2}"), 400, "invalid_request");
    problem(raw(&client, "text/plain", good.to_string().as_bytes()), 415, "unsupported_media_type");
    problem(raw(&client, "application/x-www-form-urlencoded", b"amount=1"), 415, "unsupported_media_type");
    let deep = format!("{{\"metadata\": {}1{}}}", "[".repeat(60), "]".repeat(60));
    problem(raw(&client, "application/json", deep.as_bytes()), 400, "too_deep");
    let large = with(good.clone(), "description", "x".repeat(70_000));
    problem(raw(&client, "application/json", large.to_string().as_bytes()), 413, "body_too_large");
    for (member, value) in [
        ("amount", json!(0)),
        ("amount", json!(1_000_000_000_000_000_i64)),
        ("amount", json!(12.5)),
        ("amount", json!("12500")),
        ("amount", json!(null)),
        ("currency", json!("XAU")),
        ("currency", json!("eur")),
        ("country", json!("UK")),
        ("reference", json!("")),
        ("reference", json!("x".repeat(500))),
        ("metadata", json!({"k".repeat(41): "v"})),
        ("statement_descriptor", json!("abc")),
    ] {
        let body = problem(client.pay(&with(good.clone(), member, value.clone())), 400, "invalid_request");
        assert!(fields(&body).iter().all(|field| field.starts_with(member)), "{member} {value}: {body}");
    }
    assert_eq!(client.get("/v1/payments").json()["data"], json!([]));
}

#[test]
fn unknown_places_and_methods_answer_in_the_same_form() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    problem(client.get("/v1/nothing"), 404, "not_found");
    problem(client.get("/nothing"), 404, "not_found");
    problem(client.get("/v1/payments/pay_nonsense"), 404, "not_found");
    problem(client.get("/v1/payments/pay_01970000000070008000000000000001"), 404, "not_found");
    problem(client.get("/v1/captures/re_01970000000070008000000000000001"), 404, "not_found");
    problem(client.send("PUT", "/v1/payments", &[], b""), 405, "method_not_allowed");
    problem(
        client.send("DELETE", "/v1/payments/pay_01970000000070008000000000000001", &[], b""),
        405,
        "method_not_allowed",
    );
}

#[test]
fn card_numbers_are_refused_wherever_they_stand_and_never_repeated() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let number = "4242 4242 4242 4242";
    let digits = "4242424242424242";
    let good = card_payment("tok_approved");
    let places = [
        with(good.clone(), "reference", number),
        with(good.clone(), "description", format!("card {number}")),
        with(good.clone(), "metadata", json!({"note": number})),
        with(good.clone(), "metadata", json!({digits: "note"})),
        with(good.clone(), "payment_method", json!({"type": "card", "token": digits})),
        with(good.clone(), "amount", 4_242_424_242_424_242_i64),
        with(good.clone(), digits, "x"),
        with(good.clone(), "customer", json!({"name": number})),
    ];
    for body in places {
        let answer = client.pay(&body);
        assert!(!answer.text().contains("4242"), "it is repeated: {}", answer.text());
        problem(answer, 400, "card_number_refused");
    }
    let answers = [
        client.post("/v1/payments", digits, &good),
        client.get(&format!("/v1/payments?reference={digits}")),
        client.get("/v1/payments?reference=4242%204242%204242%204242"),
        client.get(&format!("/v1/payments/{digits}")),
        client.send("GET", "/v1/payments", &[("X-Request-Id", digits)], b""),
    ];
    for answer in answers {
        assert!(!answer.text().contains("4242"), "it is repeated: {}", answer.text());
        problem(answer, 400, "card_number_refused");
    }
    assert_eq!(client.get("/v1/payments").json()["data"], json!([]));
    // A phone number that would pass for a card's is a phone number.
    client.pay(&with(good, "customer", json!({"phone": "+4242424242424"}))).expect(201);
}

#[test]
fn what_the_rules_refuse_is_recorded_with_its_decision() {
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let (key, body) = (unique("key"), with(with(card_payment("tok_approved"), "currency", "XOF"), "country", "SN"));
    let answer = client.post("/v1/payments", &key, &body).expect(201);
    let payment = answer.json();
    assert_eq!(payment["status"], "failed", "{payment}");
    assert_eq!(payment["failure"]["origin"], "gateway");
    assert!(payment["route"]["rule"].is_string());
    assert!(payment["route"]["channel"].is_null());
    let replay = client.post("/v1/payments", &key, &body).expect(201);
    assert_eq!(replay.body, answer.body);
    assert_eq!(sandbox.ledger("charge").len(), 0);
}
