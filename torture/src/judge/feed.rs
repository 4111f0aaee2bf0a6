//! The feed of events beside the objects that it tells of.

use super::{Findings, Index, Rule};
use crate::book::Event;
use std::collections::HashMap;

pub(super) fn judge(index: &Index<'_>, findings: &mut Findings) {
    let mut by_object: HashMap<&str, Vec<&Event>> = HashMap::new();
    for event in &index.books.events {
        by_object.entry(&event.object).or_default().push(event);
    }
    for (object, events) in &by_object {
        if !index.payments.contains_key(object) && !index.operations.contains_key(object) {
            findings.add(Rule::EventsDeny, object, format!("{} events of nothing", events.len()));
        }
    }
    fed(index, findings);
    let none = Vec::new();
    let of = |object: &str| by_object.get(object).unwrap_or(&none);
    for payment in &index.books.payments {
        let events = of(&payment.id);
        sequence(&payment.id, events, payment.events, findings);
        let last = events.iter().rev().find_map(|event| payment_state(&event.kind));
        let status = payment.status.as_str();
        if last != Some(status) && !(status == "processing" && last.is_none()) {
            findings.add(Rule::EventsDeny, &payment.id, format!("{status}, but the events end with {last:?}"));
        }
        let doubt = events.iter().rev().find_map(|event| match event.kind.as_str() {
            "payment.in_doubt" => Some(true),
            "payment.doubt_resolved" => Some(false),
            _ => None,
        });
        if doubt.unwrap_or(false) != payment.in_doubt {
            findings.add(Rule::EventsDeny, &payment.id, format!("in doubt is {}, told {doubt:?}", payment.in_doubt));
        }
        for operation in payment.operations.iter().filter(|it| !it.creates_the_charge()) {
            let events = of(&operation.id);
            sequence(&operation.id, events, operation.events, findings);
            let last = events.iter().rev().find_map(|event| operation_state(&event.kind));
            let told = matches!(operation.state.as_str(), "succeeded" | "failed" | "reversed");
            if last != told.then_some(operation.state.as_str()) {
                let what = format!("{}, but the events end with {last:?}", operation.state);
                findings.add(Rule::EventsDeny, &operation.id, what);
            }
        }
    }
}

/// The feed as merchants read it: the same events in the same order, and each object's last one with what is held.
fn fed(index: &Index<'_>, findings: &mut Findings) {
    let books = index.books;
    if books.fed.is_empty() {
        return;
    }
    let held = books.events.iter().map(|event| (event.kind.as_str(), event.object.as_str(), u64::from(event.sequence)));
    let read = books.fed.iter().map(|event| (event.kind.as_str(), event.object.as_str(), event.sequence));
    if let Some((held, read)) = held.zip(read).find(|(held, read)| held != read) {
        findings.add(Rule::ShownOtherwise, held.1, format!("the feed holds {held:?}, the API shows {read:?}"));
    }
    if books.events.len() != books.fed.len() {
        let what = format!("{} events held, {} shown", books.events.len(), books.fed.len());
        findings.add(Rule::ShownOtherwise, "the feed", what);
    }
    let last: HashMap<&str, &str> =
        books.fed.iter().map(|event| (event.object.as_str(), event.status.as_str())).collect();
    for (object, status) in last {
        let held = match (index.payments.get(object), index.operations.get(object)) {
            (Some(payment), _) => payment.status.as_str(),
            (None, Some((_, operation))) => match operation.state.as_str() {
                "intended" | "in_doubt" | "accepted" => "processing",
                state => state,
            },
            (None, None) => continue,
        };
        if held != status {
            findings.add(Rule::EventsDeny, object, format!("{held} is held, its last event shows {status}"));
        }
    }
}

/// 1, 2, 3 ... as many as the object says, in the order of the feed.
fn sequence(object: &str, events: &[&Event], count: u32, findings: &mut Findings) {
    let mut expected = 1;
    for event in events {
        if event.sequence < expected {
            findings.add(Rule::EventTwice, object, format!("{} again, as {}", event.sequence, event.kind));
        } else if event.sequence > expected {
            findings.add(Rule::EventMissing, object, format!("{expected} is missing before {}", event.kind));
        }
        expected = event.sequence + 1;
    }
    if expected != count + 1 {
        findings.add(Rule::EventMissing, object, format!("it has {count}, the feed ends before {expected}"));
    }
}

fn payment_state(kind: &str) -> Option<&str> {
    let state = kind.strip_prefix("payment.")?;
    let states = ["requires_action", "authorized", "captured", "voided", "expired", "failed", "reversed"];
    states.contains(&state).then_some(state)
}

fn operation_state(kind: &str) -> Option<&str> {
    let state = kind.split_once('.')?.1;
    ["succeeded", "failed", "reversed"].contains(&state).then_some(state)
}
