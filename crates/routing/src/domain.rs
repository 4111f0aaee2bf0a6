//! The finite domain that rules speak of: every fact's values, numbered.

use crate::bits;
use crate::facts::{Brand, Facts, Funding, Initiator};
use crate::region::{self, Regions};
use crate::vocabulary::Vocabulary;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;
use switchyard_core::limits::AMOUNT_MINOR_MAX;
use switchyard_core::method::Direction;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{Country, Currency, Method};

/// The facts with a list of values. Currency and amount are one more, kept apart: see [`crate::money_set`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Dim {
    OrderType,
    Merchant,
    Method,
    Country,
    Issuer,
    Brand,
    Funding,
    Initiator,
    Capture,
}

pub(crate) const DIMS: usize = 9;

impl Dim {
    pub(crate) const ALL: [Self; DIMS] = [
        Self::OrderType,
        Self::Merchant,
        Self::Method,
        Self::Country,
        Self::Issuer,
        Self::Brand,
        Self::Funding,
        Self::Initiator,
        Self::Capture,
    ];

    /// Its place in arrays over all dimensions.
    #[expect(clippy::as_conversions, reason = "a fieldless enum's number")]
    pub(crate) const fn at(self) -> usize {
        self as usize
    }
}

/// How rules write "not known", for the facts that may be.
pub(crate) const ABSENT: &str = "absent";

/// Amounts are told apart up to here; larger ones, which the API refuses, count as this one.
pub(crate) const AMOUNT_LAST: u64 = (1 << AMOUNT_BITS) - 1;
/// Bits of a position within one currency: beyond [`AMOUNT_MINOR_MAX`].
pub(crate) const AMOUNT_BITS: u32 = 48;

/// The amounts that are checked for: from one minor unit to the most a request may ask for, the end excluded.
pub(crate) const AMOUNTS: (u64, u64) = (1, AMOUNT_MINOR_MAX.unsigned_abs().saturating_add(1));

/// A payment as numbers: the value of each dimension, the currency and the amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Point {
    pub(crate) values: [u16; DIMS],
    pub(crate) currency: u16,
    pub(crate) amount: u64,
}

impl Point {
    pub(crate) fn value(&self, dim: Dim) -> usize {
        self.values.get(dim.at()).copied().unwrap_or(0).into()
    }

    /// Currency and amount as one number: see [`crate::money_set`].
    pub(crate) fn position(&self) -> u64 {
        u64::from(self.currency).wrapping_shl(AMOUNT_BITS) | self.amount.min(AMOUNT_LAST)
    }
}

/// FNV-1a: these names are the operator's, so nobody can choose them to collide.
#[derive(Default)]
pub(crate) struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let start = if self.0 == 0 { 0xcbf2_9ce4_8422_2325 } else { self.0 };
        self.0 = bytes.iter().fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
}

/// Names in order; one more number stands for any other name.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    sorted: Vec<String>,
    numbers: HashMap<String, u16, BuildHasherDefault<Fnv>>,
}

impl Names {
    fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let sorted: Vec<String> = names.into_iter().collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect();
        let numbers = sorted.iter().enumerate().map(|(at, name)| (name.clone(), number(at))).collect();
        Self { sorted, numbers }
    }

    pub(crate) fn get(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).map(|&number| number.into())
    }

    pub(crate) fn name(&self, number: usize) -> Option<&str> {
        self.sorted.get(number).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.sorted.iter().map(String::as_str)
    }

    /// The number of any other name; also how many are known.
    pub(crate) fn other(&self) -> usize {
        self.sorted.len()
    }

    fn number_of(&self, name: &str) -> u16 {
        self.numbers.get(name).copied().unwrap_or_else(|| number(self.other()))
    }
}

/// Numbers stay far below the limit: the longest list is that of merchants, see [`NAMES_MAX`].
fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// Merchants, order types or channels at most.
pub(crate) const NAMES_MAX: usize = 20_000;

/// Every currency there is, in order of code.
static CURRENCIES: LazyLock<Vec<Currency>> = LazyLock::new(|| {
    let letters = || 'A'..='Z';
    let codes =
        letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c]))));
    codes.filter_map(|code| Currency::from_code(&code)).collect()
});

/// Every value of every fact, numbered, and where its bit lies in an [`crate::area::Area`].
#[derive(Clone, Debug)]
pub(crate) struct Domain {
    pub(crate) order_types: Names,
    pub(crate) directions: Vec<Direction>,
    pub(crate) merchants: Names,
    /// All that ISO 4217 has, in order of code.
    pub(crate) currencies: &'static [Currency],
    /// By numeric code.
    currency_numbers: Vec<u16>,
    /// In order of code.
    pub(crate) countries: Vec<Country>,
    /// By letters, 26 to the first.
    country_numbers: Vec<u16>,
    sizes: [usize; DIMS],
    /// Where each dimension's words start; the last is their sum.
    starts: [usize; DIMS],
    words: usize,
    /// The built-in regions of another version; `None` for those of this one.
    pub(crate) regions: Option<Regions>,
}

