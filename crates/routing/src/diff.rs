//! What a change of rules changes: the exact set of payments whose result is another, as ranges.
//!
//! A result is what becomes of a payment at any status of the channels and for any id: rejected with these words, or
//! routed among these channels, in this order or by these shares, of which only those count that can serve the payment.
//! So a rule that is renamed, or moved where it meets nothing else, or that loses a channel which served none of its
//! payments, changes nothing.

mod change;

pub use change::{Change, Diff};

use crate::area::Area;
use crate::channel::{Served, single};
use crate::domain::{AMOUNTS, Dim, Domain};
use crate::effect::Effect;
use crate::money_set::{MoneySet, start_of};
use crate::prove::{Exhausted, Goal};
use crate::report::Witness;
use crate::rule::{Action, Rule};
use crate::rule_set::RuleSet;
use change::Key;
use std::collections::HashMap;
use std::sync::Arc;

/// Areas that a comparison looks at before it stops and says that there is more.
pub const WORK_MAX: usize = 2_000_000;

/// Compares two rule sets, and lists at most `shown_max` changes.
#[must_use]
pub fn diff(old: &RuleSet, new: &RuleSet, shown_max: usize) -> Diff {
    diff_within(old, new, shown_max, WORK_MAX)
}

/// Compares with a bound of its own on the areas looked at.
#[must_use]
pub fn diff_within(old: &RuleSet, new: &RuleSet, shown_max: usize, work_max: usize) -> Diff {
    let domain = Arc::new(Domain::joint(&old.domain, &new.domain));
    let mut comparison = Comparison {
        old: Side::new(old, &domain),
        new: Side::new(new, &domain),
        domain,
        asked: Vec::new(),
        found: Vec::new(),
        work: 0,
        work_max,
    };
    comparison.number_alike();
    comparison.ask(old, new);
    let complete = comparison.run().is_ok();
    let mut changes = comparison.merged();
    let count = changes.len();
    changes.sort_by_cached_key(|change| (change.rules, change.payments()));
    changes.truncate(shown_max);
    for change in &mut changes {
        change.example = comparison.example(change);
        change.possible = Some(comparison.possible(change));
    }
    Diff { old_version: old.hash().to_owned(), new_version: new.hash().to_owned(), changes, count, complete }
}

/// One of the two rule sets, in the numbers of both.
struct Side<'r> {
    rules: &'r RuleSet,
    areas: Vec<Area>,
    /// By rule: a number that two rules share only if they match and do the same.
    alike: Vec<usize>,
    /// By channel: what it serves.
    serves: Vec<Vec<Served>>,
}

impl<'r> Side<'r> {
    fn new(rules: &'r RuleSet, domain: &Domain) -> Self {
        let translated = |served: Served| Served { area: served.area.translated(&rules.domain, domain), ..served };
        Self {
            rules,
            areas: rules.rules.iter().map(|rule| rule.area.translated(&rules.domain, domain)).collect(),
            alike: Vec::new(),
            serves: rules
                .channels
                .iter()
                .map(|channel| channel.serves(&rules.domain).into_iter().map(translated).collect())
                .collect(),
        }
    }

    fn rule(&self, at: Option<usize>) -> Option<&'r Rule> {
        self.rules.rules.get(at?)
    }

    fn name(&self, at: Option<usize>) -> Option<String> {
        self.rule(at).map(|rule| rule.name.clone())
    }

    /// What a rule does, in words that mean the same on both sides if they are the same.
    fn deed(&self, rule: &Rule) -> String {
        let of_channel = |at: usize| {
            let Some(channel) = self.rules.channel(at) else { return String::new() };
            let served = self
                .serves
                .get(at)
                .map(|served| served.iter().map(|served| (&served.area, served.step)).collect::<Vec<_>>());
            format!("{} {:?} {served:?}", channel.name, channel.acquiring_country())
        };
        let targets: Vec<String> = rule
            .action
            .targets()
            .iter()
            .map(|target| format!("{} {}", target.weight, of_channel(target.channel)))
            .collect();
        match &rule.action {
            Action::Use { prefer_local, .. } => format!("use {prefer_local} {targets:?}"),
            Action::Split(_) => format!("split {targets:?}"),
            Action::Reject(message) => format!("reject {message}"),
        }
    }
}

/// An area whose payments may change, and the rules of either side that meet some of it, up to the first that meets all.
struct Open {
    area: Area,
    old: Vec<usize>,
    new: Vec<usize>,
}

