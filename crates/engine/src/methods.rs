//! What merchants can learn before they ask for money: methods that would get a channel now, and what channels can do.

use crate::channel::Channels;
use crate::{Caller, Engine};
use std::sync::Arc;
use switchyard_core::capabilities::{AmountRange, Field, MethodCapability, Parts, Presentation};
use switchyard_core::method::Direction;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{ChannelName, Country, Currency, Method, OrderType};
use switchyard_routing::offered::contains;
use switchyard_routing::{Closed, Offered, Outcome, Refusal, Service, Verdict, Wanted};

/// Which payments methods are wanted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedMethods {
    /// The payer's country.
    pub country: Country,
    /// The operator's word for this kind of payment; the merchant may use it.
    pub order_type: OrderType,
    /// In which currency; `None` for all there are.
    pub currency: Option<Currency>,
    /// Of which amount, in that currency.
    pub amount: Option<i64>,
    /// Whether the money is to be taken at once.
    pub capture: CaptureMode,
}

/// A method, and what becomes of payments by it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodOffer {
    /// The method.
    pub method: Method,
    /// The amounts that get a channel: those in any of these ranges, and no other.
    pub amounts: Vec<AmountRange>,
    /// What holds at every channel that may get one; `None` where none does.
    pub terms: Option<Terms>,
    /// Why there is no channel, by rule; empty where there is one.
    pub unavailable: Vec<Unavailable>,
}

/// What holds at every channel that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How the payer's data reaches the provider; `None` where that hangs on the channel.
    pub presentation: Option<Presentation>,
    /// Fields that some of them need.
    pub required: Vec<Field>,
    /// Whether the same payment would get a channel with its money held at first.
    pub manual_capture: bool,
    /// Captures of one authorization, at the least.
    pub captures: Parts,
    /// Whether what is held can be let go at all of them.
    pub void: bool,
    /// Refunds of one charge, at the least.
    pub refunds: Parts,
}

/// A rule that gives payments by a method no channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// The rule; `None` where none matches.
    pub rule: Option<String>,
    /// The least amount that it decides so.
    pub amount: i64,
    /// Of which currency.
    pub currency: Currency,
    /// Why, in a few words.
    pub reason: &'static str,
    /// The rule's own words, where it rejects.
    pub message: Option<String>,
    /// The rule's channels that the merchant may use, and why none of them takes it.
    pub channels: Vec<(ChannelName, String)>,
}

/// A channel that the merchant may use.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelOffer {
    /// Its name.
    pub channel: ChannelName,
    /// Whose it is.
    pub provider: Arc<str>,
    /// Where its acquirer is.
    pub acquiring_country: Option<Country>,
    /// The kinds of payment that the merchant may ask of it.
    pub order_types: Vec<OrderType>,
    /// What it does: as configured, and as the provider's capability record says.
    pub methods: Vec<(Service, MethodCapability)>,
}

impl Engine {
    /// What becomes of payments by each method, in the order of the table of methods, by the rules in force and the
    /// channels' status now.
    #[must_use]
    pub fn methods(&self, caller: &Caller, ask: &WantedMethods) -> Vec<MethodOffer> {
        let in_force = self.seams.board.in_force();
        let (snapshot, _) = in_force.snapshot(caller.mode);
        let wanted = |capture: CaptureMode| Wanted {
            order_type: ask.order_type.clone(),
            country: ask.country,
            merchant: caller.merchant.clone(),
            mode: caller.mode,
            capture,
            currency: ask.currency,
            amount: ask.amount,
        };
        let offered = in_force.rules.offered(&wanted(ask.capture), snapshot);
        let held = match ask.capture {
            CaptureMode::Manual => offered.clone(),
            CaptureMode::Automatic => in_force.rules.offered(&wanted(CaptureMode::Manual), snapshot),
        };
        let connected = self.connected(&in_force);
        let offer = |(offered, held): (Offered<'_>, &Offered<'_>)| {
            let terms = terms(&connected.channels, caller, &offered, !held.amounts.is_empty());
            let available = terms.is_some();
            MethodOffer {
                method: offered.method,
                terms,
                unavailable: offered.closed.iter().filter(|_| !available).map(unavailable).collect(),
                amounts: offered.amounts,
            }
        };
        offered.into_iter().zip(&held).map(offer).collect()
    }

