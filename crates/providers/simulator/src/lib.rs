//! The adapter of the simulated provider, API v1. Its contract is `docs/simulator.md`.
//!
//! Our operation ids go along as idempotency key and reference, as 32 hexadecimal digits; the provider keeps both for ever and
//! finds them at once. Its currencies have no exponents: it takes minor units as they are. Two oddities:
//!
//! - `tok_refused_connection` is no token of the provider. The adapter calls a port for it that is bound and never listens, so that
//!   a connection is really refused.
//! - A looked-up charge that is closed with something captured does not tell whether the rest was released by time or on
//!   order, so it says no more of its authorization than that it was approved.

mod request;
mod response;
mod wire;

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use switchyard_core::OperationKind;
use switchyard_core::capabilities::{Capabilities, Idempotency, LookUp, MethodCapability, Parts, Presentation, Which};
use switchyard_core::method::{Direction, Flow, Method};
use switchyard_core::provider::{
    Authorize, Call, Capture, ChargeRef, Found, Provider, ProviderError, Reference, Refund, Void,
};
use switchyard_core::settle::Report;

use request::Target;

/// One account at one simulator.
#[derive(Clone, Debug)]
pub struct Config {
    /// The base address, as in `http://127.0.0.1:8082`; a slash at the end is left out.
    pub base: String,
    /// `sim_test_<account>` or `sim_live_<account>`, with `.` and an ending that tells keys of one account apart, or without.
    pub api_key: SecretString,
    /// The base address of a port that is bound and never listens. `None` sends `tok_refused_connection` like any other token,
    /// which the provider then refuses.
    pub refused_port: Option<String>,
}

/// The simulated provider, spoken to with one account's key.
#[derive(Debug)]
pub struct Simulator {
    base: String,
    authorization: SecretString,
    account: String,
    publishable_key: String,
    refused_port: Option<String>,
}

impl Simulator {
    /// Speaks with the account that `config` names.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let trimmed = |base: String| base.trim_end_matches('/').to_owned();
        let key = config.api_key.expose_secret();
        Self {
            base: trimmed(config.base),
            authorization: format!("Bearer {key}").into(),
            account: fingerprint(key),
            publishable_key: publishable_key(key),
            refused_port: config.refused_port.map(trimmed),
        }
    }

    fn target(&self) -> Target<'_> {
        Target { base: &self.base, authorization: &self.authorization }
    }

    /// Where a charge with this token goes.
    fn target_of(&self, token: Option<&SecretString>) -> Target<'_> {
        let refused = token.is_some_and(|token| token.expose_secret() == "tok_refused_connection");
        match &self.refused_port {
            Some(base) if refused => Target { base, ..self.target() },
            Some(_) | None => self.target(),
        }
    }

    /// The provider's id of a charge, asked for where we never learnt it. Whatever fails here, the call that needs the id
    /// has not left.
    async fn id_of(&self, call: &Call<'_>, charge: &ChargeRef) -> Result<String, ProviderError> {
        if let Some(id) = &charge.provider_reference {
            return Ok(id.clone());
        }
        let never_left = |why: String| ProviderError::NeverLeft(format!("the charge's id is not known: {why}"));
        let request = request::find(&self.target(), OperationKind::Authorize, charge.operation);
        let response = call.send(request).await.map_err(|error| never_left(error.to_string()))?;
        match response::charge_id(&response, charge.operation) {
            Ok(Some(id)) => Ok(id),
            Ok(None) => Err(never_left("the provider has no such charge".into())),
            Err(error) => Err(never_left(error.to_string())),
        }
    }
}

