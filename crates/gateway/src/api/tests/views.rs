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
    insta::assert_snapshot!(text, @"");
}

#[test]
fn what_is_missing_is_null_and_what_is_waited_for_is_told() {
    insta::assert_json_snapshot!(shown(&PaymentView::of(&sample::waiting_payment())), @"");
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
    insta::assert_json_snapshot!(shown(&OperationView::alone(&refund, &payment)), @"");
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
