//! What operators send and get, as JSON: by the operations listener and on the command line alike.

use super::expiry;
use serde::{Deserialize, Serialize};
use switchyard_store::{ApiKey, Override, RecordedStatus};

/// Asks for an API key: the body of `POST /ops/keys`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueKey {
    pub(crate) merchant: String,
    /// `test` or `live`.
    pub(crate) mode: String,
    pub(crate) scopes: Vec<String>,
    #[serde(default)]
    pub(crate) label: String,
    /// RFC 3339; `None` for never.
    #[serde(default)]
    pub(crate) expires_at: Option<String>,
    /// Empty for any.
    #[serde(default)]
    pub(crate) addresses: Vec<String>,
    /// Requests that it may send each second; `None` for what others may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) per_second: Option<u32>,
    /// Requests that it may send at once; `None` for twice as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) burst: Option<u32>,
}

/// A key without its secret: an item of `GET /ops/keys`, whose answer is `{"data": [...]}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyView {
    pub(crate) id: String,
    pub(crate) merchant: String,
    pub(crate) mode: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) label: String,
    pub(crate) addresses: Vec<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) expires_at: Option<String>,
    pub(crate) revoked_at: Option<String>,
    #[serde(default)]
    pub(crate) last_used_at: Option<String>,
    /// Requests each second, and at once, where that differs from what others may.
    #[serde(default)]
    pub(crate) per_second: Option<u32>,
    #[serde(default)]
    pub(crate) burst: Option<u32>,
    #[serde(default)]
    pub(crate) version: String,
}

impl From<&ApiKey> for KeyView {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            merchant: key.merchant.to_string(),
            mode: key.mode.as_str().to_owned(),
            scopes: key.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            label: key.label.clone(),
            addresses: key.addresses.iter().map(ToString::to_string).collect(),
            created_at: expiry::shown(key.created_at),
            expires_at: key.expires_at.and_then(expiry::shown),
            revoked_at: key.revoked_at.and_then(expiry::shown),
            last_used_at: key.last_used_at.and_then(expiry::shown),
            per_second: key.rate.map(|rate| rate.per_second.get()),
            burst: key.rate.map(|rate| rate.burst.get()),
            version: key.version.clone(),
        }
    }
}

/// A key with its secret, which is nowhere else: the answer to `POST /ops/keys`. Has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct IssuedKey {
    pub(crate) secret: String,
    pub(crate) key: KeyView,
}

/// Sets a channel's status: the body of `POST /ops/channels/{name}/override`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetOverride {
    /// `up`, `degraded`, `down` or `disabled`.
    pub(crate) status: String,
    pub(crate) reason: String,
    /// RFC 3339; `None` for never.
    #[serde(default)]
    pub(crate) expires_at: Option<String>,
}

/// An override as it stands: the answer to setting it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OverrideView {
    pub(crate) channel: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) set_at: Option<String>,
    pub(crate) set_by: String,
    pub(crate) expires_at: Option<String>,
}

impl From<&Override> for OverrideView {
    fn from(set: &Override) -> Self {
        Self {
            channel: set.channel.to_string(),
            status: set.status.clone(),
            reason: set.reason.clone(),
            set_at: expiry::shown(set.set_at),
            set_by: set.set_by.clone(),
            expires_at: set.expires_at.and_then(expiry::shown),
        }
    }
}

/// A change of a channel's status: an item of `GET /ops/events` and `GET /ops/channels/history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChannelEvent {
    /// Its place in the feed.
    pub(crate) position: i64,
    /// `channel.up`, `channel.degraded`, `channel.down` or `channel.disabled`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) at: Option<String>,
    pub(crate) channel: String,
    pub(crate) mode: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// `health`, `maintenance` or `override`.
    pub(crate) cause: String,
    pub(crate) reason: String,
    pub(crate) by: Option<String>,
    pub(crate) until: Option<String>,
}

impl From<RecordedStatus> for ChannelEvent {
    fn from(recorded: RecordedStatus) -> Self {
        let change = recorded.change;
        Self {
            position: recorded.position,
            kind: format!("channel.{}", change.to),
            at: expiry::shown(change.at),
            channel: change.channel.to_string(),
            mode: change.mode.as_str().to_owned(),
            from: change.from,
            to: change.to,
            cause: change.cause,
            reason: change.reason,
            by: change.by,
            until: change.until.and_then(expiry::shown),
        }
    }
}
