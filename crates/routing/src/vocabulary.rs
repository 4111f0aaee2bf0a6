//! What rules may speak of: the operator's order types, merchants and channels, as the gateway's configuration and the
//! capability records of its providers declare them.

use crate::facts::direction_name;
use std::fmt::Write as _;
use switchyard_core::capabilities::{AmountRange, MethodCapability, Presentation, Which};
use switchyard_core::method::Direction;
use switchyard_core::{ChannelName, Country, Currency, MerchantName, Method, Mode, OrderType};

/// An order type and which way its money moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderTypeSpec {
    /// The operator's word.
    pub name: OrderType,
    /// Whether these are payments or payouts.
    pub direction: Direction,
}

/// A merchant and what it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantSpec {
    /// The merchant's name.
    pub name: MerchantName,
    /// The kinds of payment it may ask for. Others are refused before they are routed.
    pub order_types: Which<OrderType>,
    /// The channels its payments may go to.
    pub channels: Which<ChannelName>,
}

/// One thing a channel does: payments of some currencies and countries by one method, in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// By which method.
    pub method: Method,
    /// Which way money moves.
    pub direction: Direction,
    /// In which currencies.
    pub currencies: Which<Currency>,
    /// For payers (a payout's: destinations) in which countries.
    pub countries: Which<Country>,
    /// Limits, both included, and steps; a currency without a row has none.
    pub amounts: Vec<AmountRange>,
    /// Whether the provider shows a page of its own, so that no token is needed.
    pub hosted: bool,
    /// Whether money can be held before it is taken.
    pub manual_capture: bool,
    /// Whether hold and take can be one call.
    pub sale: bool,
}

impl From<&MethodCapability> for Service {
    /// What the provider can do at most; the channel's configuration narrows it.
    fn from(row: &MethodCapability) -> Self {
        Self {
            method: row.method,
            direction: row.direction,
            currencies: row.currencies.clone(),
            countries: row.countries.clone(),
            amounts: row.amounts.clone(),
            hosted: row.presentation == Presentation::Hosted,
            manual_capture: row.manual_capture,
            sale: row.sale,
        }
    }
}

/// A channel: one account at one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSpec {
    /// The channel's name, as rules and tokens say it.
    pub name: ChannelName,
    /// The provider's name, as tokens may say it.
    pub provider: String,
    /// Serves what it has, takes nothing new.
    pub retired: bool,
    /// For which modes it has credentials that can be read.
    pub modes: Vec<Mode>,
    /// The kinds of payment it takes.
    pub order_types: Which<OrderType>,
    /// Where its acquirer is, for `prefer = "local"`.
    pub acquiring_country: Option<Country>,
    /// Whether a token that names neither channel nor provider is meant for it: so in a set-up with one provider, and
    /// for the simulator.
    pub bare_token: bool,
    /// All it does. A payment is served if one of these serves it.
    pub services: Vec<Service>,
}

/// Everything rules may name, besides what standards name. A channel whose credentials are broken still belongs here
/// (without that mode), so that it breaks no rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// The operator's kinds of payment.
    pub order_types: Vec<OrderTypeSpec>,
    /// The merchants.
    pub merchants: Vec<MerchantSpec>,
    /// The channels.
    pub channels: Vec<ChannelSpec>,
}

impl Vocabulary {
    /// The whole vocabulary as text, the same for the same content: part of what a rule set's hash covers, since
    /// eligibility hangs on it as much as on the rules.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        let mut lines: Vec<String> = Vec::new();
        for spec in &self.order_types {
            lines.push(format!("order_type {} {}", spec.name, direction_name(spec.direction)));
        }
        for spec in &self.merchants {
            let (order_types, channels) = (which(&spec.order_types), which(&spec.channels));
            lines.push(format!("merchant {} order_types={order_types} channels={channels}", spec.name));
        }
        for spec in &self.channels {
            lines.push(channel_line(spec));
            lines.extend(spec.services.iter().map(|service| service_line(spec, service)));
        }
        lines.sort_unstable();
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

fn which<T: ToString>(which: &Which<T>) -> String {
    match which {
        Which::All => "*".into(),
        Which::Only(values) => {
            let mut names: Vec<String> = values.iter().map(ToString::to_string).collect();
            names.sort_unstable();
            names.dedup();
            names.join(",")
        }
    }
}

fn channel_line(spec: &ChannelSpec) -> String {
    let mut modes: Vec<&str> = spec.modes.iter().map(|mode| mode.as_str()).collect();
    modes.sort_unstable();
    format!(
        "channel {} provider={} retired={} modes={} order_types={} acquiring={} bare_token={}",
        spec.name,
        spec.provider,
        spec.retired,
        modes.join(","),
        which(&spec.order_types),
        spec.acquiring_country.map_or_else(|| "-".into(), |country| country.to_string()),
        spec.bare_token,
    )
}

fn service_line(spec: &ChannelSpec, service: &Service) -> String {
    let mut line = format!(
        "channel {} serves {} {} currencies={} countries={} hosted={} manual_capture={} sale={}",
        spec.name,
        direction_name(service.direction),
        service.method,
        which(&service.currencies),
        which(&service.countries),
        service.hosted,
        service.manual_capture,
        service.sale,
    );
    let mut amounts: Vec<&AmountRange> = service.amounts.iter().collect();
    amounts.sort_unstable_by_key(|range| range.currency);
    for range in amounts {
        let max = range.max.map_or_else(String::new, |max| max.to_string());
        let _ = write!(line, " {}={}..{max}/{}", range.currency, range.min, range.step);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_text_does_not_hang_on_order() {
        let name = |text| OrderType::new(text).unwrap();
        let (a, b) = (
            OrderTypeSpec { name: name("ecommerce"), direction: Direction::Payin },
            OrderTypeSpec { name: name("supplier"), direction: Direction::Payout },
        );
        let one = Vocabulary { order_types: vec![a.clone(), b.clone()], ..Vocabulary::default() };
        let two = Vocabulary { order_types: vec![b, a], ..Vocabulary::default() };
        assert_eq!(one.canonical(), two.canonical());
        assert_eq!(one.canonical(), "order_type ecommerce payin\norder_type supplier payout\n");
    }
}
