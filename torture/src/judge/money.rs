//! What moved at the provider, and what the ledger says of it.

use super::{Findings, Index, Rule};
use crate::book::{Booked, Operation, Payment};
use std::collections::HashMap;

pub(super) fn judge(index: &Index<'_>, findings: &mut Findings) {
    for line in &index.books.booked {
        booked(index, line, findings);
    }
    orders(index, findings);
    for payment in &index.books.payments {
        sums(index, payment, findings);
        for operation in &payment.operations {
            fate(index, payment, operation, findings);
        }
    }
}

fn booked(index: &Index<'_>, line: &Booked, findings: &mut Findings) {
    if !index.operations.contains_key(line.reference.as_str()) {
        findings.add(Rule::UnknownCharge, &line.reference, format!("the provider has {} {}", line.object, line.id));
    }
    if line.captured > line.authorized {
        findings.add(Rule::CapturedTooMuch, &line.id, format!("{} of {}", line.captured, line.authorized));
    }
    if line.refunded > line.captured {
        findings.add(Rule::RefundedTooMuch, &line.id, format!("{} of {}", line.refunded, line.captured));
    }
    let before = index.unbooked.get(line.reference.as_str()).map_or(0, |line| line.asked);
    if line.asked + before > 1 {
        let what = format!("{} was asked for {} times, {before} of them in vain", line.object, line.asked + before);
        findings.add(Rule::SentTwice, &line.reference, what);
    }
}

/// A purchase is paid once, whatever keys its merchant used.
fn orders(index: &Index<'_>, findings: &mut Findings) {
    for line in index.books.unbooked.iter().filter(|line| line.asked > 1) {
        findings.add(Rule::SentTwice, &line.key, format!("asked for {} times, always in vain", line.asked));
    }
    let mut charges: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut by_key: HashMap<&str, Vec<&str>> = HashMap::new();
    for payment in &index.books.payments {
        if !payment.key.is_empty() {
            by_key.entry(&payment.key).or_default().push(&payment.id);
        }
        let Some(charge) = payment.operations.first().and_then(|first| index.booked.get(first.id.as_str())) else {
            continue;
        };
        if matches!(charge.status.as_str(), "authorized" | "captured" | "pending" | "requires_action") {
            charges.entry(&payment.order).or_default().push(&charge.id);
        }
    }
    for (order, charges) in charges.iter().filter(|(_, charges)| charges.len() > 1) {
        findings.add(Rule::ChargedTwice, order, format!("charges {}", charges.join(" ")));
    }
    for (key, payments) in by_key.iter().filter(|(_, payments)| payments.len() > 1) {
        findings.add(Rule::KeyUsedTwice, key, format!("payments {}", payments.join(" ")));
    }
}

fn sums(index: &Index<'_>, payment: &Payment, findings: &mut Findings) {
    let sum = |kinds: &[&str]| -> i64 {
        let of_kinds = payment.operations.iter().filter(|it| kinds.contains(&it.kind.as_str()));
        of_kinds.filter(|it| it.state == "succeeded").map(|it| it.amount).sum()
    };
    let mut differ = |what: &str, here: i64, there: i64| {
        if here != there {
            findings.add(Rule::SumsDiffer, &payment.id, format!("{what}: {here} here, {there} there"));
        }
    };
    let charge = payment.operations.first().and_then(|first| index.booked.get(first.id.as_str()));
    // A sale may be approved in part; then the provider says how much.
    if payment.operations.first().is_some_and(|first| first.kind == "authorize") {
        differ("captures and their sum", sum(&["capture"]), payment.captured);
    }
    differ("refunds and their sum", sum(&["refund"]), payment.refunded);
    match charge {
        Some(charge) => {
            differ("captured", payment.captured, charge.captured);
            differ("refunded", payment.refunded, charge.refunded);
            if payment.operations.first().is_some_and(|first| first.state == "succeeded") {
                differ("authorized", payment.authorized, charge.authorized);
                differ("asked for", payment.amount, charge.amount);
            }
        }
        None => {
            differ("captured", payment.captured, 0);
            differ("refunded", payment.refunded, 0);
        }
    }
    if payment.captured > payment.authorized {
        let what = format!("{} of {}", payment.captured, payment.authorized);
        findings.add(Rule::CapturedTooMuch, &payment.id, what);
    }
    if payment.refunded > payment.captured {
        findings.add(Rule::RefundedTooMuch, &payment.id, format!("{} of {}", payment.refunded, payment.captured));
    }
    let lied = payment.operations.iter().any(|it| index.books.lied_about.contains(&it.id));
    if let Some(contradiction) = payment.contradiction.as_ref().filter(|_| !lied) {
        findings.add(Rule::Contradiction, &payment.id, contradiction);
    }
    phase(payment, charge.copied(), findings);
}

/// The payment's status and that of its charge.
fn phase(payment: &Payment, charge: Option<&Booked>, findings: &mut Findings) {
    let there = charge.map_or("none", |charge| charge.status.as_str());
    let agree = match payment.status.as_str() {
        "processing" => there == "pending",
        "failed" => matches!(there, "none" | "declined" | "voided" | "expired"),
        // Told by their operations: a reversal is not in this provider's power.
        "reversed" => false,
        status => there == status,
    };
    if agree {
        return;
    }
    let what = format!("{} here, {there} at the provider", payment.status);
    let rule = match (payment.status.as_str(), there) {
        _ if payment.in_doubt => Rule::LeftInDoubt,
        ("failed", _) => Rule::FailedButDone,
        ("processing" | "requires_action", _) => Rule::LeftOpen,
        _ => Rule::SucceededButNot,
    };
    findings.add(rule, &payment.id, what);
}

/// One operation and its line at the provider.
fn fate(index: &Index<'_>, payment: &Payment, operation: &Operation, findings: &mut Findings) {
    let line = index.booked.get(operation.id.as_str()).copied();
    let done = line.is_some_and(|line| {
        if operation.creates_the_charge() {
            // A charge that was let go again was a success all the same.
            line.authorized > 0
        } else {
            line.status == "succeeded"
        }
    });
    let open = line.is_some_and(|line| matches!(line.status.as_str(), "pending" | "requires_action"));
    let there = line.map_or("nothing".to_owned(), |line| format!("{} {}", line.object, line.status));
    let about = format!("{} {} of {}", operation.kind, operation.id, payment.id);
    let what = format!("{} here, {there} at the provider", operation.state);
    match operation.state.as_str() {
        "intended" | "in_doubt" => findings.add(Rule::LeftInDoubt, &about, what),
        "accepted" if !open => findings.add(Rule::LeftOpen, &about, what),
        "accepted" => {}
        "failed" if done || open => {
            // A sale approved in part, or a charge called off before it was answered, ends as failed.
            let called_off = operation.creates_the_charge()
                && line.is_some_and(|line| matches!(line.status.as_str(), "voided" | "expired") && line.captured == 0);
            if !called_off {
                findings.add(Rule::FailedButDone, &about, what);
            }
        }
        "failed" => {}
        "succeeded" if !done => findings.add(Rule::SucceededButNot, &about, what),
        "succeeded" => {
            let amount = line.map_or(0, |line| line.amount);
            if operation.kind != "void" && amount != operation.amount {
                findings.add(Rule::SumsDiffer, &about, format!("{} here, {amount} there", operation.amount));
            }
        }
        _ => findings.add(Rule::Fault, &about, what),
    }
}
