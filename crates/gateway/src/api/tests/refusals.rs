use super::log::Log;
use super::*;
use switchyard_core::payment::Refusal;

#[actix_web::test]
async fn every_faulty_field_is_told_at_once() {
    let desk = Desk::new();
    let body = r#"{"amount": 12.0, "currency": "eur", "country": "UK", "order_type": "ecomerce", "reference": "",
        "payment_method": {"type": "crad", "provider": "Stripe", "tokn": "x"}, "capture": "later",
        "return_url": "javascript:alert(1)", "cancel_url": "https://shop.example", "description": 5,
        "statement_descriptor": "ab", "metadata": {"a": 1, "": "x"}, "allow_duplicate_reference": "yes",
        "customer": {"email": "ada", "phone": "0151", "ip": "here", "locale": "german!", "birth_date": "1815-12-10"},
        "billing_address": [], "browser": {"color_depth": 4096}, "three_ds": {}, "line_items": [],
        "capture": "manual"}"#;
    let got = desk.send(post("/v1/payments", body)).await;
    assert_eq!((got.status, got.code().as_str()), (400, "invalid_request"));
    insta::assert_json_snapshot!(got.json()["errors"], @r#"
    [
      {
        "code": "duplicate_field",
        "field": "capture",
        "message": "stands more than once in its object"
      },
      {
        "code": "not_an_integer",
        "field": "amount",
        "message": "must be an integer in minor units (EUR 12.50 is 1250), without fraction or exponent"
      },
      {
        "code": "invalid_value",
        "field": "currency",
        "message": "must be an ISO 4217 code in capitals, of a currency that has a minor unit"
      },
      {
        "code": "invalid_value",
        "field": "country",
        "message": "must be an ISO 3166-1 alpha-2 code in capitals"
      },
      {
        "code": "unknown_value",
        "field": "order_type",
        "message": "must be an order type that this merchant may use; did you mean `ecommerce`?"
      },
      {
        "code": "too_short",
        "field": "reference",
        "message": "must not be empty"
      },
      {
        "code": "unknown_value",
        "field": "payment_method.type",
        "message": "must be a payment method; did you mean `card`?"
      },
      {
        "code": "not_allowed",
        "field": "payment_method.provider",
        "message": "says whose `token` it is, and there is none"
      },
      {
        "code": "invalid_value",
        "field": "payment_method.provider",
        "message": "must be a provider's name"
      },
      {
        "code": "unknown_field",
        "field": "payment_method.tokn",
        "message": "there is no such field; did you mean `token`?"
      },
      {
        "code": "unknown_value",
        "field": "capture",
        "message": "must be automatic or manual"
      },
      {
        "code": "invalid_value",
        "field": "return_url",
        "message": "must be an absolute address that begins with https:// or http://"
      },
      {
        "code": "too_short",
        "field": "statement_descriptor",
        "message": "must have at least 5 characters"
      },
      {
        "code": "invalid_type",
        "field": "description",
        "message": "must be a text, not an integer"
      },
      {
        "code": "invalid_value",
        "field": "customer.email",
        "message": "must be an address such as ada@example.com"
      },
      {
        "code": "invalid_value",
        "field": "customer.phone",
        "message": "must be a number in E.164 form, such as +4915123456789"
      },
      {
        "code": "invalid_value",
        "field": "customer.ip",
        "message": "must be an IPv4 or IPv6 address"
      },
      {
        "code": "invalid_value",
        "field": "customer.locale",
        "message": "must be a language tag such as de-DE (BCP 47)"
      },
      {
        "code": "unknown_field",
        "field": "customer.birth_date",
        "message": "there is no such field"
      },
      {
        "code": "invalid_type",
        "field": "billing_address",
        "message": "must be an object, not an array"
      },
      {
        "code": "too_large",
        "field": "browser.color_depth",
        "message": "must be at most 64"
      },
      {
        "code": "invalid_type",
        "field": "metadata.a",
        "message": "must be a text, not an integer"
      },
      {
        "code": "too_short",
        "field": "metadata.",
        "message": "the key must not be empty"
      },
      {
        "code": "invalid_type",
        "field": "allow_duplicate_reference",
        "message": "must be true or false, not a text"
      },
      {
        "code": "unknown_field",
        "field": "cancel_url",
        "message": "there is no such field"
      },
      {
        "code": "unknown_field",
        "field": "three_ds",
        "message": "there is no such field"
      },
      {
        "code": "unknown_field",
        "field": "line_items",
        "message": "there is no such field"
      }
    ]
    "#);
    let empty = desk.send(post("/v1/payments", "{}")).await;
    assert_eq!(
        empty.faults(),
        [
            "amount required",
            "currency required",
            "country required",
            "order_type required",
            "reference required",
            "payment_method required"
        ]
    );
    assert!(desk.engine.created.lock().unwrap().is_empty(), "nothing reached the engine");
}

