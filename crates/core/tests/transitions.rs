//! Each rule of the states, one at a time.

use crate::sample::{money, operation, payment};
use switchyard_core::clock::Timestamp;
use switchyard_core::payment::{CaptureMode, News, NextAction, Payment, Refusal, Release, Source};
use switchyard_core::settle::{EventKind, Moved, Report, begin, settle};
use switchyard_core::status::OperationState;
use switchyard_core::{Failure, FailureCode, Operation, OperationKind, PaymentStatus};

fn begun(payment: Payment, operation: Operation) -> (Payment, Operation) {
    let moved = begin(payment, operation, Timestamp(0)).expect("it may begin");
    (moved.payment, moved.operation)
}

fn told(payment: Payment, operation: Operation, news: News) -> Moved {
    settle(payment, operation, &Report::bare(news), Source::Answer, Timestamp(1))
}

fn kinds(moved: &Moved) -> Vec<&'static str> {
    moved.events.iter().map(|event| event.kind.as_str()).collect()
}

fn authorized(amount: i64) -> (Payment, Operation) {
    let (payment, operation) =
        begun(payment(amount, CaptureMode::Manual), operation(0, OperationKind::Authorize, amount));
    let moved = told(payment, operation, News::Approved(money(amount)));
    assert_eq!(moved.payment.status, PaymentStatus::Authorized);
    (moved.payment, moved.operation)
}

fn captured(amount: i64) -> (Payment, Operation) {
    let (payment, operation) =
        begun(payment(amount, CaptureMode::Automatic), operation(0, OperationKind::Sale, amount));
    let moved = told(payment, operation, News::Approved(money(amount)));
    (moved.payment, moved.operation)
}

fn declined() -> News {
    News::Refused(Failure::new(FailureCode::DoNotHonor))
}

#[test]
fn a_sale_tells_of_two_events_and_no_more() {
    let moved =
        begin(payment(1_000, CaptureMode::Automatic), operation(0, OperationKind::Sale, 1_000), Timestamp(0)).unwrap();
    assert_eq!(kinds(&moved), ["payment.created"]);
    let moved = told(moved.payment, moved.operation, News::Approved(money(1_000)));
    assert_eq!(kinds(&moved), ["payment.captured"]);
    assert_eq!(moved.events[0].sequence, 2);
    assert_eq!((moved.payment.captured, moved.payment.refundable()), (1_000, 1_000));
}

#[test]
fn doubt_is_told_and_resolved() {
    let (payment, operation) = begun(payment(1_000, CaptureMode::Automatic), operation(0, OperationKind::Sale, 1_000));
    let moved = told(payment, operation, News::Unknown);
    assert!(moved.payment.in_doubt() && moved.operation.in_doubt());
    assert_eq!(moved.payment.status, PaymentStatus::Processing);
    assert_eq!(kinds(&moved), ["payment.in_doubt"]);
    let again = told(moved.payment.clone(), moved.operation.clone(), News::Unknown);
    assert!(!again.changed && again.events.is_empty());
    let moved = told(moved.payment, moved.operation, News::Approved(money(1_000)));
    assert_eq!(kinds(&moved), ["payment.doubt_resolved", "payment.captured"]);
    assert!(!moved.payment.in_doubt());
}

#[test]
fn silence_after_an_answer_is_no_doubt() {
    let (payment, operation) = begun(payment(1_000, CaptureMode::Automatic), operation(0, OperationKind::Sale, 1_000));
    let moved = told(payment, operation, News::Accepted);
    let moved = told(moved.payment, moved.operation, News::Unknown);
    assert!(!moved.payment.in_doubt() && !moved.changed);
}

#[test]
fn news_that_is_old_or_repeated_changes_nothing() {
    let action = NextAction::Redirect { url: "https://bank.example".into(), expires_at: None };
    let (payment, operation) = captured(1_000);
    for news in [News::Unknown, News::Accepted, News::RequiresAction(action), News::Approved(money(1_000))] {
        let moved = told(payment.clone(), operation.clone(), news.clone());
        assert!(!moved.changed, "{news:?}");
        assert_eq!(moved.payment, payment);
    }
}

#[test]
fn contradictions_overwrite_nothing_and_are_told_once() {
    let (payment, operation) = captured(1_000);
    for news in [declined(), News::Approved(money(999)), News::Released(Release::Voided)] {
        let moved = told(payment.clone(), operation.clone(), news.clone());
        assert_eq!(kinds(&moved), ["payment.contradiction"], "{news:?}");
        assert_eq!((moved.payment.status, moved.payment.captured), (PaymentStatus::Captured, 1_000));
        let again = told(moved.payment, moved.operation, news);
        assert!(!again.changed && again.events.is_empty());
    }
    let (open, operation) = begun(
        crate::sample::payment(1_000, CaptureMode::Automatic),
        crate::sample::operation(0, OperationKind::Sale, 1_000),
    );
    let failed = told(open, operation, declined());
    assert_eq!(failed.payment.status, PaymentStatus::Failed);
    let moved = told(failed.payment, failed.operation, News::Approved(money(1_000)));
    assert_eq!(moved.payment.status, PaymentStatus::Failed);
    assert_eq!(moved.events[0].kind, EventKind::PaymentContradiction);
}

#[test]
fn more_or_other_money_than_asked_is_a_contradiction() {
    let dollars = switchyard_core::Money::new(1_000, switchyard_core::Currency::from_code("USD").unwrap()).unwrap();
    for wrong in [money(1_001), money(0), dollars] {
        let (payment, operation) =
            begun(payment(1_000, CaptureMode::Manual), operation(0, OperationKind::Authorize, 1_000));
        let moved = told(payment, operation, News::Approved(wrong));
        assert_eq!(moved.payment.status, PaymentStatus::Processing, "{wrong:?}");
        assert!(moved.payment.contradiction.is_some());
    }
}

