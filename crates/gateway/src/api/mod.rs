//! The merchant's HTTP API: reads requests, asks the engine, shows what it says. No use case lives here.
//!
//! Every request takes the same way ([`call::serve`]): a request id, the API key and its scope, the body within bounds,
//! card numbers refused, all faulty fields told at once; then one call of the engine; then one line in the log.

mod api_key_body;
mod api_key_view;
mod api_keys;
mod auth;
mod call;
mod capabilities;
mod capabilities_view;
mod card_numbers;
mod endpoint_body;
mod endpoint_view;
mod event_view;
mod events;
mod faults;
mod fields;
mod filters;
mod fingerprint;
mod follow_up_body;
mod json;
mod limits;
mod methods;
mod methods_view;
mod operation_view;
mod operations;
mod payer_body;
mod payment_body;
mod payment_view;
mod payments;
mod problem;
mod query;
mod request_body;
mod reserve;
mod route_body;
mod route_view;
mod routes;
#[cfg(test)]
mod tests;
mod use_cases;
mod versions;
mod view;
mod webhook_endpoints;

pub(crate) use auth::{Keys, SANDBOX_KEY, sandbox_key};
pub(crate) use event_view::event_json;
pub(crate) use events::matching as kinds_of;
pub(crate) use fingerprint::Pepper;
pub(crate) use limits::{By, Limits};
pub(crate) use routes::configure;
pub(crate) use use_cases::UseCases;
pub(crate) use versions::Version;
pub(crate) use view::JsonRender;
pub(crate) use webhook_endpoints::{Hooks, Rules};

use std::sync::Arc;
use std::time::Duration;
use switchyard_core::Clock;
use switchyard_store::{Feed, Store};

/// All that the API needs, one for each worker, as `web::Data`.
pub(crate) struct Api {
    /// Does what is asked.
    pub(crate) engine: Arc<dyn UseCases>,
    /// Who may ask; shared by all workers.
    pub(crate) keys: Arc<Keys>,
    /// For the fingerprints of requests; the same that made `keys`.
    pub(crate) pepper: Pepper,
    /// For expiry, durations and request ids.
    pub(crate) clock: Arc<dyn Clock>,
    /// Counts requests.
    pub(crate) metrics: Arc<dyn ApiMetrics>,
    /// What happened.
    pub(crate) feed: Arc<dyn Feed>,
    /// Where merchants want it to be sent.
    pub(crate) hooks: Hooks,
    /// Where API keys are kept.
    pub(crate) ledger: Arc<dyn Store>,
    /// How much anybody may ask; shared by all workers.
    pub(crate) limits: Arc<Limits>,
}

/// Takes note of requests.
pub(crate) trait ApiMetrics: Send + Sync {
    /// One request was answered. `route` is a pattern, never an address; `method` one of the few that there are. A
    /// client that left before its answer counts as status 499.
    fn request(&self, route: &'static str, method: &'static str, status: u16, duration: Duration);

    /// One request was refused, since there were too many.
    fn limited(&self, by: By);
}
