//! What operators do to keys and channels, by command or by call: the same functions behind both, and their JSON.

use super::expiry;
pub(crate) use super::forms::{ChannelEvent, IssueKey, IssuedKey, KeyView, OverrideView, SetOverride};
use crate::api::{Pepper, Version};
use crate::clock;
use crate::config::merchants::twice;
use crate::config::section::REQUESTS_MAX;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use switchyard_core::id::KeyId;
use switchyard_core::{ChannelName, Clock, Mode, Network, Timestamp};
use switchyard_routing::nearest::did_you_mean;
use switchyard_routing::vocabulary::MerchantSpec;
use switchyard_store::{Administer, ApiKey, Audit, Override, Rate, Scope, StatusQuery, Store, StoreError, Written};

/// Longest label or reason, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// Addresses of one key at most.
const ADDRESSES_MAX: usize = 100;
/// Random characters of a secret: 43 of 62 kinds are 256 bits.
const SECRET_CHARS: usize = 43;
/// Said of what is no key's id. It is not repeated: it may be a secret, pasted by mistake.
pub(super) const NO_KEY_ID: &str = "no key's id: that is `key_` and 32 hexadecimal digits, not the secret";
/// The statuses that an operator can set.
const STATUSES: [&str; 4] = ["up", "degraded", "down", "disabled"];

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AdminError {
    /// What was asked for makes no sense: every reason.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The ledger did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AdminError {
    /// The HTTP status that says so.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 422,
            Self::NotFound(_) => 404,
            Self::Store(_) => 503,
        }
    }

    /// The body of that answer.
    pub(crate) fn body(&self) -> Value {
        json!({"error": self.to_string()})
    }
}

/// An operator at work.
#[derive(Clone, Copy)]
pub(crate) struct Office<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) clock: &'a dyn Clock,
    /// Who, for the audit log: `cli`, or the name of an operator token.
    pub(crate) actor: &'a str,
}

