//! One try to deliver one event.

use super::Parts;
use super::sign::{self, SigningSecret};
use crate::seal::Unsealable;
use std::time::Duration;
use switchyard_core::transport::{
    Bounds, HeaderText, HttpMethod, HttpRequest, HttpResponse, Transport as _, TransportError,
};
use switchyard_core::{EndpointId, Timestamp};
use switchyard_store::feed::Event;
use switchyard_store::webhooks::{Attempt, Endpoint};

/// What secrets of endpoints are sealed for.
pub(crate) const SEALED_FOR: &str = "webhook endpoint";

/// A receiver that asks for more patience than this does not get it.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// Longest reason that is kept, in characters.
const FAILURE_CHARS_MAX: usize = 200;

/// How a try ended.
pub(super) struct Tried {
    pub(super) attempt: Attempt,
    pub(super) verdict: Verdict,
}

/// What the receiver's answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has it.
    Delivered,
    /// It wants no more events at all.
    Gone,
    /// It does not have it; it may have said how long to wait.
    Failed(Option<Duration>),
}

/// Opens the secrets that sign now: the present one, and the one before it while both hold.
pub(super) fn secrets(parts: &Parts, endpoint: &Endpoint, now: Timestamp) -> Result<Vec<SigningSecret>, Unsealable> {
    let open = |sealed: &[u8]| {
        let bytes = parts.ring.unseal(SEALED_FOR, endpoint.id.uuid().as_bytes(), sealed)?;
        Ok(SigningSecret::from_bytes(bytes))
    };
    let former = endpoint.former_secret.as_ref().filter(|(_, until)| *until > now).map(|(sealed, _)| open(sealed));
    std::iter::once(open(&endpoint.secret)).chain(former).collect()
}

/// Sends the event once. Its id is the same at every try.
pub(super) async fn attempt(parts: &Parts, endpoint: &Endpoint, event: &Event) -> Tried {
    let at = parts.clock.now();
    let start = parts.clock.uptime().0;
    let result = send(parts, endpoint, event, at).await;
    let took = parts.clock.uptime().0.saturating_sub(start);
    let (verdict, status, failure) = judge(&result, at);
    parts.metrics.webhook_tried(verdict == Verdict::Delivered, took);
    let failure = failure.map(|text| text.chars().take(FAILURE_CHARS_MAX).collect::<String>());
    let took_ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
    log(endpoint.id, event, status, took_ms, failure.as_deref());
    Tried { attempt: Attempt { at, took_ms, status, failure }, verdict }
}

/// Neither the address, which may hold a secret, nor a body.
fn log(endpoint: EndpointId, event: &Event, status: Option<u16>, took_ms: u32, failure: Option<&str>) {
    let (event, kind) = (event.recorded.id(), event.recorded.kind.as_str());
    tracing::info!(%endpoint, %event, kind, status, took_ms, failure, "webhook");
}

async fn send(parts: &Parts, endpoint: &Endpoint, event: &Event, at: Timestamp) -> Result<HttpResponse, String> {
    if !parts.plain_http && !endpoint.url.starts_with("https://") {
        return Err("only https is spoken to".into());
    }
    let secrets = secrets(parts, endpoint, at).map_err(|error| {
        tracing::error!(endpoint = %endpoint.id, %error, "a webhook cannot be signed");
        error.to_string()
    })?;
    let body = (parts.render)(event);
    let id = event.recorded.id().to_string();
    let signed = sign::sign(&secrets, &id, at, &body);
    let request = HttpRequest {
        method: HttpMethod::Post,
        url: endpoint.url.clone(),
        headers: vec![
            ("content-type", HeaderText::Plain("application/json".into())),
            ("webhook-id", HeaderText::Plain(id)),
            ("webhook-timestamp", HeaderText::Plain(signed.timestamp)),
            ("webhook-signature", HeaderText::Secret(signed.signature)),
        ],
        body,
    };
    let timeout = parts.settings.timeout;
    let send_by = switchyard_core::clock::Uptime(parts.clock.uptime().0.saturating_add(timeout));
    let sent = parts.transport.send(request, Bounds { send_by, timeout }).await;
    sent.map_err(|error| match error {
        TransportError::NeverLeft(why) | TransportError::NoAnswer(why) => why,
    })
}

fn judge(result: &Result<HttpResponse, String>, now: Timestamp) -> (Verdict, Option<u16>, Option<String>) {
    match result {
        Err(why) => (Verdict::Failed(None), None, Some(why.clone())),
        Ok(answer) => match answer.status {
            200..=299 => (Verdict::Delivered, Some(answer.status), None),
            410 => (Verdict::Gone, Some(410), Some("the endpoint says that it is gone".into())),
            300..=399 => {
                let why = "redirects are not followed: set the endpoint's address to where it leads";
                (Verdict::Failed(None), Some(answer.status), Some(why.into()))
            }
            status => {
                let patience = answer.header("retry-after").and_then(|text| retry_after(text, now));
                (Verdict::Failed(patience), Some(status), Some(format!("the endpoint answered {status}")))
            }
        },
    }
}

/// Seconds, or a date (RFC 9110, section 10.2.3), within bounds.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let span = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Timestamp(date.as_millisecond()).since(now)
        }
    };
    Some(span.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Result<HttpResponse, String> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(HttpResponse { status, headers, body: Bytes::new() })
    }

    #[test]
    fn an_answer_is_judged_by_its_status() {
        let verdict = |answer: Result<HttpResponse, String>| judge(&answer, Timestamp(0)).0;
        for status in [200, 202, 204, 299] {
            assert_eq!(verdict(answer(status, &[])), Verdict::Delivered);
        }
        for status in [301, 302, 307, 308, 400, 404, 429, 500, 503] {
            assert_eq!(verdict(answer(status, &[])), Verdict::Failed(None), "{status}");
        }
        assert_eq!(verdict(answer(410, &[])), Verdict::Gone);
        assert_eq!(verdict(Err("never left".into())), Verdict::Failed(None));
        let patience = Verdict::Failed(Some(Duration::from_secs(120)));
        assert_eq!(verdict(answer(503, &[("retry-after", "120")])), patience);
        // It leads nowhere to wait before a redirect is not followed again.
        assert_eq!(verdict(answer(301, &[("retry-after", "120")])), Verdict::Failed(None));
    }

    #[test]
    fn patience_has_bounds_and_two_forms() {
        let now = Timestamp(1_445_412_480_000 - 60_000);
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", Timestamp(now.0 + 120_000)), Some(Duration::ZERO));
        assert_eq!(retry_after(" 5 ", now), Some(Duration::from_secs(5)));
        assert_eq!(retry_after("99999999999", now), Some(RETRY_AFTER_MAX));
        for nonsense in ["", "-1", "soon", "1.5"] {
            assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
        }
    }
}
