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

use crate::area::Area;
use crate::bits;
use crate::channel::{Channel, Served};
use crate::describe;
use crate::domain::{Dim, Domain, Point};
use crate::money_set::{MoneySet, split, start_of};
use crate::nearest::did_you_mean;
use crate::offer::Offer;
use crate::possible::Possible;
use crate::prove::{Exhausted, Goal, Look, Search, common_multiple};
use crate::report::{Finding, Kind, Report, Witness};
use crate::rule::{Action, Condition, Covers, Key, Rule, Term, area_of};
use crate::rule_set::RuleSet;
use crate::source::Span;
use crate::test_case::Failure;
use switchyard_core::Method;

/// Areas that a check looks at before it gives up; for each rule, and for each name in conditions, some more. Ten
/// thousand realistic rules take about 130,000 in all; past the bound lie only sets made to be hard, or rules that should
/// be written apart.
pub const WORK_MAX: u64 = 200_000;
/// See [`WORK_MAX`].
pub const WORK_PER_RULE_MAX: u64 = 100;
/// See [`WORK_MAX`].
pub const WORK_PER_NAME_MAX: u64 = 4;

/// Gaps that are shown; more are only said to exist.
const GAPS_SHOWN_MAX: usize = 20;

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

    // ---- names and tests ----

    /// Currencies and methods that rules with channels name and no channel has.
    fn names(&mut self) {
        let rules = self.rules;
        let (methods, currencies) = Possible::offered(&rules.channels);
        for rule in rules.rules.iter().filter(|rule| !matches!(rule.action, Action::Reject(_))) {
            for condition in rule.conditions.iter().filter(|condition| !condition.negated) {
                for term in &condition.terms {
                    let (offered, known): (bool, Vec<&str>) = match (&term.covers, condition.key) {
                        (Covers::Values(values), Key::Method) => {
                            let names =
                                methods.iter().filter_map(|&at| Method::ALL.get(at)).map(|method| method.name());
                            (methods.iter().any(|&at| bits::has(values, at)), names.collect())
                        }
                        (Covers::Money(money), _) => {
                            let names = currencies
                                .iter()
                                .filter_map(|&at| rules.domain.currencies.get(at))
                                .map(|known| known.code());
                            let named =
                                |at: usize| MoneySet::from_ranges(vec![(start_of(at), start_of(at.saturating_add(1)))]);
                            (currencies.iter().any(|&at| !money.is_apart_from(&named(at))), names.collect())
                        }
                        (Covers::Values(_), _) => (true, Vec::new()),
                    };
                    if !offered {
                        let name = term.text.split(' ').next().unwrap_or_default();
                        let message = format!("no channel offers the {} `{name}`", condition.key.what());
                        let hint = did_you_mean(name, known);
                        if let Some(finding) = self.add(Kind::NotOffered, Some(&rule.name), &term.span, message) {
                            finding.hint = hint;
                        }
                    }
                }
            }
        }
    }

    /// Runs the file's own tests.
    fn tests(&mut self) {
        let rules = self.rules;
        for test in &rules.tests {
            if let Err(Failure { message, hint }) = test.run(rules) {
                let witness = self.witness(&test.point);
                let message = format!("test `{}` fails: {message}", test.name);
                if let Some(finding) = self.add(Kind::FailedTest, Some(&test.name), &test.expect_span, message) {
                    finding.payment = witness;
                    finding.hint = hint;
                }
            }
        }
    }

    // ---- gaps ----

    fn gaps(&mut self) -> Result<(), Exhausted> {
        let rules = self.rules;
        let everything = Area::all(&rules.domain);
        let mut open = self.goals(&rules.possible.declared, &everything);
        open.reverse();
        let mut gaps: Vec<(Area, Point)> = Vec::new();
        self.search.cut.clear();
        while let Some(goal) = open.pop() {
            match self.search.look(&goal, rules.rules.len(), &[])? {
                Look::Nothing => {}
                Look::Rest(pieces) => open.extend(pieces.into_iter().rev()),
                Look::Found(point) => {
                    let gap = self.around(&goal.area, &point);
                    open.extend(goal.minus(&rules.domain, &gap, 1).into_iter().rev());
                    gaps.push((gap, point));
                    if gaps.len() > GAPS_SHOWN_MAX {
                        break;
                    }
                }
            }
        }
        let span = rules.rules.last().map_or(0..0, |rule| rule.span.clone());
        let more = gaps.len() > GAPS_SHOWN_MAX;
        for (gap, point) in gaps.iter().take(GAPS_SHOWN_MAX) {
            let goals = [Goal::new(gap.clone())];
            let point = self.search.simplest(*point, &goals, rules.rules.len(), &[]);
            let witness = self.witness(&point);
            let message = "no rule decides payments such as this one".to_owned();
            let whole = describe::area(gap, &everything, &rules.domain);
            let rest = "end the rules with one without conditions, such as `reject = \"no channel for this payment\"`";
            let also = if more { "; there are more gaps than are shown" } else { "" };
            if let Some(finding) = self.add(Kind::Gap, None, &span, message) {
                finding.payment = witness;
                finding.hint = Some(format!("undecided are all with {{ {whole} }}; {rest}{also}"));
            }
        }
        Ok(())
    }

    /// Shrinks an area until no rule meets any of it but still `point` lies in it.
    fn around(&self, area: &Area, point: &Point) -> Area {
        let (rules, domain) = (self.rules, &self.rules.domain);
        let mut clear = area.clone();
        for rule in &rules.rules {
            if clear.is_apart_from(domain, &rule.area) {
                continue;
            }
            // The pieces lie in order of the facts; the first that holds the point narrows one fact only.
            if let Some(piece) = narrowed(&clear, &rule.area, domain, point) {
                clear = piece;
            }
        }
        clear
    }

    // ---- one rule ----

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

    // ---- the names and bounds a rule states ----

    fn terms(&mut self, at: usize, rule: &Rule, alive: &mut Vec<Point>) -> Result<(), Exhausted> {
        for condition in rule.conditions.iter().filter(|condition| !condition.negated) {
            // A name alone is the rule itself, and that is alive.
            let alone = condition.terms.len() == 1 && condition.key != Key::Amount;
            for term in condition.terms.iter().filter(|_| !alone) {
                if self.part(at, rule, condition, term, &term.covers, None, alive)? {
                    self.bounds(at, rule, condition, term, alive)?;
                }
            }
        }
        Ok(())
    }

    /// The first and the last amount of a range.
    fn bounds(
        &mut self,
        at: usize,
        rule: &Rule,
        condition: &Condition,
        term: &Term,
        alive: &mut Vec<Point>,
    ) -> Result<(), Exhausted> {
        let (Covers::Money(money), Key::Amount) = (&term.covers, condition.key) else { return Ok(()) };
        let Some(&(start, end)) = money.ranges().first() else { return Ok(()) };
        let (from, to) = term.text.split_once(' ').and_then(|(_, range)| range.split_once("..")).unwrap_or_default();
        let (_, least) = split(start);
        let first = start.saturating_add(u64::from(least == 0)).min(end.saturating_sub(1));
        for (bound, position) in [(from.trim(), first), (to.trim(), end.saturating_sub(1))] {
            if !bound.is_empty() {
                let edge = Covers::Money(MoneySet::from_ranges(vec![(position, position.saturating_add(1))]));
                self.part(at, rule, condition, term, &edge, Some(bound), alive)?;
            }
        }
        Ok(())
    }

    /// Whether a part of the rule decides anything; adds a finding where it does not.
    #[expect(clippy::too_many_arguments, reason = "the part of a rule takes this many words to name")]
    fn part(
        &mut self,
        at: usize,
        rule: &Rule,
        condition: &Condition,
        term: &Term,
        covers: &Covers,
        bound: Option<&str>,
        alive: &mut Vec<Point>,
    ) -> Result<bool, Exhausted> {
        let domain = &self.rules.domain;
        let covered = |point: &Point| match (covers, condition.key.dim()) {
            (Covers::Values(values), Some(dim)) => bits::has(values, point.value(dim)),
            (Covers::Money(money), _) => money.has(point.position()),
            (Covers::Values(_), None) => true,
        };
        if alive.iter().any(covered) {
            return Ok(true);
        }
        let mut area = rule.area.clone();
        match (covers, condition.key.dim()) {
            (Covers::Values(values), Some(dim)) => area.keep(domain, dim, values),
            (Covers::Money(money), _) => area.money = area.money.and(money),
            (Covers::Values(_), None) => {}
        }
        let goals = self.goals(&self.rules.possible.asked, &area);
        let example = goals.first().cloned();
        if let Some(point) = self.search.find(goals, at, &[])? {
            alive.push(point);
            return Ok(true);
        }
        let what = match bound {
            Some(bound) => format!("bound {bound} of {}", term.text),
            None => format!(
                "{} `{}`",
                if condition.key == Key::Amount { "amount" } else { condition.key.what() },
                term.text
            ),
        };
        let Some(example) = example else {
            let message =
                format!("in rule `{}`, the {what} matches nothing, given the rule's other conditions", rule.name);
            self.add(Kind::PartlyImpossible, Some(&rule.name), &term.span, message);
            return Ok(false);
        };
        let before: Vec<usize> = self.search.cut.keys().copied().collect();
        let names = self.names_of(&before);
        let message = format!("in rule `{}`, the {what} decides nothing: {} it would", rule.name, takes(&names));
        let point = self.example(&example)?;
        let witness = point.and_then(|point| self.witness(&point));
        if let Some(finding) = self.add(Kind::PartlyShadowed, Some(&rule.name), &term.span, message) {
            finding.payment = witness;
            finding.rules = names;
        }
        Ok(false)
    }

    // ---- the channels a rule routes to ----

    fn route(&mut self, at: usize, rule: &Rule, alive: &[Point]) -> Result<(), Exhausted> {
        let (rules, domain) = (self.rules, &self.rules.domain);
        let serves = std::mem::take(&mut self.serves);
        // What of the rule's payments each of its channels serves.
        let mut route: Vec<(usize, Vec<&Served>)> = Vec::new();
        for target in rule.action.targets() {
            let meets = |served: &&Served| !served.area.is_apart_from(domain, &rule.area);
            let of_channel = serves.get(target.channel).map(Vec::as_slice).unwrap_or_default();
            route.push((target.channel, of_channel.iter().filter(meets).collect()));
        }
        let all: Vec<&Served> = route.iter().flat_map(|(_, served)| served.iter().copied()).collect();
        let result = self.servable(at, rule, alive, &all).and_then(|servable| {
            if !servable {
                return Ok(());
            }
            let goals = self.goals(&rules.possible.declared, &rule.area);
            if let Some(point) = self.search.find(goals.clone(), at, &all)? {
                let point = self.search.simplest(point, &goals, at, &all);
                self.partly_unservable(rule, &point);
            }
            self.single_channels(at, rule, &route)?;
            self.single_providers(at, rule, &route)
        });
        self.serves = serves;
        result
    }

    /// Whether anything the rule decides can be served; adds a finding where nothing can.
    fn servable(&mut self, at: usize, rule: &Rule, alive: &[Point], all: &[&Served]) -> Result<bool, Exhausted> {
        let (rules, domain) = (self.rules, &self.rules.domain);
        if alive.iter().any(|point| all.iter().any(|served| served.has(domain, point))) {
            return Ok(true);
        }
        for served in all {
            let goals = self.goals(&rules.possible.asked, &rule.area.and(&served.area));
            let goals = goals.into_iter().map(|goal| Goal { multiple: served.step, ..goal }).collect();
            if self.search.find(goals, at, &[])?.is_some() {
                return Ok(true);
            }
        }
        let goals = self.goals(&rules.possible.asked, &rule.area);
        let point = alive.first().map(|point| self.search.simplest(*point, &goals, at, &[]));
        let (witness, hint) =
            (point.and_then(|point| self.witness(&point)), point.map(|point| self.refusals(rule, &point)));
        let message =
            format!("rule `{}` can never be served: none of its channels serves any payment it decides", rule.name);
        if let Some(finding) = self.add(Kind::Unservable, Some(&rule.name), &rule.action_span, message) {
            finding.payment = witness;
            finding.hint = hint;
        }
        Ok(false)
    }

    fn partly_unservable(&mut self, rule: &Rule, point: &Point) {
        let (witness, hint) = (self.witness(point), self.refusals(rule, point));
        let message = format!("rule `{}` decides payments that none of its channels can serve", rule.name);
        if let Some(finding) = self.add(Kind::PartlyUnservable, Some(&rule.name), &rule.action_span, message) {
            finding.payment = witness;
            finding.hint = Some(hint);
        }
    }

    /// Why each channel of the rule cannot serve the payment.
    fn refusals(&self, rule: &Rule, point: &Point) -> String {
        let rules = self.rules;
        let why = rule.action.targets().iter().filter_map(|target| {
            let channel = rules.channel(target.channel)?;
            let refusal = channel.refusal(target.channel, point, None, &Offer::Any, &rules.domain)?;
            Some(format!("`{}` {refusal}", channel.name))
        });
        why.collect::<Vec<_>>().join("; ")
    }

    /// Payments that one channel of the rule alone can serve.
    fn single_channels(&mut self, at: usize, rule: &Rule, route: &[(usize, Vec<&Served>)]) -> Result<(), Exhausted> {
        for (channel, of_channel) in route {
            let others: Vec<&Served> = route
                .iter()
                .filter(|(other, _)| other != channel)
                .flat_map(|(_, served)| served.iter().copied())
                .collect();
            let goals =
                of_channel.iter().map(|served| (&served.area, served.step)).map(|(area, step)| (area.clone(), step));
            let goals = goals.collect();
            let name = self.rules.channel(*channel).map(|channel| channel.name.to_string()).unwrap_or_default();
            self.single(at, rule, goals, &others, &name, "channel")?;
        }
        Ok(())
    }

    /// Payments that several channels of the rule can serve, all of one provider.
    fn single_providers(&mut self, at: usize, rule: &Rule, route: &[(usize, Vec<&Served>)]) -> Result<(), Exhausted> {
        let provider = |channel: usize| self.rules.channel(channel).map(|channel: &Channel| channel.provider.clone());
        let mut providers: Vec<(String, Vec<usize>)> = Vec::new();
        for (place, (channel, _)) in route.iter().enumerate() {
            let Some(name) = provider(*channel) else { continue };
            match providers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, places)) => places.push(place),
                None => providers.push((name, vec![place])),
            }
        }
        for (name, places) in providers.into_iter().filter(|(_, places)| places.len() > 1) {
            let at_place = |place: &usize| route.get(*place).map(|(_, served)| served.as_slice()).unwrap_or_default();
            let elsewhere = (0..route.len()).filter(|place| !places.contains(place)).collect::<Vec<_>>();
            let others: Vec<&Served> = elsewhere.iter().flat_map(at_place).copied().collect();
            let mut goals: Vec<(Area, u64)> = Vec::new();
            for (n, a) in places.iter().enumerate() {
                for b in places.iter().skip(n.saturating_add(1)) {
                    for (one, two) in at_place(a).iter().flat_map(|one| at_place(b).iter().map(move |two| (one, two))) {
                        let both = one.area.and(&two.area);
                        if !both.is_empty(&self.rules.domain) {
                            goals.push((both, common_multiple(one.step, two.step)));
                        }
                    }
                }
            }
            self.single(at, rule, goals, &others, &name, "provider")?;
        }
        Ok(())
    }

    /// Adds a note where the rule decides a payment of the given areas that `others` do not serve.
    fn single(
        &mut self,
        at: usize,
        rule: &Rule,
        areas: Vec<(Area, u64)>,
        others: &[&Served],
        name: &str,
        what: &str,
    ) -> Result<(), Exhausted> {
        let possible = &self.rules.possible.declared;
        for (area, step) in areas {
            let goals = self.goals(possible, &rule.area.and(&area));
            let goals: Vec<Goal> = goals.into_iter().map(|goal| Goal { multiple: step, ..goal }).collect();
            let Some(point) = self.search.find(goals.clone(), at, others)? else { continue };
            let point = self.search.simplest(point, &goals, at, others);
            let witness = self.witness(&point);
            let message =
                format!("when {what} `{name}` is down, rule `{}` leaves payments without any channel", rule.name);
            if let Some(finding) = self.add(Kind::SinglePoint, Some(&rule.name), &rule.action_span, message) {
                finding.payment = witness;
                finding.single = Some(name.to_owned());
            }
            return Ok(());
        }
        Ok(())
    }

    // ---- past the bound ----

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

/// The area without `other`, by narrowing the one fact in which `point` escapes it.
fn narrowed(area: &Area, other: &Area, domain: &Domain, point: &Point) -> Option<Area> {
    let escapes = Dim::ALL.into_iter().find(|&dim| !bits::has(other.values(domain, dim), point.value(dim)));
    let mut piece = area.clone();
    match escapes {
        Some(dim) => piece.drop(domain, dim, other.values(domain, dim)),
        None if !other.money.has(point.position()) => piece.money = piece.money.minus(&other.money),
        None => return None,
    }
    Some(piece)
}