#[test]
fn a_partial_approval_is_authorized_for_less() {
    let (payment, operation) =
        begun(payment(1_000, CaptureMode::Manual), operation(0, OperationKind::Authorize, 1_000));
    let moved = told(payment, operation, News::Approved(money(600)));
    assert_eq!(moved.payment.status, PaymentStatus::Authorized);
    assert_eq!(moved.payment.capturable(), 600);
}

#[test]
fn captures_add_up_and_a_final_one_lets_go_of_the_rest() {
    let (payment, _) = authorized(1_000);
    let (payment, first) = begun(payment, operation(1, OperationKind::Capture, 400));
    assert_eq!(payment.capturable(), 600);
    let moved = told(payment, first, News::Approved(money(400)));
    assert_eq!((moved.payment.status, moved.payment.capturable()), (PaymentStatus::Authorized, 600));
    let mut last = operation(2, OperationKind::Capture, 100);
    last.last = true;
    let (payment, last) = begun(moved.payment, last);
    let moved = told(payment, last, News::Approved(money(100)));
    assert_eq!(moved.payment.status, PaymentStatus::Captured);
    assert_eq!((moved.payment.captured, moved.payment.released), (500, 500));
    assert_eq!(kinds(&moved), ["capture.succeeded", "payment.captured"]);
}

#[test]
fn what_is_under_way_stands_in_the_way() {
    let (payment, _) = authorized(1_000);
    let (open, _) = begun(payment.clone(), operation(1, OperationKind::Capture, 400));
    let void = begin(open.clone(), operation(2, OperationKind::Void, 600), Timestamp(0));
    assert!(matches!(void, Err(Refusal::OperationInProgress { .. })));
    let over = begin(open.clone(), operation(2, OperationKind::Capture, 601), Timestamp(0));
    assert_eq!(over.err(), Some(Refusal::AmountTooLarge { available: 600 }));
    let mut last = operation(2, OperationKind::Capture, 100);
    last.last = true;
    assert!(matches!(begin(open, last, Timestamp(0)), Err(Refusal::OperationInProgress { .. })));
    let (voiding, _) = begun(payment, operation(1, OperationKind::Void, 1_000));
    let capture = begin(voiding.clone(), operation(2, OperationKind::Capture, 1), Timestamp(0));
    assert!(matches!(capture, Err(Refusal::OperationInProgress { .. })));
    let void = begin(voiding, operation(2, OperationKind::Void, 1_000), Timestamp(0));
    assert!(matches!(void, Err(Refusal::OperationInProgress { .. })));
}

#[test]
fn voids_and_expiries_close_what_is_left() {
    let (payment, charge) = authorized(1_000);
    let (voiding, void) = begun(payment.clone(), operation(1, OperationKind::Void, 1_000));
    let moved = told(voiding, void, News::Approved(money(1_000)));
    assert_eq!((moved.payment.status, moved.payment.released), (PaymentStatus::Voided, 1_000));
    let expired = told(payment.clone(), charge.clone(), News::Released(Release::Expired));
    assert_eq!(expired.payment.status, PaymentStatus::Expired);
    // With a capture under way, its outcome comes first.
    let (capturing, _) = begun(payment, operation(1, OperationKind::Capture, 400));
    let moved = told(capturing, charge, News::Released(Release::Expired));
    assert_eq!(moved.payment.status, PaymentStatus::Authorized);
}

#[test]
fn reversals_free_or_take_back() {
    let (payment, sale) = captured(1_000);
    let (payment, refund) = begun(payment, operation(1, OperationKind::Refund, 1_000));
    let moved = told(payment, refund, News::Approved(money(1_000)));
    assert_eq!(moved.payment.refundable(), 0);
    let moved = told(moved.payment, moved.operation, News::Reversed("account closed".into()));
    assert_eq!((moved.payment.refunded, moved.payment.refundable()), (0, 1_000));
    assert_eq!(moved.operation.state, OperationState::Reversed);
    assert_eq!(kinds(&moved), ["refund.reversed"]);
    let moved = told(moved.payment, sale, News::Reversed("returned".into()));
    assert_eq!(moved.payment.status, PaymentStatus::Reversed);
    // Only what succeeded can be reversed.
    let (payment, _) = captured(1_000);
    let (payment, refund) = begun(payment, operation(1, OperationKind::Refund, 10));
    let moved = told(payment, refund, News::Reversed("?".into()));
    assert!(moved.payment.contradiction.is_some());
}

#[test]
fn a_refusal_with_a_way_left_to_pay_is_no_end() {
    let action = NextAction::Redirect { url: "https://bank.example".into(), expires_at: None };
    let (payment, operation) = begun(payment(1_000, CaptureMode::Automatic), operation(0, OperationKind::Sale, 1_000));
    let moved = told(payment, operation, News::RequiresAction(action));
    let moved = told(moved.payment, moved.operation, News::AttemptRefused(Failure::new(FailureCode::DoNotHonor)));
    assert_eq!(moved.payment.status, PaymentStatus::RequiresAction);
    assert!(moved.payment.last_failure.is_some() && moved.payment.failure.is_none());
    let moved = told(moved.payment, moved.operation, News::Approved(money(1_000)));
    assert_eq!(moved.payment.status, PaymentStatus::Captured);
    assert!(moved.payment.next_action.is_none());
}
