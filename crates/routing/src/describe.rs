//! Areas in the words of rules.

use crate::area::Area;
use crate::bits;
use crate::domain::{AMOUNTS, Dim, Domain};
use crate::money_set::{split, start_of};
use switchyard_core::{Currency, Money};

/// Values of a fact that are named; of more, the number is told.
const NAMED_MAX: usize = 12;

/// The facts in which an area is narrower than `whole`, as a `when` would write them.
pub(crate) fn area(area: &Area, whole: &Area, domain: &Domain) -> String {
    facts(area, whole, domain).into_iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
}

/// The same, fact by fact.
pub(crate) fn facts(area: &Area, whole: &Area, domain: &Domain) -> Vec<(&'static str, String)> {
    let keys = [
        (Dim::OrderType, "order_type"),
        (Dim::Country, "country"),
        (Dim::Method, "method"),
        (Dim::Merchant, "merchant"),
        (Dim::Brand, "card_brand"),
        (Dim::Funding, "funding"),
        (Dim::Issuer, "issuer_country"),
        (Dim::Initiator, "initiator"),
        (Dim::Capture, "capture"),
    ];
    let narrower = keys.into_iter().filter(|&(dim, _)| area.values(domain, dim) != whole.values(domain, dim));
    let mut facts: Vec<(&str, String)> = narrower.map(|(dim, key)| (key, values(area, dim, domain))).collect();
    if area.money != whole.money {
        facts.push(("amount", money(area, domain)));
    }
    facts
}

fn values(area: &Area, dim: Dim, domain: &Domain) -> String {
    let values: Vec<usize> = bits::ones(area.values(domain, dim)).collect();
    let name = |value: usize| {
        domain.value_name(dim, value).map_or_else(|| "any other".to_owned(), |name| format!("\"{name}\""))
    };
    let all = domain.size(dim);
    if values.len() > NAMED_MAX && all.saturating_sub(values.len()) <= NAMED_MAX {
        let without: Vec<String> = (0..all).filter(|value| !values.contains(value)).map(name).collect();
        return format!("all but [{}]", without.join(", "));
    }
    let named: Vec<String> = values.iter().take(NAMED_MAX).map(|&value| name(value)).collect();
    let more = values.len().saturating_sub(named.len());
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("[{}{more}]", named.join(", "))
}

/// Amounts in major units: `{ EUR = "1.00..5.00", USD = ".." }`; the end is excluded.
fn money(area: &Area, domain: &Domain) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (at, &currency) in domain.currencies.iter().enumerate() {
        let (first, end) = (start_of(at), start_of(at.saturating_add(1)));
        let within = area.money.ranges().iter().filter(|&&(from, to)| from < end && first < to);
        for &(from, to) in within {
            parts.push(format!("{currency} = \"{}\"", range(from.max(first), to.min(end), currency)));
        }
    }
    let more = parts.len().saturating_sub(NAMED_MAX);
    parts.truncate(NAMED_MAX);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{{ {}{more} }}", parts.join(", "))
}

/// A range of positions of one currency in major units.
pub(crate) fn range(from: u64, to: u64, currency: Currency) -> String {
    let major = |amount: u64| {
        let minor = i64::try_from(amount).unwrap_or(i64::MAX);
        Money::new(minor, currency).map(Money::to_major).unwrap_or_default()
    };
    let (_, from) = split(from);
    let (_, last) = split(to.saturating_sub(1));
    let from = if from <= AMOUNTS.0 { String::new() } else { major(from) };
    let to = if last >= AMOUNTS.1.saturating_sub(1) { String::new() } else { major(last.saturating_add(1)) };
    format!("{from}..{to}")
}
