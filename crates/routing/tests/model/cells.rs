//! The finite partition of all payments: one for each class that a case's rules and channels could tell apart.

use super::{
    AMOUNT_MAX, ANY_OTHER_MERCHANT, BRANDS, CAPTURES, COUNTRIES, CURRENCIES, Case, FUNDINGS, INITIATORS, ISSUERS,
};
use super::{Condition, MERCHANTS, METHODS, ORDER_TYPES, RawOffer, Rule, Test, country, currency};
use std::collections::BTreeSet;
use switchyard_core::capabilities::Which;
use switchyard_core::method::Direction;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{MerchantName, Method, Money, OrderType};
use switchyard_routing::facts::has_card_facts;
use switchyard_routing::{Facts, Initiator};

pub const DIMS: usize = 10;
/// A cell: the value of every dimension, by number.
pub type Cell = [usize; DIMS];

/// The values of every dimension, and which rules each meets.
pub struct Cells<'c> {
    pub case: &'c Case,
    pub money: Vec<Money>,
    sizes: [usize; DIMS],
    /// By dimension and value: the rules (of up to 64) whose conditions on that dimension it meets.
    pub meets: Vec<Vec<u64>>,
    /// By whatever eligibility hangs on: the channels that serve it, once asked.
    served: std::cell::RefCell<std::collections::HashMap<[usize; 6], u64>>,
    /// By direction and method, and by money: whether it is declared.
    declared_methods: Vec<[bool; 2]>,
    declared_money: Vec<bool>,
}

impl<'c> Cells<'c> {
    /// Facts that are not in play have one value. `cases` besides the first only add lines between amounts.
    pub fn new(case: &'c Case, cases: &[&Case]) -> Self {
        assert!(case.rules.len() <= 64);
        let money: Vec<Money> = CURRENCIES.iter().flat_map(|code| amounts(cases, code)).collect();
        let in_play = |key: &str| cases.iter().any(|case| case.keys.contains(&key));
        let size = |key: &str, all: usize| if in_play(key) { all } else { 1 };
        let sizes = [
            ORDER_TYPES.len(),
            METHODS.len(),
            COUNTRIES.len(),
            MERCHANTS.len() + 1,
            CAPTURES.len(),
            size("initiator", INITIATORS.len()),
            size("card_brand", BRANDS.len()),
            size("funding", FUNDINGS.len()),
            ISSUERS.len(),
            money.len(),
        ];
        let services = || case.vocabulary.channels.iter().filter(|spec| !spec.retired).flat_map(|spec| &spec.services);
        let offered =
            |method, direction| services().any(|service| service.method == method && service.direction == direction);
        let declared_methods = METHODS
            .iter()
            .map(|&method| [Direction::Payin, Direction::Payout].map(|direction| offered(method, direction)));
        let taken = |money: &Money| {
            (1..=AMOUNT_MAX).contains(&money.minor())
                && services().any(|service| service.currencies.holds(&money.currency()))
        };
        let declared_money = money.iter().map(taken).collect();
        let declared_methods = declared_methods.collect();
        let mut cells = Self {
            case,
            money,
            sizes,
            meets: Vec::new(),
            served: Default::default(),
            declared_methods,
            declared_money,
        };
        // The issuer matters to rules that name it, and to those that prefer local acquirers.
        let local =
            cases.iter().any(|case| case.rules.iter().any(|rule| matches!(rule.action, super::Action::Use(_, true))));
        if !local && !in_play("issuer_country") {
            cells.sizes[8] = 1;
        }
        cells.meets =
            (0..DIMS).map(|dim| (0..cells.sizes[dim]).map(|value| cells.meeting(dim, value)).collect()).collect();
        cells
    }

    fn meeting(&self, dim: usize, value: usize) -> u64 {
        let facts = self.facts(&Self::with(dim, value));
        let meets = |rule: &Rule| {
            rule.when.iter().filter(|condition| dim_of(condition) == dim).all(|condition| condition.is_met(&facts))
        };
        self.case.rules.iter().enumerate().filter(|(_, rule)| meets(rule)).map(|(at, _)| 1 << at).sum()
    }

    /// A cell with one value set.
    fn with(dim: usize, value: usize) -> Cell {
        let mut cell = [0; DIMS];
        cell[dim] = value;
        cell
    }

    /// How many cells there are, possible or not.
    pub fn count(&self) -> usize {
        self.sizes.iter().product()
    }

    /// A cell's payment.
    pub fn facts(&self, cell: &Cell) -> Facts {
        Facts {
            order_type: OrderType::new(ORDER_TYPES[cell[0]].0).unwrap(),
            method: METHODS[cell[1]],
            country: country(COUNTRIES[cell[2]]),
            merchant: MerchantName::new(MERCHANTS.get(cell[3]).copied().unwrap_or(ANY_OTHER_MERCHANT)).unwrap(),
            capture: CAPTURES[cell[4]],
            // Where the initiator is not in play, one value stands for both; a payout's is the merchant.
            initiator: if ORDER_TYPES[cell[0]].1 == Direction::Payout {
                Initiator::Merchant
            } else {
                INITIATORS[cell[5]]
            },
            brand: BRANDS[cell[6]],
            funding: FUNDINGS[cell[7]],
            issuer_country: ISSUERS[cell[8]].map(country),
            amount: self.money[cell[9]],
            mode: None,
        }
    }

