use super::*;
use crate::decline::DO_NOT_HONOR;

const NOW: Millis = Millis(1_000);

fn charge(capture: CaptureMode, outcome: Outcome) -> Charge {
    let request = ChargeRequest {
        amount: 100,
        currency: "EUR".into(),
        method: "card".into(),
        token: Some("tok_3ds".into()),
        capture,
        reference: None,
        description: None,
        statement_descriptor: None,
        country: None,
        return_url: None,
        customer: None,
        metadata: std::collections::BTreeMap::new(),
    };
    Charge::open(1, Mode::Test, "key".into(), request, outcome, NOW, 3_000)
}

fn authorized() -> Charge {
    charge(CaptureMode::Manual, Outcome::Approve)
}

fn capture(amount: i64, last: bool) -> OperationRequest {
    OperationRequest { amount: Some(amount), r#final: Some(last), reference: None }
}

fn amount(amount: i64) -> OperationRequest {
    OperationRequest { amount: Some(amount), ..OperationRequest::default() }
}

fn all() -> OperationRequest {
    OperationRequest::default()
}

fn done(charge: &mut Charge, kind: Kind, request: &OperationRequest) -> Result<(), Refusal> {
    let held = charge.reserve(kind, request)?;
    charge.conclude(kind, held, true);
    Ok(())
}

#[test]
fn a_sale_is_captured_and_a_hold_is_authorized() {
    let sale = charge(CaptureMode::Automatic, Outcome::Approve);
    assert_eq!((sale.status, sale.sums.captured, sale.due_at), (Status::Captured, 100, None));
    let hold = authorized();
    assert_eq!(
        (hold.status, hold.capturable(), hold.due_at),
        (Status::Authorized, 100, Some(NOW.after(AUTHORIZATION_MS)))
    );
}

#[test]
fn half_is_never_nothing() {
    let mut one = charge(CaptureMode::Manual, Outcome::ApproveHalf);
    assert_eq!(one.sums.authorized, 50);
    one.approve(1, NOW);
    assert_eq!(one.capturable(), 1);
}

#[test]
fn captures_add_up_to_the_authorization_and_no_further() {
    let mut charge = authorized();
    done(&mut charge, Kind::Capture, &capture(60, false)).unwrap();
    assert_eq!((charge.status, charge.capturable()), (Status::Authorized, 40));
    assert_eq!(done(&mut charge, Kind::Capture, &capture(41, false)), Err(Refusal::AmountTooLarge));
    done(&mut charge, Kind::Capture, &all()).unwrap();
    assert_eq!((charge.status, charge.sums.captured), (Status::Captured, 100));
    assert_eq!(done(&mut charge, Kind::Capture, &capture(1, false)), Err(Refusal::AlreadyCaptured));
    assert_eq!(done(&mut charge, Kind::Void, &all()), Err(Refusal::AlreadyCaptured));
}

#[test]
fn a_final_capture_releases_the_rest() {
    let mut charge = authorized();
    done(&mut charge, Kind::Capture, &capture(30, true)).unwrap();
    assert_eq!((charge.status, charge.sums.captured, charge.sums.released), (Status::Captured, 30, 70));
}

#[test]
fn a_failed_final_capture_gives_everything_back() {
    let mut charge = authorized();
    let held = charge.reserve(Kind::Capture, &capture(30, true)).unwrap();
    assert_eq!(charge.capturable(), 0);
    assert_eq!(charge.reserve(Kind::Capture, &capture(1, false)), Err(Refusal::UnexpectedState));
    assert_eq!(charge.reserve(Kind::Void, &all()), Err(Refusal::UnexpectedState));
    charge.conclude(Kind::Capture, held, false);
    assert_eq!((charge.status, charge.capturable()), (Status::Authorized, 100));
}

#[test]
fn pending_captures_count() {
    let mut charge = authorized();
    let one = charge.reserve(Kind::Capture, &capture(60, false)).unwrap();
    assert_eq!(charge.reserve(Kind::Capture, &capture(41, false)), Err(Refusal::AmountTooLarge));
    assert_eq!(charge.reserve(Kind::Capture, &capture(10, true)), Err(Refusal::UnexpectedState));
    let two = charge.reserve(Kind::Capture, &capture(40, false)).unwrap();
    charge.conclude(Kind::Capture, one, true);
    assert_eq!(charge.status, Status::Authorized, "one is still open");
    charge.conclude(Kind::Capture, two, false);
    assert_eq!((charge.status, charge.capturable(), charge.sums.captured), (Status::Authorized, 40, 60));
}

#[test]
fn a_void_releases_the_rest() {
    let mut whole = authorized();
    done(&mut whole, Kind::Void, &all()).unwrap();
    assert_eq!((whole.status, whole.sums.released), (Status::Voided, 100));
    assert_eq!(done(&mut whole, Kind::Void, &all()), Err(Refusal::AlreadyVoided));
    assert_eq!(done(&mut whole, Kind::Refund, &all()), Err(Refusal::AlreadyVoided));

    let mut part = authorized();
    done(&mut part, Kind::Capture, &capture(30, false)).unwrap();
    done(&mut part, Kind::Void, &all()).unwrap();
    assert_eq!((part.status, part.sums.released, part.sums.captured), (Status::Captured, 70, 30));
}

#[test]
fn a_failed_void_changes_nothing() {
    let mut charge = authorized();
    let held = charge.reserve(Kind::Void, &all()).unwrap();
    assert_eq!(charge.reserve(Kind::Capture, &all()), Err(Refusal::UnexpectedState));
    charge.conclude(Kind::Void, held, false);
    assert_eq!((charge.status, charge.capturable()), (Status::Authorized, 100));
}

#[test]
fn a_void_cancels_what_is_not_authorized_yet() {
    for outcome in [Outcome::Ask, Outcome::Wait(None)] {
        let mut charge = charge(CaptureMode::Automatic, outcome);
        done(&mut charge, Kind::Void, &all()).unwrap();
        assert_eq!((charge.status, charge.due_at, charge.sums), (Status::Voided, None, Sums::default()));
        assert_eq!(charge.settle(Verdict::Approve, NOW), Err(Refusal::UnexpectedState));
    }
}

#[test]
fn refunds_never_exceed_what_was_captured() {
    let mut charge = charge(CaptureMode::Automatic, Outcome::Approve);
    let open = charge.reserve(Kind::Refund, &amount(60)).unwrap();
    assert_eq!(done(&mut charge, Kind::Refund, &amount(41)), Err(Refusal::AmountTooLarge));
    done(&mut charge, Kind::Refund, &amount(40)).unwrap();
    assert_eq!(done(&mut charge, Kind::Refund, &amount(1)), Err(Refusal::AlreadyRefunded));
    charge.conclude(Kind::Refund, open, false);
    done(&mut charge, Kind::Refund, &all()).unwrap();
    assert_eq!((charge.status, charge.sums.refunded), (Status::Captured, 100));
}

#[test]
fn nothing_is_refunded_before_it_is_captured() {
    assert_eq!(authorized().reserve(Kind::Refund, &amount(1)), Err(Refusal::UnexpectedState));
}

#[test]
fn a_decline_is_the_end() {
    let mut charge = charge(CaptureMode::Manual, Outcome::Decline(DO_NOT_HONOR));
    for kind in [Kind::Capture, Kind::Void, Kind::Refund] {
        assert_eq!(charge.reserve(kind, &all()), Err(Refusal::UnexpectedState));
    }
    assert_eq!(charge.settle(Verdict::Approve, NOW), Err(Refusal::UnexpectedState));
    assert_eq!(charge.failure, Some(DO_NOT_HONOR));
}

#[test]
fn the_payers_no_has_its_name() {
    let mut charge = charge(CaptureMode::Manual, Outcome::Ask);
    charge.settle(Verdict::Decline, NOW).unwrap();
    assert_eq!((charge.status, charge.failure), (Status::Declined, Some(AUTHENTICATION_FAILED)));
}

#[test]
fn time_settles_what_is_pending() {
    let mut good = charge(CaptureMode::Automatic, Outcome::Wait(None));
    assert_eq!(good.due_at, Some(NOW.after(3_000)));
    good.fall_due(NOW.after(3_000));
    assert_eq!(good.status, Status::Captured);

    let mut bad = charge(CaptureMode::Automatic, Outcome::Wait(Some(DO_NOT_HONOR)));
    bad.fall_due(NOW.after(3_000));
    assert_eq!((bad.status, bad.failure), (Status::Declined, Some(DO_NOT_HONOR)));
}

#[test]
fn an_authorization_expires_but_waits_for_open_operations() {
    let mut charge = authorized();
    let held = charge.reserve(Kind::Capture, &capture(30, false)).unwrap();
    charge.fall_due(NOW);
    assert_eq!((charge.status, charge.due_at), (Status::Authorized, Some(NOW.after(EXPIRY_POSTPONED_MS))));
    charge.conclude(Kind::Capture, held, true);
    charge.fall_due(NOW);
    assert_eq!((charge.status, charge.sums.released), (Status::Captured, 70));

    let mut untouched = authorized();
    untouched.fall_due(NOW);
    assert_eq!((untouched.status, untouched.sums.released), (Status::Expired, 100));
    assert_eq!(untouched.reserve(Kind::Capture, &all()), Err(Refusal::ChargeExpired));
}
