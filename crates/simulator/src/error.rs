//! Every error the API answers, with its HTTP status and code.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::words::words;

/// Why a request was not carried out. What each means to the caller stands in `docs/simulator.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// With what the parser said.
    BodyUnreadable(String),
    BodyTooLarge,
    /// With the name of the member or header.
    ParameterMissing(&'static str),
    /// With the name of the member or header, and what it must be.
    ParameterInvalid(&'static str, &'static str),
    KeyMissing,
    KeyInvalid,
    KeyRevoked,
    NotFound,
    NoSuchEndpoint,
    MethodNotAllowed,
    IdempotencyMismatch,
    InvalidToken,
    Refused(Refusal),
    RateLimited,
    Internal,
}

words! {
    /// Why a capture, void or refund is impossible for the charge as it stands.
    Refusal {
        AmountTooLarge = "amount_too_large",
        AlreadyCaptured = "already_captured",
        AlreadyVoided = "already_voided",
        AlreadyRefunded = "already_refunded",
        ChargeExpired = "charge_expired",
        UnexpectedState = "unexpected_state",
    }
}

impl Refusal {
    const fn message(self) -> &'static str {
        match self {
            Self::AmountTooLarge => "the amount is more than is left of the charge",
            Self::AlreadyCaptured => "the charge is captured",
            Self::AlreadyVoided => "the charge is voided",
            Self::AlreadyRefunded => "all that was captured is refunded, or is being refunded",
            Self::ChargeExpired => "the charge is expired",
            Self::UnexpectedState => "the charge is in a state that does not allow this",
        }
    }
}

/// Status, type, code.
type Row = (StatusCode, &'static str, &'static str);

impl ApiError {
    fn row(&self) -> Row {
        match self {
            Self::BodyUnreadable(_) => (StatusCode::BAD_REQUEST, "invalid_request", "body_unreadable"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "body_too_large"),
            Self::ParameterMissing(_) => (StatusCode::BAD_REQUEST, "invalid_request", "parameter_missing"),
            Self::ParameterInvalid(..) => (StatusCode::BAD_REQUEST, "invalid_request", "parameter_invalid"),
            Self::KeyMissing => (StatusCode::UNAUTHORIZED, "authentication", "key_missing"),
            Self::KeyInvalid => (StatusCode::UNAUTHORIZED, "authentication", "key_invalid"),
            Self::KeyRevoked => (StatusCode::UNAUTHORIZED, "authentication", "key_revoked"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "not_found"),
            Self::NoSuchEndpoint => (StatusCode::NOT_FOUND, "not_found", "no_such_endpoint"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "method_not_allowed"),
            Self::IdempotencyMismatch => (StatusCode::CONFLICT, "conflict", "idempotency_mismatch"),
            Self::InvalidToken => (StatusCode::UNPROCESSABLE_ENTITY, "refused", "invalid_token"),
            Self::Refused(refusal) => (StatusCode::UNPROCESSABLE_ENTITY, "refused", refusal.as_str()),
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limit", "rate_limited"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal"),
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::ParameterMissing(field) | Self::ParameterInvalid(field, _) => Some(field),
            Self::KeyMissing | Self::KeyInvalid | Self::KeyRevoked => Some("Authorization"),
            Self::InvalidToken => Some("token"),
            Self::Refused(Refusal::AmountTooLarge) => Some("amount"),
            Self::BodyUnreadable(_)
            | Self::BodyTooLarge
            | Self::NotFound
            | Self::NoSuchEndpoint
            | Self::MethodNotAllowed
            | Self::IdempotencyMismatch
            | Self::Refused(_)
            | Self::RateLimited
            | Self::Internal => None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyUnreadable(why) => write!(out, "the body cannot be read: {why}"),
            Self::BodyTooLarge => out.write_str("the body is too large"),
            Self::ParameterMissing(field) => write!(out, "{field} is required"),
            Self::ParameterInvalid(field, must) => write!(out, "{field} must be {must}"),
            Self::KeyMissing => out.write_str("an API key is required: Authorization: Bearer sim_test_<account>"),
            Self::KeyInvalid => out.write_str("this is no API key: sim_test_<account> or sim_live_<account>"),
            Self::KeyRevoked => out.write_str("the API key is revoked"),
            Self::NotFound => out.write_str("no such object in these books"),
            Self::NoSuchEndpoint => out.write_str("no such path"),
            Self::MethodNotAllowed => out.write_str("the path does not know this method"),
            Self::IdempotencyMismatch => out.write_str("the idempotency key was used for another request"),
            Self::InvalidToken => out.write_str("unknown token"),
            Self::Refused(refusal) => out.write_str(refusal.message()),
            Self::RateLimited => out.write_str("too many requests"),
            Self::Internal => out.write_str("something went wrong here; look the object up before you try again"),
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    code: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.row().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, r#type, code) = self.row();
        let mut response = HttpResponse::build(status);
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.insert_header((RETRY_AFTER, "1"));
        }
        response.json(Envelope { error: Body { r#type, code, message: self.to_string(), field: self.field() } })
    }
}
