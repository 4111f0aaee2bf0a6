//! What of a provider's capabilities a channel uses.

use std::collections::BTreeMap;
use switchyard_core::capabilities::{AmountRange, Capabilities, MethodCapability, Which};
use switchyard_core::limits::AMOUNT_MINOR_MAX;
use switchyard_core::{Country, Currency, Method, Money};
use switchyard_routing::reader::{Table, Text, Value};
use switchyard_routing::region;
use switchyard_routing::source::Span;
use switchyard_routing::vocabulary::Service;

/// One name of a list, with what it stands for.
struct Named<T> {
    text: String,
    span: Span,
    values: Vec<T>,
}

/// Limits of one currency, both included.
struct Limits {
    span: Span,
    min: Option<i64>,
    max: Option<i64>,
}

/// What a channel's table narrows; `None` narrows nothing.
pub(crate) struct Narrowing {
    methods: Option<Vec<Named<Method>>>,
    currencies: Option<Vec<Named<Currency>>>,
    countries: Option<Vec<Named<Country>>>,
    limits: BTreeMap<Currency, Limits>,
}

impl Narrowing {
    /// Reads the keys that narrow.
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let methods = names(
            table,
            "methods",
            "method",
            |name| Method::from_name(name).map(|method| vec![method]),
            || Method::ALL.iter().map(|method| method.name().to_owned()).collect(),
        );
        let currency = |code: &str| Currency::from_code(code).map(|currency| vec![currency]);
        let currencies = names(table, "currencies", "currency", currency, currency_codes);
        let countries = names(table, "countries", "country or region", country_or_region, || {
            Country::all().map(|country| country.to_string()).chain(region::names().map(str::to_owned)).collect()
        });
        let mut narrowed = BTreeMap::new();
        for (name, value) in table.table("limits").map(|limits| limits.entries()).unwrap_or_default() {
            match Currency::from_code(name.text) {
                Some(currency) => narrowed.extend(limits(currency, &value).map(|limits| (currency, limits))),
                None => unknown(table, name, "currency", &currency_codes()),
            }
        }
        Self { methods, currencies, countries, limits: narrowed }
    }
}

fn names<T>(
    table: &Table<'_>,
    key: &'static str,
    what: &str,
    read: impl Fn(&str) -> Option<Vec<T>>,
    known: fn() -> Vec<String>,
) -> Option<Vec<Named<T>>> {
    let list = table.get(key)?;
    let texts = list.texts();
    if list.is_list() && list.list().is_some_and(|values| values.is_empty()) {
        list.fault(format!("`{key}` names none; leave it out for all that the provider has"));
    }
    let mut names = Vec::new();
    for text in texts {
        match read(text.text) {
            Some(values) => names.push(Named { text: text.text.to_owned(), span: text.span(), values }),
            None => unknown(table, text, what, &known()),
        }
    }
    // Where none could be read, the fault is told; narrowing to nothing would only add confusion.
    Some(names).filter(|names| !names.is_empty())
}

fn unknown(table: &Table<'_>, name: Text<'_>, what: &str, known: &[String]) {
    table.faults().unknown(name, what, known.iter().map(String::as_str));
}

fn country_or_region(name: &str) -> Option<Vec<Country>> {
    Country::from_code(name).map(|country| vec![country]).or_else(|| region::countries(name))
}

/// Every currency's code, for advice: found by trying, since the table behind [`Currency`] is its own.
fn currency_codes() -> Vec<String> {
    let letters = || 'A'..='Z';
    let codes =
        letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c]))));
    codes.filter(|code| Currency::from_code(code).is_some()).collect()
}

fn limits(currency: Currency, value: &Value<'_>) -> Option<Limits> {
    let table = value.table()?;
    let min = table.get("min").map(|value| major(currency, &value));
    let max = table.get("max").map(|value| major(currency, &value));
    let span = table.span();
    let faults = table.faults();
    table.finish();
    let (min, max) = (min.transposed()?, max.transposed()?);
    match (min, max) {
        (None, None) => faults.push(&span, format!("the limits of {currency} have neither `min` nor `max`")),
        (Some(min), Some(max)) if min > max => {
            faults.push(&span, format!("the limits of {currency} leave nothing: `min` is above `max`"))
        }
        _ => return Some(Limits { span, min, max }),
    }
    None
}

/// `Some(None)`, a value that is wrong, as `None`; nothing at all stays nothing.
trait Transposed<T> {
    fn transposed(self) -> Option<Option<T>>;
}

impl<T> Transposed<T> for Option<Option<T>> {
    fn transposed(self) -> Option<Option<T>> {
        match self {
            None => Some(None),
            Some(inner) => inner.map(Some),
        }
    }
}