struct Comparison<'r> {
    old: Side<'r>,
    new: Side<'r>,
    domain: Arc<Domain>,
    /// The payments that there can be, on either side.
    asked: Vec<Area>,
    found: Vec<Change>,
    work: usize,
    work_max: usize,
}

impl Comparison<'_> {
    /// Gives the same number to rules of either side that match and do the same.
    fn number_alike(&mut self) {
        let mut deeds: HashMap<String, usize> = HashMap::new();
        let mut numbers: HashMap<(Area, usize), usize> = HashMap::new();
        for side in [&mut self.old, &mut self.new] {
            let mut alike = Vec::with_capacity(side.areas.len());
            for (rule, area) in side.rules.rules.iter().zip(&side.areas) {
                let next = deeds.len();
                let deed = *deeds.entry(side.deed(rule)).or_insert(next);
                let next = numbers.len();
                alike.push(*numbers.entry((area.clone(), deed)).or_insert(next));
            }
            side.alike = alike;
        }
    }

    /// The payments that there can be on either side, as areas that share none.
    fn ask(&mut self, old: &RuleSet, new: &RuleSet) {
        let of = |rules: &RuleSet, domain: &Domain| -> Vec<Area> {
            rules.possible.asked.iter().map(|area| area.translated(&rules.domain, domain)).collect()
        };
        let (before, after) = (of(old, &self.domain), of(new, &self.domain));
        let mut areas = after.clone();
        for area in before {
            let mut rest = vec![area];
            for taken in &after {
                rest = rest.into_iter().flat_map(|area| self.without(&area, taken)).collect();
            }
            areas.extend(rest);
        }
        self.asked = areas;
    }

    fn run(&mut self) -> Result<(), Exhausted> {
        let all = |side: &Side<'_>| (0..side.areas.len()).collect::<Vec<_>>();
        let opened = |area: &Area| Open { area: area.clone(), old: all(&self.old), new: all(&self.new) };
        let mut open: Vec<Open> = self.asked.iter().map(opened).collect();
        while let Some(next) = open.pop() {
            self.look(next, &mut open)?;
        }
        Ok(())
    }

    fn without(&self, area: &Area, other: &Area) -> Vec<Area> {
        if area.is_apart_from(&self.domain, other) { vec![area.clone()] } else { area.minus(&self.domain, other) }
    }

    /// Of the rules listed, those that meet some of the area, up to the first that meets all of it.
    fn meeting(&self, side: &Side<'_>, area: &Area, listed: &[usize]) -> Vec<usize> {
        let mut met = Vec::new();
        for &rule in listed {
            let Some(of_rule) = side.areas.get(rule) else { continue };
            if !area.is_apart_from(&self.domain, of_rule) {
                met.push(rule);
                if area.is_within(of_rule) {
                    break;
                }
            }
        }
        met
    }

    fn look(&mut self, open: Open, more: &mut Vec<Open>) -> Result<(), Exhausted> {
        self.work = self.work.saturating_add(1);
        if self.work > self.work_max {
            return Err(Exhausted);
        }
        let old = self.meeting(&self.old, &open.area, &open.old);
        let new = self.meeting(&self.new, &open.area, &open.new);
        let number =
            |side: &Side<'_>, rules: &[usize], at: usize| rules.get(at).and_then(|&rule| side.alike.get(rule).copied());
        let longest = old.len().max(new.len());
        let differ = (0..longest).find(|&at| number(&self.old, &old, at) != number(&self.new, &new, at));
        let Some(differ) = differ else { return Ok(()) };
        // First the rules that differ are told apart, then the rules before them, which decide alike, are taken out.
        let area_of = |side: &'_ Side<'_>, rules: &[usize], at: usize| {
            rules.get(at).and_then(|&rule| side.areas.get(rule)).cloned()
        };
        let cuts = [area_of(&self.old, &old, differ), area_of(&self.new, &new, differ)];
        let mut cut = cuts.into_iter().flatten().find(|rule| !open.area.is_within(rule));
        if cut.is_none() {
            let before = (0..differ).filter_map(|at| area_of(&self.old, &old, at));
            cut = before.min_by_key(|rule| open.area.sides_cut_by(&self.domain, rule));
        }
        match cut {
            Some(rule) => {
                let inside = open.area.and(&rule);
                let pieces = open.area.minus(&self.domain, &rule).into_iter().chain(std::iter::once(inside));
                more.extend(pieces.map(|area| Open { area, old: old.clone(), new: new.clone() }));
                Ok(())
            }
            None => self.compare(open.area, old.first().copied(), new.first().copied()),
        }
    }

    /// Compares what one rule of each side does with an area that both meet wholly.
    fn compare(&mut self, area: Area, old: Option<usize>, new: Option<usize>) -> Result<(), Exhausted> {
        let mut open = vec![area];
        while let Some(area) = open.pop() {
            self.work = self.work.saturating_add(1);
            if self.work > self.work_max {
                return Err(Exhausted);
            }
            if let Some(cut) = self.cut_by_channels(&area, old, new) {
                let inside = area.and(&cut);
                open.extend(area.minus(&self.domain, &cut));
                open.push(inside);
                continue;
            }
            self.conclude(&area, old, new)?;
        }
        Ok(())
    }

    /// An area that channels of either rule serve, or are local to, and that cuts through this one. `None` once all
    /// payments of the area have the same channels, or where it does not matter which they are.
    fn cut_by_channels(&self, area: &Area, old: Option<usize>, new: Option<usize>) -> Option<Area> {
        let rules = [(&self.old, self.old.rule(old)), (&self.new, self.new.rule(new))];
        let routes = |rule: &Option<&Rule>| rule.is_some_and(|rule| !matches!(rule.action, Action::Reject(_)));
        if !rules.iter().all(|(_, rule)| routes(rule)) {
            return None;
        }
        let cuts = |cut: &Area| !area.is_apart_from(&self.domain, cut) && !area.is_within(cut);
        for (side, rule) in rules {
            let rule = rule?;
            let local = matches!(rule.action, Action::Use { prefer_local: true, .. });
            for target in rule.action.targets() {
                let served = side.serves.get(target.channel).into_iter().flatten();
                if let Some(cut) = served.map(|served| &served.area).find(|cut| cuts(cut)) {
                    return Some(cut.clone());
                }
                let home = side.rules.channel(target.channel).and_then(|channel| channel.acquiring_country());
                for dim in [Dim::Country, Dim::Issuer] {
                    if let Some(home) = home.filter(|_| local) {
                        let mut at_home = Area::all(&self.domain);
                        at_home.keep(&self.domain, dim, &single(home));
                        if cuts(&at_home) {
                            return Some(at_home);
                        }
                    }
                }
            }
        }
        None
    }

    /// Adds the area where its results differ. Channels that carry only multiples of a step leave that open: each way an
    /// amount can be a multiple of these steps is a case of its own.
    fn conclude(&mut self, area: &Area, old: Option<usize>, new: Option<usize>) -> Result<(), Exhausted> {
        let (before, after) = (self.old.rule(old), self.new.rule(new));
        let whole = [before, after].iter().any(|rule| rule.is_none_or(|rule| matches!(rule.action, Action::Reject(_))));
        let mut steps: Vec<u64> = Vec::new();
        if !whole {
            for (side, rule) in [(&self.old, before), (&self.new, after)] {
                for target in rule.map(|rule| rule.action.targets()).unwrap_or_default() {
                    let served = side.serves.get(target.channel).into_iter().flatten();
                    let of_area = served.filter(|served| served.step > 1 && area.is_within(&served.area));
                    steps.extend(of_area.map(|served| served.step));
                }
            }
            steps.sort_unstable();
            steps.dedup();
        }
        let states = Self::stated(area);
        for goal in ways(&area.and_money(&states), &steps) {
            let positions = goal.area.money.ranges().iter().map(|&range| goal.position_in(range));
            if !positions.collect::<Result<Vec<_>, _>>()?.iter().any(Option::is_some) {
                continue;
            }
            let old_effect = self.effect(&self.old, before, &goal, whole);
            let new_effect = self.effect(&self.new, after, &goal, whole);
            if old_effect != new_effect {
                self.found.push(Change {
                    steps: (goal.multiple, goal.avoid),
                    area: goal.area,
                    domain: Arc::clone(&self.domain),
                    rules: (old, new),
                    possible: None,
                    old: old_effect,
                    old_rule: self.old.name(old),
                    new: new_effect,
                    new_rule: self.new.name(new),
                    example: None,
                });
            }
        }
        Ok(())
    }

    /// The amounts of an area's currencies that requests may state.
    fn stated(area: &Area) -> MoneySet {
        let ranges = area.money.ranges();
        let currencies = ranges.iter().flat_map(|&(start, end)| {
            crate::money_set::split(start).0..=crate::money_set::split(end.saturating_sub(1)).0
        });
        let amounts = currencies.map(|currency| {
            let start = start_of(currency);
            (start.saturating_add(AMOUNTS.0), start.saturating_add(AMOUNTS.1))
        });
        MoneySet::from_ranges(amounts.collect())
    }

    /// What a rule does with the payments of a goal, all of which have the same channels. With `whole`, the channels as
    /// the rule states them.
    fn effect(&self, side: &Side<'_>, rule: Option<&Rule>, goal: &Goal, whole: bool) -> Effect {
        let Some(rule) = rule else { return Effect::NoRule };
        let serves = |channel: usize| {
            let served = side.serves.get(channel).into_iter().flatten();
            let mut within = served.filter(|served| goal.area.is_within(&served.area));
            whole || within.any(|served| goal.multiple.is_multiple_of(served.step))
        };
        let is_local = |channel: usize| {
            let home = side.rules.channel(channel).and_then(|channel| channel.acquiring_country());
            home.is_some_and(|home| {
                let at_home = single(home);
                let within = |dim| {
                    goal.area
                        .values(&self.domain, dim)
                        .iter()
                        .zip(at_home.iter().chain(std::iter::repeat(&0)))
                        .all(|(a, b)| a & !b == 0)
                };
                within(Dim::Country) || within(Dim::Issuer)
            })
        };
        let mut targets: Vec<_> = rule.action.targets().iter().filter(|target| serves(target.channel)).collect();
        if !whole && matches!(rule.action, Action::Use { prefer_local: true, .. }) {
            targets.sort_by_key(|target| !is_local(target.channel));
        }
        let name =
            |channel: usize| side.rules.channel(channel).map(|channel| channel.name.to_string()).unwrap_or_default();
        let named = targets.iter().map(|target| (name(target.channel), target.weight));
        Effect::of(&rule.action, named.collect())
    }

    /// The changes found, those put together that differ in one fact only.
    fn merged(&mut self) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.found);
        let empty = Area::all(&self.domain);
        loop {
            let before = changes.len();
            for dim in Dim::ALL.into_iter().map(Some).chain(std::iter::once(None)) {
                let mut together: HashMap<(Area, Key), usize> = HashMap::with_capacity(changes.len());
                let mut kept: Vec<Change> = Vec::with_capacity(changes.len());
                for change in changes {
                    let key = (change.area.with_side(&self.domain, dim, &empty), change.key());
                    match together.get(&key).and_then(|&at| kept.get_mut(at)) {
                        Some(like) => like.area = like.area.or_side(&self.domain, dim, &change.area),
                        None => {
                            together.insert(key, kept.len());
                            kept.push(change);
                        }
                    }
                }
                changes = kept;
            }
            if changes.len() == before {
                return changes;
            }
        }
    }

    /// All payments that there can be with the order types and methods of a change.
    fn possible(&self, change: &Change) -> Area {
        let alike = |dim, area: &Area| {
            area.values(&self.domain, dim).iter().zip(change.area.values(&self.domain, dim)).any(|(a, b)| a & b != 0)
        };
        let mut with = self.asked.iter().filter(|area| alike(Dim::OrderType, area) && alike(Dim::Method, area));
        let mut possible = with.next().cloned().unwrap_or_else(|| Area::all(&self.domain));
        for area in with {
            for dim in Dim::ALL {
                possible = possible.or_side(&self.domain, Some(dim), area);
            }
        }
        // Order types and methods are what the rest hangs on; they are always told if they are not all.
        let all = Area::all(&self.domain);
        for dim in [Dim::OrderType, Dim::Method] {
            possible = possible.with_side(&self.domain, Some(dim), &all);
        }
        possible
    }

    fn example(&self, change: &Change) -> Option<Witness> {
        let goal = Goal { area: change.area.clone(), multiple: change.steps.0, avoid: change.steps.1.clone() };
        let point = crate::prove::usual_point(&goal, &self.domain).ok()??;
        Witness::new(&point, &self.domain)
    }
}

/// The ways in which an amount can be a multiple of steps.
fn ways(area: &Area, steps: &[u64]) -> Vec<Goal> {
    let mut ways = vec![Goal::new(area.clone())];
    for &step in steps {
        ways = ways.into_iter().flat_map(|way| [way.only(step), way.without(step)]).flatten().collect();
    }
    ways
}
