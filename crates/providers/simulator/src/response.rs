//! Their words to ours: outcomes, declines and errors.

use serde::de::DeserializeOwned;
use switchyard_core::failure::Origin;
use switchyard_core::limits::PROVIDER_TEXT_CHARS_MAX;
use switchyard_core::payment::{CaptureMode, CardFacts, Checks, News, NextAction, Release};
use switchyard_core::provider::{Found, ProviderError, Reference};
use switchyard_core::settle::Report;
use switchyard_core::transport::HttpResponse;
use switchyard_core::{Currency, Failure, FailureCode, Money, OperationId, OperationKind, Timestamp};

use crate::request::reference;
use crate::wire::{self, ChargeStatus, OperationStatus};

/// What only the gateway can say.
const OURS_ALONE: [FailureCode; 5] = [
    FailureCode::ProviderUnreachable,
    FailureCode::NotCompleted,
    FailureCode::NoChannelAvailable,
    FailureCode::RejectedByRule,
    FailureCode::ChannelSaturated,
];

/// The answer to an authorization or sale.
pub(crate) fn charge(response: &HttpResponse, asked: OperationId, mode: CaptureMode) -> Result<Report, ProviderError> {
    report_charge(read(response)?, asked, mode)
}

/// The answer to a capture, void or refund of `charge`.
pub(crate) fn operation(response: &HttpResponse, asked: OperationId, charge: &str) -> Result<Report, ProviderError> {
    report_operation(read(response)?, asked, Some(charge))
}

/// The answer to a look-up by the provider's id. That it has no such object proves nothing.
pub(crate) fn got(response: &HttpResponse, asked: &Reference) -> Result<Found, ProviderError> {
    let report = match asked.kind {
        OperationKind::Authorize => report_charge(read(response)?, asked.operation, CaptureMode::Manual),
        OperationKind::Sale => report_charge(read(response)?, asked.operation, CaptureMode::Automatic),
        OperationKind::Capture | OperationKind::Void | OperationKind::Refund => {
            report_operation(read(response)?, asked.operation, asked.charge.provider_reference.as_deref())
        }
    };
    Ok(Found::Known(Box::new(report?)))
}

/// The answer to a look-up by our reference.
pub(crate) fn found(response: &HttpResponse, asked: &Reference) -> Result<Found, ProviderError> {
    let report = match asked.kind {
        OperationKind::Authorize => {
            only(response)?.map(|charge| report_charge(charge, asked.operation, CaptureMode::Manual))
        }
        OperationKind::Sale => {
            only(response)?.map(|charge| report_charge(charge, asked.operation, CaptureMode::Automatic))
        }
        OperationKind::Capture | OperationKind::Void | OperationKind::Refund => {
            let charge = asked.charge.provider_reference.as_deref();
            only(response)?.map(|operation| report_operation(operation, asked.operation, charge))
        }
    };
    report.map_or(Ok(Found::NotFound), |report| Ok(Found::Known(Box::new(report?))))
}

/// The id of the charge that `asked` made. `None` where there is none.
pub(crate) fn charge_id(response: &HttpResponse, asked: OperationId) -> Result<Option<String>, ProviderError> {
    let Some(charge) = only::<wire::Charge>(response)? else { return Ok(None) };
    same(&charge.reference, asked)?;
    Ok(Some(charge.id))
}

/// Our references are unique: two objects of one are a mistake that no code can judge.
fn only<T: DeserializeOwned>(response: &HttpResponse) -> Result<Option<T>, ProviderError> {
    let mut data = read::<wire::List<T>>(response)?.data;
    let last = data.pop();
    if data.is_empty() { Ok(last) } else { Err(unreadable("several objects with one reference")) }
}

fn report_charge(charge: wire::Charge, asked: OperationId, mode: CaptureMode) -> Result<Report, ProviderError> {
    same(&charge.reference, asked)?;
    let approved = |minor: Option<i64>| money(minor, charge.currency.as_deref()).map(News::Approved);
    let news = match (charge.status, mode) {
        (ChargeStatus::Pending, _) => News::Accepted,
        (ChargeStatus::RequiresAction, _) => News::RequiresAction(next_action(charge.next_action)?),
        (ChargeStatus::Authorized | ChargeStatus::Captured, CaptureMode::Manual) => approved(charge.amount_authorized)?,
        (ChargeStatus::Captured, CaptureMode::Automatic) => approved(charge.amount_captured)?,
        (ChargeStatus::Authorized, CaptureMode::Automatic) => return Err(unreadable("a sale that is held")),
        (ChargeStatus::Voided, _) => News::Released(Release::Voided),
        (ChargeStatus::Expired, _) => News::Released(Release::Expired),
        (ChargeStatus::Declined, _) => News::Refused(decline(charge.decline)),
        (ChargeStatus::Unknown, _) => return Err(unreadable("a charge of unknown status")),
    };
    // A charge that is closed holds nothing any more, whoever let go of the rest.
    let closed = matches!((charge.status, mode), (ChargeStatus::Captured, CaptureMode::Manual));
    Ok(Report {
        news,
        released: closed.then_some(Release::Expired),
        provider_reference: Some(charge.id),
        card: charge.card.map(|card| CardFacts { brand: card.brand, last4: card.last4 }),
        checks: charge.checks.map(checks),
        capture_before: charge.capture_before.as_deref().and_then(time),
    })
}

