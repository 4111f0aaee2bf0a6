//! Compares three books that should agree, and says where they do not. A pure function: the same books, the same findings.

mod answers;
mod feed;
mod money;
#[cfg(test)]
mod tests;

use crate::book::{Booked, Books, Operation, Payment, Unbooked};
use std::collections::HashMap;
use std::fmt;

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// A merchant was told of a payment or operation that the ledger does not have.
    Lost,
    /// The provider booked what the ledger does not know of.
    UnknownCharge,
    /// One purchase was charged twice.
    ChargedTwice,
    /// One idempotency key did two things.
    KeyUsedTwice,
    /// The provider was asked more than once for one operation.
    SentTwice,
    /// More was captured than authorized.
    CapturedTooMuch,
    /// More was refunded than captured.
    RefundedTooMuch,
    /// It failed, says the ledger; the provider did it.
    FailedButDone,
    /// It succeeded, says the ledger; the provider did not do it, or did something else.
    SucceededButNot,
    /// The sums of ledger and provider differ, or those within the ledger.
    SumsDiffer,
    /// Nobody knows still, though the provider can be asked.
    LeftInDoubt,
    /// The ledger waits for what the provider has decided.
    LeftOpen,
    /// A merchant was told something final, and the ledger says otherwise.
    ToldOtherwise,
    /// A final answer came back with other bytes.
    ReplayDiffers,
    /// What the API shows is not what the ledger holds.
    ShownOtherwise,
    /// An object's events have a gap.
    EventMissing,
    /// An event is there twice.
    EventTwice,
    /// The last event that tells of an object's state tells of another one.
    EventsDeny,
    /// The ledger is in contradiction with a provider that told no lie.
    Contradiction,
    /// An answer that no merchant should get.
    Fault,
}

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub rule: Rule,
    /// The key, payment, operation or object.
    pub about: String,
    /// What is wrong, in words.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}: {}", self.rule, self.about, self.what)
    }
}

/// Everything that is wrong, in a fixed order; empty where the books agree.
#[must_use]
pub fn judge(books: &Books) -> Vec<Finding> {
    let index = Index::new(books);
    let mut findings = Findings(Vec::new());
    money::judge(&index, &mut findings);
    answers::judge(&index, &mut findings);
    feed::judge(&index, &mut findings);
    findings.0.sort_by(|a, b| (a.rule, &a.about, &a.what).cmp(&(b.rule, &b.about, &b.what)));
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, rule: Rule, about: &str, what: impl Into<String>) {
        self.0.push(Finding { rule, about: about.to_owned(), what: what.into() });
    }
}

/// The books, by what they are about.
struct Index<'b> {
    books: &'b Books,
    payments: HashMap<&'b str, &'b Payment>,
    operations: HashMap<&'b str, (&'b Payment, &'b Operation)>,
    booked: HashMap<&'b str, &'b Booked>,
    unbooked: HashMap<&'b str, &'b Unbooked>,
}

impl<'b> Index<'b> {
    fn new(books: &'b Books) -> Self {
        let of_operations = books
            .payments
            .iter()
            .flat_map(|payment| payment.operations.iter().map(move |it| (it.id.as_str(), (payment, it))));
        Self {
            books,
            payments: books.payments.iter().map(|payment| (payment.id.as_str(), payment)).collect(),
            operations: of_operations.collect(),
            booked: books.booked.iter().map(|line| (line.reference.as_str(), line)).collect(),
            unbooked: books.unbooked.iter().map(|line| (line.key.as_str(), line)).collect(),
        }
    }
}
