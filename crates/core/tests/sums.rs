//! Whatever is asked and whatever is heard, in any order: the sums hold, and nothing final is undone by old news.

use crate::sample::{money, operation, payment};
use proptest::prelude::*;
use std::collections::HashMap;
use switchyard_core::clock::Timestamp;
use switchyard_core::payment::{CaptureMode, News, Payment, Release, Source};
use switchyard_core::settle::{Report, begin, settle};
use switchyard_core::status::OperationState;
use switchyard_core::{Failure, FailureCode, Operation, OperationKind, PaymentStatus};

#[derive(Clone, Debug)]
enum Step {
    Begin(OperationKind, i64, bool),
    /// News of the n-th operation.
    Hear(usize, Heard),
}

#[derive(Clone, Copy, Debug)]
enum Heard {
    Unknown,
    Accepted,
    Approved,
    ApprovedOdd(i64),
    Refused,
    Voided,
    Expired,
    Reversed,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop::sample::select(vec![OperationKind::Capture, OperationKind::Void, OperationKind::Refund]);
    let heard = prop_oneof![
        4 => Just(Heard::Approved),
        2 => Just(Heard::Unknown),
        1 => Just(Heard::Accepted),
        1 => Just(Heard::Refused),
        1 => Just(Heard::Voided),
        1 => Just(Heard::Expired),
        1 => Just(Heard::Reversed),
        1 => (1..2_000_i64).prop_map(Heard::ApprovedOdd),
    ];
    prop_oneof![
        (kind, 1..700_i64, any::<bool>()).prop_map(|(kind, amount, last)| Step::Begin(
            kind,
            amount,
            last && kind == OperationKind::Capture
        )),
        (0..12_usize, heard).prop_map(|(number, heard)| Step::Hear(number, heard)),
    ]
}

fn news(heard: Heard, operation: &Operation) -> News {
    match heard {
        Heard::Unknown => News::Unknown,
        Heard::Accepted => News::Accepted,
        Heard::Approved => News::Approved(money(operation.amount)),
        Heard::ApprovedOdd(amount) => News::Approved(money(amount)),
        Heard::Refused => News::Refused(Failure::new(FailureCode::DoNotHonor)),
        Heard::Voided => News::Released(Release::Voided),
        Heard::Expired => News::Released(Release::Expired),
        Heard::Reversed => News::Reversed("taken back".into()),
    }
}

/// The sums as the operations alone have them.
fn sums(operations: &[Operation]) -> (i64, i64) {
    let sum = |of: &dyn Fn(&Operation) -> bool| operations.iter().filter(|it| of(it)).map(|it| it.amount).sum();
    let done = |it: &Operation| it.state == OperationState::Succeeded;
    (
        sum(&|it| matches!(it.kind, OperationKind::Capture | OperationKind::Sale) && done(it)),
        sum(&|it| it.kind == OperationKind::Refund && done(it)),
    )
}

fn check(payment: &Payment, operations: &[Operation]) -> Result<(), TestCaseError> {
    let (captured, refunded) = sums(operations);
    prop_assert_eq!(payment.captured, captured);
    prop_assert_eq!(payment.refunded, refunded);
    prop_assert!(payment.authorized <= payment.amount.minor());
    prop_assert!(payment.released >= 0 && payment.captured + payment.released <= payment.authorized);
    let open: Vec<_> = operations.iter().filter(|it| it.state.open()).map(|it| it.id).collect();
    let pending: Vec<_> = payment.pending.iter().map(|it| it.operation).collect();
    prop_assert_eq!(pending, open, "what is pending is what is open");
    prop_assert_eq!(payment.in_doubt(), operations.iter().any(Operation::in_doubt));
    match payment.status {
        PaymentStatus::Authorized => prop_assert!(payment.captured + payment.released < payment.authorized),
        PaymentStatus::Voided | PaymentStatus::Expired => prop_assert_eq!(payment.captured, 0),
        PaymentStatus::Failed => prop_assert_eq!((payment.authorized, payment.captured), (0, 0)),
        PaymentStatus::Captured => prop_assert!(payment.captured > 0),
        PaymentStatus::Processing | PaymentStatus::RequiresAction | PaymentStatus::Reversed => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn sums_and_states_agree_with_the_operations(
        capture in prop::sample::select(vec![CaptureMode::Automatic, CaptureMode::Manual]),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let kind = if capture == CaptureMode::Automatic { OperationKind::Sale } else { OperationKind::Authorize };
        let begun = begin(payment(1_000, capture), operation(0, kind, 1_000), Timestamp(0)).unwrap();
        let (mut payment, mut operations) = (begun.payment, vec![begun.operation]);
        let mut sequences = HashMap::from([(None, 1)]);
        for step in steps {
            let events = match step {
                Step::Begin(kind, amount, last) => {
                    let mut wanted = operation(operations.len() as u128, kind, amount);
                    wanted.last = last;
                    let before = (payment.capturable(), payment.refundable());
                    let Ok(moved) = begin(payment.clone(), wanted, Timestamp(0)) else { continue };
                    match kind {
                        OperationKind::Capture => prop_assert!(amount <= before.0),
                        OperationKind::Refund => prop_assert!(amount <= before.1),
                        OperationKind::Void | OperationKind::Authorize | OperationKind::Sale => {}
                    }
                    payment = moved.payment;
                    operations.push(moved.operation);
                    moved.events
                }
                Step::Hear(number, heard) => {
                    let Some(known) = operations.get(number).cloned() else { continue };
                    let report = Report::bare(news(heard, &known));
                    let before = payment.clone();
                    let moved = settle(payment, known, &report, Source::Notice, Timestamp(1));
                    let ended = !before.status.open() && before.status != PaymentStatus::Authorized;
                    if ended && moved.payment.status != before.status {
                        // What has ended moves by a true reversal only.
                        prop_assert_eq!(moved.payment.status, PaymentStatus::Reversed);
                    }
                    payment = moved.payment;
                    operations[number] = moved.operation;
                    moved.events
                }
            };
            for event in events {
                let last = sequences.entry(event.operation).or_insert(0);
                prop_assert_eq!(event.sequence, *last + 1, "a gap in the events");
                *last = event.sequence;
            }
            check(&payment, &operations)?;
        }
    }
}

/// An id of the provider is used to ask by. One that must not be kept is dropped, not replaced by words that name nothing.
#[test]
fn a_reference_is_kept_as_it_is_or_not_at_all() {
    let kept = |reference: &str| {
        let report = Report { provider_reference: Some(reference.into()), ..Report::bare(News::Accepted) };
        report.screened().provider_reference
    };
    assert_eq!(kept("ch_5f0c2d7e000000000001").as_deref(), Some("ch_5f0c2d7e000000000001"));
    assert_eq!(kept("ch_a4111111111111111"), None);
    assert_eq!(kept(&"x".repeat(256)), None);
}
