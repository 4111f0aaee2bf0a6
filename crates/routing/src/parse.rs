//! Reads `[regions]` and `[[rules]]` out of a file, telling every fault.

use crate::bits;
use crate::channel::single;
use crate::domain::{AMOUNT_LAST, Dim, Domain};
use crate::money_set::{MoneySet, Range, start_of};
use crate::nearest::did_you_mean;
use crate::reader::{Faults, Table, Text, Value};
use crate::region;
use crate::rule::{Action, Condition, Covers, Key, Rule, Target, Term, area_of};
use crate::vocabulary::Vocabulary;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use switchyard_core::limits::AMOUNT_MINOR_MAX;
use switchyard_core::{ChannelName, Country, Currency, Money, OrderType};

/// Rules of a set at most. Past it a decision takes longer than promised.
pub const RULES_MAX: usize = 20_000;

/// Largest weight in a split.
const WEIGHT_MAX: i64 = 1_000_000;

/// What names in rules can mean.
pub(crate) struct Names<'v> {
    pub(crate) domain: &'v Domain,
    pub(crate) vocabulary: &'v Vocabulary,
    /// Channels by name, in order; a channel's number is its place.
    pub(crate) channels: &'v [ChannelName],
    pub(crate) regions: BTreeMap<String, Vec<u64>>,
}

impl Names<'_> {
    /// A channel's number, or a fault.
    pub(crate) fn channel(&self, name: Text<'_>, faults: &Faults<'_>) -> Option<usize> {
        let found = self.channels.binary_search_by(|known| known.as_str().cmp(name.text)).ok();
        if found.is_none() {
            faults.unknown(name, "channel", self.channels.iter().map(ChannelName::as_str));
        }
        found
    }

    /// The value of a dimension, or a fault.
    pub(crate) fn value(&self, key: Key, dim: Dim, name: Text<'_>, faults: &Faults<'_>) -> Option<usize> {
        let found = self.domain.value_of(dim, name.text);
        if found.is_none() {
            let is_region =
                dim == Dim::Country && (self.regions.contains_key(name.text) || region::countries(name.text).is_some());
            let hint = if is_region && key == Key::Country {
                Some(format!("`{}` is a region: say `region` instead of `country`", name.text))
            } else {
                did_you_mean(name.text, self.domain.names(dim))
            };
            faults.push_with_hint(&name.span(), format!("unknown {} `{}`", key.what(), name.text), hint);
        }
        found
    }
}

/// A currency of ISO 4217, or a fault.
pub(crate) fn currency(name: Text<'_>, domain: &Domain, faults: &Faults<'_>) -> Option<Currency> {
    let found = Currency::from_code(name.text);
    if found.is_none() {
        faults.unknown(name, "currency", domain.currencies.iter().map(|known| known.code()));
    }
    found
}

/// Reads `[regions]`: each a list of countries and of other regions.
pub(crate) fn regions(table: Option<Table<'_>>, domain: &Domain, faults: &Faults<'_>) -> BTreeMap<String, Vec<u64>> {
    let Some(table) = table else { return BTreeMap::new() };
    let mut listed: BTreeMap<&str, (Text<'_>, Vec<Text<'_>>)> = BTreeMap::new();
    for (name, value) in table.entries() {
        // Such names follow the rules of all the operator's names.
        if OrderType::new(name.text).is_none() {
            let hint = region::countries(name.text).map(|_| "this region is built in".to_owned());
            let hint =
                hint.or_else(|| Some("lower-case letters, digits, `_` and `-`, a letter first, at most 48".to_owned()));
            faults.push_with_hint(&name.span(), format!("`{}` cannot name a region", name.text), hint);
        }
        let members = value.texts();
        if members.is_empty() {
            faults.push(&value.span(), format!("region `{}` holds no country", name.text));
        }
        listed.insert(name.text, (name, members));
    }
    let mut resolved = BTreeMap::new();
    for name in listed.keys() {
        resolve(name, &listed, &mut Vec::new(), &mut resolved, domain, faults);
    }
    resolved
}

