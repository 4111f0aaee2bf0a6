//! Which channel serves a new payment.

use crate::board::{Board, InForce};
use crate::channel::{Account, Channel};
use crate::{Caller, Engine, EngineError, NewPayment, Tokens};
use secrecy::SecretString;
use std::sync::Arc;
use switchyard_coordination::ProbeEnd;
use switchyard_core::capabilities::Field;
use switchyard_core::method::Direction;
use switchyard_core::payment::Decided;
use switchyard_core::{ChannelName, Clock, FailureCode, Mode, OrderType, PaymentId};
use switchyard_routing::{Facts, Offer, Outcome, RuleSet, Snapshot};

/// A decision, and what it takes to follow it.
pub(crate) struct Routed {
    pub(crate) decided: Decided,
    /// The channel chosen, with its account in the payment's mode.
    pub(crate) channel: Option<(Arc<Channel>, Account)>,
    pub(crate) token: Option<SecretString>,
    /// Why there is no channel.
    pub(crate) failure: Option<FailureCode>,
    /// Where the payment tries out a channel that was bad.
    pub(crate) probe: Option<Probe>,
}

/// The one open probe of a channel. Dropped without an outcome, it says nothing about the channel.
pub(crate) struct Probe {
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    channel: ChannelName,
    mode: Mode,
    payment: PaymentId,
    ended: bool,
}

impl Probe {
    /// Ends it with what the call showed; true where the channel's level changed.
    pub(crate) fn end(mut self, noted: switchyard_coordination::Noted) -> bool {
        self.ended = true;
        self.tell(ProbeEnd::Answered(noted))
    }

    fn tell(&self, end: ProbeEnd) -> bool {
        let now = self.clock.now();
        self.board.coordination().probe_ended(&self.channel, self.mode, now, self.payment, end).is_some()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(ProbeEnd::Abandoned);
        }
    }
}

impl Engine {
    pub(crate) fn route(&self, caller: &Caller, id: PaymentId, ask: &NewPayment) -> Result<Routed, EngineError> {
        let in_force = self.seams.board.in_force();
        require_order_type(&in_force, caller, &ask.order_type)?;
        // What the rules are given here, `record::Inputs` finds again in the payment's row.
        let mut facts =
            Facts::new(ask.order_type.clone(), ask.method, ask.amount, ask.country, caller.merchant.clone());
        facts.capture = ask.capture;
        facts.mode = Some(caller.mode);
        let offer = offer(&in_force.rules, &ask.tokens)?;
        let (mut snapshot, mut snapshot_bytes) = self.snapshot(&in_force, caller.mode, id);
        let mut decision = in_force.rules.decide(&facts, &offer, &snapshot, id);
        let mut probe = None;
        // A channel on trial takes one payment at a time. Whoever comes second takes it for what it was.
        while let Some(channel) = decision.channel().filter(|channel| in_force.probing(channel, caller.mode)) {
            probe = self.claim_probe(channel, caller.mode, id);
            if probe.is_some() || !self.may_probe(channel, caller.mode, id) {
                break;
            }
            (snapshot, snapshot_bytes) = self.snapshot(&in_force, caller.mode, id);
            decision = in_force.rules.decide(&facts, &offer, &snapshot, id);
        }
        let rule = decision.rule.unwrap_or("");
        self.seams.watch.routed(rule, decision.channel());
        let decided = Decided {
            rule: rule.into(),
            rules_version: Arc::clone(&in_force.version),
            channel: decision.channel().cloned(),
            reason: decision.reason.as_str().into(),
            snapshot: snapshot_bytes,
            offer: offer.to_bytes().into(),
            route: None,
        };
        let failure = match decision.outcome {
            Outcome::Channel { channel, provider } => {
                let connected = self.connected(&in_force);
                let channel = connected.channels.get(channel);
                let account = channel.and_then(|channel| channel.account(caller.mode));
                let (Some(channel), Some(account)) = (channel, account) else {
                    let failure = Some(FailureCode::NoChannelAvailable);
                    return Ok(Routed { decided, channel: None, token: None, failure, probe: None });
                };
                require_fields(channel, account, ask)?;
                let token = token_for(&ask.tokens, channel, provider);
                return Ok(Routed {
                    decided,
                    channel: Some((Arc::clone(channel), account.clone())),
                    token,
                    failure: None,
                    probe,
                });
            }
            Outcome::Rejected { .. } => FailureCode::RejectedByRule,
            Outcome::NoChannel => FailureCode::NoChannelAvailable,
        };
        Ok(Routed { decided, channel: None, token: None, failure: Some(failure), probe: None })
    }
}

impl Engine {
    fn snapshot(&self, in_force: &InForce, mode: Mode, payment: PaymentId) -> (Snapshot, Arc<[u8]>) {
        in_force.snapshot_for(self.seams.board.coordination(), mode, self.seams.clock.now(), payment)
    }

    fn claim_probe(&self, channel: &ChannelName, mode: Mode, payment: PaymentId) -> Option<Probe> {
        let (board, clock) = (Arc::clone(&self.seams.board), Arc::clone(&self.seams.clock));
        let claimed = board.coordination().probe_started(channel, mode, clock.now(), payment);
        claimed.then(|| Probe { board, clock, channel: channel.clone(), mode, payment, ended: false })
    }

    /// Whether the channel was chosen as a probe, and by now is taken by another one.
    fn may_probe(&self, channel: &ChannelName, mode: Mode, payment: PaymentId) -> bool {
        use switchyard_coordination::Status as S;
        match self.seams.board.coordination().status_for(channel, mode, self.seams.clock.now(), payment) {
            // It serves, probe or not.
            S::Up => false,
            S::Probe | S::Degraded | S::Down => true,
        }
    }
}

pub(crate) fn offer(rules: &RuleSet, tokens: &Tokens) -> Result<Offer, EngineError> {
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

/// A reload may have narrowed what the merchant may use since the request was read.
pub(crate) fn require_order_type(
    in_force: &InForce,
    caller: &Caller,
    order_type: &OrderType,
) -> Result<(), EngineError> {
    let Some(allowed) = in_force.merchants.order_types(&caller.merchant) else { return Err(EngineError::NoMerchant) };
    if allowed.contains(order_type) {
        return Ok(());
    }
    let reason = "must be an order type that this merchant may use".to_owned();
    Err(EngineError::Fields(vec![("order_type".to_owned(), reason)]))
}

/// The token meant for a channel: named by it, else by its provider, else the bare one.
pub(crate) fn token_for(tokens: &Tokens, channel: &Channel, provider: &str) -> Option<SecretString> {
    let named = |wanted: &str| tokens.named.iter().find(|(name, _)| name == wanted).map(|(_, token)| token.clone());
    named(channel.name.as_str()).or_else(|| named(provider)).or_else(|| tokens.bare.clone())
}

/// What the method needs at this channel besides the base.
pub(crate) fn require_fields(channel: &Channel, account: &Account, ask: &NewPayment) -> Result<(), EngineError> {
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
