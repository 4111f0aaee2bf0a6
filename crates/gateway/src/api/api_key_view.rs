//! API keys as merchants read them.

use super::view::{Shown, Time};
use serde::Serialize;
use switchyard_core::id::KeyId;
use switchyard_core::{Mode, Network};
use switchyard_store::ApiKey;

/// One key. Its secret is there in the answer that issues it, and nowhere else.
#[derive(Serialize)]
pub(super) struct ApiKeyView<'a> {
    id: Shown<KeyId>,
    object: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    label: &'a str,
    live: bool,
    scopes: Vec<&'static str>,
    addresses: Vec<Shown<Network>>,
    version: &'a str,
    created_at: Time,
    expires_at: Option<Time>,
    revoked_at: Option<Time>,
    last_used_at: Option<Time>,
}

impl<'a> ApiKeyView<'a> {
    pub(super) fn of(key: &'a ApiKey) -> Self {
        Self {
            id: Shown(key.id),
            object: "api_key",
            secret: None,
            label: &key.label,
            live: key.mode == Mode::Live,
            scopes: key.scopes.iter().map(|scope| scope.as_str()).collect(),
            addresses: key.addresses.iter().copied().map(Shown).collect(),
            version: &key.version,
            created_at: Time(key.created_at),
            expires_at: key.expires_at.map(Time),
            revoked_at: key.revoked_at.map(Time),
            last_used_at: key.last_used_at.map(Time),
        }
    }

    pub(super) fn with_secret(key: &'a ApiKey, secret: &'a str) -> Self {
        Self { secret: Some(secret), ..Self::of(key) }
    }
}