impl Office<'_> {
    /// Issues a key. `live` and `test` merchants are the same; the key's mode tells the books apart.
    pub(crate) async fn issue_key(
        &self,
        asked: &IssueKey,
        merchants: &[MerchantSpec],
        pepper: &Pepper,
    ) -> Result<IssuedKey, AdminError> {
        let key = read_key(asked, merchants, self.clock.now()).map_err(AdminError::Invalid)?;
        let (secret, key) = self.issue(key, pepper).await?;
        Ok(IssuedKey { secret, key: KeyView::from(&key) })
    }

    /// Gives the key an id and a secret, and writes it down: the secret, and the key.
    pub(crate) async fn issue(&self, mut key: ApiKey, pepper: &Pepper) -> Result<(String, ApiKey), AdminError> {
        key.id = KeyId::from_uuid(self.clock.uuid());
        let secret = new_secret(key.mode);
        key.hash = pepper.api_key_hash(&secret);
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        let detail = format!("merchant {} {} {}", key.merchant, key.mode.as_str(), scopes.join(","));
        let audit = self.audit(key.created_at, "key.issued", &key.id.to_string(), detail);
        match self.store.administer(Administer::IssueKey(key.clone()), audit).await? {
            Written::Done => Ok((secret, key)),
            Written::Stale => Err(StoreError::Unavailable("the key's id is taken".into()).into()),
        }
    }

    /// Every key, oldest first.
    pub(crate) async fn keys(&self) -> Result<Vec<KeyView>, AdminError> {
        let mut keys = self.store.keys().await?;
        keys.sort_by_key(|key| (key.created_at, key.id));
        Ok(keys.iter().map(KeyView::from).collect())
    }

    /// Takes a key back.
    pub(crate) async fn revoke_key(&self, id: &str) -> Result<(), AdminError> {
        let key = KeyId::parse(id).ok_or_else(|| AdminError::Invalid(vec![NO_KEY_ID.to_owned()]))?;
        let none = || AdminError::NotFound(format!("there is no key {id}, or it is revoked already"));
        self.revoke(key).await?.map(drop).ok_or_else(none)
    }

    /// Takes a key back, and says when; `None` where there is none, or it is revoked already.
    pub(crate) async fn revoke(&self, key: KeyId) -> Result<Option<Timestamp>, AdminError> {
        let now = self.clock.now();
        let audit = self.audit(now, "key.revoked", &key.to_string(), String::new());
        match self.store.administer(Administer::RevokeKey(key, now), audit).await? {
            Written::Done => Ok(Some(now)),
            Written::Stale => Ok(None),
        }
    }

    /// Sets or replaces a channel's override.
    pub(crate) async fn set_override(
        &self,
        channel: &str,
        asked: &SetOverride,
        channels: &[ChannelName],
    ) -> Result<OverrideView, AdminError> {
        let channel = known_channel(channel, channels)?;
        let now = self.clock.now();
        let mut wrong = Vec::new();
        if !STATUSES.contains(&asked.status.as_str()) {
            wrong.push(unknown("status", &asked.status, &STATUSES));
        }
        if asked.reason.trim().is_empty() {
            wrong.push("a reason is wanted".to_owned());
        }
        read_text("reason", &asked.reason, &mut wrong);
        let expires_at = read_expiry(asked.expires_at.as_deref(), now, &mut wrong);
        if !wrong.is_empty() {
            return Err(AdminError::Invalid(wrong));
        }
        let (status, reason) = (asked.status.clone(), asked.reason.clone());
        let set = Override { channel, status, reason, expires_at, set_at: now, set_by: self.actor.to_owned() };
        let view = OverrideView::from(&set);
        let until = view.expires_at.as_deref().unwrap_or("cleared");
        let audit = self.audit(
            now,
            "channel.override_set",
            &view.channel,
            format!("{} until {until}: {}", view.status, view.reason),
        );
        match self.store.administer(Administer::SetOverride(set), audit).await? {
            Written::Done | Written::Stale => Ok(view),
        }
    }

    /// Removes a channel's override. The channel may be gone from the configuration.
    pub(crate) async fn clear_override(&self, channel: &str) -> Result<(), AdminError> {
        let none = || AdminError::NotFound(format!("channel `{channel}` has no override"));
        let name = ChannelName::new(channel).ok_or_else(none)?;
        let audit = self.audit(self.clock.now(), "channel.override_cleared", channel, String::new());
        match self.store.administer(Administer::ClearOverride(name), audit).await? {
            Written::Done => Ok(()),
            Written::Stale => Err(none()),
        }
    }

    /// How the statuses of one channel, or of all, changed: newest first.
    pub(crate) async fn history(
        &self,
        channel: Option<&str>,
        limit: u32,
        channels: &[ChannelName],
    ) -> Result<Vec<ChannelEvent>, AdminError> {
        let name = match channel {
            // One that is gone from the configuration still has its past.
            Some(text) => Some(ChannelName::new(text).map_or_else(|| known_channel(text, channels), Ok)?),
            None => None,
        };
        let found = self.store.status_changes(StatusQuery::Latest(name.clone()), limit).await?;
        if let Some(name) = name.filter(|_| found.is_empty()) {
            known_channel(name.as_str(), channels)?;
        }
        Ok(found.into_iter().map(ChannelEvent::from).collect())
    }

    fn audit(&self, at: Timestamp, action: &str, subject: &str, detail: String) -> Audit {
        let (actor, action, subject) = (self.actor.to_owned(), action.to_owned(), subject.to_owned());
        Audit { at, actor, action, subject, detail }
    }
}

