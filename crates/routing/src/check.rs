//! Proves that rules make sense together: every payment has an outcome, every rule decides something, every route can be
//! served; and shows a payment wherever one of these fails.
//!
//! What is asked:
//!
//! - *Gap*: a payment by a method and currency that channels offer, from any country, of any amount that requests may
//!   state, that no rule decides.
//! - *Impossible*: no payment meets the rule's conditions. *Shadowed*: payments do, but rules before it take them all.
//! - *Partly shadowed* or *impossible*: the same of one name the rule states (a country, a region, a channel's method), or
//!   of a bound of an amount: the first amount of a range or its last decides nothing. That rules before a rule take some
//!   of its payments is how exceptions are written, and no finding.
//! - *Unservable*: whatever the rule decides, none of its channels can serve it, all up and with tokens for all. *Partly*:
//!   that holds for some of the payments that channels' declared methods and currencies make possible.
//! - *Single point*: payments which one channel, or channels of one provider, alone can serve.
//!
//! Status, tokens, modes and credentials play no part.

mod gaps;
mod names;
mod parts;
mod route;

use crate::area::Area;
use crate::channel::Served;
use crate::domain::Point;
use crate::prove::{Exhausted, Goal, Search};
use crate::report::{Finding, Kind, Report, Witness};
use crate::rule::{Action, Condition, Rule, area_of};
use crate::rule_set::RuleSet;
use crate::source::Span;

/// Areas that a check looks at before it gives up; for each rule, and for each name in conditions, some more. Ten
/// thousand realistic rules take about 130,000 in all; past the bound lie only sets made to be hard, or rules that should
/// be written apart.
pub const WORK_MAX: u64 = 200_000;
/// See [`WORK_MAX`].
pub const WORK_PER_RULE_MAX: u64 = 100;
/// See [`WORK_MAX`].
pub const WORK_PER_NAME_MAX: u64 = 4;

/// Checks a rule set, its tests included.
#[must_use]
pub fn check(rules: &RuleSet) -> Report {
    let conditions = rules.rules.iter().flat_map(|rule| &rule.conditions);
    let names: usize = conditions.map(|condition| condition.terms.len()).sum();
    let of = |count: usize, each: u64| each.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX));
    let more = of(rules.rules.len(), WORK_PER_RULE_MAX).saturating_add(of(names, WORK_PER_NAME_MAX));
    check_within(rules, WORK_MAX.saturating_add(more))
}

/// Checks with a bound of its own on the areas looked at.
#[must_use]
pub fn check_within(rules: &RuleSet, bound: u64) -> Report {
    let mut checker = Checker {
        rules,
        search: Search::new(rules, bound),
        serves: rules.channels.iter().map(|channel| channel.serves(&rules.domain)).collect(),
        findings: Vec::new(),
    };
    checker.names();
    checker.tests();
    let mut done = checker.gaps().map_err(|_| None);
    for (at, rule) in rules.rules.iter().enumerate() {
        if done.is_ok() {
            done = checker.rule(at, rule).map_err(|_| Some(rule));
        }
    }
    if let Err(at) = done {
        checker.too_complex(at);
    }
    let mut findings = checker.findings;
    findings.sort_by(|a, b| (a.severity, &a.place, a.kind.as_str()).cmp(&(b.severity, &b.place, b.kind.as_str())));
    Report { rules_version: rules.hash().to_owned(), findings, work: checker.search.work }
}

struct Checker<'r> {
    rules: &'r RuleSet,
    search: Search<'r>,
    /// By channel: what it serves.
    serves: Vec<Vec<Served>>,
    findings: Vec<Finding>,
}

impl<'r> Checker<'r> {
    fn add(&mut self, kind: Kind, name: Option<&str>, span: &Span, message: String) -> Option<&mut Finding> {
        self.findings.push(Finding {
            severity: kind.severity(),
            kind,
            name: name.map(str::to_owned),
            place: self.rules.source.place(span),
            message,
            payment: None,
            rules: Vec::new(),
            single: None,
            hint: None,
        });
        self.findings.last_mut()
    }

    fn witness(&self, point: &Point) -> Option<Witness> {
        Witness::new(point, &self.rules.domain)
    }

    /// The goals that a rule's payments are, among `possible` ones.
    fn goals(&self, possible: &[Area], within: &Area) -> Vec<Goal> {
        let both = possible.iter().map(|area| area.and(within));
        both.filter(|area| !area.is_empty(&self.rules.domain)).map(Goal::new).collect()
    }

