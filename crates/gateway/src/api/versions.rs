//! The versions of the API: dates, and what each changed.
//!
//! All is read, kept and shown in the newest version. A request in an older one is brought up to it, change by change,
//! before it is read; an answer is brought down before it is sent. Both are pure functions over JSON, so that what is kept
//! byte for byte is also given again byte for byte in the version of the request that it answers.

use super::json::{self, Json, Members};
use super::payments::PAYMENTS;
use super::problem::{Code, Problem};
use super::reserve::ROUTES;
use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use std::borrow::Cow;
use switchyard_store::ApiKey;

/// Which version a request speaks, and an answer.
pub(super) const SWITCHYARD_VERSION: HeaderName = HeaderName::from_static("switchyard-version");
/// Since when a version should not be used (RFC 9745).
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// When it may be gone (RFC 8594).
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// One of them, by its date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// The first.
    V20261001,
    /// `capture_method` became `capture`.
    V20261101,
}

/// How a version ends.
pub(super) struct End {
    /// As its header says it.
    deprecated: &'static str,
    /// As its header says it.
    sunset: &'static str,
}

/// What one version changed against the one before it.
#[derive(Clone, Copy)]
enum Change {
    /// Payments and routes name how they are captured as this, and not as that.
    Renamed { new: &'static str, old: &'static str },
}

const CAPTURE_METHOD: Change = Change::Renamed { new: "capture", old: "capture_method" };

impl Version {
    /// Oldest first; their place is their number in the ledger, so only ever append.
    pub(crate) const ALL: &'static [Self] = &[Self::V20261001, Self::V20261101];

    /// What a key gets that an operator issues today.
    pub(crate) const NEWEST: Self = Self::V20261101;

    /// Its date.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::V20261001 => "2026-10-01",
            Self::V20261101 => "2026-11-01",
        }
    }

    /// Reads the date.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|version| version.name() == name)
    }

    /// Its number in the ledger.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::V20261001 => 0,
            Self::V20261101 => 1,
        }
    }

    /// Reads the number; what no version has is the newest.
    pub(crate) fn from_number(number: u8) -> Self {
        Self::ALL.iter().copied().find(|version| version.number() == number).unwrap_or(Self::NEWEST)
    }

    /// `None` while it does not end.
    pub(super) const fn end(self) -> Option<End> {
        match self {
            // 2026-11-01, and a year later.
            Self::V20261001 => Some(End { deprecated: "@1793491200", sunset: "Mon, 01 Nov 2027 00:00:00 GMT" }),
            Self::V20261101 => None,
        }
    }

    /// What changed after it, oldest first.
    const fn changes(self) -> &'static [Change] {
        match self {
            Self::V20261001 => &[CAPTURE_METHOD],
            Self::V20261101 => &[],
        }
    }

    /// The version of a request: what it names, else what its key is pinned to.
    ///
    /// # Errors
    /// [`Code::VersionUnknown`].
    pub(super) fn of(request: &HttpRequest, key: &ApiKey) -> Result<Self, Problem> {
        let mut headers = request.headers().get_all(SWITCHYARD_VERSION);
        let Some(named) = headers.next() else {
            // Only a key that a later release issued is pinned to what this one does not know.
            return Ok(Self::from_name(&key.version).unwrap_or(Self::NEWEST));
        };
        let version = named.to_str().ok().and_then(Self::from_name).filter(|_| headers.next().is_none());
        version.ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|version| version.name()).collect();
            let detail =
                format!("`Switchyard-Version` names no version, or more than one; there is {}", known.join(", "));
            Problem::new(Code::VersionUnknown, detail)
        })
    }

    /// Brings the body of a request up to the newest version. What it may not name by then is still there, under a name
    /// that the newest version does not know either, so that no two requests become one.
    pub(super) fn up(self, route: &str, body: &mut Json<'_>) {
        let Json::Object(members) = body else { return };
        if changed_at(route) {
            self.changes().iter().for_each(|change| change.exchange(members));
        }
    }

    /// Brings an answer down to it.
    pub(super) fn down(self, body: Bytes) -> Bytes {
        if self == Self::NEWEST || body.is_empty() {
            return body;
        }
        let shown = json::parse(&body).ok().and_then(|mut document| {
            self.show(&mut document.value);
            document.value.to_text()
        });
        if shown.is_none() {
            tracing::error!(version = self.name(), "an answer could not be shown in an older version");
        }
        shown.map_or(body, Bytes::from)
    }

    /// Brings the faults of a request down to it: they name the fields that were sent.
    pub(super) fn rename_faults(self, route: &str, problem: &mut Problem) {
        if !changed_at(route) {
            return;
        }
        for change in self.changes().iter().rev() {
            // A name that stands twice is told as it was sent.
            for fault in problem.errors.iter_mut().filter(|fault| fault.code != "duplicate_field") {
                change.other_name(&mut fault.field);
            }
        }
    }

    /// The headers that tell of it.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(SWITCHYARD_VERSION, HeaderValue::from_static(self.name()));
        if let Some(End { deprecated, sunset }) = self.end() {
            headers.insert(DEPRECATION, HeaderValue::from_static(deprecated));
            headers.insert(SUNSET, HeaderValue::from_static(sunset));
        }
    }

    fn show(self, value: &mut Json<'_>) {
        match value {
            Json::Array(items) => items.iter_mut().for_each(|item| self.show(item)),
            Json::Object(members) => {
                let object = members.iter().find(|(name, _)| name == "object").map(|(_, value)| value);
                let is = |wanted: &str| matches!(object, Some(Json::Text(text)) if text == wanted);
                let (event, changed) = (is("event"), is("payment") || is("route"));
                if changed {
                    self.changes().iter().rev().for_each(|change| change.exchange(members));
                }
                for (name, value) in members {
                    match name.as_ref() {
                        "version" if event => *value = Json::Text(Cow::Borrowed(self.name())),
                        // The merchant's own.
                        "metadata" => {}
                        _ => self.show(value),
                    }
                }
            }
            Json::Null
            | Json::Bool(_)
            | Json::Integer(_)
            | Json::LargeInteger(_)
            | Json::Decimal(_)
            | Json::Text(_) => {}
        }
    }
}

/// Whether the bodies sent there have the members that changed.
fn changed_at(route: &str) -> bool {
    route == PAYMENTS || route == ROUTES
}

impl Change {
    /// Takes one name for the other, in either direction.
    fn exchange(self, members: &mut Members<'_>) {
        members.iter_mut().for_each(|(name, _)| self.other_name(name));
    }

    fn other_name(self, name: &mut Cow<'_, str>) {
        let Self::Renamed { new, old } = self;
        if *name == new {
            *name = Cow::Borrowed(old);
        } else if *name == old {
            *name = Cow::Borrowed(new);
        }
    }
}