#[actix_web::test]
async fn single_faults_have_their_own_answer() {
    let desk = Desk::new();
    let with = |from: &str, to: &str| {
        assert!(PAYMENT.contains(from), "{from}");
        PAYMENT.replace(from, to)
    };
    let long = "x".repeat(17_000);
    let cases = [
        (with("12500", "0"), "amount too_small"),
        (with("12500", "-1"), "amount too_small"),
        (with("12500", "1000000000000"), "amount too_large"),
        (with("12500", "99999999999999999999"), "amount too_large"),
        (with("12500", "12.0"), "amount not_an_integer"),
        (with("12500", "1e3"), "amount not_an_integer"),
        (with("12500", "\"12500\""), "amount invalid_type"),
        (with("12500", "null"), "amount required"),
        (with("EUR", "XAU"), "currency invalid_value"),
        (with("EUR", "XYZ"), "currency invalid_value"),
        (with("\"DE\"", "\"XX\""), "country invalid_value"),
        (with("\"DE\"", "\"de\""), "country invalid_value"),
        (with("ecommerce", "payroll"), "order_type unknown_value"),
        (with("order-1001", &"r".repeat(81)), "reference too_long"),
        (with("order-1001", "a\\u0000"), "reference invalid_value"),
        (with("\"card\"", "\"iban\""), "payment_method.type unknown_value"),
        (with("tok_approved", &long), "payment_method.token too_long"),
        (with("tok_approved", ""), "payment_method.token too_short"),
        (with("\"token\": \"tok_approved\"", "\"tokens\": {}"), "payment_method.tokens invalid_value"),
        (
            with("\"token\": \"tok_approved\"", "\"tokens\": {\"E U\": \"x\"}"),
            "payment_method.tokens.E U unknown_field",
        ),
        (with("\"token\": \"tok_approved\"", "\"tokens\": {\"eu\": 1}"), "payment_method.tokens.eu invalid_type"),
        (
            with("\"token\": \"tok_approved\"", "\"tokens\": {\"eu\": {\"a\": 1.5}}"),
            "payment_method.tokens.eu invalid_value",
        ),
        (
            with("\"token\": \"tok_approved\"", &format!("\"tokens\": {{\"eu\": {{\"a\": \"{long}\"}}}}")),
            "payment_method.tokens.eu too_long",
        ),
        (with("https://shop.example/return", "https://a:b@shop.example"), "return_url invalid_value"),
        (with("https://shop.example/return", "/return"), "return_url invalid_value"),
        (with("https://shop.example/return", &format!("https://shop.example/{long}")), "return_url too_long"),
        (with("\"amount\"", "\"amuont\": 1, \"amount\""), "amuont unknown_field"),
        (with("\"amount\"", "\"amount\": 1, \"amount\""), "amount duplicate_field"),
        ("[]".to_owned(), " invalid_type"),
    ];
    for (body, fault) in cases {
        let got = desk.send(post("/v1/payments", &body)).await;
        assert_eq!((got.status, got.code().as_str()), (400, "invalid_request"), "{body}");
        assert_eq!(got.faults(), [fault], "{body}");
    }
    let many: Vec<String> = (0..51).map(|i| format!("\"k{i}\": \"v\"")).collect();
    for (metadata, fault) in [
        (many.join(","), "metadata too_many".to_owned()),
        (format!("\"{}\": \"\"", "k".repeat(41)), format!("metadata.{} too_long", "k".repeat(41))),
        (format!("\"k\": \"{}\"", "v".repeat(501)), "metadata.k too_long".to_owned()),
        ("\"k\": {}".to_owned(), "metadata.k invalid_type".to_owned()),
    ] {
        let body = with("\"amount\"", &format!("\"metadata\": {{{metadata}}}, \"amount\""));
        assert_eq!(desk.send(post("/v1/payments", &body)).await.faults(), [fault]);
    }
    assert!(desk.engine.created.lock().unwrap().is_empty(), "nothing reached the engine");
}

