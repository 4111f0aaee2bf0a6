//! Sets of payments that are the product of one set for each fact: what one rule matches, what one channel serves.

use crate::bits;
use crate::domain::{DIMS, Dim, Domain, Point};
use crate::money_set::MoneySet;

/// A set of values for every fact; a payment lies in the area if each of its values does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Area {
    /// The bits of all dimensions, each from a word of its own: see [`Domain::range`].
    words: Vec<u64>,
    pub(crate) money: MoneySet,
}

impl Area {
    /// Every payment.
    pub(crate) fn all(domain: &Domain) -> Self {
        let mut words = vec![0; domain.words()];
        for dim in Dim::ALL {
            if let Some(part) = words.get_mut(domain.range(dim)) {
                (0..domain.size(dim)).for_each(|value| bits::set(part, value));
            }
        }
        Self { words, money: MoneySet::all(domain.currencies.len()) }
    }

    /// The bits of one dimension.
    pub(crate) fn values(&self, domain: &Domain, dim: Dim) -> &[u64] {
        self.words.get(domain.range(dim)).unwrap_or_default()
    }

    /// Keeps of one dimension only the values whose bits are set.
    pub(crate) fn keep(&mut self, domain: &Domain, dim: Dim, values: &[u64]) {
        if let Some(part) = self.words.get_mut(domain.range(dim)) {
            let padded = values.iter().copied().chain(std::iter::repeat(0));
            part.iter_mut().zip(padded).for_each(|(word, other)| *word &= other);
        }
    }

    /// Keeps of one dimension all but the values whose bits are set.
    pub(crate) fn drop(&mut self, domain: &Domain, dim: Dim, values: &[u64]) {
        if let Some(part) = self.words.get_mut(domain.range(dim)) {
            part.iter_mut().zip(values).for_each(|(word, other)| *word &= !other);
        }
    }

    /// Whether there is no payment in it.
    pub(crate) fn is_empty(&self, domain: &Domain) -> bool {
        self.money.is_empty() || Dim::ALL.iter().any(|&dim| self.values(domain, dim).iter().all(|&word| word == 0))
    }

    /// Whether the payment lies in it.
    pub(crate) fn has(&self, domain: &Domain, point: &Point) -> bool {
        Dim::ALL.iter().all(|&dim| bits::has(self.values(domain, dim), point.value(dim)))
            && self.money.has(point.position())
    }

    /// The payments in both; maybe none.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let words = self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect();
        Self { words, money: self.money.and(&other.money) }
    }

    /// The payments of these amounts.
    pub(crate) fn and_money(&self, money: &MoneySet) -> Self {
        Self { words: self.words.clone(), money: self.money.and(money) }
    }

    /// Whether no payment lies in both.
    pub(crate) fn is_apart_from(&self, domain: &Domain, other: &Self) -> bool {
        let meets = |dim: &Dim| {
            let pairs = self.values(domain, *dim).iter().zip(other.values(domain, *dim));
            pairs.into_iter().any(|(a, b)| a & b != 0)
        };
        !Dim::ALL.iter().all(meets) || self.money.is_apart_from(&other.money)
    }

    /// Whether every payment in it lies in `other`, of two areas that are not empty.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(a, b)| a & !b == 0) && self.money.is_within(&other.money)
    }

    /// The same payments in the numbers of another domain, which knows every name of this one; a name only that one knows
    /// is any other here.
    pub(crate) fn translated(&self, from: &Domain, to: &Domain) -> Self {
        let mut area = Self { words: vec![0; to.words()], money: self.money.clone() };
        for dim in Dim::ALL {
            let old = |value: usize| match dim {
                Dim::OrderType => to
                    .order_types
                    .name(value)
                    .and_then(|name| from.order_types.get(name))
                    .unwrap_or(from.order_types.other()),
                Dim::Merchant => {
                    to.merchants.name(value).and_then(|name| from.merchants.get(name)).unwrap_or(from.merchants.other())
                }
                Dim::Method
                | Dim::Country
                | Dim::Issuer
                | Dim::Brand
                | Dim::Funding
                | Dim::Initiator
                | Dim::Capture => value,
            };
            let values = self.values(from, dim);
            if let Some(part) = area.words.get_mut(to.range(dim)) {
                (0..to.size(dim))
                    .filter(|&value| bits::has(values, old(value)))
                    .for_each(|value| bits::set(part, value));
            }
        }
        area
    }

    /// Takes the values of one fact, or the money where `dim` is `None`, out of the area and puts others in their place.
    pub(crate) fn with_side(&self, domain: &Domain, dim: Option<Dim>, from: &Self) -> Self {
        let mut area = self.clone();
        match dim {
            Some(dim) => {
                if let Some(part) = area.words.get_mut(domain.range(dim)) {
                    part.iter_mut().zip(from.values(domain, dim)).for_each(|(word, other)| *word = *other);
                }
            }
            None => area.money = from.money.clone(),
        }
        area
    }

    /// The payments of one fact's values in either, of areas that are alike in all other facts.
    pub(crate) fn or_side(&self, domain: &Domain, dim: Option<Dim>, other: &Self) -> Self {
        let mut area = self.clone();
        match dim {
            Some(dim) => {
                if let Some(part) = area.words.get_mut(domain.range(dim)) {
                    part.iter_mut().zip(other.values(domain, dim)).for_each(|(word, other)| *word |= *other);
                }
            }
            None => {
                let ranges = self.money.ranges().iter().chain(other.money.ranges());
                area.money = MoneySet::from_ranges(ranges.copied().collect());
            }
        }
        area
    }

    /// In how many dimensions, money among them, `other` leaves something of this area out.
    pub(crate) fn sides_cut_by(&self, domain: &Domain, other: &Self) -> usize {
        let sides = Dim::ALL.iter().filter(|&&dim| self.leaves(domain, other, dim)).count();
        sides.saturating_add(usize::from(!self.money.is_within(&other.money)))
    }

    fn leaves(&self, domain: &Domain, other: &Self, dim: Dim) -> bool {
        let pairs = self.values(domain, dim).iter().zip(other.values(domain, dim));
        pairs.into_iter().any(|(a, b)| a & !b != 0)
    }

    /// This area without `other`: at most one piece for each dimension, no two sharing a payment.
    pub(crate) fn minus(&self, domain: &Domain, other: &Self) -> Vec<Self> {
        let mut pieces = Vec::with_capacity(DIMS);
        let mut rest = self.clone();
        for dim in Dim::ALL {
            if rest.leaves(domain, other, dim) {
                let mut piece = rest.clone();
                piece.drop(domain, dim, other.values(domain, dim));
                pieces.push(piece);
                rest.keep(domain, dim, other.values(domain, dim));
            }
        }
        let money = rest.money.minus(&other.money);
        if !money.is_empty() {
            pieces.push(Self { money, ..rest });
        }
        pieces
    }
}