impl Domain {
    /// Numbers what the vocabulary declares and the standards list.
    pub(crate) fn new(vocabulary: &Vocabulary) -> Self {
        let order_types = vocabulary.order_types.iter().map(|spec| (spec.name.as_str(), spec.direction)).collect();
        Self::of(order_types, vocabulary.merchants.iter().map(|spec| spec.name.as_str()))
    }

    /// Numbers what either of two declares; where a direction differs, the second's.
    pub(crate) fn joint(one: &Self, two: &Self) -> Self {
        let order_types =
            [one, two].into_iter().flat_map(|domain| domain.order_types.iter().zip(domain.directions.iter().copied()));
        Self::of(order_types.collect(), one.merchants.iter().chain(two.merchants.iter()))
    }

    fn of<'n>(directions_of: BTreeMap<&str, Direction>, merchants: impl IntoIterator<Item = &'n str>) -> Self {
        let order_types = Names::new(directions_of.keys().copied());
        let directions = directions_of.values().copied().collect();
        let merchants = Names::new(merchants);
        let currencies = CURRENCIES.as_slice();
        let mut currency_numbers = vec![0; 1000];
        for (at, currency) in currencies.iter().enumerate() {
            if let Some(slot) = currency_numbers.get_mut(usize::from(currency.numeric())) {
                *slot = number(at);
            }
        }
        let mut countries: Vec<Country> = Country::all().collect();
        countries.sort_unstable();
        let mut country_numbers = vec![0; 26 * 26];
        for (at, country) in countries.iter().enumerate() {
            if let Some(slot) = country_numbers.get_mut(letters(*country)) {
                *slot = number(at);
            }
        }
        let sizes = [
            order_types.other().saturating_add(1),
            merchants.other().saturating_add(1),
            Method::ALL.len(),
            countries.len(),
            countries.len().saturating_add(1),
            Brand::ALL.len().saturating_add(1),
            Funding::ALL.len().saturating_add(1),
            Initiator::ALL.len(),
            2,
        ];
        let mut words = 0_usize;
        let starts = sizes.map(|size| {
            let start = words;
            words = words.saturating_add(bits::words_for(size));
            start
        });
        Self {
            order_types,
            directions,
            merchants,
            currencies,
            currency_numbers,
            countries,
            country_numbers,
            sizes,
            starts,
            words,
            regions: None,
        }
    }

    /// The countries of a built-in region.
    pub(crate) fn region(&self, name: &str) -> Option<Vec<Country>> {
        match &self.regions {
            Some(Regions(regions)) => regions.get(name).cloned(),
            None => region::countries(name),
        }
    }

    /// How many values a dimension has.
    pub(crate) fn size(&self, dim: Dim) -> usize {
        self.sizes.get(dim.at()).copied().unwrap_or(0)
    }

    /// Where a dimension's words lie.
    pub(crate) fn range(&self, dim: Dim) -> std::ops::Range<usize> {
        let start = self.starts.get(dim.at()).copied().unwrap_or(0);
        start..start.saturating_add(bits::words_for(self.size(dim)))
    }

    /// Words of all dimensions together.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    pub(crate) fn currency(&self, currency: Currency) -> u16 {
        self.currency_numbers.get(usize::from(currency.numeric())).copied().unwrap_or(0)
    }

    pub(crate) fn country(&self, country: Country) -> u16 {
        self.country_numbers.get(letters(country)).copied().unwrap_or(0)
    }

    /// The issuer country's number; the number after the last is "not known".
    fn issuer(&self, country: Option<Country>) -> u16 {
        country.map_or_else(|| number(self.countries.len()), |country| self.country(country))
    }

    /// A payment's facts as numbers.
    pub(crate) fn point(&self, facts: &Facts) -> Point {
        Point {
            values: [
                self.order_types.number_of(facts.order_type.as_str()),
                self.merchants.number_of(facts.merchant.as_str()),
                method(facts.method),
                self.country(facts.country),
                self.issuer(facts.issuer_country),
                brand(facts.brand),
                funding(facts.funding),
                initiator(facts.initiator),
                capture(facts.capture),
            ],
            currency: self.currency(facts.amount.currency()),
            amount: facts.amount.minor().unsigned_abs(),
        }
    }

    /// What a value is called in rules; `None` for what has no name there.
    pub(crate) fn value_name(&self, dim: Dim, value: usize) -> Option<&str> {
        match dim {
            Dim::OrderType => self.order_types.name(value),
            Dim::Merchant => self.merchants.name(value),
            Dim::Method => Method::ALL.get(value).map(|method| method.name()),
            Dim::Country => self.countries.get(value).map(Country::code),
            Dim::Issuer => Some(self.countries.get(value).map_or(ABSENT, Country::code)),
            Dim::Brand => Some(named(value, Brand::ALL).map_or(ABSENT, Brand::as_str)),
            Dim::Funding => Some(named(value, Funding::ALL).map_or(ABSENT, Funding::as_str)),
            Dim::Initiator => Initiator::ALL.get(value).map(|initiator| initiator.as_str()),
            Dim::Capture => CAPTURE_MODES.get(value).map(|mode| mode.as_str()),
        }
    }

    /// The value a rule means by `name`.
    pub(crate) fn value_of(&self, dim: Dim, name: &str) -> Option<usize> {
        match dim {
            Dim::OrderType => self.order_types.get(name),
            Dim::Merchant => self.merchants.get(name),
            Dim::Method => Method::from_name(name).map(|known| method(known).into()),
            Dim::Country => Country::from_code(name).map(|known| self.country(known).into()),
            Dim::Issuer if name == ABSENT => Some(self.countries.len()),
            Dim::Issuer => Country::from_code(name).map(|known| self.country(known).into()),
            Dim::Brand if name == ABSENT => Some(0),
            Dim::Brand => Brand::from_name(name).map(|known| brand(Some(known)).into()),
            Dim::Funding if name == ABSENT => Some(0),
            Dim::Funding => Funding::from_name(name).map(|known| funding(Some(known)).into()),
            Dim::Initiator => Initiator::from_name(name).map(|known| initiator(known).into()),
            Dim::Capture => CaptureMode::from_name(name).map(|known| capture(known).into()),
        }
    }

    /// Every name a rule may use for a dimension's values.
    pub(crate) fn names(&self, dim: Dim) -> impl Iterator<Item = &str> {
        (0..self.size(dim)).filter_map(move |value| self.value_name(dim, value))
    }
}

