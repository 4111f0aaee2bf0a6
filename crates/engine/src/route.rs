//! Which channel serves a new payment.

use crate::channel::Channel;
use crate::{Caller, Engine, EngineError, NewPayment, Tokens};
use arc_swap::ArcSwap;
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use switchyard_core::capabilities::Field;
use switchyard_core::method::Direction;
use switchyard_core::payment::Decided;
use switchyard_core::{ChannelName, FailureCode, PaymentId};
use switchyard_routing::{Facts, Offer, Outcome, RuleSet, Snapshot, Status};

/// The rules in force and the channels' status under them: one value, so that no request sees half of a change.
pub struct InForce {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Their hash.
    pub version: Arc<str>,
    /// The status of their channels.
    pub snapshot: Snapshot,
    snapshot_bytes: Arc<[u8]>,
}

impl InForce {
    fn new(rules: Arc<RuleSet>, status: &HashMap<ChannelName, Status>) -> Self {
        let snapshot = rules.snapshot(|channel| status.get(channel).copied().unwrap_or(Status::Up));
        Self {
            version: rules.hash().into(),
            snapshot_bytes: snapshot.as_bytes().into(),
            snapshot,
            rules,
        }
    }
}

/// Where rules and status are posted for every worker to see.
pub struct Board {
    in_force: ArcSwap<InForce>,
    status: Mutex<HashMap<ChannelName, Status>>,
}

impl Board {
    /// With every channel up.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>) -> Self {
        let status = HashMap::new();
        Self { in_force: ArcSwap::from_pointee(InForce::new(rules, &status)), status: Mutex::new(status) }
    }

    /// What holds now.
    #[must_use]
    pub fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// Posts the status of the channels that are not simply up. True where that changed anything.
    pub fn post_status(&self, status: HashMap<ChannelName, Status>) -> bool {
        let mut known = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == status {
            return false;
        }
        let rules = Arc::clone(&self.in_force.load().rules);
        self.in_force.store(Arc::new(InForce::new(rules, &status)));
        *known = status;
        true
    }

    /// Posts other rules.
    pub fn post_rules(&self, rules: Arc<RuleSet>) {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        self.in_force.store(Arc::new(InForce::new(rules, &status)));
    }

    /// A channel's status.
    #[must_use]
    pub fn status(&self, channel: &ChannelName) -> Status {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.get(channel).copied().unwrap_or(Status::Up)
    }
}

/// A decision, and what it takes to follow it.
pub(crate) struct Routed {
    pub(crate) decided: Decided,
    pub(crate) channel: Option<Arc<Channel>>,
    pub(crate) token: Option<SecretString>,
    /// Why there is no channel.
    pub(crate) failure: Option<FailureCode>,
}

impl Engine {
    pub(crate) fn route(&self, caller: &Caller, id: PaymentId, ask: &NewPayment) -> Result<Routed, EngineError> {
        let in_force = self.seams.board.in_force();
        let mut facts =
            Facts::new(ask.order_type.clone(), ask.method, ask.amount, ask.country, caller.merchant.clone());
        facts.capture = ask.capture;
        facts.mode = Some(caller.mode);
        let offer = offer(&in_force.rules, &ask.tokens)?;
        let decision = in_force.rules.decide(&facts, &offer, &in_force.snapshot, id);
        let rule = decision.rule.unwrap_or("");
        self.seams.watch.routed(rule, decision.channel());
        let decided = Decided {
            rule: rule.into(),
            rules_version: Arc::clone(&in_force.version),
            channel: decision.channel().cloned(),
            reason: decision.reason.as_str().into(),
            snapshot: Arc::clone(&in_force.snapshot_bytes),
            offer: offer.to_bytes().into(),
        };
        let failure = match decision.outcome {
            Outcome::Channel { channel, provider } => {
                let channel = self.channels.get(channel).filter(|channel| channel.account(caller.mode).is_some());
                let Some(channel) = channel else {
                    let failure = Some(FailureCode::NoChannelAvailable);
                    return Ok(Routed { decided, channel: None, token: None, failure });
                };
                require_fields(channel, caller, ask)?;
                let token = token_for(&ask.tokens, channel, provider);
                return Ok(Routed { decided, channel: Some(Arc::clone(channel)), token, failure: None });
            }
            Outcome::Rejected { .. } => FailureCode::RejectedByRule,
            Outcome::NoChannel => FailureCode::NoChannelAvailable,
        };
        Ok(Routed { decided, channel: None, token: None, failure: Some(failure) })
    }
}

fn offer(rules: &RuleSet, tokens: &Tokens) -> Result<Offer, EngineError> {
    let (path, offer) = match (&tokens.bare, &tokens.provider) {
        (Some(_), Some(provider)) => ("payment_method.provider".to_owned(), rules.offer([provider.as_str()])),
        (Some(_), None) => return Ok(Offer::Bare),
        (None, _) => {
            let unknown = |name: &str| format!("payment_method.tokens.{name}");
            let offer = rules.offer(tokens.named.iter().map(|(name, _)| name.as_str()));
            (offer.as_ref().err().map_or_else(String::new, |error| unknown(&error.name)), offer)
        }
    };
    offer.map_err(|error| {
        let nearest = error.nearest.as_deref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        EngineError::Fields(vec![(path, format!("{error}{nearest}"))])
    })
}

/// The token meant for a channel: named by it, else by its provider, else the bare one.
fn token_for(tokens: &Tokens, channel: &Channel, provider: &str) -> Option<SecretString> {
    let named = |wanted: &str| tokens.named.iter().find(|(name, _)| name == wanted).map(|(_, token)| token.clone());
    named(channel.name.as_str()).or_else(|| named(provider)).or_else(|| tokens.bare.clone())
}

/// What the method needs at this channel besides the base.
fn require_fields(channel: &Channel, caller: &Caller, ask: &NewPayment) -> Result<(), EngineError> {
    let Some(account) = channel.account(caller.mode) else { return Ok(()) };
    let capabilities = account.provider.capabilities();
    let Some(can) = capabilities.method(ask.method, Direction::Payin) else { return Ok(()) };
    let customer = ask.customer.as_deref();
    let missing = |field: &&Field| match field {
        Field::ReturnUrl => ask.return_url.is_none(),
        Field::CustomerEmail => customer.is_none_or(|customer| customer.email.is_none()),
        Field::CustomerName => customer.is_none_or(|customer| customer.name.is_none()),
        Field::CustomerPhone => customer.is_none_or(|customer| customer.phone.is_none()),
        Field::BillingAddress => ask.billing_address.is_none(),
    };
    let missing: Vec<(String, String)> = can
        .required
        .iter()
        .filter(missing)
        .map(|field| (field.path().to_owned(), format!("is required for {} on channel {}", ask.method, channel.name)))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(EngineError::Fields(missing)) }
}