type Listed<'d> = BTreeMap<&'d str, (Text<'d>, Vec<Text<'d>>)>;

/// The countries of a region; `path` is what led to it, so that a circle is found.
fn resolve<'d>(
    name: &'d str,
    listed: &Listed<'d>,
    path: &mut Vec<&'d str>,
    resolved: &mut BTreeMap<String, Vec<u64>>,
    domain: &Domain,
    faults: &Faults<'_>,
) -> Vec<u64> {
    if let Some(known) = resolved.get(name) {
        return known.clone();
    }
    let mut countries = vec![0; bits::words_for(domain.size(Dim::Country))];
    path.push(name);
    for member in listed.get(name).map(|(_, members)| members.as_slice()).unwrap_or_default() {
        let found = if let Some(country) = domain.value_of(Dim::Country, member.text) {
            single(country)
        } else if let Some(builtin) = builtin(member.text, domain) {
            builtin
        } else if let Some(&(next, _)) = listed.get(member.text).map(|(text, _)| (text.text, ())).as_ref() {
            if path.contains(&next) {
                let circle = path
                    .iter()
                    .skip_while(|on| **on != next)
                    .chain([&next])
                    .copied()
                    .collect::<Vec<_>>()
                    .join("` -> `");
                faults.push(&member.span(), format!("a region cannot hold itself: `{circle}`"));
                continue;
            }
            resolve(next, listed, path, resolved, domain, faults)
        } else {
            let known = listed.keys().copied().chain(region::names()).chain(domain.countries.iter().map(Country::code));
            faults.unknown(*member, "country or region", known);
            continue;
        };
        countries.iter_mut().zip(found).for_each(|(word, other)| *word |= other);
    }
    path.pop();
    resolved.insert(name.to_owned(), countries.clone());
    countries
}

fn builtin(name: &str, domain: &Domain) -> Option<Vec<u64>> {
    let mut values = vec![0; bits::words_for(domain.size(Dim::Country))];
    for country in domain.region(name)? {
        bits::set(&mut values, domain.country(country).into());
    }
    Some(values)
}

/// Reads every `[[rules]]`.
pub(crate) fn rules(tables: Vec<Table<'_>>, names: &Names<'_>, faults: &Faults<'_>) -> Vec<Rule> {
    if tables.is_empty() {
        faults.push(&(0..0), "there are no [[rules]], so no payment would have an outcome");
    }
    if let Some(beyond) = tables.get(RULES_MAX) {
        faults.push(&beyond.span(), format!("more than {RULES_MAX} rules"));
        return Vec::new();
    }
    let mut lines: HashMap<&str, usize> = HashMap::new();
    let mut rules = Vec::with_capacity(tables.len());
    for table in tables {
        let name = table.required("name").and_then(|value| value.text());
        if let Some(name) = name {
            let line = faults.source().place(&name.span()).line;
            if name.text.is_empty() {
                faults.push(&name.span(), "a rule's name cannot be empty");
            } else if let Some(before) = lines.insert(name.text, line) {
                faults.push(&name.span(), format!("a rule named `{}` stands in line {before} already", name.text));
            }
        }
        let conditions = table.table("when").map(|when| conditions(when, names, faults)).unwrap_or_default();
        let action = action(&table, names, faults);
        table.finish();
        if let (Some(name), Some((action, action_span))) = (name, action) {
            let area = area_of(&conditions, names.domain);
            rules.push(Rule { name: name.text.to_owned(), span: name.span(), conditions, area, action, action_span });
        }
    }
    rules
}

fn conditions(when: Table<'_>, names: &Names<'_>, faults: &Faults<'_>) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (key, plain, not) in Key::ALL {
        for (name, negated) in [(plain, false), (not, true)] {
            if let Some(value) = when.get(name) {
                let terms = terms(key, &value, names, faults);
                conditions.push(Condition { key, negated, span: value.name().span(), terms });
            }
        }
    }
    when.finish();
    conditions.sort_by_key(|condition| condition.span.start);
    conditions
}

