//! Captures, voids and refunds as merchants read them.

use super::payment_view::{FailureView, PaymentView, ProviderView, PublicId};
use super::view::{Shown, Time};
use serde::Serialize;
use switchyard_core::{Mode, Operation, OperationKind, Payment};

/// A capture, void or refund; among the operations of a payment also its authorization.
#[derive(Serialize)]
pub(super) struct OperationView<'a> {
    id: Shown<PublicId>,
    object: &'static str,
    status: &'static str,
    in_doubt: bool,
    live: bool,
    amount: i64,
    currency: &'static str,
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    last: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Option<&'a str>>,
    failure: Option<FailureView<'a>>,
    provider: Option<ProviderView<'a>>,
    created_at: Time,
    updated_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView<'a>>,
}

impl<'a> OperationView<'a> {
    /// With its payment inside.
    pub(super) fn with_payment(operation: &'a Operation, payment: &'a Payment) -> Self {
        Self { payment: Some(PaymentView::of(payment)), ..Self::alone(operation, payment) }
    }

    /// Without, where it stands inside its payment.
    pub(super) fn alone(operation: &'a Operation, payment: &'a Payment) -> Self {
        let (object, last, reason) = match operation.kind {
            OperationKind::Authorize => ("authorization", None, None),
            // Whoever asks for a sale takes all there is.
            OperationKind::Sale => ("capture", Some(true), None),
            OperationKind::Capture => ("capture", Some(operation.last), None),
            OperationKind::Void => ("void", None, Some(operation.reason.as_deref())),
            OperationKind::Refund => ("refund", None, Some(operation.reason.as_deref())),
        };
        Self {
            id: Shown(PublicId(operation.kind, operation.id)),
            object,
            status: operation.state.status().as_str(),
            in_doubt: operation.in_doubt(),
            live: payment.mode == Mode::Live,
            amount: operation.amount,
            currency: payment.amount.currency().code(),
            last,
            reason,
            failure: operation.failure.as_ref().map(FailureView::of),
            provider: ProviderView::of(payment, operation.provider_reference.as_deref()),
            created_at: Time(operation.created_at),
            updated_at: Time(operation.updated_at),
            payment: None,
        }
    }
}
