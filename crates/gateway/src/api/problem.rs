//! Every answer that is no object: one table of codes, one form (RFC 9457).

use super::faults::{Fault, Faults};
use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;
use std::borrow::Cow;
use std::time::Duration;
use switchyard_core::payment::Refusal;
use switchyard_core::{OperationKind, PaymentId};
use switchyard_engine::EngineError;
use switchyard_store::StoreError;

/// Where the docs explain a code, relative to the API's own address; the code follows.
const TYPE_PREFIX: &str = "/docs/errors#";

/// What the media type of a problem is (RFC 9457, section 6.1).
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! codes {
    ($($variant:ident $name:literal $status:literal $title:literal;)*) => {
        /// Why a request was not carried out.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Code { $($variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            #[cfg_attr(not(test), expect(dead_code, reason = "the docs page of errors is made from it"))]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in answers.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status.
            pub(crate) const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The same words for every problem of the code.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    InvalidJson "invalid_json" 400 "The body is not JSON";
    InvalidRequest "invalid_request" 400 "The request has faulty fields";
    TooDeep "too_deep" 400 "The body nests too deeply";
    BodyIncomplete "body_incomplete" 400 "The body ended too early";
    CardNumberRefused "card_number_refused" 400 "Card numbers are refused";
    IdempotencyKeyMissing "idempotency_key_missing" 400 "The Idempotency-Key header is missing";
    IdempotencyKeyInvalid "idempotency_key_invalid" 400 "The Idempotency-Key header is not a key";
    Unauthorized "unauthorized" 401 "The API key is missing or unknown";
    KeyExpired "key_expired" 401 "The API key has expired";
    KeyRevoked "key_revoked" 401 "The API key was revoked";
    AddressNotAllowed "address_not_allowed" 403 "The API key may not be used from this address";
    ScopeMissing "scope_missing" 403 "The API key may not do this";
    MerchantNotConfigured "merchant_not_configured" 403 "The API key's merchant is not configured any more";
    NotFound "not_found" 404 "There is no such object or address";
    MethodNotAllowed "method_not_allowed" 405 "This address does not know the method";
    BodyTimeout "body_timeout" 408 "The body took too long to arrive";
    IdempotencyInProgress "idempotency_in_progress" 409 "The original request is still running";
    ReferenceOpen "reference_open" 409 "Another payment with this reference is still open";
    OperationInProgress "operation_in_progress" 409 "Another operation has to end first";
    PaymentState "payment_state" 409 "The payment's state does not allow it";
    RouteStale "route_stale" 409 "The route cannot be followed any more";
    BodyTooLarge "body_too_large" 413 "The body is too large";
    UnsupportedMediaType "unsupported_media_type" 415 "The body has to be JSON";
    AmountTooLarge "amount_too_large" 422 "More is asked for than is left";
    IdempotencyMismatch "idempotency_mismatch" 422 "The idempotency key was used for another request";
    TooManyEndpoints "too_many_endpoints" 422 "There are too many webhook endpoints";
    UnsupportedByChannel "unsupported_by_channel" 422 "The payment's channel cannot do it";
    ScopeNotHeld "scope_not_held" 403 "A key issues no key with a scope that it lacks";
    ExpiryTooLate "expiry_too_late" 403 "A key issues no key that outlives it";
    AddressesTooWide "addresses_too_wide" 403 "A key issues no key for addresses that it refuses";
    TooManyKeys "too_many_keys" 422 "There are too many API keys";
    RateLimited "rate_limited" 429 "Too many requests";
    VersionUnknown "version_unknown" 400 "There is no such version of the API";
    Internal "internal_error" 500 "The gateway failed";
    Overloaded "overloaded" 503 "The gateway has too much to do";
    Stopping "stopping" 503 "The gateway is stopping";
    StoreUnavailable "store_unavailable" 503 "The ledger is unavailable";
}

/// A request that was not carried out.
#[derive(Debug, PartialEq)]
pub(crate) struct Problem {
    /// Why.
    pub(crate) code: Code,
    /// About this case, for the merchant's engineers. Never holds what the request held, but for names of fields.
    pub(crate) detail: Cow<'static, str>,
    /// The faulty fields.
    pub(crate) errors: Vec<Fault>,
    /// When to ask again, in seconds.
    pub(crate) retry_after_seconds: Option<u64>,
    /// The payment that stands in the way.
    pub(crate) payment: Option<PaymentId>,
    /// The methods that the address knows, for the `Allow` header.
    pub(crate) allow: Option<&'static str>,
}

impl Problem {
    /// With a detail and nothing else.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after_seconds: None, payment: None, allow: None }
    }

    /// Faulty fields, all at once.
    pub(crate) fn faulty(faults: Faults) -> Self {
        let detail = match faults.count() {
            1 => Cow::Borrowed("one field is faulty, see errors"),
            count => format!("{count} fields are faulty, see errors").into(),
        };
        Self { errors: faults.into_list(), ..Self::new(Code::InvalidRequest, detail) }
    }

    /// A card number stands there.
    pub(crate) fn card_number(place: &'static str) -> Self {
        let detail = format!(
            "{place} holds what looks like a card number; send the provider's token instead, and take the number to be \
             exposed to whatever logs your requests"
        );
        Self::new(Code::CardNumberRefused, detail)
    }

    /// No such object among the caller's, or no such address.
    pub(crate) fn not_found(what: &'static str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    pub(crate) fn retry_after(mut self, span: Duration) -> Self {
        self.retry_after_seconds = Some(span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0)).max(1));
        self
    }

    /// The answer, but for the headers that every answer carries.
    pub(crate) fn answer(&self, request_id: &str) -> HttpResponse {
        let status = actix_web::http::StatusCode::from_u16(self.code.status())
            .unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = HttpResponse::build(status);
        answer.insert_header((header::CONTENT_TYPE, header::HeaderValue::from_static(PROBLEM_JSON)));
        if let Some(seconds) = self.retry_after_seconds {
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(allow) = self.allow {
            answer.insert_header((header::ALLOW, allow));
        }
        if self.code.status() == 401 {
            answer.insert_header((header::WWW_AUTHENTICATE, self.challenge()));
        }
        answer.body(self.json(request_id))
    }

    /// RFC 6750, section 3: without a key there is no error to tell.
    fn challenge(&self) -> &'static str {
        if matches!(self.code, Code::KeyExpired | Code::KeyRevoked) {
            r#"Bearer realm="switchyard", error="invalid_token""#
        } else {
            r#"Bearer realm="switchyard""#
        }
    }

    fn json(&self, request_id: &str) -> Vec<u8> {
        let body = Body {
            r#type: format!("{TYPE_PREFIX}{}", self.code.name()),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            code: self.code.name(),
            request_id,
            payment: self.payment.map(|payment| payment.to_string()),
            errors: &self.errors,
        };
        let mut bytes = Vec::with_capacity(512);
        // Texts and numbers always become JSON, and a Vec takes all of it.
        if serde_json::to_writer(&mut bytes, &body).is_err() {
            bytes.clear();
        }
        bytes
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        EngineError::Store(error).into()
    }
}

