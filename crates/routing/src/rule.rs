//! A rule: its conditions, and what it does with a payment that meets them all.

use crate::area::Area;
use crate::bits;
use crate::domain::{Dim, Domain, Point};
use crate::money_set::MoneySet;
use crate::source::Span;

/// What a condition asks about, as `when` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    OrderType,
    Region,
    Country,
    Currency,
    Method,
    Merchant,
    Amount,
    CardBrand,
    Funding,
    IssuerCountry,
    Initiator,
    Capture,
}

impl Key {
    pub(crate) const ALL: [(Self, &'static str, &'static str); 12] = [
        (Self::OrderType, "order_type", "not_order_type"),
        (Self::Region, "region", "not_region"),
        (Self::Country, "country", "not_country"),
        (Self::Currency, "currency", "not_currency"),
        (Self::Method, "method", "not_method"),
        (Self::Merchant, "merchant", "not_merchant"),
        (Self::Amount, "amount", "not_amount"),
        (Self::CardBrand, "card_brand", "not_card_brand"),
        (Self::Funding, "funding", "not_funding"),
        (Self::IssuerCountry, "issuer_country", "not_issuer_country"),
        (Self::Initiator, "initiator", "not_initiator"),
        (Self::Capture, "capture", "not_capture"),
    ];

    /// The dimension it narrows; `None` for those that narrow the money.
    pub(crate) const fn dim(self) -> Option<Dim> {
        match self {
            Self::OrderType => Some(Dim::OrderType),
            Self::Region | Self::Country => Some(Dim::Country),
            Self::Currency | Self::Amount => None,
            Self::Method => Some(Dim::Method),
            Self::Merchant => Some(Dim::Merchant),
            Self::CardBrand => Some(Dim::Brand),
            Self::Funding => Some(Dim::Funding),
            Self::IssuerCountry => Some(Dim::Issuer),
            Self::Initiator => Some(Dim::Initiator),
            Self::Capture => Some(Dim::Capture),
        }
    }

    /// What messages call one of its values.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::OrderType => "order type",
            Self::Region => "region",
            Self::Country | Self::IssuerCountry => "country",
            Self::Currency | Self::Amount => "currency",
            Self::Method => "method",
            Self::Merchant => "merchant",
            Self::CardBrand => "card brand",
            Self::Funding => "funding",
            Self::Initiator => "initiator",
            Self::Capture => "capture mode",
        }
    }
}

/// One name or range of a condition, and what it covers.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    /// As the file writes it.
    pub(crate) text: String,
    pub(crate) span: Span,
    pub(crate) covers: Covers,
}

/// What a term covers.
#[derive(Clone, Debug)]
pub(crate) enum Covers {
    /// These values of the condition's dimension.
    Values(Vec<u64>),
    /// These amounts.
    Money(MoneySet),
}

/// One line of `when`: met by a payment that one of the terms covers, or, negated, that none does.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) key: Key,
    pub(crate) negated: bool,
    /// Of the key.
    pub(crate) span: Span,
    pub(crate) terms: Vec<Term>,
}

impl Condition {
    /// As `when` writes its key.
    pub(crate) fn name(&self) -> &'static str {
        let row = Key::ALL.iter().find(|(key, ..)| *key == self.key);
        row.map_or("", |(_, plain, not)| if self.negated { not } else { plain })
    }

    /// Whether the payment meets it.
    pub(crate) fn is_met(&self, point: &Point) -> bool {
        let covered = self.terms.iter().any(|term| match (&term.covers, self.key.dim()) {
            (Covers::Values(values), Some(dim)) => bits::has(values, point.value(dim)),
            (Covers::Money(money), _) => money.has(point.position()),
            (Covers::Values(_), None) => false,
        });
        covered != self.negated
    }

    /// Keeps of the area what meets the condition.
    fn narrow(&self, domain: &Domain, area: &mut Area) {
        match self.key.dim() {
            Some(dim) => {
                let mut values = vec![0; bits::words_for(domain.size(dim))];
                for term in &self.terms {
                    if let Covers::Values(covered) = &term.covers {
                        values.iter_mut().zip(covered).for_each(|(word, other)| *word |= other);
                    }
                }
                if self.negated { area.drop(domain, dim, &values) } else { area.keep(domain, dim, &values) }
            }
            None => {
                let ranges = self.terms.iter().flat_map(|term| match &term.covers {
                    Covers::Money(set) => set.ranges(),
                    Covers::Values(_) => &[],
                });
                let money = MoneySet::from_ranges(ranges.copied().collect());
                area.money = if self.negated { area.money.minus(&money) } else { area.money.and(&money) };
            }
        }
    }
}

/// The payments that meet every condition.
pub(crate) fn area_of(conditions: &[Condition], domain: &Domain) -> Area {
    let mut area = Area::all(domain);
    conditions.iter().for_each(|condition| condition.narrow(domain, &mut area));
    area
}

/// A channel that a rule names.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The channel's number.
    pub(crate) channel: usize,
    /// Its share of a split; 1 elsewhere.
    pub(crate) weight: u32,
}

/// What a rule does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// The first that is up, else the first degraded; local ones before others where so preferred.
    Use { targets: Vec<Target>, prefer_local: bool },
    /// One by its share.
    Split(Vec<Target>),
    /// None, for this reason.
    Reject(String),
}

impl Action {
    /// The channels it names, in its order.
    pub(crate) fn targets(&self) -> &[Target] {
        match self {
            Self::Use { targets, .. } | Self::Split(targets) => targets,
            Self::Reject(_) => &[],
        }
    }
}

/// A rule as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// Of the name.
    pub(crate) span: Span,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) area: Area,
    pub(crate) action: Action,
    /// Of `use`, `split` or `reject`.
    pub(crate) action_span: Span,
}