/// The values of [`CaptureMode`], in the order of their numbers.
pub(crate) const CAPTURE_MODES: [CaptureMode; 2] = [CaptureMode::Automatic, CaptureMode::Manual];

/// The value behind a number of which 0 means "not known".
pub(crate) fn named<T: Copy>(value: usize, all: &[T]) -> Option<T> {
    all.get(value.checked_sub(1)?).copied()
}

#[expect(clippy::as_conversions, reason = "a fieldless enum's number; on the path of every decision")]
pub(crate) fn method(method: Method) -> u16 {
    method as u16
}

#[expect(clippy::as_conversions, reason = "a fieldless enum's number; on the path of every decision")]
fn brand(brand: Option<Brand>) -> u16 {
    brand.map_or(0, |brand| (brand as u16).saturating_add(1))
}

#[expect(clippy::as_conversions, reason = "a fieldless enum's number; on the path of every decision")]
fn funding(funding: Option<Funding>) -> u16 {
    funding.map_or(0, |funding| (funding as u16).saturating_add(1))
}

#[expect(clippy::as_conversions, reason = "a fieldless enum's number; on the path of every decision")]
pub(crate) fn initiator(initiator: Initiator) -> u16 {
    initiator as u16
}

#[expect(clippy::as_conversions, reason = "a fieldless enum's number; on the path of every decision")]
pub(crate) fn capture(capture: CaptureMode) -> u16 {
    capture as u16
}

fn letters(country: Country) -> usize {
    let mut at = 0_usize;
    for letter in country.code().bytes() {
        at = at.wrapping_mul(26).wrapping_add(usize::from(letter.wrapping_sub(b'A')));
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchyard_core::method::Direction;

    #[test]
    fn every_name_reads_back_to_its_value() {
        let vocabulary = Vocabulary {
            order_types: vec![crate::vocabulary::OrderTypeSpec {
                name: switchyard_core::OrderType::new("ecommerce").unwrap(),
                direction: Direction::Payin,
            }],
            ..Vocabulary::default()
        };
        let domain = Domain::new(&vocabulary);
        for dim in Dim::ALL {
            let mut names = 0;
            for value in 0..domain.size(dim) {
                if let Some(name) = domain.value_name(dim, value) {
                    assert_eq!(domain.value_of(dim, name), Some(value), "{dim:?} {name}");
                    names += 1;
                }
            }
            assert_eq!(names, domain.names(dim).count());
            let any_other = usize::from(matches!(dim, Dim::OrderType | Dim::Merchant));
            assert_eq!(names + any_other, domain.size(dim), "{dim:?}");
        }
        assert!(domain.currencies.len() > 150, "{}", domain.currencies.len());
        for (at, currency) in domain.currencies.iter().enumerate() {
            assert_eq!(usize::from(domain.currency(*currency)), at, "{currency} shares its number");
        }
        for (at, country) in domain.countries.iter().enumerate() {
            assert_eq!(usize::from(domain.country(*country)), at);
        }
        assert_eq!(usize::from(method(Method::Card)), 0);
        assert!(Method::ALL.iter().enumerate().all(|(at, &known)| usize::from(method(known)) == at));
    }
}
