//! Objects as the API shows them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::account::Mode;
use crate::charge::{Charge, Status};
use crate::clock::Millis;
use crate::id::{Names, Object};
use crate::operation::{Kind, Operation, OperationStatus};
use crate::request::CaptureMode;

#[derive(Serialize)]
pub(crate) struct ChargeView<'a> {
    id: String,
    object: &'static str,
    status: Status,
    mode: Mode,
    amount: i64,
    amount_authorized: i64,
    amount_capturable: i64,
    amount_captured: i64,
    amount_refunded: i64,
    currency: &'a str,
    method: &'a str,
    capture: CaptureMode,
    reference: &'a str,
    description: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    card: Option<CardView>,
    checks: Option<ChecksView>,
    decline: Option<DeclineView>,
    next_action: Option<NextAction>,
    capture_before: Option<Millis>,
    created_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    captures: Option<Vec<OperationView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refunds: Option<Vec<OperationView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voids: Option<Vec<OperationView<'a>>>,
}

#[derive(Serialize)]
struct CardView {
    brand: &'static str,
    last4: &'static str,
    funding: &'static str,
    issuer_country: &'static str,
}

#[derive(Serialize)]
struct ChecksView {
    cvc: &'static str,
    avs_line: &'static str,
    avs_postal: &'static str,
}

#[derive(Serialize)]
struct DeclineView {
    code: &'static str,
    message: &'static str,
    network_code: Option<&'static str>,
    advice_code: Option<&'static str>,
}

#[derive(Serialize)]
struct NextAction {
    r#type: &'static str,
    url: String,
}

#[derive(Serialize)]
pub(crate) struct OperationView<'a> {
    id: String,
    object: Kind,
    status: OperationStatus,
    mode: Mode,
    amount: i64,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#final: Option<bool>,
    reference: &'a str,
    failure: Option<FailureView>,
    created_at: Millis,
    charge_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<ChargeView<'a>>,
}

#[derive(Serialize)]
struct FailureView {
    code: &'static str,
    message: &'static str,
}

/// A list, as look-ups answer it.
#[derive(Serialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
}

impl<'a> ChargeView<'a> {
    /// Without lists, as creating it answers.
    pub(crate) fn compact(names: &Names, charge: &'a Charge) -> Self {
        let request = &charge.request;
        let is_card = request.method == "card";
        Self {
            id: names.id(Object::Charge, charge.number),
            object: Object::Charge.as_str(),
            status: charge.status,
            mode: charge.mode,
            amount: request.amount,
            amount_authorized: charge.sums.authorized,
            amount_capturable: charge.capturable(),
            amount_captured: charge.sums.captured,
            amount_refunded: charge.sums.refunded,
            currency: &request.currency,
            method: &request.method,
            capture: request.capture,
            reference: charge.reference(),
            description: request.description.as_deref(),
            metadata: &request.metadata,
            card: is_card.then(|| CardView::of(request.token.as_deref())),
            checks: is_card.then(|| ChecksView::of(charge)),
            decline: decline(charge),
            next_action: (charge.status == Status::RequiresAction)
                .then(|| NextAction { r#type: "redirect", url: names.page_url(charge.number) }),
            capture_before: charge.due_at.filter(|_| charge.status == Status::Authorized),
            created_at: charge.created_at,
            captures: None,
            refunds: None,
            voids: None,
        }
    }

    /// With its captures, refunds and voids, as look-ups answer.
    pub(crate) fn whole(names: &Names, charge: &'a Charge, operations: &'a [Operation]) -> Self {
        let of_kind = |kind| {
            let wanted = operations.iter().filter(|operation| operation.kind == kind);
            Some(wanted.map(|operation| OperationView::bare(names, operation)).collect())
        };
        Self {
            captures: of_kind(Kind::Capture),
            refunds: of_kind(Kind::Refund),
            voids: of_kind(Kind::Void),
            ..Self::compact(names, charge)
        }
    }
}

impl<'a> OperationView<'a> {
    pub(crate) fn with_charge(names: &Names, operation: &'a Operation, charge: &'a Charge) -> Self {
        Self { charge: Some(ChargeView::compact(names, charge)), ..Self::bare(names, operation) }
    }

    fn bare(names: &Names, operation: &'a Operation) -> Self {
        let last = operation.request.r#final.unwrap_or_default();
        Self {
            id: names.id(Object::Operation(operation.kind), operation.number),
            object: operation.kind,
            status: operation.status,
            mode: operation.mode,
            amount: operation.held.amount,
            currency: &operation.currency,
            r#final: (operation.kind == Kind::Capture).then_some(last),
            reference: operation.reference(),
            failure: failure(operation),
            created_at: operation.created_at,
            charge_id: names.id(Object::Charge, operation.charge),
            charge: None,
        }
    }
}

impl CardView {
    /// The test cards' numbers end like those that every tester knows.
    fn of(token: Option<&str>) -> Self {
        match token {
            Some("tok_mastercard") => {
                Self { brand: "mastercard", last4: "4444", funding: "debit", issuer_country: "DE" }
            }
            Some("tok_amex") => Self { brand: "amex", last4: "0005", funding: "credit", issuer_country: "US" },
            _ => Self { brand: "visa", last4: "4242", funding: "credit", issuer_country: "NL" },
        }
    }
}

impl ChecksView {
    fn of(charge: &Charge) -> Self {
        let (cvc, avs) = match charge.status {
            Status::Pending | Status::RequiresAction => ("unavailable", "unavailable"),
            // Cancelled before the issuer was asked.
            Status::Voided | Status::Expired if charge.sums.authorized == 0 => ("unavailable", "unavailable"),
            Status::Authorized | Status::Captured | Status::Voided | Status::Expired | Status::Declined => {
                match charge.failure.map(|decline| decline.code) {
                    Some("incorrect_cvc") => ("fail", "pass"),
                    Some("incorrect_address") => ("pass", "fail"),
                    Some(_) | None => ("pass", "pass"),
                }
            }
        };
        Self { cvc, avs_line: avs, avs_postal: avs }
    }
}

/// What is going to be declined is not declined yet.
fn decline(charge: &Charge) -> Option<DeclineView> {
    let decline = charge.failure.filter(|_| charge.status == Status::Declined)?;
    Some(DeclineView {
        code: decline.code,
        message: decline.message,
        network_code: decline.network_code,
        advice_code: decline.advice_code,
    })
}

fn failure(operation: &Operation) -> Option<FailureView> {
    let failure = operation.failure.filter(|_| operation.status == OperationStatus::Failed)?;
    Some(FailureView { code: failure.code, message: failure.message })
}
