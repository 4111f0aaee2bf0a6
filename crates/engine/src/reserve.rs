//! Routes: a decision made before its payment, so that a page can show what its channel needs.

use crate::board::InForce;
use crate::channel::{Account, Channel};
use crate::route::{Routed, offer, require_fields, require_order_type, token_for};
use crate::{Caller, Engine, EngineError, NewPayment, Tokens};
use std::sync::Arc;
use switchyard_core::capabilities::Presentation;
use switchyard_core::method::Direction;
use switchyard_core::payment::{CaptureMode, Decided};
use switchyard_core::{Country, Failure, FailureCode, Method, Money, OrderType, Route, RouteId, Timestamp};
use switchyard_routing::{Facts, Offer, Outcome, RuleSet, Status};
use switchyard_store::StoreError;

/// Routes looked at by one call of [`Engine::forget_routes`].
const ROUTES_LOOKED_AT: u32 = 500;

/// Asks for a route. Everything in it has been validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRoute {
    /// How much the payment will be for.
    pub amount: Money,
    /// The payer's country.
    pub country: Country,
    /// The operator's word for this kind of payment; the merchant may use it.
    pub order_type: OrderType,
    /// What it will be paid with.
    pub method: Method,
    /// Whether the money will be taken at once.
    pub capture: CaptureMode,
    /// The channels or providers that the page can make tokens for; `None` for whichever is chosen.
    pub tokens_for: Option<Vec<String>>,
}

/// What a route came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservation {
    /// Its id.
    pub id: RouteId,
    /// What was asked for.
    pub ask: NewRoute,
    /// What was decided.
    pub decided: Decided,
    /// Whose channel it is.
    pub provider: Option<Arc<str>>,
    /// What a page may show of the channel's account.
    pub client: Vec<(&'static str, String)>,
    /// Why there is no channel.
    pub failure: Option<Failure>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Until when payments may follow it; `None` where it leads nowhere, so that nothing is kept.
    pub expires_at: Option<Timestamp>,
}

impl Engine {
    /// Decides now for a payment that is to come, and keeps the decision. Moves no money and probes no channel.
    ///
    /// # Errors
    /// [`EngineError::Fields`] for names of tokens that nobody has; the ledger's own.
    pub async fn reserve(&self, caller: Caller, ask: NewRoute) -> Result<Reservation, EngineError> {
        let id = RouteId::from_uuid(self.seams.clock.uuid());
        let in_force = self.seams.board.in_force();
        require_order_type(&in_force, &caller, &ask.order_type)?;
        let mut facts =
            Facts::new(ask.order_type.clone(), ask.method, ask.amount, ask.country, caller.merchant.clone());
        facts.capture = ask.capture;
        facts.mode = Some(caller.mode);
        let offer = offer_of(&in_force.rules, ask.tokens_for.as_deref())?;
        let (snapshot, snapshot_bytes) = in_force.snapshot(caller.mode);
        let decision = in_force.rules.decide(&facts, &offer, snapshot, id.draws_as());
        let decided = Decided {
            rule: decision.rule.unwrap_or("").into(),
            rules_version: Arc::clone(&in_force.version),
            channel: decision.channel().cloned(),
            reason: decision.reason.as_str().into(),
            snapshot: snapshot_bytes,
            offer: offer.to_bytes().into(),
            route: Some(id),
        };
        let (found, code) = match decision.outcome {
            Outcome::Channel { channel, .. } => {
                let connected = self.connected(&in_force);
                let channel = connected.channels.get(channel);
                let account = channel.and_then(|it| Some((Arc::clone(it), it.account(caller.mode)?.clone())));
                (account, FailureCode::NoChannelAvailable)
            }
            Outcome::Rejected { .. } => (None, FailureCode::RejectedByRule),
            Outcome::NoChannel => (None, FailureCode::NoChannelAvailable),
        };
        let created_at = self.seams.clock.now();
        let Some((channel, account)) = found else {
            // Nobody can follow it, so nothing is kept.
            let (provider, failure) = (None, Some(Failure::new(code)));
            let client = Vec::new();
            return Ok(Reservation { id, ask, decided, provider, client, failure, created_at, expires_at: None });
        };
        let expires_at = created_at.after(self.seams.route_life);
        let route = Route {
            id,
            merchant: caller.merchant,
            mode: caller.mode,
            amount: ask.amount,
            country: ask.country,
            order_type: ask.order_type.clone(),
            method: ask.method,
            capture: ask.capture,
            decided: decided.clone(),
            target: Arc::clone(&account.target),
            created_at,
            expires_at,
        };
        self.seams.store.reserve(route).await?;
        Ok(Reservation {
            id,
            ask,
            decided,
            provider: Some(Arc::clone(&channel.provider)),
            client: account.provider.publishable(),
            failure: None,
            created_at,
            expires_at: Some(expires_at),
        })
    }

