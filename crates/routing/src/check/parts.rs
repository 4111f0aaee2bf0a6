//! The names and bounds that a rule states: does each of them decide anything?

use super::{Checker, takes};
use crate::bits;
use crate::domain::Point;
use crate::money_set::{MoneySet, split};
use crate::prove::Exhausted;
use crate::report::Kind;
use crate::rule::{Condition, Covers, Key, Rule, Term};

impl Checker<'_> {
    pub(super) fn terms(&mut self, at: usize, rule: &Rule, alive: &mut Vec<Point>) -> Result<(), Exhausted> {
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
}