fn report_operation(
    operation: wire::Operation,
    asked: OperationId,
    charge: Option<&str>,
) -> Result<Report, ProviderError> {
    same(&operation.reference, asked)?;
    if charge.is_some_and(|charge| charge != operation.charge_id) {
        return Err(unreadable("an object of another charge"));
    }
    let news = match operation.status {
        OperationStatus::Pending => News::Accepted,
        OperationStatus::Succeeded => News::Approved(money(operation.amount, operation.currency.as_deref())?),
        OperationStatus::Failed => News::Refused(decline(operation.failure)),
        OperationStatus::Unknown => return Err(unreadable("an object of unknown status")),
    };
    Ok(Report { provider_reference: Some(operation.id), ..Report::bare(news) })
}

fn same(told: &str, asked: OperationId) -> Result<(), ProviderError> {
    if told == reference(asked) { Ok(()) } else { Err(unreadable("an object that was not asked for")) }
}

fn money(minor: Option<i64>, currency: Option<&str>) -> Result<Money, ProviderError> {
    currency
        .and_then(Currency::from_code)
        .and_then(|currency| Money::new(minor?, currency))
        .ok_or_else(|| unreadable("a success without an amount"))
}

fn next_action(action: Option<wire::NextAction>) -> Result<NextAction, ProviderError> {
    match action {
        Some(wire::NextAction { r#type, url: Some(url) }) if r#type == "redirect" => {
            Ok(NextAction::Redirect { url, expires_at: None })
        }
        Some(_) | None => Err(unreadable("an action of unknown type")),
    }
}

fn checks(checks: wire::Checks) -> Checks {
    Checks {
        cvc: checks.cvc.map(check),
        avs_line: checks.avs_line.map(check),
        avs_postal: checks.avs_postal.map(check),
    }
}

fn check(word: String) -> String {
    match word.as_str() {
        "pass" => "match".into(),
        "fail" => "mismatch".into(),
        _ => "unavailable".into(),
    }
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
}

/// The codes of `docs/simulator.md`, "Test tokens", are named like ours; another one is kept beside the generic one.
fn decline(decline: Option<wire::Decline>) -> Failure {
    let Some(decline) = decline else { return Failure::new(FailureCode::GenericDecline) };
    let known = decline.code.as_deref().and_then(FailureCode::from_name).filter(|code| !OURS_ALONE.contains(code));
    Failure {
        network_code: decline.network_code.map(clip),
        advice_code: decline.advice_code.map(clip),
        ..told(known.unwrap_or(FailureCode::GenericDecline), decline.code, decline.message)
    }
}

/// Reads the body of a success.
fn read<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, ProviderError> {
    match response.status {
        200 => serde_json::from_slice(&response.body).map_err(|_| unreadable("a 200 without the documented body")),
        400..=499 => Err(refusal(response)),
        status => Err(undocumented(status)),
    }
}

/// `docs/simulator.md`, "Errors": any 4xx of this form means that nothing was recorded.
fn refusal(response: &HttpResponse) -> ProviderError {
    let Ok(wire::ErrorBody { error }) = serde_json::from_slice(&response.body) else {
        return undocumented(response.status);
    };
    let code = match (response.status, error.code.as_str()) {
        (429, "rate_limited") => {
            let told = response.header("retry-after").and_then(|text| text.parse().ok());
            return ProviderError::RateLimited { retry_after_seconds: told };
        }
        (409, "idempotency_mismatch")
        | (422, "already_captured" | "already_voided" | "already_refunded" | "unexpected_state") => {
            return ProviderError::Conflict(clip(error.code));
        }
        (401 | 403, _) | (404, "no_such_endpoint") | (405, "method_not_allowed") => FailureCode::Configuration,
        (400, "parameter_missing" | "parameter_invalid") => match error.field.as_deref() {
            Some("amount") => FailureCode::AmountInvalid,
            Some("currency") => FailureCode::CurrencyNotSupported,
            Some(_) | None => FailureCode::InvalidData,
        },
        (422, "amount_too_large") => FailureCode::AmountInvalid,
        (422, "charge_expired") => FailureCode::Expired,
        (400, "body_unreadable") | (404, "not_found") | (413, "body_too_large") | (422, "invalid_token") => {
            FailureCode::InvalidData
        }
        (status, _) => return undocumented(status),
    };
    let failure = told(code, Some(error.code), error.message);
    let origin = if code == FailureCode::Configuration { Origin::Gateway } else { failure.origin };
    ProviderError::Refused(Box::new(Failure { origin, ..failure }))
}

fn told(code: FailureCode, provider_code: Option<String>, provider_message: Option<String>) -> Failure {
    Failure::told(code, provider_code.map(clip), provider_message.map(clip))
}

fn clip(text: String) -> String {
    if text.len() <= PROVIDER_TEXT_CHARS_MAX { text } else { text.chars().take(PROVIDER_TEXT_CHARS_MAX).collect() }
}

fn undocumented(status: u16) -> ProviderError {
    ProviderError::Unreadable(format!("status {status}, not as documented"))
}

fn unreadable(what: &str) -> ProviderError {
    ProviderError::Unreadable(what.into())
}
