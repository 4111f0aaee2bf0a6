//! Order types and merchants.

use super::fault::Fault;
use super::section::REQUESTS_MAX;
use std::collections::HashMap;
use std::num::NonZeroU32;
use switchyard_core::capabilities::Which;
use switchyard_core::method::Direction;
use switchyard_core::name::NAME_BYTES_MAX;
use switchyard_core::{ChannelName, MerchantName, OrderType};
use switchyard_routing::reader::{Document, Faults, Table, Text, Value};
use switchyard_routing::source::Source;
use switchyard_routing::vocabulary::{MerchantSpec, OrderTypeSpec};
use switchyard_store::Rate;

/// What `merchants.toml` declares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merchants {
    /// The kinds of payment.
    pub(crate) order_types: Vec<OrderTypeSpec>,
    /// Who may ask for which of them.
    pub(crate) merchants: Vec<MerchantSpec>,
    /// How much the keys of some of them may ask.
    pub(crate) rates: Rates,
}

/// How much the keys of merchants may ask, of those that have a rate of their own.
pub(crate) type Rates = HashMap<MerchantName, Rate>;

/// Reads the file. `channels` are the names that merchants may use.
pub(crate) fn read(source: &Source, channels: &[ChannelName], found: &mut Vec<Fault>) -> Merchants {
    let faults = Faults::new(source);
    let mut read = Merchants::default();
    if let Some(document) = Document::parse(&faults) {
        let root = document.root(&faults);
        if let Some(table) = root.required("order_types").and_then(|value| value.table()) {
            read.order_types = order_types(&table);
        }
        if let Some(table) = root.required("merchants").and_then(|value| value.table()) {
            (read.merchants, read.rates) = merchants(&table, &read.order_types, channels);
        }
        root.finish();
    }
    found.extend(faults.into_vec().into_iter().map(Fault::from));
    read
}

fn order_types(table: &Table<'_>) -> Vec<OrderTypeSpec> {
    let declared = |(name, value): (Text<'_>, Value<'_>)| {
        let direction = value.one_of(&[("payin", Direction::Payin), ("payout", Direction::Payout)]);
        // A direction that is wrong has been told; its name is still one that others may use.
        let direction = direction.unwrap_or(Direction::Payin);
        Some(OrderTypeSpec { name: named(name, OrderType::new, table.faults())?, direction })
    };
    let entries = table.entries();
    if entries.is_empty() {
        table.faults().push(&table.span(), "at least one order type is wanted");
    }
    entries.into_iter().filter_map(declared).collect()
}

fn merchants(table: &Table<'_>, order_types: &[OrderTypeSpec], channels: &[ChannelName]) -> (Vec<MerchantSpec>, Rates) {
    let entries = table.entries();
    if entries.is_empty() {
        table.faults().push(&table.span(), "at least one merchant is wanted");
    }
    let (mut merchants, mut rates) = (Vec::new(), Rates::new());
    for (name, value) in entries {
        let name = named(name, MerchantName::new, table.faults());
        let Some(merchant) = value.table() else { continue };
        let known: Vec<&str> = order_types.iter().map(|spec| spec.name.as_str()).collect();
        let order_types = allowed(&merchant, "order_types", "order type", &known, OrderType::new);
        let known: Vec<&str> = channels.iter().map(ChannelName::as_str).collect();
        let channels = allowed(&merchant, "channels", "channel", &known, ChannelName::new);
        let rate = rate(&merchant);
        merchant.finish();
        rates.extend(name.clone().zip(rate));
        merchants.extend(name.map(|name| MerchantSpec { name, order_types, channels }));
    }
    (merchants, rates)
}

/// A rate of its own, where there is one.
fn rate(merchant: &Table<'_>) -> Option<Rate> {
    let count = |value: Value<'_>| {
        let count = value.integer_in(1..=REQUESTS_MAX)?;
        u32::try_from(count).ok().and_then(NonZeroU32::new)
    };
    let burst = merchant.get("burst");
    let Some(per_second) = merchant.get("per_second") else {
        if let Some(burst) = burst {
            burst.fault("`burst` goes with `per_second`, which is left out");
        }
        return None;
    };
    let per_second = count(per_second)?;
    let burst = match burst {
        Some(burst) => count(burst)?,
        None => twice(per_second),
    };
    Some(Rate { per_second, burst })
}

/// The burst of a rate that names none.
pub(crate) const fn twice(per_second: NonZeroU32) -> NonZeroU32 {
    per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1))
}

/// The names that a list narrows to; all of them where there is no list. Where nothing is known, the file that would say
/// has faults of its own, and names are taken as they are.
pub(crate) fn allowed<T>(
    table: &Table<'_>,
    key: &'static str,
    what: &str,
    known: &[&str],
    new: fn(&str) -> Option<T>,
) -> Which<T> {
    let Some(list) = table.get(key) else { return Which::All };
    let texts = list.texts();
    if list.is_list() && list.list().is_some_and(|values| values.is_empty()) {
        list.fault(format!("`{key}` names none; leave it out for all"));
    }
    let mut names = Vec::new();
    for text in texts {
        match new(text.text).filter(|_| known.is_empty() || known.contains(&text.text)) {
            Some(name) => names.push(name),
            None => table.faults().unknown(text, what, known.iter().copied()),
        }
    }
    Which::Only(names)
}

/// A name that the operator chose, or a fault.
pub(crate) fn named<T>(text: Text<'_>, new: fn(&str) -> Option<T>, faults: &Faults<'_>) -> Option<T> {
    let name = new(text.text);
    if name.is_none() {
        faults.push(
            &text.span(),
            format!("`{}` is no name: lower-case letters, digits, `_` and `-` are, a letter first, at most {NAME_BYTES_MAX}", text.text),
        );
    }
    name
}
