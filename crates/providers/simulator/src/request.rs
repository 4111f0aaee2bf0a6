//! Our words to theirs: the same input makes the same bytes.

use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use switchyard_core::provider::{Authorize, Capture, Customer, ProviderError, Refund, Void};
use switchyard_core::transport::{HeaderText, HttpMethod, HttpRequest};
use switchyard_core::{OperationId, OperationKind};

use crate::wire::{CaptureBody, ChargeBody, CustomerBody, RefundBody, VoidBody};

/// The longest description and statement descriptor that the provider takes, in characters; ours may be longer.
const TEXT_CHARACTERS_MAX: usize = 255;

/// Where a request goes, and in whose name.
pub(crate) struct Target<'a> {
    pub(crate) base: &'a str,
    pub(crate) authorization: &'a SecretString,
}

pub(crate) fn authorize(target: &Target<'_>, ask: &Authorize) -> Result<HttpRequest, ProviderError> {
    let body = ChargeBody {
        amount: ask.amount.minor(),
        currency: ask.amount.currency().code(),
        method: ask.method.name(),
        token: ask.token.as_ref().map(SecretString::expose_secret),
        capture: ask.capture.as_str(),
        reference: &reference(ask.operation),
        description: ask.description.as_deref().map(cut),
        statement_descriptor: ask.statement_descriptor.as_deref().map(cut),
        country: ask.country.code(),
        return_url: ask.return_url.as_deref(),
        customer: ask.customer.as_deref().map(customer),
    };
    post(target, "/v1/charges".into(), ask.operation, &body)
}

pub(crate) fn capture(target: &Target<'_>, charge: &str, ask: &Capture) -> Result<HttpRequest, ProviderError> {
    let reference = reference(ask.operation);
    let body = CaptureBody { amount: ask.amount.minor(), r#final: ask.last, reference: &reference };
    post(target, path_below(charge, "captures")?, ask.operation, &body)
}

pub(crate) fn void(target: &Target<'_>, charge: &str, ask: &Void) -> Result<HttpRequest, ProviderError> {
    let body = VoidBody { reference: &reference(ask.operation) };
    post(target, path_below(charge, "voids")?, ask.operation, &body)
}

pub(crate) fn refund(target: &Target<'_>, charge: &str, ask: &Refund) -> Result<HttpRequest, ProviderError> {
    let body = RefundBody { amount: ask.amount.minor(), reference: &reference(ask.operation) };
    post(target, path_below(charge, "refunds")?, ask.operation, &body)
}

/// Asks for an object by the provider's id.
pub(crate) fn get(target: &Target<'_>, kind: OperationKind, id: &str) -> Result<HttpRequest, ProviderError> {
    Ok(read(target, format!("/v1/{}/{}", objects(kind), checked(id)?)))
}

/// Asks for an object by our reference.
pub(crate) fn find(target: &Target<'_>, kind: OperationKind, operation: OperationId) -> HttpRequest {
    read(target, format!("/v1/{}?reference={}", objects(kind), reference(operation)))
}

/// How the provider calls an operation of ours.
pub(crate) fn reference(operation: OperationId) -> String {
    operation.uuid().simple().to_string()
}

const fn objects(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Authorize | OperationKind::Sale => "charges",
        OperationKind::Capture => "captures",
        OperationKind::Void => "voids",
        OperationKind::Refund => "refunds",
    }
}

fn path_below(charge: &str, objects: &str) -> Result<String, ProviderError> {
    Ok(format!("/v1/charges/{}/{objects}", checked(charge)?))
}

/// An id goes into a path as it is, so it must not change the path.
fn checked(id: &str) -> Result<&str, ProviderError> {
    let sound = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if sound { Ok(id) } else { Err(ProviderError::NeverLeft("this is no id of the provider".into())) }
}

fn post(
    target: &Target<'_>,
    path: String,
    operation: OperationId,
    body: &impl Serialize,
) -> Result<HttpRequest, ProviderError> {
    let body = serde_json::to_vec(body)
        .map_err(|error| ProviderError::NeverLeft(format!("the request cannot be written: {error}")))?;
    let mut request = read(target, path);
    request.method = HttpMethod::Post;
    request.headers.push(("content-type", HeaderText::Plain("application/json".into())));
    request.headers.push(("idempotency-key", HeaderText::Plain(reference(operation))));
    request.body = Bytes::from(body);
    Ok(request)
}

fn read(target: &Target<'_>, path: String) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Get,
        url: format!("{}{path}", target.base),
        headers: vec![("authorization", HeaderText::Secret(target.authorization.clone()))],
        body: Bytes::new(),
    }
}

fn customer(customer: &Customer) -> CustomerBody<'_> {
    CustomerBody {
        id: customer.id.as_deref(),
        name: customer.name.as_deref(),
        email: customer.email.as_deref(),
        phone: customer.phone.as_deref(),
    }
}

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(TEXT_CHARACTERS_MAX).map_or(text.len(), |(place, _)| place);
    text.get(..end).unwrap_or(text)
}
