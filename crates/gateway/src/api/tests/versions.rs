//! Each version of the API as its merchants meet it, against answers that are committed: what stands in them stays.

use super::*;
use std::path::Path;

const OLD: (&str, &str) = ("switchyard-version", "2026-10-01");
const NEW: (&str, &str) = ("switchyard-version", "2026-11-01");

/// Compares an answer with the one that is committed. `SWITCHYARD_WRITE_DOCS=1` writes those that are missing, and none
/// that is there.
fn contract(version: &str, name: &str, got: &Got) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/api/tests/contract/{version}/{name}.json"));
    got.json();
    if std::env::var_os("SWITCHYARD_WRITE_DOCS").is_some() && !path.exists() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("{}\n", got.body)).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed.trim_end(), got.body, "{version} of {name} has changed: {}", path.display());
}

fn old(body: &str) -> String {
    body.replace("\"capture\"", "\"capture_method\"")
}

#[actix_web::test]
async fn answers_are_what_their_version_says() {
    let desk = Desk::new();
    let id = sample::payment_id();
    for (version, body) in [(OLD, old(PAYMENT)), (NEW, PAYMENT.to_owned())] {
        let key = ("idempotency-key", format!("key-{}", version.1));
        let made = desk.send(post("/v1/payments", &body).insert_header(key).insert_header(version)).await;
        assert_eq!((made.status, made.header("switchyard-version")), (201, Some(version.1)), "{made:?}");
        contract(version.1, "payment", &made);
        let read = desk.send(get(&format!("/v1/payments/{id}")).insert_header(version)).await;
        contract(version.1, "payment", &read);
        let list = desk.send(get("/v1/payments?limit=1").insert_header(version)).await;
        contract(version.1, "payments", &list);
        let expanded = desk.send(get(&format!("/v1/payments/{id}?expand=operations")).insert_header(version)).await;
        contract(version.1, "payment_with_operations", &expanded);
        let key = ("idempotency-key", format!("refund-{}", version.1));
        let refund = post(&format!("/v1/payments/{id}/refunds"), "{}").insert_header(key);
        contract(version.1, "refund", &desk.send(refund.insert_header(version)).await);
    }
}

#[actix_web::test]
async fn a_replay_answers_in_the_version_of_the_original() {
    let desk = Desk::new();
    let first = desk.send(post("/v1/payments", &old(PAYMENT)).insert_header(OLD)).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert!(first.body.contains("\"capture_method\":\"") && !first.body.contains("\"capture\":\""));
    // The merchant has moved on to the new version meanwhile; the request is the same.
    let again = desk.send(post("/v1/payments", PAYMENT).insert_header(NEW)).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("switchyard-version"), Some("2026-10-01"));
    assert_eq!(again.header("deprecation"), Some("@1793491200"));
}

#[actix_web::test]
async fn requests_are_read_and_refused_in_their_own_version() {
    let desk = Desk::new();
    let body = old(PAYMENT);
    let made = desk.send(post("/v1/payments", &body).insert_header(OLD)).await;
    assert_eq!(made.status, 201);
    let (_, ask) = desk.engine.created.lock().unwrap().pop().unwrap();
    assert_eq!(ask.capture, switchyard_core::payment::CaptureMode::Manual);

    let ask = async |version, body: &str| {
        let request = post("/v1/payments", body).insert_header(("idempotency-key", "other")).insert_header(version);
        desk.send(request).await.faults()
    };
    assert_eq!(ask(OLD, PAYMENT).await, ["capture unknown_field"]);
    assert_eq!(ask(OLD, &body.replace("manual", "manuel")).await, ["capture_method unknown_value"]);
    assert_eq!(ask(NEW, &body).await, ["capture_method unknown_field"]);
    assert_eq!(ask(NEW, &PAYMENT.replace("manual", "manuel")).await, ["capture unknown_value"]);
}

#[actix_web::test]
async fn a_version_is_named_pinned_or_refused() {
    let desk = Desk::new();
    let plain = desk.send(get("/v1/payments")).await;
    assert_eq!(plain.header("switchyard-version"), Some("2026-11-01"));
    assert_eq!((plain.header("deprecation"), plain.header("sunset")), (None, None));
    let ending = desk.send(get("/v1/payments").insert_header(OLD)).await;
    assert_eq!(ending.header("deprecation"), Some("@1793491200"));
    assert_eq!(ending.header("sunset"), Some("Mon, 01 Nov 2027 00:00:00 GMT"));
    for unknown in ["2026-10-02", "", "newest", "2026-11-01, 2026-10-01"] {
        let refused = desk.send(get("/v1/payments").insert_header(("switchyard-version", unknown))).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "version_unknown"), "{unknown}");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("2026-10-01") && detail.contains("2026-11-01"), "{detail}");
    }
    let twice = get("/v1/payments").append_header(OLD).append_header(NEW);
    assert_eq!(desk.send(twice).await.code(), "version_unknown");
    let pinned = ApiKey {
        hash: desk.pepper.api_key_hash("sy_test_pinned"),
        version: "2026-10-01".into(),
        ..sandbox_key(&desk.pepper, MerchantName::new("demo").unwrap())
    };
    desk.keys.learn(pinned);
    let by_pinned = || TestRequest::get().uri("/v1/payments").peer_addr(loopback());
    let by_pinned = || by_pinned().insert_header(("authorization", "Bearer sy_test_pinned"));
    assert_eq!(desk.send(by_pinned()).await.header("switchyard-version"), Some("2026-10-01"));
    assert_eq!(desk.send(by_pinned().insert_header(NEW)).await.header("switchyard-version"), Some("2026-11-01"));
}
