//! The provider's JSON, as `docs/simulator.md` has it. Bodies hold tokens and names, so they have no `Debug`.

use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct ChargeBody<'a> {
    pub(crate) amount: i64,
    pub(crate) currency: &'static str,
    pub(crate) method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<&'a str>,
    pub(crate) capture: &'static str,
    pub(crate) reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) statement_descriptor: Option<&'a str>,
    pub(crate) country: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) return_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<CustomerBody<'a>>,
}

#[derive(Serialize)]
pub(crate) struct CustomerBody<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
    pub(crate) phone: Option<&'a str>,
}

#[derive(Serialize)]
pub(crate) struct CaptureBody<'a> {
    pub(crate) amount: i64,
    pub(crate) r#final: bool,
    pub(crate) reference: &'a str,
}

#[derive(Serialize)]
pub(crate) struct VoidBody<'a> {
    pub(crate) reference: &'a str,
}

#[derive(Serialize)]
pub(crate) struct RefundBody<'a> {
    pub(crate) amount: i64,
    pub(crate) reference: &'a str,
}

#[derive(Deserialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
}

#[derive(Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) status: ChargeStatus,
    pub(crate) reference: String,
    pub(crate) currency: Option<String>,
    pub(crate) amount_authorized: Option<i64>,
    pub(crate) amount_captured: Option<i64>,
    pub(crate) card: Option<Card>,
    pub(crate) checks: Option<Checks>,
    pub(crate) decline: Option<Decline>,
    pub(crate) next_action: Option<NextAction>,
    pub(crate) capture_before: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeStatus {
    Pending,
    RequiresAction,
    Authorized,
    Captured,
    Voided,
    Expired,
    Declined,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
pub(crate) struct Card {
    pub(crate) brand: Option<String>,
    pub(crate) last4: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Checks {
    pub(crate) cvc: Option<String>,
    pub(crate) avs_line: Option<String>,
    pub(crate) avs_postal: Option<String>,
}

/// Of a charge, and, with the first two members, of a capture, void or refund.
#[derive(Deserialize)]
pub(crate) struct Decline {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) network_code: Option<String>,
    pub(crate) advice_code: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct NextAction {
    pub(crate) r#type: String,
    pub(crate) url: Option<String>,
}

/// A capture, void or refund.
#[derive(Deserialize)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) status: OperationStatus,
    pub(crate) reference: String,
    pub(crate) charge_id: String,
    pub(crate) currency: Option<String>,
    pub(crate) amount: Option<i64>,
    pub(crate) failure: Option<Decline>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OperationStatus {
    Pending,
    Succeeded,
    Failed,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: ErrorDetail,
}

#[derive(Deserialize)]
pub(crate) struct ErrorDetail {
    pub(crate) code: String,
    pub(crate) message: Option<String>,
    pub(crate) field: Option<String>,
}
