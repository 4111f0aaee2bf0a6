//! What is wrong with the fields of a request, collected so that all of it is told at once.

use serde::Serialize;
use std::borrow::Cow;

/// More than anybody repairs at once; the rest is counted.
const FAULTS_TOLD_MAX: usize = 64;

/// Longer names are cut, in characters: nothing we know is as long.
const NAME_CHARS_TOLD_MAX: usize = 64;

/// One faulty field.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    /// Its path, such as `payment_method.token`; empty for the body as a whole.
    pub(crate) field: Cow<'static, str>,
    /// Why, for programs.
    pub(crate) code: &'static str,
    /// Why, for people.
    pub(crate) message: Cow<'static, str>,
}

/// Faulty fields, in the order found.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<Fault>,
    untold: usize,
}

impl Faults {
    /// Notes one.
    pub(crate) fn add(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) {
        if self.full() {
            self.untold = self.untold.saturating_add(1);
        } else {
            self.list.push(Fault { field: field.into(), code, message: message.into() });
        }
    }

    /// Notes a field that nothing knows, with the known name that was perhaps meant.
    pub(crate) fn add_unknown(&mut self, prefix: &str, name: &str, what: &str, known: &[&'static str]) {
        if self.full() {
            self.untold = self.untold.saturating_add(1);
            return;
        }
        let near = did_you_mean(name, known.iter().copied());
        self.add(format!("{prefix}{}", cut(name)), "unknown_field", format!("there is no such {what}{near}"));
    }

    /// Notes names that stand twice in one object.
    pub(crate) fn add_duplicates(&mut self, names: Vec<String>) {
        for name in names {
            self.add(cut(&name), "duplicate_field", "stands more than once in its object");
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.list.len().saturating_add(self.untold)
    }

    /// Those that are told.
    pub(crate) fn into_list(self) -> Vec<Fault> {
        self.list
    }

    fn full(&self) -> bool {
        self.list.len() >= FAULTS_TOLD_MAX
    }
}

/// A name of the merchant's, as far as it is told.
pub(crate) fn cut(name: &str) -> String {
    name.chars().take(NAME_CHARS_TOLD_MAX).collect()
}

/// `; did you mean X?` where a candidate is near, else nothing.
pub(crate) fn did_you_mean<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    nearest(name, candidates).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// The candidate nearest to `name`: equal but for case, or few letters apart.
fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if name.len() > NAME_CHARS_TOLD_MAX {
        return None;
    }
    let lower = name.to_lowercase();
    let allowed = lower.chars().count().div_ceil(3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(far, _)| *far <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["currency", "country", "ecommerce"];
        for (name, near) in [
            ("curency", "; did you mean `currency`?"),
            ("Country", "; did you mean `country`?"),
            ("e-commerce", "; did you mean `ecommerce`?"),
            ("paypal", ""),
            ("", ""),
        ] {
            assert_eq!(did_you_mean(name, known), near, "{name}");
        }
    }

    #[test]
    fn a_flood_of_faults_is_cut_and_counted() {
        let mut faults = Faults::default();
        for i in 0..10_000 {
            faults.add_unknown("", &format!("{i}{}", "x".repeat(1_000)), "field", &["amount"]);
        }
        assert_eq!(faults.count(), 10_000);
        let list = faults.into_list();
        assert_eq!(list.len(), FAULTS_TOLD_MAX);
        assert!(list.iter().all(|fault| fault.field.chars().count() <= NAME_CHARS_TOLD_MAX));
    }
}