    /// Forgets routes that have expired, some at a time.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn forget_routes(&self) -> Result<(), StoreError> {
        self.seams.store.forget_routes(self.seams.clock.now(), ROUTES_LOOKED_AT).await
    }

    /// Takes the route's decision for the payment's own, where it still holds. No probe is claimed: whoever reserved a
    /// channel did not ask to try it out.
    pub(crate) fn follow_route(
        &self,
        caller: &Caller,
        ask: &NewPayment,
        route: Option<Route>,
    ) -> Result<Routed, EngineError> {
        let theirs = route.filter(|route| route.merchant == caller.merchant && route.mode == caller.mode);
        let route = theirs.ok_or_else(|| stale("there is no such route; perhaps it has expired"))?;
        let in_force = self.seams.board.in_force();
        let (channel, account) = self.still_leads(&route, ask, &in_force)?;
        offer(&in_force.rules, &ask.tokens)?;
        require_token(&channel, &account, ask)?;
        require_fields(&channel, &account, ask)?;
        self.seams.watch.routed(&route.decided.rule, route.decided.channel.as_ref());
        let token = token_for(&ask.tokens, &channel, &channel.provider);
        Ok(Routed { decided: route.decided, channel: Some((channel, account)), token, failure: None, probe: None })
    }

    /// The channel that the route leads to, unless it has become stale.
    fn still_leads(
        &self,
        route: &Route,
        ask: &NewPayment,
        in_force: &InForce,
    ) -> Result<(Arc<Channel>, Account), EngineError> {
        if self.seams.clock.now() >= route.expires_at {
            return Err(stale("it has expired"));
        }
        let fields = differing(route, ask);
        if !fields.is_empty() {
            let reason = format!("it was made for another payment: {} differ", fields.join(", "));
            return Err(EngineError::RouteStale { reason, fields });
        }
        if in_force.version != route.decided.rules_version {
            return Err(stale("the rules that made it are not in force any more"));
        }
        let gone = || stale("its channel is not there any more");
        let name = route.decided.channel.as_ref().ok_or_else(gone)?;
        match in_force.status(name, route.mode) {
            Status::Up | Status::Degraded => {}
            status @ (Status::Down | Status::Disabled | Status::Probing(_)) => {
                return Err(stale(&format!("channel {name} is {} by now", status.as_str())));
            }
        }
        let connected = self.connected(in_force);
        let channel = connected.channels.get(name).ok_or_else(gone)?;
        let account = channel.account(route.mode).ok_or_else(gone)?;
        if *account.target != *route.target {
            return Err(stale(&format!("channel {name} has another account by now")));
        }
        Ok((Arc::clone(channel), account.clone()))
    }
}

fn stale(reason: &str) -> EngineError {
    EngineError::RouteStale { reason: reason.to_owned(), fields: Vec::new() }
}

/// The fields in which the payment is not what the route was made for.
fn differing(route: &Route, ask: &NewPayment) -> Vec<&'static str> {
    let pairs = [
        ("amount", route.amount.minor() == ask.amount.minor()),
        ("currency", route.amount.currency() == ask.amount.currency()),
        ("country", route.country == ask.country),
        ("order_type", route.order_type == ask.order_type),
        ("payment_method.type", route.method == ask.method),
        ("capture", route.capture == ask.capture),
    ];
    pairs.into_iter().filter(|(_, same)| !same).map(|(field, _)| field).collect()
}

fn offer_of(rules: &RuleSet, tokens_for: Option<&[String]>) -> Result<Offer, EngineError> {
    let Some(names) = tokens_for else { return Ok(Offer::Any) };
    rules.offer(names.iter().map(String::as_str)).map_err(|error| {
        let nearest = error.nearest.as_deref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        EngineError::Fields(vec![("payment_method.tokens_for".to_owned(), format!("{error}{nearest}"))])
    })
}

/// A bare token is meant for the route's channel, unless it names another provider.
fn require_token(channel: &Channel, account: &Account, ask: &NewPayment) -> Result<(), EngineError> {
    let Tokens { bare, provider, named } = &ask.tokens;
    let fault = |path: &str, reason: String| Err(EngineError::Fields(vec![(path.to_owned(), reason)]));
    if provider.as_deref().is_some_and(|provider| *provider != *channel.provider) {
        return fault(
            "payment_method.provider",
            format!("the route leads to {}, of {}", channel.name, channel.provider),
        );
    }
    if bare.is_some() || token_for(&ask.tokens, channel, &channel.provider).is_some() {
        return Ok(());
    }
    let capabilities = account.provider.capabilities();
    let presentation = capabilities.method(ask.method, Direction::Payin).map(|can| can.presentation);
    if presentation == Some(Presentation::Hosted) {
        return Ok(());
    }
    let path = if named.is_empty() { "payment_method.token" } else { "payment_method.tokens" };
    fault(path, format!("a token for channel {} is required, to which the route leads", channel.name))
}