#[actix_web::test]
async fn bodies_that_are_no_json_are_told_apart() {
    let desk = Desk::new();
    let deep = format!("{}{}", "[".repeat(17), "]".repeat(17));
    let large = format!("{{\"a\": \"{}\"}}", "x".repeat(64 * 1024));
    for (body, status, code) in [
        ("", 400, "invalid_json"),
        ("{", 400, "invalid_json"),
        ("{\"amount\": 01}", 400, "invalid_json"),
        (&deep, 400, "too_deep"),
        (&large, 413, "body_too_large"),
    ] {
        let got = desk.send(post("/v1/payments", body)).await;
        assert_eq!((got.status, got.code().as_str()), (status, code));
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""] {
        let got = desk.send(post("/v1/payments", PAYMENT).insert_header(("content-type", content_type))).await;
        assert_eq!((got.status, got.code().as_str()), (415, "unsupported_media_type"), "{content_type}");
    }
    let got =
        desk.send(post("/v1/payments", PAYMENT).insert_header(("content-type", "application/json; charset=UTF-8")));
    assert_eq!(got.await.status, 201);
}

#[actix_web::test]
async fn idempotency_keys_are_required_and_read() {
    let desk = Desk::new();
    let bare = get("/v1/payments")
        .method(actix_web::http::Method::POST)
        .insert_header(("content-type", "application/json"))
        .set_payload(PAYMENT);
    assert_eq!(desk.send(bare).await.code(), "idempotency_key_missing");
    for bad in ["", "\"open", &"k".repeat(256)] {
        let got = desk.send(post("/v1/payments", PAYMENT).insert_header(("idempotency-key", bad))).await;
        assert_eq!((got.status, got.code().as_str()), (400, "idempotency_key_invalid"), "{bad}");
    }
    let two = post("/v1/payments", PAYMENT).append_header(("idempotency-key", "key-2"));
    assert_eq!(desk.send(two).await.code(), "idempotency_key_invalid");
}