/// The key may have been used before, with success: another key would be another payment.
const NOTHING_DONE: &str = "this attempt recorded nothing and sent nothing; ask again with the same key";

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotFound => Self::not_found("object"),
            EngineError::KeyMismatch => Self::new(
                Code::IdempotencyMismatch,
                "the key names another request, with another path or body; a new request takes a new key",
            ),
            EngineError::KeyInProgress { retry_after } => Self::new(
                Code::IdempotencyInProgress,
                "the first request with this key has not been answered yet; ask again with the same key",
            )
            .retry_after(retry_after),
            EngineError::ReferenceOpen(payment) => {
                let detail = format!(
                    "{payment} has the same reference and is still open; wait for its outcome, or send \
                     \"allow_duplicate_reference\": true"
                );
                Self { payment: Some(payment), ..Self::new(Code::ReferenceOpen, detail) }
            }
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Unsupported { channel, reason } => {
                Self::new(Code::UnsupportedByChannel, format!("channel {channel} {reason}"))
            }
            EngineError::RouteStale { reason, fields } => {
                let mut faults = Faults::default();
                for field in fields {
                    faults.add(field, "differs_from_route", "is not what the route was made for");
                }
                let detail = format!("{reason}; reserve another route, or leave `route` out. Nothing was sent");
                Self { errors: faults.into_list(), ..Self::new(Code::RouteStale, detail) }
            }
            EngineError::Fields(fields) => {
                let mut faults = Faults::default();
                for (path, reason) in fields {
                    faults.add(path, "invalid", reason);
                }
                Self::faulty(faults)
            }
            EngineError::Overloaded => Self::overloaded(),
            EngineError::Unanswered => Self::new(
                Code::Internal,
                "it may have been carried out; send the same request with the same key to learn what became of it",
            )
            .retry_after(Duration::from_secs(1)),
            EngineError::Stopping => Self::new(
                Code::Stopping,
                "this attempt recorded nothing; send it again with the same key, to another instance or after the restart",
            )
            .retry_after(Duration::from_secs(1)),
            EngineError::NoMerchant => Self::no_merchant(),
            EngineError::Store(StoreError::Overloaded) => Self::overloaded(),
            EngineError::Store(error @ (StoreError::Unavailable(_) | StoreError::Corrupt(_))) => {
                tracing::error!(%error, "the ledger refused a request");
                Self::new(Code::StoreUnavailable, NOTHING_DONE)
                    .retry_after(Duration::from_secs(1))
            }
        }
    }
}

