use super::*;

#[actix_web::test]
async fn a_route_takes_no_key_and_tells_what_a_page_needs() {
    let desk = Desk::new();
    let body = r#"{"amount": 4990, "currency": "USD", "country": "US", "order_type": "ecommerce", "capture": "manual",
        "payment_method": {"type": "card", "tokens_for": ["simulator_eu"]}}"#;
    let mut asking = post("/v1/routes", body);
    asking = asking.insert_header(("idempotency-key", ""));
    let got = desk.send(asking).await;
    assert_eq!(got.status, 201, "{got:?}");
    insta::assert_snapshot!(got.body, @r#"{"id":"rt_01970000000070008000000000000200","object":"route","live":false,"amount":4990,"currency":"USD","country":"US","order_type":"ecommerce","capture":"manual","payment_method":{"type":"card","tokens_for":["simulator_eu"]},"rule":"eu-cards","channel":"simulator_eu","provider":"simulator","rules_version":"sha256:00ff","reason":"first channel up","client":{"publishable_key":"sim_publishable_test_0"},"failure":null,"created_at":"2026-03-01T12:00:00.007Z","expires_at":"2026-03-01T12:15:00.007Z"}"#);
    let faulty = r#"{"amount": "1", "currency": "usd", "country": "US", "order_type": "ecomerce", "reference": "r",
        "payment_method": {"type": "card", "token": "tok", "tokens_for": []}}"#;
    let got = desk.send(post("/v1/routes", faulty)).await;
    assert_eq!(
        got.faults(),
        [
            "amount invalid_type",
            "currency invalid_value",
            "order_type unknown_value",
            "payment_method.tokens_for invalid_value",
            "payment_method.token unknown_field",
            "reference unknown_field",
        ]
    );
    let reader = post("/v1/routes", body).insert_header(("authorization", "Bearer sy_test_reader"));
    assert_eq!(desk.send(reader).await.code(), "scope_missing");
    let number = post("/v1/routes", &body.replace("simulator_eu", "4242424242424242"));
    assert_eq!(desk.send(number).await.code(), "card_number_refused");
}

#[actix_web::test]
async fn a_stale_route_names_the_fields() {
    let desk = Desk::new();
    let body = PAYMENT.replace("\"capture\"", "\"route\": \"rt_01970000000070008000000000000200\", \"capture\"");
    *desk.engine.error.lock().unwrap() =
        Some(EngineError::RouteStale { reason: "it was made for another payment".into(), fields: vec!["amount"] });
    let got = desk.send(post("/v1/payments", &body)).await;
    assert_eq!((got.status, got.code().as_str()), (409, "route_stale"));
    assert_eq!(got.faults(), ["amount differs_from_route"]);
    let (_, ask) = desk.engine.created.lock().unwrap().pop().unwrap();
    assert_eq!(ask.route.unwrap().to_string(), "rt_01970000000070008000000000000200");
    let got = desk.send(post("/v1/payments", &body.replace("rt_", "pay_"))).await;
    assert_eq!(got.faults(), ["route invalid_value"]);
}

#[actix_web::test]
async fn methods_are_listed_with_what_they_take() {
    let desk = Desk::new();
    let got = desk.send(get("/v1/payment_methods?country=DE&order_type=ecommerce&currency=EUR")).await;
    insta::assert_snapshot!(got.body, @r#"{"object":"list","data":[{"object":"payment_method","type":"card","flow":"direct","presentation":"token","currencies":["EUR"],"min":50,"max":9000,"step":5,"amounts":[{"currency":"EUR","min":50,"max":1000,"step":10},{"currency":"EUR","min":5000,"max":9000,"step":25}],"required":["customer.email"],"manual_capture":true,"partial_capture":true,"multiple_captures":true,"void":true,"partial_refund":true,"multiple_refunds":false,"stored":false}],"has_more":false,"next_cursor":null}"#);
    // Of one amount: its own range. Of no currency: none over all.
    let got = desk.send(get("/v1/payment_methods?country=DE&order_type=ecommerce&currency=EUR&amount=5025")).await;
    let card = got.json()["data"][0].clone();
    assert_eq!([&card["min"], &card["max"], &card["step"]], [5_000, 9_000, 25]);
    let got = desk.send(get("/v1/payment_methods?country=DE&order_type=ecommerce&include=unavailable")).await.json();
    assert!(got["data"][0]["min"].is_null(), "{got}");
    let reason = &got["unavailable"][0]["reasons"][0];
    assert_eq!(got["unavailable"][0]["type"], "ideal");
    assert_eq!([&reason["rule"], &reason["message"]], ["rest", "not here"]);
    let got = desk.send(get("/v1/payment_methods?currency=eur&amount=0&order_type=renewal&include=all&country=")).await;
    assert_eq!(
        got.faults(),
        [
            "country invalid_value",
            "order_type invalid_value",
            "currency invalid_value",
            "amount invalid_value",
            "include unknown_value",
        ]
    );
    let got = desk.send(get("/v1/payment_methods?amount=5&method=card")).await;
    assert_eq!(got.faults(), ["country required", "order_type required", "currency required", "method unknown_field"]);
}
