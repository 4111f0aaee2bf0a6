//! Finds a payment that lies in an area and in none of the rules and services that cover it, or proves that there is
//! none.
//!
//! The search takes a payment out of the area and asks the compiled table which rules it meets. None: found. Else one of
//! these rules is cut out of the area, which leaves at most one smaller area for each fact, and the search goes on in
//! those. A rule that meets the payment by few conditions is cut out first, and a rule that covers the whole area ends
//! it at once, so what is looked at are the rules that matter at that place and no others. The number of areas looked
//! at is bounded: past the bound the search gives up and names the rules that were cut out most often.

use crate::area::Area;
use crate::bits;
use crate::channel::Served;
use crate::domain::{DIMS, Dim, Domain, Point};
use crate::money_set::{split, start_of};
use crate::rule_set::RuleSet;
use std::collections::BTreeMap;

/// Payments drawn from an area before it is cut.
const DRAWS: usize = 3;
/// Rules that are weighed for a cut; more would cost more than a better cut saves.
const WEIGHED_MAX: usize = 12;
/// How many amounts in a row may be multiples of steps that are to be avoided.
const AMOUNTS_TRIED_MAX: u64 = 4096;

/// An area, of whose amounts only the multiples of one number count, and of these none that is a multiple of others.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    pub(crate) area: Area,
    pub(crate) multiple: u64,
    pub(crate) avoid: Vec<u64>,
}

impl Goal {
    pub(crate) fn new(area: Area) -> Self {
        Self { area, multiple: 1, avoid: Vec::new() }
    }

    pub(crate) fn has(&self, domain: &Domain, point: &Point) -> bool {
        self.counts(point.amount) && self.area.has(domain, point)
    }

    fn counts(&self, amount: u64) -> bool {
        amount.is_multiple_of(self.multiple) && !self.avoid.iter().any(|&step| amount.is_multiple_of(step))
    }

    /// Without an area; with a step, only its multiples are taken out.
    pub(crate) fn minus(&self, domain: &Domain, area: &Area, step: u64) -> Vec<Self> {
        let outside = self.area.minus(domain, area);
        let mut pieces: Vec<Self> = outside.into_iter().map(|area| Self { area, ..self.clone() }).collect();
        if let Some(beside) = self.without(step) {
            pieces.push(Self { area: self.area.and(area), ..beside });
        }
        pieces
    }

    /// Of its amounts, those that are multiples of a step; `None` where there is none.
    pub(crate) fn only(&self, step: u64) -> Option<Self> {
        let multiple = common_multiple(self.multiple, step);
        let none = self.avoid.iter().any(|&avoided| multiple.is_multiple_of(avoided));
        (!none).then(|| Self { multiple, ..self.clone() })
    }

    /// Of its amounts, those that are not multiples of a step; `None` where there is none.
    pub(crate) fn without(&self, step: u64) -> Option<Self> {
        if self.multiple.is_multiple_of(step) {
            return None;
        }
        let mut avoid = self.avoid.clone();
        avoid.push(step);
        Some(Self { avoid, ..self.clone() })
    }

    /// The first position of a range whose amount counts.
    pub(crate) fn position_in(&self, (start, end): (u64, u64)) -> Result<Option<u64>, Exhausted> {
        if self.multiple == 1 && self.avoid.is_empty() {
            return Ok(Some(start));
        }
        if self.avoid.iter().any(|&step| self.multiple.is_multiple_of(step)) {
            return Ok(None);
        }
        let mut from = start;
        // A range may span currencies, and amounts start anew in each.
        while from < end {
            let (currency, amount) = split(from);
            let next = start_of(currency.saturating_add(1)).min(end);
            let last = split(next.saturating_sub(1)).1;
            if let Some(amount) = self.amount_in(amount, last)? {
                return Ok(Some(start_of(currency) | amount));
            }
            from = next;
        }
        Ok(None)
    }

    /// The first amount between two, both included, that counts.
    fn amount_in(&self, first: u64, last: u64) -> Result<Option<u64>, Exhausted> {
        let mut amount = first.div_ceil(self.multiple).saturating_mul(self.multiple);
        for _ in 0..AMOUNTS_TRIED_MAX {
            if amount > last {
                return Ok(None);
            }
            if self.counts(amount) {
                return Ok(Some(amount));
            }
            amount = amount.saturating_add(self.multiple);
        }
        Err(Exhausted)
    }
}

/// The work bound was reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exhausted;

/// A search over one rule set, with what it has cost so far.
pub(crate) struct Search<'r> {
    pub(crate) rules: &'r RuleSet,
    /// Areas looked at.
    pub(crate) work: u64,
    pub(crate) bound: u64,
    /// In how many facts each rule asks something.
    asked: Vec<u8>,
    /// Rules cut out in the current search, and how often.
    pub(crate) cut: BTreeMap<usize, u64>,
    /// The same over all searches.
    cut_ever: BTreeMap<usize, u64>,
    chance: u64,
    found: Vec<u64>,
    /// What a draw prefers, so that witnesses are payments as they occur.
    usual: Point,
}