    fn rule(&mut self, at: usize, rule: &'r Rule) -> Result<(), Exhausted> {
        let rules = self.rules;
        let asked = self.goals(&rules.possible.asked, &rule.area);
        let Some(first) = asked.first() else {
            self.impossible(rule);
            return Ok(());
        };
        let example = first.clone();
        let Some(live) = self.search.find(asked, at, &[])? else {
            self.shadowed(at, rule, &example)?;
            return Ok(());
        };
        let mut alive = vec![live];
        self.terms(at, rule, &mut alive)?;
        if !matches!(rule.action, Action::Reject(_)) {
            self.route(at, rule, &alive)?;
        }
        Ok(())
    }

    fn impossible(&mut self, rule: &Rule) {
        let message = format!("rule `{}` decides nothing: no payment meets all of its conditions", rule.name);
        let hint = self.contradiction(rule);
        if let Some(finding) = self.add(Kind::Impossible, Some(&rule.name), &rule.span, message) {
            finding.hint = hint;
        }
    }

    /// Two conditions of a rule that exclude one another, or one that excludes everything.
    fn contradiction(&self, rule: &Rule) -> Option<String> {
        let (rules, asked) = (self.rules, &self.rules.possible.asked);
        let together = |conditions: &[&Condition]| {
            let conditions: Vec<Condition> = conditions.iter().map(|condition| (*condition).clone()).collect();
            !self.goals(asked, &area_of(&conditions, &rules.domain)).is_empty()
        };
        for (at, a) in rule.conditions.iter().enumerate() {
            if !together(&[a]) {
                return Some(format!("no payment meets `{}`", a.name()));
            }
            for b in rule.conditions.iter().skip(at.saturating_add(1)) {
                if !together(&[a, b]) {
                    return Some(format!("`{}` and `{}` exclude one another", a.name(), b.name()));
                }
            }
        }
        None
    }

    fn shadowed(&mut self, at: usize, rule: &Rule, example: &Goal) -> Result<(), Exhausted> {
        let mut before: Vec<usize> = self.search.cut.keys().copied().filter(|&other| other < at).collect();
        before.sort_unstable();
        let names = self.names_of(&before);
        let message = format!("rule `{}` decides nothing: {} it would", rule.name, takes(&names));
        let point = self.example(example)?;
        let witness = point.and_then(|point| self.witness(&point));
        let hint = point.and_then(|point| self.rules.table.first(&point)).and_then(|first| self.rules.rules.get(first));
        let hint = hint.map(|first| {
            let line = self.rules.source.place(&first.span).line;
            format!(
                "this payment goes to rule `{}` in line {line}; move `{}` before it, or remove it",
                first.name, rule.name
            )
        });
        if let Some(finding) = self.add(Kind::Shadowed, Some(&rule.name), &rule.span, message) {
            finding.payment = witness;
            finding.rules = names;
            finding.hint = hint;
        }
        Ok(())
    }

    fn names_of(&self, rules: &[usize]) -> Vec<String> {
        rules.iter().filter_map(|&rule| self.rules.rules.get(rule)).map(|rule| rule.name.clone()).collect()
    }

    /// A payment of a goal, whatever decides it.
    fn example(&mut self, goal: &Goal) -> Result<Option<Point>, Exhausted> {
        let goals = vec![goal.clone()];
        let found = self.search.find(goals.clone(), 0, &[])?;
        Ok(found.map(|point| self.search.simplest(point, &goals, 0, &[])))
    }

    fn too_complex(&mut self, at: Option<&Rule>) {
        let blamed = self.names_of(&self.search.blamed());
        let whole = format!("the proof looked at {} areas and is not done", self.search.bound);
        let (what, span) = match at {
            Some(rule) => (format!("rule `{}` cannot be proved: {whole}", rule.name), rule.span.clone()),
            None => (format!("it cannot be proved that every payment has an outcome: {whole}"), 0..0),
        };
        let names = blamed.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        if let Some(finding) = self.add(Kind::TooComplex, at.map(|rule| rule.name.as_str()), &span, what) {
            finding.hint = Some(format!(
                "rules that overlap it in most ways: {names}; give them fewer conditions, or order them apart"
            ));
            finding.rules = blamed;
        }
    }
}

/// `rule `a` takes every payment`.
fn takes(names: &[String]) -> String {
    match names {
        [] => "rules before it take every payment".to_owned(),
        [one] => format!("rule `{one}` takes every payment"),
        several => {
            let shown: Vec<String> = several.iter().take(5).map(|name| format!("`{name}`")).collect();
            let more = several.len().saturating_sub(shown.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("rules {}{more} together take every payment", shown.join(", "))
        }
    }
}