    /// Calls `see` with every cell that is a possible payment, and the rules it meets.
    pub fn each(&self, mut see: impl FnMut(&Cell, u64)) {
        let mut cell = [0; DIMS];
        self.walk(0, &mut cell, u64::MAX, &mut see);
    }

    fn walk(&self, dim: usize, cell: &mut Cell, met: u64, see: &mut impl FnMut(&Cell, u64)) {
        if dim == DIMS {
            return see(cell, met);
        }
        for value in 0..self.sizes[dim] {
            cell[dim] = value;
            if self.goes_together(dim, cell) {
                self.walk(dim + 1, cell, met & self.meets[dim][value], see);
            }
        }
    }

    /// Whether the values up to `dim` can be those of one payment.
    fn goes_together(&self, dim: usize, cell: &Cell) -> bool {
        let (name, direction) = ORDER_TYPES[cell[0]];
        match dim {
            1 => METHODS[cell[1]].directions().contains(&direction),
            3 => MERCHANTS.get(cell[3]).is_none_or(|merchant| {
                let spec = self.case.vocabulary.merchants.iter().find(|spec| spec.name.as_str() == *merchant).unwrap();
                spec.order_types.holds(&OrderType::new(name).unwrap())
            }),
            4 => direction == Direction::Payin || CAPTURES[cell[4]] == CaptureMode::Automatic,
            5 => direction == Direction::Payin || self.sizes[5] == 1 || INITIATORS[cell[5]] == Initiator::Merchant,
            6..=8 => cell[dim] == 0 || has_card_facts(METHODS[cell[1]]),
            _ => true,
        }
    }

    /// Whether the check owes the payment an outcome: channels declare its method and currency, and it may be stated.
    pub fn is_declared(&self, cell: &Cell) -> bool {
        let direction = usize::from(ORDER_TYPES[cell[0]].1 == Direction::Payout);
        self.declared_methods[cell[1]][direction] && self.declared_money[cell[9]]
    }

    /// By dimension and value: whether it meets a condition, which is of one dimension.
    pub fn meeting_one(&self, condition: &Condition) -> (usize, Vec<bool>) {
        let dim = dim_of(condition);
        let meets = |value: usize| condition.is_met(&self.facts(&Self::with(dim, value)));
        (dim, (0..self.sizes[dim]).map(meets).collect())
    }

    /// The channels, by their place in the vocabulary, that can serve the cell.
    pub fn served(&self, cell: &Cell) -> u64 {
        let key = [cell[0], cell[1], cell[2], cell[3], cell[4], cell[9]];
        *self.served.borrow_mut().entry(key).or_insert_with(|| {
            let facts = self.facts(cell);
            let channels = self.case.vocabulary.channels.iter().enumerate();
            channels
                .filter(|(_, spec)| self.case.is_eligible(spec.name.as_str(), &facts, &RawOffer::Any))
                .map(|(at, _)| 1 << at)
                .sum()
        })
    }
}

pub fn is_declared(case: &Case, facts: &Facts) -> bool {
    let direction = case.direction(facts);
    let services = || case.vocabulary.channels.iter().filter(|spec| !spec.retired).flat_map(|spec| &spec.services);
    let of_method =
        |method: Method| services().any(|service| service.method == method && Some(service.direction) == direction);
    (1..=AMOUNT_MAX).contains(&facts.amount.minor())
        && of_method(facts.method)
        && services().any(|service| service.currencies.holds(&facts.amount.currency()))
}

/// The dimension that a condition asks about.
fn dim_of(condition: &Condition) -> usize {
    match condition.key {
        "order_type" => 0,
        "method" => 1,
        "region" | "country" => 2,
        "merchant" => 3,
        "capture" => 4,
        "initiator" => 5,
        "card_brand" => 6,
        "funding" => 7,
        "issuer_country" => 8,
        "currency" | "amount" => 9,
        other => unreachable!("{other}"),
    }
}

/// Of each range between two lines: its first and last amount, and one for each way to be a multiple of the steps.
fn amounts(cases: &[&Case], code: &str) -> Vec<Money> {
    let mut lines: BTreeSet<i64> = [0, 1, AMOUNT_MAX + 1].into();
    for case in cases {
        for condition in case.rules.iter().flat_map(|rule| &rule.when) {
            if let Test::Amounts(listed) = &condition.test {
                let ranges = listed.iter().filter(|(named, _)| *named == code).flat_map(|(_, ranges)| ranges);
                lines.extend(ranges.flat_map(|(from, to)| [*from, *to]).flatten());
            }
        }
        for service in case.vocabulary.channels.iter().flat_map(|spec| &spec.services) {
            assert!(!matches!(&service.currencies, Which::Only(list) if list.is_empty()));
            for range in service.amounts.iter().filter(|range| range.currency == currency(code)) {
                lines.extend([Some(range.min), range.max.map(|max| max + 1)].into_iter().flatten());
            }
        }
    }
    let lines: Vec<i64> = lines.into_iter().collect();
    let mut chosen: BTreeSet<i64> = BTreeSet::new();
    for pair in lines.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        chosen.extend([start, end - 1]);
        for pattern in [[false, false, false], [true, false, false], [true, true, false], [true, true, true]] {
            let fits = |amount: &i64| [amount % 5 == 0, amount % 10 == 0, amount % 100 == 0] == pattern;
            chosen.extend((start..end.min(start + 200)).find(fits));
        }
    }
    chosen.into_iter().map(|minor| Money::new(minor, currency(code)).unwrap()).collect()
}