impl<'r> Search<'r> {
    pub(crate) fn new(rules: &'r RuleSet, bound: u64) -> Self {
        let all = Area::all(&rules.domain);
        let asked = |area: &Area| u8::try_from(all.sides_cut_by(&rules.domain, area)).unwrap_or(u8::MAX);
        Self {
            rules,
            work: 0,
            bound,
            asked: rules.rules.iter().map(|rule| asked(&rule.area)).collect(),
            cut: BTreeMap::new(),
            cut_ever: BTreeMap::new(),
            chance: 0,
            found: Vec::new(),
            usual: usual(&rules.domain),
        }
    }

    /// A payment of `goals` that meets no rule before number `limit` and none of `services`.
    pub(crate) fn find(
        &mut self,
        goals: Vec<Goal>,
        limit: usize,
        services: &[&Served],
    ) -> Result<Option<Point>, Exhausted> {
        self.cut.clear();
        let mut open = goals;
        open.reverse();
        while let Some(goal) = open.pop() {
            match self.look(&goal, limit, services)? {
                Look::Found(point) => return Ok(Some(point)),
                Look::Nothing => {}
                Look::Rest(pieces) => open.extend(pieces.into_iter().rev()),
            }
        }
        Ok(None)
    }

    /// Looks at one goal.
    pub(crate) fn look(&mut self, goal: &Goal, limit: usize, services: &[&Served]) -> Result<Look, Exhausted> {
        self.work = self.work.saturating_add(1);
        if self.work > self.bound {
            return Err(Exhausted);
        }
        let rules = self.rules;
        let domain = &rules.domain;
        let mut first = None;
        for draw in 0..DRAWS {
            let Some(point) = self.draw(goal, draw > 0)? else { return Ok(Look::Nothing) };
            let mut found = std::mem::take(&mut self.found);
            rules.table.matches(&point, limit, &mut found);
            let covered =
                found.iter().any(|&word| word != 0) || services.iter().any(|served| served.has(domain, &point));
            let best = if covered && first.is_none() { self.best_rule(goal, &found) } else { None };
            self.found = found;
            if !covered {
                return Ok(Look::Found(point));
            }
            if let Some((0, rule)) = best {
                self.count_cut(rule);
                return Ok(Look::Nothing);
            }
            first.get_or_insert((point, best));
        }
        let Some((point, best)) = first else { return Ok(Look::Nothing) };
        let weigh = |served: &&&Served| {
            let sides = goal.area.sides_cut_by(domain, &served.area);
            if served.step > 1 { sides.saturating_add(1) } else { sides }
        };
        let service = services.iter().filter(|served| served.has(domain, &point)).min_by_key(weigh);
        match (best, service) {
            (Some((sides, rule)), service) if service.is_none_or(|served| sides <= weigh(&served)) => {
                self.count_cut(rule);
                let area = rules.rules.get(rule).map(|rule| &rule.area);
                Ok(Look::Rest(area.map(|area| goal.minus(domain, area, 1)).unwrap_or_default()))
            }
            (_, Some(served)) => Ok(Look::Rest(goal.minus(domain, &served.area, served.step))),
            (_, None) => Ok(Look::Nothing),
        }
    }