#[actix_web::test]
async fn keys_open_what_their_scopes_say_and_nothing_of_others() {
    let desk = Desk::new();
    let payment = format!("/v1/payments/{}", sample::payment_id());
    let as_key = |request: TestRequest, key: &str| request.insert_header(("authorization", format!("Bearer {key}")));
    let got = desk.send(TestRequest::get().uri(&payment)).await;
    assert_eq!((got.status, got.code().as_str()), (401, "unauthorized"));
    assert_eq!(got.header("www-authenticate"), Some(r#"Bearer realm="switchyard""#));
    let far = desk.send(get(&payment).peer_addr(([192, 0, 2, 1], 1).into())).await;
    assert_eq!((far.status, far.code().as_str()), (403, "address_not_allowed"));

    assert_eq!(desk.send(as_key(get(&payment), "sy_test_reader")).await.status, 200);
    for path in [
        "/v1/payments".to_owned(),
        format!("{payment}/captures"),
        format!("{payment}/voids"),
        format!("{payment}/refunds"),
    ] {
        let got = desk.send(as_key(post(&path, "{}"), "sy_test_reader")).await;
        assert_eq!((got.status, got.code().as_str()), (403, "scope_missing"), "{path}");
    }
    assert_eq!(desk.send(as_key(get(&payment), "sy_live_other")).await.code(), "not_found");
    let undeclared = desk.send(as_key(post("/v1/payments", PAYMENT), "sy_live_other")).await;
    assert_eq!(undeclared.faults(), ["order_type unknown_value"]);
    let removed = desk.send(as_key(get("/v1/payments"), "sy_test_removed")).await;
    assert_eq!((removed.status, removed.code().as_str()), (403, "merchant_not_configured"));
}

#[actix_web::test]
async fn what_was_carried_out_is_replayed_though_it_would_be_refused_by_now() {
    let desk = Desk::new();
    let first = desk.send(post("/v1/payments", PAYMENT)).await;
    assert_eq!(first.status, 201);
    desk.engine.narrow();
    let again = desk.send(post("/v1/payments", PAYMENT)).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let other_body = PAYMENT.replace("12500", "12501");
    assert_eq!(desk.send(post("/v1/payments", &other_body)).await.faults(), ["order_type unknown_value"]);
    let other_key = post("/v1/payments", PAYMENT).insert_header(("idempotency-key", "key-2"));
    assert_eq!(desk.send(other_key).await.faults(), ["order_type unknown_value"]);
}

#[actix_web::test]
async fn addresses_methods_and_parameters_that_there_are_not() {
    let desk = Desk::new();
    for path in ["/", "/v1", "/v1/payment", "/v1/payments/", "/v1/payments/pay_1", "/v1/payments/x/captures/y", "/%"] {
        let got = desk.send(get(path)).await;
        assert_eq!((got.status, got.code().as_str()), (404, "not_found"), "{path}");
    }
    let payment = format!("/v1/payments/{}", sample::payment_id());
    for (method, path, allow) in [
        ("DELETE", "/v1/payments", "GET, HEAD, POST, OPTIONS"),
        ("POST", payment.as_str(), "GET, HEAD, OPTIONS"),
        ("GET", &format!("{payment}/captures"), "POST, OPTIONS"),
        ("PATCH", "/v1/refunds", "GET, HEAD, OPTIONS"),
        ("BREW", "/v1/voids", "GET, HEAD, OPTIONS"),
    ] {
        let method = actix_web::http::Method::from_bytes(method.as_bytes()).unwrap();
        let got = desk.send(get(path).method(method)).await;
        assert_eq!((got.status, got.code().as_str(), got.header("allow")), (405, "method_not_allowed", Some(allow)));
    }
    for path in [
        format!("{payment}?refersh=true"),
        format!("{payment}?refresh=yes"),
        format!("{payment}?expand=captures"),
        "/v1/payments?statu=captured".to_owned(),
        "/v1/captures?payment=cap_1".to_owned(),
        "/v1/refunds?status=failed".to_owned(),
        format!("/v1/captures/cap_{}?x=1", sample::operation_id(1).uuid().simple()),
        "/v1/payments?=&&&a".to_owned(),
    ] {
        let got = desk.send(get(&path)).await;
        assert_eq!((got.status, got.code().as_str()), (400, "invalid_request"), "{path}");
        assert!(!got.faults().is_empty(), "{path}");
    }
    let got = desk.send(post("/v1/payments?dry_run=true", PAYMENT)).await;
    assert_eq!(got.faults(), ["dry_run unknown_field"]);
    assert!(desk.engine.created.lock().unwrap().is_empty(), "nothing reached the engine");
}

#[actix_web::test]
async fn the_engines_refusals_reach_the_merchant() {
    let desk = Desk::new();
    let open = sample::payment_id();
    for (error, status, code) in [
        (EngineError::ReferenceOpen(open), 409, "reference_open"),
        (EngineError::KeyInProgress { retry_after: Duration::from_millis(1_500) }, 409, "idempotency_in_progress"),
        (EngineError::Refused(Refusal::AmountTooLarge { available: 7 }), 422, "amount_too_large"),
        (EngineError::Overloaded, 503, "overloaded"),
    ] {
        *desk.engine.error.lock().unwrap() = Some(error);
        let got = desk.send(post("/v1/payments", PAYMENT)).await;
        assert_eq!((got.status, got.code().as_str()), (status, code));
        match code {
            "reference_open" => {
                assert_eq!(got.json()["payment"], open.to_string());
                assert!(got.json()["detail"].as_str().unwrap().contains(&open.to_string()));
            }
            "idempotency_in_progress" => assert_eq!(got.header("retry-after"), Some("2")),
            "overloaded" => assert_eq!(got.header("retry-after"), Some("1")),
            _ => assert_eq!(got.faults(), ["amount too_large"]),
        }
    }
}

#[actix_web::test]
async fn card_numbers_are_refused_wherever_they_stand_and_shown_nowhere() {
    const CARD: &str = "4242424242424242";
    let log = Log::default();
    let guard = log.listen();
    let desk = Desk::new();
    let in_body = |at: &str| post("/v1/payments", &PAYMENT.replace("order-1001", at));
    let payment = format!("/v1/payments/{}", sample::payment_id());
    let cases = [
        in_body(CARD),
        in_body("4242 4242 4242 4242"),
        in_body("a\", \"4242424242424242\": \"b"),
        in_body("a\", \"unknown\": \"4242-4242-4242-4242"),
        in_body("a\", \"amount\": 4242424242424242, \"x\": \""),
        in_body("a\", \"metadata\": {\"4242424242424242\": \"b\"}, \"x\": \""),
        in_body("a\", \"customer\": {\"phone\": \"4242424242424242\"}, \"x\": \""),
        in_body("a\", \"reference\": \"4242424242424242"),
        post(&format!("{payment}/refunds"), r#"{"reason": "card 4242424242424242"}"#),
        post("/v1/payments", PAYMENT).insert_header(("idempotency-key", CARD)),
        post("/v1/payments", PAYMENT).insert_header(("idempotency-key", "\"4242-4242-4242-4242\"")),
        post("/v1/payments?card=4242424242424242", PAYMENT),
        post("/v1/payments", PAYMENT).insert_header(("x-card", CARD)),
        post("/v1/payments", PAYMENT).insert_header(("x-request-id", CARD)),
        post("/v1/payments", PAYMENT).insert_header(("user-agent", CARD)),
        get("/v1/payments?reference=4242424242424242"),
        get("/v1/payments?4242424242424242=1"),
        get("/v1/payments?limit=4242%204242%204242%204242"),
        get("/v1/payments/4242424242424242"),
        get("/v1/captures/cap_4242-4242-4242-4242"),
        get("/v1/cards/%34242424242424242"),
        get("/4242424242424242?4242424242424242"),
        get("/nowhere?card=4242424242424242"),
        get(&payment).method(actix_web::http::Method::DELETE).insert_header(("x-card", CARD)),
    ];
    for request in cases {
        let got = desk.send(request).await;
        assert_eq!((got.status, got.code().as_str()), (400, "card_number_refused"), "{got:?}");
        assert!(!format!("{got:?}").contains("4242"), "{got:?}");
    }
    // Refused for other reasons first, and not shown either.
    let broken = desk.send(post("/v1/payments", "{\"reference\": \"4242424242424242")).await;
    let nobody = desk.send(get("/v1/payments/4242424242424242").insert_header(("authorization", CARD))).await;
    for got in [broken, nobody] {
        assert!(got.status < 500 && !format!("{got:?}").contains("4242"), "{got:?}");
    }
    drop(guard);
    let log = log.text();
    assert_eq!(log.lines().filter(|line| line.contains("\"request_id\"")).count(), 26, "one line per request");
    assert!(!log.contains("4242") && !log.contains("sandbox"), "{log}");
    assert!(desk.engine.created.lock().unwrap().is_empty(), "nothing reached the engine");
}