#[async_trait::async_trait]
impl Provider for Simulator {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&CAPABILITIES)
    }

    fn base(&self) -> &str {
        &self.base
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn publishable(&self) -> Vec<(&'static str, String)> {
        vec![("publishable_key", self.publishable_key.clone())]
    }

    async fn authorize(&self, call: &Call<'_>, ask: &Authorize) -> Result<Report, ProviderError> {
        let request = request::authorize(&self.target_of(ask.token.as_ref()), ask)?;
        response::charge(&call.send(request).await?, ask.operation, ask.capture)
    }

    async fn look_up(&self, call: &Call<'_>, reference: &Reference) -> Result<Found, ProviderError> {
        let target = self.target();
        if let Some(id) = &reference.provider_reference {
            let response = call.send(request::get(&target, reference.kind, id)?).await?;
            return response::got(&response, reference);
        }
        let response = call.send(request::find(&target, reference.kind, reference.operation)).await?;
        response::found(&response, reference)
    }

    async fn capture(&self, call: &Call<'_>, ask: &Capture) -> Result<Report, ProviderError> {
        let charge = self.id_of(call, &ask.charge).await?;
        let request = request::capture(&self.target(), &charge, ask)?;
        response::operation(&call.send(request).await?, ask.operation, &charge)
    }

    async fn void(&self, call: &Call<'_>, ask: &Void) -> Result<Report, ProviderError> {
        let charge = self.id_of(call, &ask.charge).await?;
        let request = request::void(&self.target(), &charge, ask)?;
        response::operation(&call.send(request).await?, ask.operation, &charge)
    }

    async fn refund(&self, call: &Call<'_>, ask: &Refund) -> Result<Report, ProviderError> {
        let charge = self.id_of(call, &ask.charge).await?;
        let request = request::refund(&self.target(), &charge, ask)?;
        response::operation(&call.send(request).await?, ask.operation, &charge)
    }
}

/// What the provider can do.
pub static CAPABILITIES: LazyLock<Arc<Capabilities>> = LazyLock::new(|| {
    let methods = Method::ALL.iter().copied().filter(|method| method.directions().contains(&Direction::Payin));
    Arc::new(Capabilities {
        provider: "simulator",
        api_version: "v1",
        methods: methods.map(row).collect(),
        idempotency: Idempotency::Reference,
        look_up: LookUp {
            by_our_reference: true,
            by_their_reference: true,
            complete: true,
            // What is booked is found at once; a request that still is under way may be booked a moment later.
            grace: Duration::from_secs(2),
            schedule: [1, 2, 5, 15, 60, 300, 3600].map(Duration::from_secs).to_vec(),
            // Pages are open for a day, and nothing stays pending for long.
            longest_silence: Duration::from_hours(48),
        },
    })
});

/// The provider takes every method, in every currency and country, and asks for nothing besides.
fn row(method: Method) -> MethodCapability {
    let held = match method.flow() {
        Flow::Direct => true,
        Flow::Redirect | Flow::Push | Flow::Debit => false,
    };
    MethodCapability {
        method,
        direction: Direction::Payin,
        presentation: if held { Presentation::Token } else { Presentation::Hosted },
        currencies: Which::All,
        countries: Which::All,
        amounts: Vec::new(),
        manual_capture: held,
        sale: true,
        captures: if held { Parts::Many } else { Parts::No },
        void: held,
        cancel_waiting: true,
        refunds: Parts::Many,
        required: Vec::new(),
    }
}

/// The key that pages may show, of the account that the secret one belongs to: the simulator takes tokens by name, so that it
/// serves to tell accounts apart and nothing else.
fn publishable_key(key: &str) -> String {
    let mode = if key.starts_with("sim_live_") { "live" } else { "test" };
    format!("sim_publishable_{mode}_{}", fingerprint(key))
}

/// Sixteen hexadecimal digits of the SHA-256 of the key without what follows its dot, which tells the keys of one account
/// apart.
fn fingerprint(key: &str) -> String {
    let account = key.split_once('.').map_or(key, |(account, _)| account);
    let digest = ring::digest::digest(&ring::digest::SHA256, account.as_bytes());
    digest.as_ref().iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
