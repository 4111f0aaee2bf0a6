//! What tells nothing must not be taken for an outcome.

use serde_json::Value;
use switchyard_core::payment::News;
use switchyard_core::provider::{Fate, ProviderError};
use switchyard_core::transport::HttpResponse;

use super::answers::charge;
use super::{Case, assert_unknown, everybody};
use crate::example::Example;
use crate::player::Player;
use crate::recording::made_up;
use crate::sample;

pub(super) const CASES: &[Case] = &[
    Case { name: "error: a lost answer is never a decline", asked_of: everybody, run: lost },
    Case { name: "error: a request that never left proves failure", asked_of: everybody, run: never_left },
    Case { name: "error: garbage, redirects and server errors are unknown", asked_of: everybody, run: garbage },
    Case { name: "error: a proxy's page is unknown, whatever its status", asked_of: everybody, run: proxy_pages },
    Case { name: "error: the provider's own server error is unknown", asked_of: everybody, run: server_error },
    Case { name: "error: a refusal under another status is unknown", asked_of: everybody, run: contradictory },
    Case { name: "error: a status that nobody documented is unknown", asked_of: everybody, run: unknown_status },
    Case { name: "error: half a body is unknown", asked_of: everybody, run: half },
    Case { name: "error: a member missing, null or odd is never a refusal", asked_of: everybody, run: members },
];

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const PAGE: &str = "<html><head><title>Sorry</title></head><body><h1>Sorry</h1></body></html>";

fn lost(example: &Example) {
    for kind in example.kinds() {
        let player = Player::loses_answers();
        assert_unknown(player.perform(example, kind), kind, "a lost answer");
        assert_eq!(player.seen().len(), 1, "{} is sent once", kind.as_str());
    }
}

fn never_left(example: &Example) {
    for kind in example.kinds() {
        let player = Player::sends_nothing();
        match player.perform(example, kind) {
            Err(error @ ProviderError::NeverLeft(_)) => assert_eq!(error.fate(kind), Fate::NotProcessed),
            other => panic!("{}: {other:?}", kind.as_str()),
        }
        assert_eq!(player.seen().len(), 1, "{} is tried once", kind.as_str());
    }
}

/// Answers that no documentation describes.
pub(super) fn nonsense() -> Vec<HttpResponse> {
    let bodies = [
        (JSON, ""),
        (JSON, "{"),
        (JSON, "{}"),
        (JSON, "[]"),
        (JSON, "null"),
        (JSON, "42"),
        (JSON, "{\"data\": {}}"),
        (JSON, "{\"id\": \"ch_\u{fffd}, <<<"),
        (HTML, PAGE),
    ];
    let good = bodies.map(|(content_type, body)| made_up(200, content_type, body));
    let statuses = [201, 202, 204, 301, 302, 303, 307, 308, 408, 425, 500, 501, 502, 503, 504, 520, 599];
    let odd = statuses.map(|status| made_up(status, JSON, ""));
    let pages = [302, 408, 500, 502, 503, 504].map(|status| made_up(status, HTML, PAGE));
    good.into_iter().chain(odd).chain(pages).collect()
}

fn shown(response: &HttpResponse) -> String {
    format!("{} {}", response.status, String::from_utf8_lossy(&response.body))
}

fn garbage(example: &Example) {
    for kind in example.kinds() {
        for response in nonsense() {
            let after = shown(&response);
            assert_unknown(Player::answers(response).perform(example, kind), kind, &after);
        }
    }
}

fn proxy_pages(example: &Example) {
    for kind in example.kinds() {
        for status in [400, 401, 403, 404, 405, 407, 409, 413, 418, 422, 429, 451] {
            for (content_type, body) in [(HTML, PAGE), (JSON, "{\"message\": \"no\"}"), (JSON, "")] {
                let response = made_up(status, content_type, body);
                let after = shown(&response);
                assert_unknown(Player::answers(response).perform(example, kind), kind, &after);
            }
        }
    }
}

fn server_error(example: &Example) {
    let Some(recording) = example.recording("server_error") else { return };
    for kind in example.kinds() {
        assert_unknown(Player::answers(recording.0.clone()).perform(example, kind), kind, "a server error");
    }
}

/// The documented words of a refusal, under a status that says that nobody knows.
fn contradictory(example: &Example) {
    for refusal in example.refusals {
        let Some(recording) = example.recording(refusal.recording) else { continue };
        for status in [307, 408, 425, 500, 502, 503, 504] {
            let response = HttpResponse { status, ..recording.0.clone() };
            let after = shown(&response);
            assert_unknown(Player::answers(response).perform(example, refusal.kind), refusal.kind, &after);
        }
    }
}

fn unknown_status(example: &Example) {
    let Some(recording) = example.recording("unknown_status") else { return };
    let kind = charge(example);
    assert_unknown(Player::answers(recording.0).perform(example, kind), kind, "an unknown status");
}

fn half(example: &Example) {
    for kind in example.kinds() {
        let Some(recording) = example.recording(&format!("{}_approved", kind.as_str())) else { continue };
        let whole = &recording.0.body;
        for parts in 1..8_usize {
            let length = whole.len().saturating_mul(parts) / 8;
            let response = recording.with_body(whole.slice(..length));
            assert_unknown(Player::answers(response).perform(example, kind), kind, "half a body");
        }
    }
}

/// Real answers break published descriptions. What is not needed may be missing; what is needed leaves the outcome open.
fn members(example: &Example) {
    for kind in example.kinds() {
        let Some(recording) = example.recording(&format!("{}_approved", kind.as_str())) else { continue };
        let Ok(whole) = serde_json::from_slice::<Value>(&recording.0.body) else { continue };
        for (place, odd) in damaged(&whole) {
            match Player::answers(recording.with_body(odd.to_string())).perform(example, kind) {
                Err(error) => assert_eq!(error.fate(kind), Fate::Unknown, "{place}: {error:?}"),
                Ok(report) => {
                    let right = News::Approved(sample::amount(example, kind));
                    assert_eq!(report.news, right, "{} with {place}", kind.as_str());
                }
            }
        }
    }
}

/// The object with each member, of its own and one level below, missing, null, and of odd values.
fn damaged(whole: &Value) -> Vec<(String, Value)> {
    let Some(object) = whole.as_object() else { return Vec::new() };
    let mut all = Vec::new();
    for (name, value) in object {
        let mut without = object.clone();
        without.remove(name);
        all.push((format!("no {name}"), Value::Object(without)));
        let odd = [Value::Null, Value::from("?"), Value::from(-1), Value::Array(Vec::new())];
        let below = damaged_below(value);
        for odd in odd.into_iter().chain(below) {
            let mut with = object.clone();
            let place = format!("{name} of {odd}");
            with.insert(name.clone(), odd);
            all.push((place, Value::Object(with)));
        }
    }
    all
}

fn damaged_below(value: &Value) -> Vec<Value> {
    let Some(object) = value.as_object() else { return Vec::new() };
    let null = |name: &String| {
        let mut odd = object.clone();
        odd.insert(name.clone(), Value::Null);
        Value::Object(odd)
    };
    object.keys().map(null).collect()
}