    /// What the merchant's channels can do for payments, whatever the rules and their status.
    #[must_use]
    pub fn capabilities(&self, caller: &Caller) -> Vec<ChannelOffer> {
        let in_force = self.seams.board.in_force();
        let vocabulary = in_force.rules.vocabulary();
        let Some(merchant) = vocabulary.merchants.iter().find(|spec| spec.name == caller.merchant) else {
            return Vec::new();
        };
        let connected = self.connected(&in_force);
        let mut offers = Vec::new();
        for spec in vocabulary.channels.iter().filter(|spec| !spec.retired && merchant.channels.holds(&spec.name)) {
            let Some(channel) = connected.channels.get(&spec.name) else { continue };
            let Some(account) = channel.account(caller.mode) else { continue };
            let capabilities = account.provider.capabilities();
            let payins = spec.services.iter().filter(|service| service.direction == Direction::Payin);
            let methods = payins.filter_map(|service| {
                capabilities.method(service.method, service.direction).map(|can| (service.clone(), can.clone()))
            });
            let order_types = vocabulary.order_types.iter().filter(|known| known.direction == Direction::Payin);
            let order_types = order_types.map(|known| &known.name);
            offers.push(ChannelOffer {
                channel: spec.name.clone(),
                provider: Arc::clone(&channel.provider),
                acquiring_country: spec.acquiring_country,
                order_types: order_types
                    .filter(|name| spec.order_types.holds(name) && merchant.order_types.holds(name))
                    .cloned()
                    .collect(),
                methods: methods.collect(),
            });
        }
        offers.sort_by(|one, other| one.channel.as_str().cmp(other.channel.as_str()));
        offers
    }
}

/// `None` where no channel may be chosen.
fn terms(channels: &Channels, caller: &Caller, offered: &Offered<'_>, manual_capture: bool) -> Option<Terms> {
    let mut terms: Option<Terms> = None;
    for name in &offered.channels {
        let account = channels.get(name).and_then(|channel| channel.account(caller.mode));
        let Some(capabilities) = account.map(|account| account.provider.capabilities()) else { continue };
        let Some(can) = capabilities.method(offered.method, Direction::Payin) else { continue };
        match &mut terms {
            Some(terms) => terms.narrow(can),
            None => terms = Some(Terms::of(can, manual_capture)),
        }
    }
    terms
}

impl Terms {
    fn of(can: &MethodCapability, manual_capture: bool) -> Self {
        Self {
            presentation: Some(can.presentation),
            required: can.required.clone(),
            manual_capture,
            captures: can.captures,
            void: can.void,
            refunds: can.refunds,
        }
    }

    /// What still holds if this one may be chosen as well.
    fn narrow(&mut self, can: &MethodCapability) {
        self.presentation = self.presentation.filter(|known| *known == can.presentation);
        for field in &can.required {
            if !self.required.contains(field) {
                self.required.push(*field);
            }
        }
        self.captures = self.captures.min(can.captures);
        self.void &= can.void;
        self.refunds = self.refunds.min(can.refunds);
    }
}

impl MethodOffer {
    /// The range that `amount` lies in, or the first.
    #[must_use]
    pub fn range(&self, amount: Option<i64>) -> Option<&AmountRange> {
        self.amounts.iter().find(|range| amount.is_none_or(|amount| contains(range, amount)))
    }
}

fn unavailable(closed: &Closed<'_>) -> Unavailable {
    let message = match closed.decision.outcome {
        Outcome::Rejected { message } => Some(message.to_owned()),
        Outcome::NoChannel | Outcome::Channel { .. } => None,
    };
    // Channels of other merchants are none of this one's business.
    let theirs = closed.candidates.iter().filter(|it| it.verdict != Verdict::Ineligible(Refusal::Merchant));
    Unavailable {
        rule: closed.decision.rule.map(str::to_owned),
        amount: closed.amount.minor(),
        currency: closed.amount.currency(),
        reason: closed.decision.reason.as_str(),
        message,
        channels: theirs.map(|it| (it.channel.clone(), it.verdict.to_string())).collect(),
    }
}
