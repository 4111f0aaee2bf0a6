//! Bodies and headers of requests that change something, read and checked.

use std::collections::BTreeMap;

use actix_web::http::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::limits::{AMOUNT_MAX, IDEMPOTENCY_KEY_BYTES_MAX, METHOD_BYTES_MAX, TEXT_CHARACTERS_MAX};
use crate::words::words;

words! {
    /// When approved money is taken.
    CaptureMode {
        Automatic = "automatic",
        Manual = "manual",
    }
}

/// The body of `POST /v1/charges` as it comes.
#[derive(Deserialize)]
struct ChargeBody {
    amount: Option<i64>,
    currency: Option<String>,
    method: Option<String>,
    token: Option<String>,
    capture: Option<CaptureMode>,
    reference: Option<String>,
    description: Option<String>,
    statement_descriptor: Option<String>,
    country: Option<String>,
    return_url: Option<String>,
    customer: Option<Map<String, Value>>,
    metadata: Option<BTreeMap<String, String>>,
}

/// What a charge asks for. Its JSON is the normal form that is kept in the ledger: two requests are the same if theirs is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChargeRequest {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    pub(crate) capture: CaptureMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) statement_descriptor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) return_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// What a capture, void or refund asks for; its JSON is kept likewise. A void uses the reference alone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OperationRequest {
    /// `None` is all there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<i64>,
    /// Whether a capture is the last one. `None` is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) r#final: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
}

impl ChargeRequest {
    pub(crate) fn read(body: &[u8]) -> Result<Self, ApiError> {
        let body: ChargeBody = parse(body)?;
        let request = Self {
            amount: body.amount.ok_or(ApiError::ParameterMissing("amount"))?,
            currency: body.currency.ok_or(ApiError::ParameterMissing("currency"))?,
            method: body.method.ok_or(ApiError::ParameterMissing("method"))?,
            token: body.token,
            capture: body.capture.unwrap_or(CaptureMode::Automatic),
            reference: body.reference,
            description: body.description,
            statement_descriptor: body.statement_descriptor,
            country: body.country,
            return_url: body.return_url,
            customer: body.customer,
            metadata: body.metadata.unwrap_or_default(),
        };
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), ApiError> {
        check_amount(self.amount)?;
        check_reference(self.reference.as_deref())?;
        for (name, text) in [("description", &self.description), ("statement_descriptor", &self.statement_descriptor)] {
            let fits = text.as_ref().is_none_or(|text| text.chars().count() <= TEXT_CHARACTERS_MAX);
            must(fits, name, "at most 255 characters")?;
        }
        must(is_capitals(&self.currency, 3), "currency", "three capital letters")?;
        must(is_method(&self.method), "method", "1 to 32 of a-z, 0-9 and _")?;
        must(self.country.as_deref().is_none_or(|text| is_capitals(text, 2)), "country", "two capital letters")?;
        must(self.return_url.as_deref().is_none_or(is_web_address), "return_url", "an http:// or https:// address")
    }
}

impl OperationRequest {
    /// An empty body leaves everything to defaults.
    pub(crate) fn read(body: &[u8]) -> Result<Self, ApiError> {
        let request: Self = if body.is_empty() { Self::default() } else { parse(body)? };
        request.amount.map_or(Ok(()), check_amount)?;
        check_reference(request.reference.as_deref())?;
        Ok(request)
    }
}

/// The header's value; a quoted key and a bare one are the same.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<String, ApiError> {
    const NAME: &str = "Idempotency-Key";
    let header = headers.get(NAME).ok_or(ApiError::ParameterMissing(NAME))?;
    let key = header.to_str().unwrap_or_default();
    let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    let fits = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    must(fits, NAME, "1 to 255 visible ASCII characters")?;
    Ok(key.to_owned())
}

/// Reads a JSON object.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // Serde takes an array for a struct as well; the contract does not.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::BodyUnreadable("it must be a JSON object".into()));
    }
    serde_json::from_slice(body).map_err(|error| ApiError::BodyUnreadable(error.to_string()))
}

fn must(holds: bool, field: &'static str, what: &'static str) -> Result<(), ApiError> {
    if holds { Ok(()) } else { Err(ApiError::ParameterInvalid(field, what)) }
}

fn check_amount(amount: i64) -> Result<(), ApiError> {
    must((1..=AMOUNT_MAX).contains(&amount), "amount", "1 to 999999999999")
}

fn check_reference(reference: Option<&str>) -> Result<(), ApiError> {
    let fits = reference.is_none_or(|text| !text.is_empty() && text.chars().count() <= TEXT_CHARACTERS_MAX);
    must(fits, "reference", "1 to 255 characters")
}

fn is_capitals(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_method(text: &str) -> bool {
    (1..=METHOD_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// It goes into a `Location` header as it is.
fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn members_in_another_order_are_the_same_request() {
        let one = br#"{"amount":5,"currency":"EUR","method":"card","metadata":{"a":"1","b":"2"},"token":null}"#;
        let two = br#"{"metadata":{"b":"2","a":"1"},"unknown":[1],"method":"card", "currency":"EUR","amount":5}"#;
        let normal = |body| serde_json::to_string(&ChargeRequest::read(body).unwrap()).unwrap();
        assert_eq!(normal(one), normal(two));
    }

    #[test]
    fn says_which_member_is_to_blame() {
        let refused = |body: &str| ChargeRequest::read(body.as_bytes()).unwrap_err();
        assert_eq!(refused(r#"{"currency":"EUR"}"#), ApiError::ParameterMissing("amount"));
        for (body, field) in [
            (r#"{"amount":0,"currency":"EUR","method":"card"}"#, "amount"),
            (r#"{"amount":1000000000000,"currency":"EUR","method":"card"}"#, "amount"),
            (r#"{"amount":1,"currency":"eur","method":"card"}"#, "currency"),
            (r#"{"amount":1,"currency":"EUR","method":"Card"}"#, "method"),
            (r#"{"amount":1,"currency":"EUR","method":"card","reference":""}"#, "reference"),
            (r#"{"amount":1,"currency":"EUR","method":"card","country":"NLD"}"#, "country"),
            (r#"{"amount":1,"currency":"EUR","method":"card","return_url":"javascript:alert()"}"#, "return_url"),
            (r#"{"amount":1,"currency":"EUR","method":"card","return_url":"http://a\r\nb"}"#, "return_url"),
        ] {
            assert!(matches!(refused(body), ApiError::ParameterInvalid(name, _) if name == field), "{body}");
        }
    }

    #[test]
    fn amounts_are_integers() {
        for amount in ["1.0", "\"1\"", "1e2", "9223372036854775808"] {
            let body = format!(r#"{{"amount":{amount},"currency":"EUR","method":"card"}}"#);
            assert!(matches!(ChargeRequest::read(body.as_bytes()), Err(ApiError::BodyUnreadable(_))), "{amount}");
        }
        assert!(matches!(OperationRequest::read(b"[5]"), Err(ApiError::BodyUnreadable(_))));
    }

    #[test]
    fn quoted_and_bare_keys_are_the_same() {
        let key = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static("idempotency-key"), HeaderValue::from_static(value));
            idempotency_key(&headers)
        };
        assert_eq!(key("\"abc\""), key("abc"));
        assert!(key("").is_err());
        assert!(key("a b").is_err());
        assert!(idempotency_key(&HeaderMap::new()).is_err());
    }
}