fn terms(key: Key, value: &Value<'_>, names: &Names<'_>, faults: &Faults<'_>) -> Vec<Term> {
    if key == Key::Amount {
        return amounts(value, names.domain, faults);
    }
    let texts = value.texts();
    if texts.is_empty() && value.is_list() && value.list().is_some_and(|list| list.is_empty()) {
        value.fault(format!("an empty list meets no payment; leave `{}` out", value.name().text));
    }
    let mut terms = Vec::with_capacity(texts.len());
    for name in texts {
        let covers = match key {
            Key::Region => region_named(name, names, faults).map(Covers::Values),
            Key::Currency => currency(name, names.domain, faults).map(|known| {
                let number = usize::from(names.domain.currency(known));
                Covers::Money(MoneySet::from_ranges(vec![(start_of(number), start_of(number.saturating_add(1)))]))
            }),
            Key::OrderType
            | Key::Country
            | Key::Method
            | Key::Merchant
            | Key::Amount
            | Key::CardBrand
            | Key::Funding
            | Key::IssuerCountry
            | Key::Initiator
            | Key::Capture => {
                key.dim().and_then(|dim| names.value(key, dim, name, faults)).map(|value| Covers::Values(single(value)))
            }
        };
        terms.extend(covers.map(|covers| Term { text: name.text.to_owned(), span: name.span(), covers }));
    }
    terms
}

fn region_named(name: Text<'_>, names: &Names<'_>, faults: &Faults<'_>) -> Option<Vec<u64>> {
    let found = names.regions.get(name.text).cloned().or_else(|| builtin(name.text, names.domain));
    if found.is_none() {
        let known = names.regions.keys().map(String::as_str).chain(region::names());
        let hint = match Country::from_code(name.text) {
            Some(_) => Some(format!("`{}` is a country: say `country` instead of `region`", name.text)),
            None => did_you_mean(name.text, known),
        };
        faults.push_with_hint(&name.span(), format!("unknown region `{}`", name.text), hint);
    }
    found
}

/// Reads `{ EUR = "500.00..10000.00", CHF = ["..5.00", "500.00.."] }`.
fn amounts(value: &Value<'_>, domain: &Domain, faults: &Faults<'_>) -> Vec<Term> {
    let Some(table) = value.table() else { return Vec::new() };
    let mut terms = Vec::new();
    let entries = table.entries();
    if entries.is_empty() {
        value.fault(format!("`{}` names no currency", value.name().text));
    }
    for (name, ranges) in entries {
        let texts = ranges.texts();
        let Some(currency) = currency(name, domain, faults) else { continue };
        let mut seen: Vec<Range> = Vec::new();
        for text in texts {
            let Some((from, to)) = range(text, currency, faults) else { continue };
            if seen.iter().any(|&(start, end)| start < to && from < end) {
                faults.push(&text.span(), format!("`{}` overlaps a range before it", text.text));
            }
            seen.push((from, to));
            let start = start_of(domain.currency(currency).into());
            let money = MoneySet::from_ranges(vec![(start.saturating_add(from), start.saturating_add(to))]);
            terms.push(Term {
                text: format!("{currency} {}", text.text),
                span: text.span(),
                covers: Covers::Money(money),
            });
        }
    }
    terms
}

/// Reads `a..b`, of which one side may be left out, into minor units.
fn range(text: Text<'_>, currency: Currency, faults: &Faults<'_>) -> Option<Range> {
    let Some((from, to)) = text.text.split_once("..") else {
        let hint = "`500.00..1000.00` includes 500.00 and excludes 1000.00; either side may be left out".to_owned();
        faults.push_with_hint(&text.span(), format!("`{}` is not a range of amounts", text.text), Some(hint));
        return None;
    };
    let (from, to) = (from.trim(), to.trim());
    if from.is_empty() && to.is_empty() {
        let hint = format!("for every amount, say `currency = [\"{currency}\"]`");
        faults.push_with_hint(&text.span(), "a range needs a bound", Some(hint));
        return None;
    }
    let bound = |side: &str, open: u64| match side {
        "" => Some(open),
        _ => amount(side, currency, text, faults).map(|money| money.minor().unsigned_abs()),
    };
    let (from, to) = (bound(from, 0), bound(to, AMOUNT_LAST.saturating_add(1)));
    let (from, to) = (from?, to?);
    if from >= to {
        faults.push(
            &text.span(),
            format!("`{}` holds no amount: its end is excluded and must lie above its start", text.text),
        );
        return None;
    }
    Some((from, to))
}

