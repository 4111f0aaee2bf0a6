//! Names that mean nothing, and the tests of the file.

use super::Checker;
use crate::bits;
use crate::money_set::{MoneySet, start_of};
use crate::nearest::did_you_mean;
use crate::possible::Possible;
use crate::report::Kind;
use crate::rule::{Action, Covers, Key};
use crate::test_case::Failure;
use switchyard_core::Method;

impl Checker<'_> {
    /// Currencies and methods that rules with channels name and no channel has.
    pub(super) fn names(&mut self) {
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
    pub(super) fn tests(&mut self) {
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
}
