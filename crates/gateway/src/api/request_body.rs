//! The bytes of a request's body: all of them, within bounds, in time.

use super::problem::{Code, Problem};
use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use std::time::Duration;
use switchyard_core::limits::REQUEST_BODY_BYTES_MAX;

/// How long a body may take to arrive; at 64 KiB that is the slowest of modems.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Refuses what does not say that it is JSON in UTF-8, without an encoding around it.
///
/// # Errors
/// [`Code::UnsupportedMediaType`].
pub(crate) fn require_json(request: &HttpRequest) -> Result<(), Problem> {
    let refused = |detail| Err(Problem::new(Code::UnsupportedMediaType, detail));
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !media_type.is_some_and(is_json) {
        return refused("send the body with `Content-Type: application/json`, in UTF-8");
    }
    match request.headers().get(header::CONTENT_ENCODING).map(header::HeaderValue::as_bytes) {
        None => Ok(()),
        Some(encoding) if encoding.eq_ignore_ascii_case(b"identity") => Ok(()),
        Some(_) => refused("send the body as it is, without `Content-Encoding`"),
    }
}

/// `application/json`, with no parameter but `charset=utf-8`.
fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| {
        parameter.is_empty()
            || parameter.split_once('=').is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
    })
}

/// Reads the body.
///
/// # Errors
/// [`Code::BodyTooLarge`], [`Code::BodyTimeout`] or [`Code::BodyIncomplete`].
pub(crate) async fn read(request: &HttpRequest, payload: &mut Payload) -> Result<Bytes, Problem> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > u64::try_from(REQUEST_BODY_BYTES_MAX).unwrap_or(u64::MAX)) {
        return Err(too_large());
    }
    // Nearly always it came with the head; then no timer has to be set.
    let mut reading = std::pin::pin!(collect(payload));
    if let Some(read) = reading.as_mut().now_or_never() {
        return read;
    }
    tokio::time::timeout(BODY_TIMEOUT, reading).await.unwrap_or_else(|_| {
        let detail = format!("the body did not arrive within {} seconds", BODY_TIMEOUT.as_secs());
        Err(Problem::new(Code::BodyTimeout, detail))
    })
}

async fn collect(payload: &mut Payload) -> Result<Bytes, Problem> {
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = within_bounds(first, 0)?;
    let Some(second) = payload.next().await else { return Ok(first) };
    let mut body = BytesMut::from(first);
    body.extend_from_slice(&within_bounds(second, body.len())?);
    while let Some(chunk) = payload.next().await {
        body.extend_from_slice(&within_bounds(chunk, body.len())?);
    }
    Ok(body.freeze())
}

fn within_bounds(chunk: Result<Bytes, PayloadError>, before: usize) -> Result<Bytes, Problem> {
    match chunk {
        Ok(chunk) if before.saturating_add(chunk.len()) > REQUEST_BODY_BYTES_MAX => Err(too_large()),
        Ok(chunk) => Ok(chunk),
        Err(PayloadError::Overflow) => Err(too_large()),
        Err(_) => Err(Problem::new(Code::BodyIncomplete, "the body ended before it was whole")),
    }
}

fn too_large() -> Problem {
    let detail = format!("a body may have at most {} KiB", REQUEST_BODY_BYTES_MAX / 1024);
    Problem::new(Code::BodyTooLarge, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_json_in_utf_8_is_taken() {
        for right in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=\"UTF-8\";"] {
            assert!(is_json(right), "{right}");
        }
        for wrong in ["", "text/json", "application/json; charset=latin1", "application/json; v=1", "application/jsonx"]
        {
            assert!(!is_json(wrong), "{wrong}");
        }
        let gzip = TestRequest::default()
            .insert_header(("content-type", "application/json"))
            .insert_header(("content-encoding", "gzip"))
            .to_http_request();
        assert_eq!(require_json(&gzip).unwrap_err().code, Code::UnsupportedMediaType);
        assert!(require_json(&TestRequest::default().to_http_request()).is_err());
    }
}