/// Reads major units, or tells what is wrong with `side`.
pub(crate) fn amount(side: &str, currency: Currency, at: Text<'_>, faults: &Faults<'_>) -> Option<Money> {
    match Money::from_major(side, currency) {
        Ok(money) if money.minor() <= AMOUNT_MINOR_MAX => Some(money),
        Ok(_) => {
            let most = Money::new(AMOUNT_MINOR_MAX, currency).map(Money::to_major).unwrap_or_default();
            faults
                .push(&at.span(), format!("`{side}` is more than the largest amount of a payment, {most} {currency}"));
            None
        }
        Err(error) => {
            faults.push(&at.span(), format!("`{side}` is no amount of {currency}: {error}"));
            None
        }
    }
}

/// Reads whichever of `use`, `split` and `reject` the rule has.
fn action(table: &Table<'_>, names: &Names<'_>, faults: &Faults<'_>) -> Option<(Action, crate::source::Span)> {
    let (takes, splits, rejects) = (table.get("use"), table.get("split"), table.get("reject"));
    let prefer = table.get("prefer");
    let prefer_local = prefer.as_ref().is_some_and(|value| value.one_of(&[("local", true)]).unwrap_or(false));
    if let (Some(prefer), None) = (&prefer, &takes) {
        faults.push(&prefer.name().span(), "`prefer` sorts the channels of `use`, which this rule has not");
    }
    match (takes, splits, rejects) {
        (Some(value), None, None) => {
            let listed: Vec<Text<'_>> = value.texts();
            if listed.is_empty() && value.list().is_some_and(|list| list.is_empty()) {
                value.fault("`use` names no channel; to refuse these payments, say `reject = \"why\"`");
            }
            let target = |name: &Text<'_>| names.channel(*name, faults).map(|channel| Target { channel, weight: 1 });
            Some((Action::Use { targets: listed.iter().filter_map(target).collect(), prefer_local }, value.span()))
        }
        (None, Some(value), None) => Some((Action::Split(shares(&value, names, faults)), value.span())),
        (None, None, Some(value)) => {
            let reason = value.text()?;
            if reason.text.trim().is_empty() {
                faults.push(&reason.span(), "`reject` needs a reason: it is what the merchant reads");
            }
            Some((Action::Reject(reason.text.to_owned()), value.span()))
        }
        (None, None, None) => {
            faults.push(&table.span(), "the rule has no outcome: say `use`, `split` or `reject`");
            None
        }
        (first, second, third) => {
            let stated: BTreeSet<usize> =
                [first, second, third].iter().flatten().map(|value| value.name().span().start).collect();
            let last = stated.last().copied().unwrap_or(0);
            faults.push(&(last..last.saturating_add(1)), "a rule has one outcome: `use`, `split` or `reject`");
            None
        }
    }
}

fn shares(value: &Value<'_>, names: &Names<'_>, faults: &Faults<'_>) -> Vec<Target> {
    let entries = value.table().map(|table| table.entries()).unwrap_or_default();
    if entries.is_empty() {
        value.fault("`split` names no channel");
    }
    let mut targets = Vec::with_capacity(entries.len());
    for (name, weight) in entries {
        let channel = names.channel(name, faults);
        let weight = weight.integer_in(1..=WEIGHT_MAX).and_then(|weight| u32::try_from(weight).ok());
        targets.extend(channel.zip(weight).map(|(channel, weight)| Target { channel, weight }));
    }
    targets
}