fn major(currency: Currency, value: &Value<'_>) -> Option<i64> {
    let text = value.text()?.text;
    match Money::from_major(text, currency) {
        Ok(money) if (1..=AMOUNT_MINOR_MAX).contains(&money.minor()) => Some(money.minor()),
        Ok(_) => {
            let most = Money::new(AMOUNT_MINOR_MAX, currency).map(Money::to_major).unwrap_or_default();
            value.fault(format!(
                "`{text}` is no amount that a payment can have: more than 0 and at most {most} {currency} is"
            ));
            None
        }
        Err(error) => {
            value.fault(format!("`{text}` is no amount of {currency}: {error}"));
            None
        }
    }
}

/// What is left of the provider's capabilities, with a fault for all that was asked for and is not among them.
pub(crate) fn services(can: &Capabilities, narrowing: &Narrowing, table: &Table<'_>) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    let chosen = |row: &&MethodCapability| {
        narrowing
            .methods
            .as_ref()
            .is_none_or(|methods| methods.iter().any(|method| method.values.contains(&row.method)))
    };
    let rows: Vec<&MethodCapability> = can.methods.iter().filter(chosen).collect();
    for method in narrowing.methods.iter().flatten() {
        if !can.methods.iter().any(|row| method.values.contains(&row.method)) {
            let has: Vec<&str> = can.methods.iter().map(|row| row.method.name()).collect();
            let hint = format!("it has {}", has.join(", "));
            table.faults().push_with_hint(
                &method.span,
                format!("`{}` has no method `{}`", can.provider, method.text),
                Some(hint),
            );
        }
    }
    if rows.is_empty() {
        // Without a method there is nothing to narrow, and the reason is told.
        return services;
    }
    for currency in narrowing.currencies.iter().flatten() {
        if !rows.iter().any(|row| currency.values.iter().any(|value| row.currencies.holds(value))) {
            not_served(can, &currency.text, &currency.span, "currency", table);
        }
    }
    for country in narrowing.countries.iter().flatten() {
        if !rows.iter().any(|row| country.values.iter().any(|value| row.countries.holds(value))) {
            not_served(can, &country.text, &country.span, "country", table);
        }
    }
    for row in rows {
        let service = Service {
            currencies: narrowed(&row.currencies, narrowing.currencies.as_deref()),
            countries: narrowed(&row.countries, narrowing.countries.as_deref()),
            ..Service::from(row)
        };
        let empty = match (&service.currencies, &service.countries) {
            (Which::Only(none), _) if none.is_empty() => Some("currency"),
            (_, Which::Only(none)) if none.is_empty() => Some("country"),
            _ => None,
        };
        match empty {
            // Only a method that was asked for by name is missed.
            Some(what) => {
                let named = narrowing.methods.iter().flatten().find(|method| method.values.contains(&row.method));
                if let Some(method) = named {
                    let message = format!(
                        "method `{}` is left without a {what}: `{}` has it for others only",
                        method.text, can.provider
                    );
                    table.faults().push(&method.span, message);
                }
            }
            None => services.push(service),
        }
    }
    for (&currency, limits) in &narrowing.limits {
        limit(&mut services, currency, limits, can, table);
    }
    services
}

fn not_served(can: &Capabilities, name: &str, span: &Span, what: &str, table: &Table<'_>) {
    table
        .faults()
        .push(span, format!("`{}` does not serve {what} `{name}` by any method of this channel", can.provider));
}

fn narrowed<T: Clone + PartialEq>(can: &Which<T>, wanted: Option<&[Named<T>]>) -> Which<T> {
    let Some(wanted) = wanted else { return can.clone() };
    let mut values: Vec<T> = Vec::new();
    for value in wanted.iter().flat_map(|named| &named.values) {
        if can.holds(value) && !values.contains(value) {
            values.push(value.clone());
        }
    }
    Which::Only(values)
}

/// Applies the limits of one currency to every service that has it.
fn limit(services: &mut [Service], currency: Currency, wanted: &Limits, can: &Capabilities, table: &Table<'_>) {
    let mut served = false;
    let mut left = false;
    for service in services.iter_mut().filter(|service| service.currencies.holds(&currency)) {
        served = true;
        let known = service.amounts.iter().position(|range| range.currency == currency);
        let theirs = known.and_then(|at| service.amounts.get(at)).copied();
        let theirs = theirs.unwrap_or(AmountRange { currency, min: 1, max: None, step: 1 });
        let min = wanted.min.map_or(theirs.min, |min| min.max(theirs.min));
        let max = match (wanted.max, theirs.max) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        left |= max.is_none_or(|max| min <= max);
        service.amounts.retain(|range| range.currency != currency);
        service.amounts.push(AmountRange { min, max, ..theirs });
    }
    if !served {
        table
            .faults()
            .push(&wanted.span, format!("there are limits for {currency}, which this channel does not serve"));
    } else if !left {
        table
            .faults()
            .push(&wanted.span, format!("the limits of {currency} lie outside of those of `{}`", can.provider));
    }
}
