//! What merchants were told, and what became of it.

use super::{Findings, Index, Rule};
use crate::book::{Ask, Attempt};
use crate::wire::Answer;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

pub(super) fn judge(index: &Index<'_>, findings: &mut Findings) {
    let mut by_key: HashMap<&str, Vec<&Attempt>> = HashMap::new();
    // How many keys were used for operations of a kind on a payment.
    let mut keys: HashMap<(&str, &str), BTreeSet<&str>> = HashMap::new();
    for attempt in &index.books.told {
        if !attempt.key.is_empty() {
            by_key.entry(&attempt.key).or_default().push(attempt);
        }
        if let (Some(payment), Some(kind)) = (attempt.ask.payment(), attempt.ask.follow_up()) {
            keys.entry((payment, kind)).or_default().insert(&attempt.key);
        }
        if let Some(answer) = &attempt.answer {
            told(index, attempt, answer, findings);
        }
    }
    for (key, attempts) in by_key {
        of_one_key(key, &attempts, findings);
    }
    for payment in &index.books.payments {
        for kind in ["capture", "void", "refund"] {
            let made = payment.operations.iter().filter(|it| it.kind == kind).count();
            let asked = keys.get(&(payment.id.as_str(), kind)).map_or(0, BTreeSet::len);
            if made > asked {
                let what = format!("{made} {kind}s, for which {asked} keys were used");
                findings.add(Rule::KeyUsedTwice, &payment.id, what);
            }
        }
    }
    for payment in &index.books.payments {
        let Some(shown) = index.books.shown.get(&payment.id) else {
            if !index.books.shown.is_empty() {
                findings.add(Rule::ShownOtherwise, &payment.id, "the API does not list it");
            }
            continue;
        };
        if (&shown.status, shown.captured, shown.refunded) != (&payment.status, payment.captured, payment.refunded) {
            findings.add(Rule::ShownOtherwise, &payment.id, format!("{shown:?}, held is {payment:?}"));
        }
    }
}

/// One answer beside the ledger.
fn told(index: &Index<'_>, attempt: &Attempt, answer: &Answer, findings: &mut Findings) {
    let about = if attempt.key.is_empty() { attempt.ask.payment().unwrap_or_default() } else { attempt.key.as_str() };
    match (answer.status, &attempt.ask) {
        (404, _) => findings.add(Rule::Lost, about, "404 for a payment that was told of"),
        (500 | 502 | 504.., _) | (..=199, _) | (300..=399, _) | (401 | 403 | 405, _) => {
            findings.add(Rule::Fault, about, format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)));
        }
        (200..=202, Ask::Pay { .. } | Ask::Read { .. }) => payment(index, about, &answer.json(), findings),
        (200..=202, Ask::Capture { .. } | Ask::Void { .. } | Ask::Refund { .. }) => {
            let object = answer.json();
            operation(index, about, &object, findings);
            payment(index, about, &object["payment"], findings);
        }
        (_, _) => {}
    }
}

fn payment(index: &Index<'_>, about: &str, told: &Value, findings: &mut Findings) {
    let id = told["id"].as_str().unwrap_or_default();
    let Some(known) = index.payments.get(id) else {
        return findings.add(Rule::Lost, about, format!("payment {id} was told of, and is not in the ledger"));
    };
    let status = told["status"].as_str().unwrap_or_default();
    let may_be: &[&str] = match status {
        "processing" | "requires_action" => return,
        "authorized" => &["authorized", "captured", "voided", "expired"],
        "captured" => &["captured", "reversed"],
        "voided" => &["voided"],
        "expired" => &["expired"],
        "failed" => &["failed"],
        "reversed" => &["reversed"],
        _ => &[],
    };
    let (captured, refunded) = (told["amount_captured"].as_i64(), told["amount_refunded"].as_i64());
    let kept =
        captured.is_some_and(|told| told <= known.captured) && refunded.is_some_and(|told| told <= known.refunded);
    if !may_be.contains(&known.status.as_str()) || !kept {
        let told = format!("told {status}, {captured:?} captured, {refunded:?} refunded");
        let held = format!("held {}, {} captured, {} refunded", known.status, known.captured, known.refunded);
        findings.add(Rule::ToldOtherwise, about, format!("{id}: {told}; {held}"));
    }
}

fn operation(index: &Index<'_>, about: &str, told: &Value, findings: &mut Findings) {
    let id = told["id"].as_str().unwrap_or_default();
    let digits = id.rsplit('_').next().unwrap_or_default();
    let Some((_, known)) = index.operations.get(digits) else {
        return findings.add(Rule::Lost, about, format!("{id} was told of, and is not in the ledger"));
    };
    let status = told["status"].as_str().unwrap_or_default();
    if matches!(status, "succeeded" | "failed" | "reversed") && known.state != status {
        findings.add(Rule::ToldOtherwise, about, format!("{id}: told {status}, held {}", known.state));
    }
}

/// All that one key was used for.
fn of_one_key(key: &str, attempts: &[&Attempt], findings: &mut Findings) {
    let answered = || attempts.iter().filter_map(|attempt| attempt.answer.as_ref());
    let told = || answered().filter(|answer| matches!(answer.status, 201 | 202));
    let made: BTreeSet<String> =
        told().filter_map(|answer| answer.json()["id"].as_str().map(ToOwned::to_owned)).collect();
    if made.len() > 1 {
        let list: Vec<String> = made.into_iter().collect();
        findings.add(Rule::KeyUsedTwice, key, list.join(" "));
    }
    let first: Vec<&Answer> = told().filter(|answer| !answer.replayed).collect();
    if first.len() > 1 {
        findings.add(Rule::KeyUsedTwice, key, format!("{} answers that are no replays", first.len()));
    }
    // Only the request itself tells surely that its answer was final when it was given.
    let Some(first) = first.first().filter(|answer| is_final(answer)) else { return };
    for again in told().filter(|answer| answer.replayed && (answer.status, &answer.body) != (first.status, &first.body))
    {
        let (first, again) = (String::from_utf8_lossy(&first.body), String::from_utf8_lossy(&again.body));
        findings.add(Rule::ReplayDiffers, key, format!("first {first}, then {again}"));
    }
}

/// Nothing that it says of its request can change by itself.
#[must_use]
pub(crate) fn is_final(answer: &Answer) -> bool {
    let object = answer.json();
    let status = object["status"].as_str().unwrap_or_default();
    answer.status == 201 && object["in_doubt"] == false && !matches!(status, "processing" | "requires_action")
}
