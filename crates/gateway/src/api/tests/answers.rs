use super::*;
use secrecy::ExposeSecret;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{Country, Method};

#[actix_web::test]
async fn a_payment_is_made_once_per_key() {
    let desk = Desk::new();
    let first = desk.send(post("/v1/payments", PAYMENT)).await;
    assert_eq!((first.status, first.header("content-type")), (201, Some("application/json")));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert!(first.header("x-request-id").unwrap().starts_with("req_"));
    assert_eq!(first.header("cache-control"), Some("no-store"));

    let members_turned = r#"{"return_url": "https://shop.example/return", "capture": "manual",
        "payment_method": {"token": "tok_approved", "type": "card"}, "reference": "order-1001",
        "order_type": "ecommerce", "country": "DE", "currency": "EUR", "amount": 12500}"#;
    let again = desk.send(post("/v1/payments", members_turned).insert_header(("idempotency-key", "\"key-1\""))).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));

    let other = desk.send(post("/v1/payments", &PAYMENT.replace("12500", "12501"))).await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency_mismatch"));
    assert_eq!(
        *desk.counted.0.lock().unwrap(),
        [("/v1/payments", "POST", 201), ("/v1/payments", "POST", 201), ("/v1/payments", "POST", 422)]
    );
}

#[actix_web::test]
async fn everything_a_merchant_says_reaches_the_engine() {
    let desk = Desk::new();
    let body = r#"{"amount": 999999999999, "currency": "KWD", "country": "KW", "order_type": "gaming", "reference": "r",
        "payment_method": {"type": "card", "tokens": {"simulator_eu": "tok_a", "adyen": {"b": [1, {"c": null}], "a": "ü"}}},
        "description": "Two\u00a0shoes", "statement_descriptor": "SHOP.EXAMPLE 12", "cancel_url": null,
        "metadata": {"z": "1", "a": "two\nlines"}, "allow_duplicate_reference": true,
        "customer": {"id": "c1", "name": "Ada", "email": "ada@example.com", "phone": "+378282246310005",
                     "ip": "2001:DB8::1", "locale": "de-DE"},
        "billing_address": {"line1": "1 Road", "city": "Town", "postal_code": "12345", "country": "DE"},
        "shipping_address": {"line2": "x", "state": "BY"},
        "browser": {"user_agent": "a", "accept_header": "b", "language": "de", "color_depth": 24, "screen_width": 1,
                    "screen_height": 2, "timezone_offset": -120, "java_enabled": false, "javascript_enabled": true,
                    "origin": "https://shop.example", "referer": "https://shop.example/cart"}}"#;
    let got = desk.send(post("/v1/payments", &body.replace("\"cancel_url\": null,", ""))).await;
    assert_eq!(got.status, 201, "{got:?}");
    let (caller, ask) = desk.engine.created.lock().unwrap().pop().unwrap();
    assert_eq!((caller.merchant.as_str(), caller.mode), ("demo", Mode::Test));
    assert_eq!(format!("{:?}", ask.amount), "KWD 999999999.999");
    assert_eq!((ask.country, ask.order_type.as_str()), (Country::from_code("KW").unwrap(), "gaming"));
    assert_eq!((ask.method, ask.capture), (Method::Card, CaptureMode::Automatic));
    assert_eq!(ask.statement_descriptor.as_deref(), Some("SHOP.EXAMPLE 12"));
    assert_eq!(ask.metadata, [("z".into(), "1".into()), ("a".into(), "two\nlines".into())]);
    assert!(ask.allow_duplicate_reference && ask.tokens.bare.is_none());
    let tokens: Vec<_> = ask.tokens.named.iter().map(|(name, token)| (name.as_str(), token.expose_secret())).collect();
    assert_eq!(tokens, [("simulator_eu", "tok_a"), ("adyen", r#"{"b":[1,{"c":null}],"a":"ü"}"#)]);
    let customer = ask.customer.unwrap();
    assert_eq!(customer.phone.as_deref(), Some("+378282246310005"));
    assert_eq!(customer.ip.as_deref(), Some("2001:db8::1"));
    assert_eq!(ask.billing_address.unwrap().country, Country::from_code("DE"));
    assert_eq!(ask.shipping_address.unwrap().state.as_deref(), Some("BY"));
    assert_eq!(ask.browser.unwrap().timezone_offset, Some(-120));

    desk.send(post("/v1/payments", PAYMENT)).await;
    let (_, ask) = desk.engine.created.lock().unwrap().pop().unwrap();
    assert_eq!(ask.tokens.bare.unwrap().expose_secret(), "tok_approved");
    assert_eq!(ask.return_url.as_deref(), Some("https://shop.example/return"));
}

#[actix_web::test]
async fn follow_ups_take_little_and_can_do_without() {
    let desk = Desk::new();
    let path = |noun: &str| format!("/v1/payments/{}/{noun}", sample::payment_id());
    let cases = [
        ("captures", r#"{"amount": 1, "final": true}"#, FollowUp::Capture { amount: Some(1), last: true }, 201),
        ("captures", "{}", FollowUp::Capture { amount: None, last: false }, 201),
        ("voids", r#"{"reason": "sold out"}"#, FollowUp::Void { reason: Some("sold out".into()) }, 202),
        ("voids", "", FollowUp::Void { reason: None }, 202),
        (
            "refunds",
            r#"{"amount": 2, "reason": "broken"}"#,
            FollowUp::Refund { amount: Some(2), reason: Some("broken".into()) },
            202,
        ),
    ];
    for (number, (noun, body, ask, status)) in cases.into_iter().enumerate() {
        let got = desk.send(post(&path(noun), body).insert_header(("idempotency-key", format!("k{number}")))).await;
        assert_eq!(got.status, status, "{got:?}");
        assert_eq!(got.json()["payment"]["id"], sample::payment_id().to_string());
        assert_eq!(desk.engine.followed_up.lock().unwrap().pop(), Some(ask));
    }
    let bare = get(&path("voids")).method(actix_web::http::Method::POST).insert_header(("idempotency-key", "k3"));
    let got = desk.send(bare).await;
    assert_eq!((got.status, got.header("idempotent-replayed")), (202, Some("true")), "no body is an empty one");
}

#[actix_web::test]
async fn objects_are_read() {
    let desk = Desk::new();
    let path = format!("/v1/payments/{}", sample::payment_id());
    let got = desk.send(get(&path)).await;
    assert_eq!((got.status, got.json()["id"].as_str()), (200, Some(sample::payment_id().to_string().as_str())));
    assert!(got.json().get("operations").is_none() && got.json().get("refreshed").is_none());

    let got = desk.send(get(&format!("{path}?refresh=true&expand=operations"))).await.json();
    assert_eq!(got["refreshed"], false);
    assert_eq!(got["not_refreshed_because"], "the channel is gone");
    assert_eq!(got["operations"][0]["object"], "authorization");
    assert_eq!(got["operations"][1]["object"], "refund");

    for (noun, prefix) in [("captures", "cap"), ("voids", "vo"), ("refunds", "re")] {
        let id = format!("{prefix}_{}", sample::operation_id(1).uuid().simple());
        let got = desk.send(get(&format!("/v1/{noun}/{id}"))).await;
        assert_eq!((got.status, got.json()["id"].as_str()), (200, Some(id.as_str())));
        let unknown = format!("{prefix}_{}", sample::operation_id(9).uuid().simple());
        assert_eq!(desk.send(get(&format!("/v1/{noun}/{unknown}"))).await.code(), "not_found");
        assert_eq!(desk.send(get(&format!("/v1/{noun}/{}", sample::payment_id()))).await.code(), "not_found");
    }
}

#[actix_web::test]
async fn lists_are_paged() {
    let desk = Desk::new();
    let got = desk.send(get("/v1/payments?limit=1&status=captured")).await.json();
    assert_eq!((got["object"].as_str(), got["has_more"].as_bool()), (Some("list"), Some(true)));
    assert_eq!(got["data"].as_array().unwrap().len(), 1);
    let filter = desk.engine.filters.lock().unwrap().pop().unwrap();
    assert_eq!(filter.status.map(|status| status.as_str()), Some("captured"));
    assert_eq!((filter.merchant.as_str(), filter.mode), ("demo", Mode::Test));

    let cursor = got["next_cursor"].as_str().unwrap();
    let got = desk.send(get(&format!("/v1/payments?limit=2&cursor={cursor}"))).await.json();
    assert_eq!((got["has_more"].as_bool(), &got["next_cursor"]), (Some(false), &serde_json::Value::Null));

    let got = desk.send(get(&format!("/v1/captures?payment={}&cursor={cursor}", sample::payment_id()))).await.json();
    assert_eq!(got["data"][0]["object"], "capture");
    let (kinds, payment, before, limit) = desk.engine.lists.lock().unwrap().pop().unwrap();
    assert_eq!(kinds, [OperationKind::Capture, OperationKind::Sale]);
    assert_eq!(payment, Some(sample::payment_id()));
    assert_eq!((before.map(|id| id.uuid().simple().to_string()), limit), (Some(cursor.to_owned()), 20));
}

#[actix_web::test]
async fn request_ids_are_taken_over_where_they_can_be_shown() {
    let desk = Desk::new();
    let ask = |id: &str| get("/v1/payments").insert_header(("x-request-id", id.to_owned()));
    assert_eq!(desk.send(ask("shop:42.a-b_c")).await.header("x-request-id"), Some("shop:42.a-b_c"));
    for bad in ["", "two words", "<script>", &"x".repeat(129)] {
        let got = desk.send(ask(bad)).await;
        assert!(got.header("x-request-id").unwrap().starts_with("req_"), "{bad}");
    }
}

#[actix_web::test]
async fn head_and_options_are_answered() {
    let desk = Desk::new();
    let head = get("/v1/payments").method(actix_web::http::Method::HEAD);
    assert_eq!(desk.send(head).await.status, 200);
    let options = TestRequest::default().method(actix_web::http::Method::OPTIONS).uri("/v1/payments");
    let got = desk.send(options).await;
    assert_eq!((got.status, got.header("allow")), (204, Some("GET, HEAD, POST, OPTIONS")));
}