    fn count_cut(&mut self, rule: usize) {
        for counts in [&mut self.cut, &mut self.cut_ever] {
            let count = counts.entry(rule).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Of the rules found, the one whose cut leaves the fewest areas: their number, and the rule's.
    fn best_rule(&self, goal: &Goal, found: &[u64]) -> Option<(usize, usize)> {
        let asked = |rule: &usize| self.asked.get(*rule).copied().unwrap_or(u8::MAX);
        let mut weighed: Vec<usize> = bits::ones(found).collect();
        if weighed.len() > WEIGHED_MAX {
            weighed.select_nth_unstable_by_key(WEIGHED_MAX, |rule| (asked(rule), *rule));
            weighed.truncate(WEIGHED_MAX);
        }
        let sides = |rule: usize| {
            let rule_area = self.rules.rules.get(rule).map(|rule| &rule.area);
            rule_area.map_or(usize::MAX, |area| goal.area.sides_cut_by(&self.rules.domain, area))
        };
        weighed.into_iter().map(|rule| (sides(rule), rule)).min()
    }

    /// The rules that were cut out most often: those that make the search long.
    pub(crate) fn blamed(&self) -> Vec<usize> {
        let mut rules: Vec<(u64, usize)> = self.cut_ever.iter().map(|(&rule, &count)| (count, rule)).collect();
        rules.sort_unstable_by(|a, b| b.cmp(a));
        rules.into_iter().take(5).map(|(_, rule)| rule).collect()
    }

    /// A payment of the goal: the most usual one, or any.
    fn draw(&mut self, goal: &Goal, any: bool) -> Result<Option<Point>, Exhausted> {
        draw(goal, &self.rules.domain, self.usual, any.then_some(&mut self.chance))
    }

    /// The same payment with as many usual facts as leave it in a goal and outside what covers it.
    pub(crate) fn simplest(&mut self, point: Point, goals: &[Goal], limit: usize, services: &[&Served]) -> Point {
        let (rules, usual) = (self.rules, self.usual);
        let mut found = std::mem::take(&mut self.found);
        let mut fits = |point: &Point| {
            rules.table.matches(point, limit, &mut found);
            found.iter().all(|&word| word == 0)
                && !services.iter().any(|served| served.has(&rules.domain, point))
                && goals.iter().any(|goal| goal.has(&rules.domain, point))
        };
        let mut best = point;
        for at in 0..DIMS {
            let mut next = best;
            if let (Some(slot), Some(value)) = (next.values.get_mut(at), usual.values.get(at)) {
                *slot = *value;
            }
            if fits(&next) {
                best = next;
            }
        }
        for amount in [usual.amount, 1_000, 100, 100_000, 1_000_000] {
            for currency in [usual.currency, best.currency] {
                let next = Point { amount, currency, ..best };
                if fits(&next) {
                    self.found = found;
                    return next;
                }
            }
        }
        self.found = found;
        best
    }
}

/// The most usual payment of a goal.
pub(crate) fn usual_point(goal: &Goal, domain: &Domain) -> Result<Option<Point>, Exhausted> {
    draw(goal, domain, usual(domain), None)
}

/// A payment of a goal: as near to `point` as can be, or with `chance`, any.
fn draw(
    goal: &Goal,
    domain: &Domain,
    mut point: Point,
    mut chance: Option<&mut u64>,
) -> Result<Option<Point>, Exhausted> {
    for (dim, slot) in Dim::ALL.into_iter().zip(&mut point.values) {
        let values = goal.area.values(domain, dim);
        if chance.is_some() || !bits::has(values, usize::from(*slot)) {
            let nth = chance.as_deref_mut().map_or(0, |chance| below(chance, bits::count(values)));
            match bits::ones(values).nth(nth).and_then(|value| u16::try_from(value).ok()) {
                Some(value) => *slot = value,
                None => return Ok(None),
            }
        }
    }
    let ranges = goal.area.money.ranges();
    if chance.is_none() && goal.area.money.has(point.position()) && goal.counts(point.amount) {
        return Ok(Some(point));
    }
    let first = chance.as_deref_mut().map_or(0, |chance| below(chance, ranges.len()));
    for &(start, end) in ranges.iter().skip(first).chain(ranges.iter().take(first)) {
        let offset = chance.as_deref_mut().map_or(0, |chance| below_wide(chance, end.saturating_sub(start)));
        let mut position = goal.position_in((start.saturating_add(offset), end))?;
        if position.is_none() && offset > 0 {
            position = goal.position_in((start, end))?;
        }
        if let Some(position) = position {
            let (currency, amount) = split(position);
            point.currency = u16::try_from(currency).unwrap_or(u16::MAX);
            point.amount = amount;
            return Ok(Some(point));
        }
    }
    Ok(None)
}

/// The least number that is a multiple of both.
pub(crate) fn common_multiple(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a.max(1), b.max(1));
    while let Some(rest) = x.checked_rem(y) {
        (x, y) = (y, rest);
    }
    a.checked_div(x).unwrap_or(1).saturating_mul(b).max(1)
}

/// What a look at one goal brings.
pub(crate) enum Look {
    /// A payment that nothing covers.
    Found(Point),
    /// All of it is covered.
    Nothing,
    /// What is left when the rule or service is taken away that covers a payment of it.
    Rest(Vec<Goal>),
}

impl Served {
    pub(crate) fn has(&self, domain: &Domain, point: &Point) -> bool {
        point.amount.is_multiple_of(self.step) && self.area.has(domain, point)
    }
}

/// A customer's card payment of 100.00 EUR in Germany to any other merchant, nothing known of the card.
fn usual(domain: &Domain) -> Point {
    let country = switchyard_core::Country::from_code("DE").map_or(0, |country| domain.country(country));
    let currency = switchyard_core::Currency::from_code("EUR").map_or(0, |currency| domain.currency(currency));
    let number = |number: usize| u16::try_from(number).unwrap_or(0);
    let values = [0, number(domain.merchants.other()), 0, country, number(domain.countries.len()), 0, 0, 0, 0];
    Point { values, currency, amount: 10_000 }
}

/// The next number of a small generator: chance must only spread draws, and be the same each time.
fn next(chance: &mut u64) -> u64 {
    *chance = chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*chance ^ (*chance >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 31)
}

fn below_wide(chance: &mut u64, end: u64) -> u64 {
    next(chance).checked_rem(end).unwrap_or(0)
}

fn below(chance: &mut u64, end: usize) -> usize {
    usize::try_from(below_wide(chance, u64::try_from(end).unwrap_or(0))).unwrap_or(0)
}
