//! A change of result, and all of them.

use super::Comparison;
use crate::area::Area;
use crate::describe;
use crate::domain::Domain;
use crate::effect::Effect;
use crate::facts::Facts;
use crate::report::Witness;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Payments with a common change of result.
#[derive(Clone, Debug)]
pub struct Change {
    pub(super) area: Area,
    /// Only multiples of the first count, and none of a multiple of the others.
    pub(super) steps: (u64, Vec<u64>),
    pub(super) domain: Arc<Domain>,
    /// The places of the rules, before and after.
    pub(super) rules: (Option<usize>, Option<usize>),
    /// All payments that there can be with these order types and methods: what need not be said of the area.
    pub(super) possible: Option<Area>,
    /// What became of them.
    pub old: Effect,
    /// By which rule, where one decided.
    pub old_rule: Option<String>,
    /// What becomes of them.
    pub new: Effect,
    /// By which rule, where one decides.
    pub new_rule: Option<String>,
    /// One of them.
    pub example: Option<Witness>,
}

/// All that changes between two rule sets.
#[derive(Clone, Debug, Serialize)]
pub struct Diff {
    /// The hash of the rule set before.
    pub old_version: String,
    /// The hash of the one after.
    pub new_version: String,
    /// The first so many changes, as many as were asked for.
    pub changes: Vec<Change>,
    /// How many there are in all.
    pub count: usize,
    /// Whether the comparison came to its end; if not, there are more changes than counted.
    pub complete: bool,
}

/// What changes must have in common to be put together.
pub(super) type Key = (Effect, Effect, Option<String>, Option<String>, (u64, Vec<u64>));

impl Change {
    pub(super) fn key(&self) -> Key {
        (self.old.clone(), self.new.clone(), self.old_rule.clone(), self.new_rule.clone(), self.steps.clone())
    }

    /// Whether this payment is among them. Names that neither rule set declares are any other.
    #[must_use]
    pub fn covers(&self, facts: &Facts) -> bool {
        let point = self.domain.point(facts);
        let (multiple, avoid) = &self.steps;
        let counts =
            point.amount.is_multiple_of(*multiple) && !avoid.iter().any(|&step| point.amount.is_multiple_of(step));
        counts && self.area.has(&self.domain, &point)
    }

    /// Which payments they are, fact by fact, as a `when` would write it; facts that do not matter are left out.
    #[must_use]
    pub fn payments(&self) -> Vec<(&'static str, String)> {
        let mut facts = describe::facts(&self.area, &self.everything(), &self.domain);
        let (multiple, avoid) = &self.steps;
        if *multiple > 1 {
            facts.push(("multiples_of", multiple.to_string()));
        }
        facts.extend(avoid.iter().map(|step| ("no_multiples_of", step.to_string())));
        facts
    }

    /// Every payment that can be stated.
    fn everything(&self) -> Area {
        let mut all = self.possible.clone().unwrap_or_else(|| Area::all(&self.domain));
        let stated = Comparison::stated(&all);
        all.money = all.money.and(&stated);
        all
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = |name: &Option<String>| name.as_ref().map_or(String::new(), |name| format!(" (rule `{name}`)"));
        let facts: Vec<String> = self.payments().into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let facts = if facts.is_empty() { "every payment".to_owned() } else { format!("{{ {} }}", facts.join(", ")) };
        writeln!(f, "{facts}")?;
        writeln!(f, "  - {}{}", self.old, rule(&self.old_rule))?;
        write!(f, "  + {}{}", self.new, rule(&self.new_rule))?;
        match &self.example {
            Some(example) => write!(f, "\n  e.g. {example}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let payments: std::collections::BTreeMap<&str, String> = self.payments().into_iter().collect();
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("payments", &payments)?;
        map.serialize_entry("old", &self.old)?;
        map.serialize_entry("old_rule", &self.old_rule)?;
        map.serialize_entry("new", &self.new)?;
        map.serialize_entry("new_rule", &self.new_rule)?;
        map.serialize_entry("example", &self.example)?;
        map.end()
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| write!(f, "{change}\n\n"))?;
        let more = self.count.saturating_sub(self.changes.len());
        let end = if self.complete { "" } else { ", and there are more: the comparison was stopped" };
        match (self.count, more) {
            (0, _) => write!(f, "no payment's result changes{end}"),
            (count, 0) => write!(f, "{count} changes{end}"),
            (count, more) => write!(f, "{count} changes, {more} of them not shown{end}"),
        }
    }
}
