//! Webhook endpoints and deliveries as merchants read them.

use super::view::{Shown, Time};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::ser::Serializer;
use switchyard_core::{EndpointId, EventId, Mode, Timestamp};
use switchyard_store::webhooks::{Attempt, Delivery, Endpoint};

/// An endpoint.
#[derive(Serialize)]
pub(super) struct EndpointView<'a> {
    id: Shown<EndpointId>,
    object: &'static str,
    url: &'a str,
    events: &'a [String],
    description: Option<&'a str>,
    enabled: bool,
    disabled_reason: Option<&'a str>,
    live: bool,
    /// Shown where it was just made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    /// Until when the secret before signs as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    former_secret_until: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

struct Secret(SecretString);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.0.expose_secret())
    }
}

impl<'a> EndpointView<'a> {
    /// As it stands at `now`.
    pub(super) fn of(endpoint: &'a Endpoint, now: Timestamp) -> Self {
        let former = endpoint.former_secret.as_ref().map(|(_, until)| *until).filter(|until| *until > now);
        Self {
            id: Shown(endpoint.id),
            object: "webhook_endpoint",
            url: &endpoint.url,
            events: &endpoint.events,
            description: endpoint.description.as_deref(),
            enabled: endpoint.enabled,
            disabled_reason: endpoint.disabled_reason.as_deref(),
            live: endpoint.mode == Mode::Live,
            secret: None,
            former_secret_until: former.map(Time),
            created_at: Time(endpoint.created_at),
            updated_at: Time(endpoint.updated_at),
        }
    }

    /// With the secret that was just made for it.
    pub(super) fn with_secret(self, secret: SecretString) -> Self {
        Self { secret: Some(Secret(secret)), ..self }
    }
}

/// An event on its way, which was not taken at once.
#[derive(Serialize)]
pub(super) struct DeliveryView<'a> {
    event: Shown<EventId>,
    object: &'static str,
    webhook_endpoint: Shown<EndpointId>,
    status: &'static str,
    next_attempt_at: Option<Time>,
    attempts: Vec<AttemptView<'a>>,
}

#[derive(Serialize)]
struct AttemptView<'a> {
    at: Time,
    duration_ms: u32,
    response_status: Option<u16>,
    failure: Option<&'a str>,
}

impl<'a> DeliveryView<'a> {
    pub(super) fn of(delivery: &'a Delivery) -> Self {
        Self {
            event: Shown(delivery.event),
            object: "delivery",
            webhook_endpoint: Shown(delivery.endpoint),
            status: delivery.status.as_str(),
            next_attempt_at: delivery.next_at.map(Time),
            attempts: delivery.attempts.iter().map(AttemptView::of).collect(),
        }
    }
}

impl<'a> AttemptView<'a> {
    fn of(attempt: &'a Attempt) -> Self {
        Self {
            at: Time(attempt.at),
            duration_ms: attempt.took_ms,
            response_status: attempt.status,
            failure: attempt.failure.as_deref(),
        }
    }
}
