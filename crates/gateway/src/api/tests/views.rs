use super::super::operation_view::OperationView;
use super::super::payment_view::PaymentView;
use super::super::view::json;
use super::sample;
use crate::api::JsonRender;
use switchyard_core::status::OperationState as State;
use switchyard_core::{Failure, FailureCode, OperationKind as Kind, Payment, PaymentStatus, Timestamp};
use switchyard_engine::Render;

fn shown(view: &impl serde::Serialize) -> serde_json::Value {
    serde_json::from_slice(&json(view)).unwrap()
}

#[test]
fn a_payment_shows_as_documented() {
    let text = String::from_utf8(json(&PaymentView::of(&sample::payment())).to_vec()).unwrap();
    insta::assert_snapshot!(text, @r#"
    {"id":"pay_01970000000070008000000000000001","object":"payment","status":"authorized","in_doubt":false,"pending":[],"live":false,"amount":12500,"amount_authorized":12500,"amount_capturable":12500,"amount_captured":0,"amount_refundable":0,"amount_refunded":0,"currency":"EUR","country":"DE","order_type":"ecommerce","reference":"order-1001","capture":"manual","payment_method":{"type":"card","brand":"visa","last4":"4242"},"checks":{"cvc":"match","avs_line":null,"avs_postal":null},"three_ds":null,"capture_before":"2026-03-08T12:00:00.007Z","stored_method":null,"exchange":null,"disputed":false,"next_action":null,"failure":null,"last_failure":null,"route":{"rule":"eu-cards","channel":"simulator_eu","rules_version":"sha256:00ff","reason":"first channel up"},"provider":{"name":"simulator","reference":"ch_1"},"observed":{"at":"2026-03-01T12:00:00.007Z","from":"answer"},"metadata":{"cart":"77","a":"\"quoted\"\n"},"created_at":"2026-03-01T12:00:00.000Z","updated_at":"2026-03-01T12:00:00.007Z","expires_at":null}
    "#);
}

#[test]
fn what_is_missing_is_null_and_what_is_waited_for_is_told() {
    insta::assert_json_snapshot!(shown(&PaymentView::of(&sample::waiting_payment())), @r#"
    {
      "amount": 12500,
      "amount_authorized": 0,
      "amount_capturable": 0,
      "amount_captured": 0,
      "amount_refundable": 0,
      "amount_refunded": 0,
      "capture": "automatic",
      "capture_before": null,
      "checks": null,
      "country": "DE",
      "created_at": "2026-03-01T12:00:00.000Z",
      "currency": "EUR",
      "disputed": false,
      "exchange": null,
      "expires_at": "2026-03-01T12:00:00.007Z",
      "failure": null,
      "id": "pay_01970000000070008000000000000001",
      "in_doubt": false,
      "last_failure": {
        "advice_code": null,
        "category": "declined",
        "code": "insufficient_funds",
        "message": "The account does not hold enough money.",
        "network_code": null,
        "origin": "issuer",
        "payer_message": "There is not enough money on this account. Please use another way to pay.",
        "provider_code": null,
        "provider_message": null,
        "retry": "later",
        "retry_after_seconds": null
      },
      "live": false,
      "metadata": {},
      "next_action": {
        "expires_at": "2026-03-01T12:00:00.007Z",
        "fields": null,
        "method": "GET",
        "type": "redirect",
        "url": "https://bank.example/a?b"
      },
      "object": "payment",
      "observed": {
        "at": "2026-03-01T12:00:00.007Z",
        "from": "answer"
      },
      "order_type": "ecommerce",
      "payment_method": {
        "type": "ideal"
      },
      "pending": [
        {
          "amount": 12500,
          "id": "cap_01970000000070008000000000000100",
          "in_doubt": false,
          "kind": "sale"
        }
      ],
      "provider": {
        "name": "simulator",
        "reference": null
      },
      "reference": "order-1001",
      "route": {
        "channel": "simulator_eu",
        "reason": "first channel up",
        "rule": "eu-cards",
        "rules_version": "sha256:00ff"
      },
      "status": "requires_action",
      "stored_method": null,
      "three_ds": null,
      "updated_at": "2026-03-01T12:00:00.007Z"
    }
    "#);
    let failed = sample::failed_payment();
    let failed = shown(&PaymentView::of(&failed));
    assert_eq!(failed["failure"]["payer_message"], FailureCode::DoNotHonor.payer_message());
    assert_eq!(failed["failure"]["provider_code"], "41");
    assert_eq!(failed["route"]["channel"], serde_json::Value::Null);
    assert_eq!(failed["provider"], serde_json::Value::Null);
    assert_eq!(failed["observed"], serde_json::Value::Null);
}

#[test]
fn operations_show_as_objects_of_their_own() {
    let payment = sample::payment();
    let view = |kind, state| shown(&OperationView::alone(&sample::operation(1, kind, state), &payment));
    let mut refund = sample::operation(1, Kind::Refund, State::Failed);
    refund.failure = Some(Failure::new(FailureCode::Duplicate));
    refund.reason = Some("broken".into());
    insta::assert_json_snapshot!(shown(&OperationView::alone(&refund, &payment)), @r#"
    {
      "amount": 2500,
      "created_at": "2026-03-01T12:00:00.007Z",
      "currency": "EUR",
      "failure": {
        "advice_code": null,
        "category": "invalid",
        "code": "duplicate",
        "message": "The provider or issuer takes it for a repeat of an earlier payment.",
        "network_code": null,
        "origin": "provider",
        "payer_message": "This payment seems to have been made already.",
        "provider_code": null,
        "provider_message": null,
        "retry": "never",
        "retry_after_seconds": null
      },
      "id": "re_01970000000070008000000000000101",
      "in_doubt": false,
      "live": false,
      "object": "refund",
      "provider": {
        "name": "simulator",
        "reference": "re_9"
      },
      "reason": "broken",
      "status": "failed",
      "updated_at": "2026-03-01T12:00:00.007Z"
    }
    "#);
    let sale = view(Kind::Sale, State::Succeeded);
    assert_eq!(sale["object"], "capture");
    assert_eq!(sale["final"], true);
    assert!(sale["id"].as_str().unwrap().starts_with("cap_"));
    let void = view(Kind::Void, State::InDoubt);
    assert_eq!((void["status"].as_str(), void["in_doubt"].as_bool()), (Some("processing"), Some(true)));
    assert_eq!(view(Kind::Authorize, State::Succeeded)["object"], "authorization");
    assert_eq!(view(Kind::Capture, State::Reversed)["status"], "reversed");
    let capture = sample::operation(1, Kind::Capture, State::Succeeded);
    assert_eq!(shown(&OperationView::with_payment(&capture, &payment))["payment"], shown(&PaymentView::of(&payment)));
}

#[test]
fn the_status_tells_of_the_call_and_the_body_of_the_money() {
    let charge = |status, state| {
        let payment = Payment { status, ..sample::payment() };
        JsonRender.answer(&payment, &sample::operation(0, Kind::Authorize, state)).status
    };
    assert_eq!(charge(PaymentStatus::Authorized, State::Succeeded), 201);
    assert_eq!(charge(PaymentStatus::Failed, State::Failed), 201);
    assert_eq!(charge(PaymentStatus::RequiresAction, State::Accepted), 201);
    assert_eq!(charge(PaymentStatus::Processing, State::Accepted), 202);
    assert_eq!(charge(PaymentStatus::Processing, State::InDoubt), 202);
    for kind in [Kind::Capture, Kind::Void, Kind::Refund] {
        for &state in State::ALL {
            let status = JsonRender.answer(&sample::payment(), &sample::operation(1, kind, state)).status;
            assert_eq!(status, if state.open() { 202 } else { 201 }, "{kind:?} {state:?}");
        }
    }
}

#[test]
fn times_are_utc_with_milliseconds() {
    let time = |millis| shown(&super::super::view::Time(Timestamp(millis)));
    assert_eq!(time(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(time(1_772_366_400_007), "2026-03-01T12:00:00.007Z");
    assert_eq!(time(i64::MAX), serde_json::Value::Null);
}