impl Problem {
    /// The key is known, and its merchant is gone from the configuration.
    pub(crate) fn no_merchant() -> Self {
        Self::new(Code::MerchantNotConfigured, "the operator has taken the merchant of this API key out of service")
    }

    fn overloaded() -> Self {
        Self::new(Code::Overloaded, NOTHING_DONE).retry_after(Duration::from_secs(1))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::WrongState(_) | Refusal::TooManyOperations => Self::new(Code::PaymentState, detail),
            Refusal::AmountTooLarge { available } => {
                let mut faults = Faults::default();
                faults.add("amount", "too_large", format!("at most {available}, in minor units"));
                let detail = format!("{available} are left, in minor units, with what is under way counted as taken");
                Self { errors: faults.into_list(), ..Self::new(Code::AmountTooLarge, detail) }
            }
            Refusal::OperationInProgress { kind, operation } => {
                let name = match kind {
                    OperationKind::Authorize | OperationKind::Sale => "authorization",
                    OperationKind::Capture => "capture",
                    OperationKind::Void => "void",
                    OperationKind::Refund => "refund",
                };
                let id = kind.public_id(operation);
                Self::new(Code::OperationInProgress, format!("{name} {id} is still under way; its outcome comes first"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchyard_core::{ChannelName, OperationId, PaymentStatus};
    use uuid::Uuid;

    #[test]
    fn every_code_has_one_name_and_an_error_status() {
        let names: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| (400..600).contains(&code.status()) && !code.title().is_empty()));
    }

    #[test]
    fn every_error_of_the_engine_has_its_answer() {
        let operation = OperationId::from_uuid(Uuid::from_u128(7));
        let cases = [
            (EngineError::NotFound, 404, "not_found"),
            (EngineError::KeyMismatch, 422, "idempotency_mismatch"),
            (EngineError::KeyInProgress { retry_after: Duration::from_millis(1) }, 409, "idempotency_in_progress"),
            (EngineError::ReferenceOpen(PaymentId::from_uuid(Uuid::from_u128(7))), 409, "reference_open"),
            (Refusal::WrongState(PaymentStatus::Failed).into(), 409, "payment_state"),
            (Refusal::TooManyOperations.into(), 409, "payment_state"),
            (Refusal::AmountTooLarge { available: 5 }.into(), 422, "amount_too_large"),
            (
                Refusal::OperationInProgress { kind: OperationKind::Void, operation }.into(),
                409,
                "operation_in_progress",
            ),
            (
                EngineError::Unsupported { channel: ChannelName::new("eu").unwrap(), reason: "cannot void".into() },
                422,
                "unsupported_by_channel",
            ),
            (EngineError::Fields(vec![("return_url".into(), "card needs it".into())]), 400, "invalid_request"),
            (EngineError::RouteStale { reason: "it has expired".into(), fields: Vec::new() }, 409, "route_stale"),
            (EngineError::Overloaded, 503, "overloaded"),
            (EngineError::Stopping, 503, "stopping"),
            (EngineError::Store(StoreError::Unavailable("disk".into())), 503, "store_unavailable"),
            (EngineError::Store(StoreError::Overloaded), 503, "overloaded"),
        ];
        for (error, status, name) in cases {
            let problem = Problem::from(error);
            assert_eq!((problem.code.status(), problem.code.name()), (status, name));
            let retries = matches!(status, 503) || name == "idempotency_in_progress";
            assert_eq!(problem.retry_after_seconds.is_some(), retries, "{name}");
        }
    }

    #[test]
    fn the_body_follows_rfc_9457() {
        let payment = PaymentId::from_uuid(Uuid::from_u128(7));
        let open = Problem::from(EngineError::ReferenceOpen(payment));
        let large = Problem::from(Refusal::AmountTooLarge { available: 5 });
        let shown = [open, large].map(|problem| String::from_utf8(problem.json("req_1")).unwrap()).join("\n");
        insta::assert_snapshot!(shown, @r#"
        {"type":"/docs/errors#reference_open","title":"Another payment with this reference is still open","status":409,"detail":"pay_00000000000000000000000000000007 has the same reference and is still open; wait for its outcome, or send \"allow_duplicate_reference\": true","code":"reference_open","request_id":"req_1","payment":"pay_00000000000000000000000000000007"}
        {"type":"/docs/errors#amount_too_large","title":"More is asked for than is left","status":422,"detail":"5 are left, in minor units, with what is under way counted as taken","code":"amount_too_large","request_id":"req_1","errors":[{"field":"amount","code":"too_large","message":"at most 5, in minor units"}]}
        "#);
    }
}
