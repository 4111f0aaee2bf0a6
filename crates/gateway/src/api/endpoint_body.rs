//! The bodies of calls on webhook endpoints.

use super::events::matching;
use super::faults::Faults;
use super::fields::{Fields, read_body};
use super::json::Json;
use super::webhook_endpoints::Rules;
use crate::transport::Reach;
use http::Uri;
use http::uri::Scheme;
use std::net::IpAddr;
use std::time::Duration;
use switchyard_core::{EndpointId, Timestamp};

/// Longest address, in characters.
const URL_CHARS_MAX: usize = 2_048;

/// Most names and patterns of one endpoint.
const EVENTS_MAX: usize = 64;

/// A description for people, in characters.
const DESCRIPTION_CHARS_MAX: usize = 255;

/// Longest overlap of two secrets, in seconds.
const OVERLAP_SECONDS_MAX: i64 = 7 * 24 * 60 * 60;

/// What is to be set of an endpoint; `None` stays as it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EndpointFields {
    pub(super) url: Option<String>,
    pub(super) events: Option<Vec<String>>,
    /// The inner `None` removes it.
    pub(super) description: Option<Option<String>>,
    pub(super) enabled: Option<bool>,
}

/// `{url, events, description?, enabled?}`
pub(super) fn read_new(rules: Rules, body: Json<'_>, faults: &mut Faults) -> Option<EndpointFields> {
    read_body(body, faults, |fields| {
        fields.require("url");
        fields.require("events");
        Some(read_fields(rules, fields))
    })
}

/// `{url?, events?, description?, enabled?}`
pub(super) fn read_change(rules: Rules, body: Json<'_>, faults: &mut Faults) -> Option<EndpointFields> {
    read_body(body, faults, |fields| Some(read_fields(rules, fields)))
}

fn read_fields(rules: Rules, fields: &mut Fields<'_, '_>) -> EndpointFields {
    let url = fields.text("url", 1..=URL_CHARS_MAX).map(std::borrow::Cow::into_owned);
    let url = url.filter(|url| match url_fault(rules, url) {
        None => true,
        Some(why) => {
            fields.fault("url", "invalid_value", why);
            false
        }
    });
    let description = if fields.is_null("description") {
        fields.text("description", 1..=DESCRIPTION_CHARS_MAX);
        Some(None)
    } else {
        fields.text("description", 1..=DESCRIPTION_CHARS_MAX).map(|text| Some(text.into_owned()))
    };
    EndpointFields { url, events: read_events(fields), description, enabled: fields.boolean("enabled") }
}

fn read_events(fields: &mut Fields<'_, '_>) -> Option<Vec<String>> {
    let texts = fields.texts("events", 1..=EVENTS_MAX)?;
    for text in &texts {
        if matching(text).is_empty() {
            fields.fault("events", "unknown_value", "must hold types of events, or patterns such as payment.* and *");
            return None;
        }
    }
    Some(texts.into_iter().map(std::borrow::Cow::into_owned).collect())
}

/// Why nothing can be sent there, as far as the address tells. What its name resolves to is looked at when it is sent.
fn url_fault(rules: Rules, url: &str) -> Option<&'static str> {
    let Ok(uri) = Uri::try_from(url) else { return Some("must be an address such as https://shop.example/webhooks") };
    let private = rules.private_addresses;
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => {}
        Some(scheme) if *scheme == Scheme::HTTP && private => {}
        Some(_) | None => return Some("must begin with https://"),
    }
    let Some(authority) = uri.authority() else { return Some("must name a host") };
    if authority.as_str().contains('@') {
        return Some("must not hold a user or password");
    }
    if url.contains('#') {
        return Some("must not have a fragment");
    }
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let reach = if private { Reach::Anywhere } else { Reach::Public };
    match host.parse::<IpAddr>() {
        Ok(address) if !reach.admits(address) => Some("must not lead to a private address"),
        Ok(_) => None,
        Err(_) if host.is_empty() => Some("must name a host"),
        Err(_) if !private && (host == "localhost" || host.ends_with(".localhost")) => {
            Some("must not lead to a private address")
        }
        Err(_) => None,
    }
}

/// `{overlap_seconds?}`
#[derive(Debug)]
pub(super) struct Rotate {
    pub(super) overlap: Option<Duration>,
}

/// Reads [`Rotate`].
pub(super) fn read_rotate(body: Json<'_>, faults: &mut Faults) -> Option<Rotate> {
    read_body(body, faults, |fields| {
        let seconds: Option<u64> = fields.small("overlap_seconds", 0..=OVERLAP_SECONDS_MAX);
        Some(Rotate { overlap: seconds.map(Duration::from_secs) })
    })
}

/// `{webhook_endpoint?}`
#[derive(Debug)]
pub(super) struct Redeliver {
    pub(super) endpoint: Option<EndpointId>,
}

/// Reads [`Redeliver`].
pub(super) fn read_redeliver(body: Json<'_>, faults: &mut Faults) -> Option<Redeliver> {
    read_body(body, faults, |fields| {
        let endpoint = fields.parsed("webhook_endpoint", 1..=64, "the id of a webhook endpoint", EndpointId::parse);
        Some(Redeliver { endpoint })
    })
}

/// `{created_from, created_to?, only?, cursor?}`
#[derive(Debug)]
pub(super) struct RedeliverRange {
    pub(super) from: Timestamp,
    pub(super) to: Option<Timestamp>,
    /// Those alone that could not be delivered.
    pub(super) dead_only: bool,
    pub(super) cursor: Option<i64>,
}

/// Reads [`RedeliverRange`].
pub(super) fn read_range(body: Json<'_>, faults: &mut Faults) -> Option<RedeliverRange> {
    const TIME: &str = "a time such as 2026-03-01T00:00:00Z (RFC 3339)";
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()));
    read_body(body, faults, |fields| {
        fields.require("created_from");
        let from = fields.parsed("created_from", 1..=64, TIME, time);
        let to = fields.parsed("created_to", 1..=64, TIME, time);
        let dead = fields.parsed("only", 1..=16, "dead", |text| (text == "dead").then_some(()));
        let expected = "the `next_cursor` of the answer before";
        let cursor = fields.parsed("cursor", 1..=32, expected, super::events::read_cursor);
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            fields.fault("created_to", "invalid_value", "must not be before created_from");
        }
        Some(RedeliverRange { from: from?, to, dead_only: dead.is_some(), cursor })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_public_and_https() {
        let strict = Rules { private_addresses: false };
        for right in ["https://shop.example/webhooks", "https://shop.example:8443", "https://1.1.1.1/?a=b"] {
            assert_eq!(url_fault(strict, right), None, "{right}");
        }
        let wrong = [
            "",
            "shop.example",
            "/webhooks",
            "http://shop.example/",
            "ftp://shop.example/",
            "https://",
            "https://u:p@shop.example/",
            "https://shop.example/#a",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.1:443/x",
            "https://[::ffff:169.254.169.254]/",
            "https://localhost/",
            "https://a.localhost/x",
            "https:///x",
        ];
        for url in wrong {
            assert!(url_fault(strict, url).is_some(), "{url}");
        }
        let sandbox = Rules { private_addresses: true };
        for right in ["http://127.0.0.1:9000/", "http://localhost/", "https://[::1]/x"] {
            assert_eq!(url_fault(sandbox, right), None, "{right}");
        }
        assert!(url_fault(sandbox, "http://u@localhost/").is_some());
    }
}