/// The key that is asked for, without id and hash; or all that is wrong.
fn read_key(asked: &IssueKey, merchants: &[MerchantSpec], now: Timestamp) -> Result<ApiKey, Vec<String>> {
    let mut wrong = Vec::new();
    let merchant = merchants.iter().find(|spec| spec.name.as_str() == asked.merchant).map(|spec| spec.name.clone());
    if merchant.is_none() {
        let known: Vec<&str> = merchants.iter().map(|spec| spec.name.as_str()).collect();
        wrong.push(unknown("merchant", &asked.merchant, &known));
    }
    let mode = [Mode::Test, Mode::Live].into_iter().find(|mode| mode.as_str() == asked.mode);
    if mode.is_none() {
        wrong.push(unknown("mode", &asked.mode, &["test", "live"]));
    }
    let mut scopes = Vec::new();
    for name in &asked.scopes {
        match Scope::from_name(name) {
            Some(scope) => scopes.push(scope),
            None => {
                wrong.push(unknown("scope", name, &Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>()))
            }
        }
    }
    scopes.sort_unstable();
    scopes.dedup();
    if asked.scopes.is_empty() {
        wrong.push("a key without a scope could do nothing".to_owned());
    }
    let mut addresses = Vec::new();
    for text in &asked.addresses {
        match Network::parse(text) {
            Ok(network) => addresses.push(network),
            Err(error) => wrong.push(format!("`{text}` {error}")),
        }
    }
    if addresses.len() > ADDRESSES_MAX {
        wrong.push(format!("more than {ADDRESSES_MAX} addresses"));
    }
    read_text("label", &asked.label, &mut wrong);
    let rate = read_rate(asked, &mut wrong);
    let expires_at = read_expiry(asked.expires_at.as_deref(), now, &mut wrong);
    match (merchant, mode) {
        (Some(merchant), Some(mode)) if wrong.is_empty() => Ok(ApiKey {
            id: KeyId::from_uuid(uuid::Uuid::nil()),
            hash: [0; 32],
            merchant,
            mode,
            scopes,
            label: asked.label.clone(),
            addresses,
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_at: None,
            rate,
            version: Version::NEWEST.name().to_owned(),
        }),
        (Some(_) | None, Some(_) | None) => Err(wrong),
    }
}

/// The rate of a key that has one of its own.
fn read_rate(asked: &IssueKey, wrong: &mut Vec<String>) -> Option<Rate> {
    let count = |count: u32| NonZeroU32::new(count).filter(|_| i64::from(count) <= REQUESTS_MAX);
    match (asked.per_second, asked.burst) {
        (None, None) => None,
        (None, Some(_)) => {
            wrong.push("burst goes with per_second, which is left out".to_owned());
            None
        }
        (Some(per_second), burst) => {
            let per_second = count(per_second);
            let burst = burst.map_or_else(|| per_second.map(twice), count);
            let rate = per_second.zip(burst).map(|(per_second, burst)| Rate { per_second, burst });
            if rate.is_none() {
                wrong.push(format!("per_second and burst are integers from 1 to {REQUESTS_MAX}"));
            }
            rate
        }
    }
}

fn known_channel(name: &str, channels: &[ChannelName]) -> Result<ChannelName, AdminError> {
    channels.iter().find(|known| known.as_str() == name).cloned().ok_or_else(|| {
        let known: Vec<&str> = channels.iter().map(ChannelName::as_str).collect();
        AdminError::NotFound(unknown("channel", name, &known))
    })
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let hint = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| format!("there is {}", known.join(", ")));
    format!("unknown {what} `{name}`: {hint}")
}

fn read_text(what: &str, text: &str, wrong: &mut Vec<String>) {
    if text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
        wrong.push(format!("a {what} has at most {TEXT_CHARS_MAX} characters, on one line"));
    }
}

fn read_expiry(text: Option<&str>, now: Timestamp, wrong: &mut Vec<String>) -> Option<Timestamp> {
    let text = text?;
    let at = expiry::parse(text);
    match at {
        None => wrong.push(format!("`{text}` is no time such as 2027-01-31T00:00:00Z")),
        Some(at) if at <= now => wrong.push(format!("{text} has passed")),
        Some(_) => {}
    }
    at
}

/// `sy_test_` or `sy_live_`, and [`SECRET_CHARS`] of digits and letters, each as likely as any other.
fn new_secret(mode: Mode) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut secret = format!("sy_{}_", mode.as_str());
    let length = secret.len().saturating_add(SECRET_CHARS);
    while secret.len() < length {
        let [byte] = clock::random::<1>();
        // Six bits are 64 kinds: the two too many are thrown away, so that none of the others is more likely.
        if let Some(&letter) = ALPHABET.get(usize::from(byte >> 2)) {
            secret.push(char::from(letter));
        }
    }
    secret
}

#[cfg(test)]
#[path = "admin_tests.rs"]
mod tests;
