//! Each rule finds what it is there for, and nothing is found in books that agree.

use super::{Rule, judge};
use crate::book::{Ask, Attempt, Booked, Books, Event, Fed, Operation, Payment, Shown, Unbooked};
use crate::wire::Answer;
use serde_json::json;

/// A payment authorized, captured in part, and refunded in part; and one that was declined.
fn books() -> Books {
    let payment = Payment {
        id: "pay_1".into(),
        order: "order-1".into(),
        key: "key-1".into(),
        status: "captured".into(),
        amount: 100,
        authorized: 100,
        captured: 60,
        refunded: 20,
        operations: vec![
            operation("a1", "authorize", "succeeded", 100, 0),
            operation("c1", "capture", "succeeded", 60, 2),
            operation("r1", "refund", "succeeded", 20, 2),
        ],
        events: 3,
        ..Payment::default()
    };
    let declined = Payment {
        id: "pay_2".into(),
        order: "order-2".into(),
        key: "key-2".into(),
        status: "failed".into(),
        amount: 50,
        operations: vec![operation("a2", "sale", "failed", 50, 0)],
        events: 2,
        ..Payment::default()
    };
    let mut events = Vec::new();
    for (kind, object, sequence) in [
        ("payment.created", "pay_1", 1),
        ("payment.authorized", "pay_1", 2),
        ("payment.created", "pay_2", 1),
        ("payment.failed", "pay_2", 2),
        ("capture.created", "c1", 1),
        ("capture.succeeded", "c1", 2),
        ("payment.captured", "pay_1", 3),
        ("refund.created", "r1", 1),
        ("refund.succeeded", "r1", 2),
    ] {
        let position = i64::try_from(events.len()).unwrap() + 1;
        events.push(Event { position, kind: kind.into(), object: object.into(), sequence });
    }
    let fed = |(event, status): (&Event, &str)| Fed {
        kind: event.kind.clone(),
        object: event.object.clone(),
        sequence: u64::from(event.sequence),
        status: status.into(),
    };
    let states = [
        "processing",
        "authorized",
        "processing",
        "failed",
        "processing",
        "succeeded",
        "captured",
        "processing",
        "succeeded",
    ];
    let fed = events.iter().zip(states).map(fed).collect();
    let shown = [&payment, &declined].map(|payment| {
        let Payment { status, captured, refunded, .. } = payment.clone();
        (payment.id.clone(), Shown { status, captured, refunded })
    });
    let charge = Booked {
        object: "charge".into(),
        id: "ch_1".into(),
        reference: "a1".into(),
        status: "captured".into(),
        asked: 1,
        amount: 100,
        authorized: 100,
        captured: 60,
        refunded: 20,
        ..Booked::default()
    };
    Books {
        told: vec![
            paid("key-1", "order-1", 201, false, "pay_1", "authorized", 0),
            attempt("key-3", Ask::Capture { payment: "pay_1".into() }, None),
            captured("key-3", true, "succeeded"),
            attempt("key-4", Ask::Refund { payment: "pay_1".into() }, None),
            paid("key-2", "order-2", 201, false, "pay_2", "failed", 0),
        ],
        payments: vec![payment, declined],
        events,
        fed,
        shown: shown.into(),
        booked: vec![charge, booked("capture", "c1", 60), booked("refund", "r1", 20)],
        unbooked: vec![Unbooked { key: "a2".into(), reason: "error_before".into(), asked: 1 }],
        ..Books::default()
    }
}

fn operation(id: &str, kind: &str, state: &str, amount: i64, events: u32) -> Operation {
    Operation { id: id.into(), kind: kind.into(), state: state.into(), amount, events }
}

fn booked(object: &str, reference: &str, amount: i64) -> Booked {
    Booked {
        object: object.into(),
        id: format!("{object}-{reference}"),
        charge: Some("ch_1".into()),
        reference: reference.into(),
        status: "succeeded".into(),
        asked: 1,
        amount,
        ..Booked::default()
    }
}

fn attempt(key: &str, ask: Ask, answer: Option<Answer>) -> Attempt {
    Attempt { key: key.into(), ask, path: String::new(), body: String::new(), answer }
}

fn view(id: &str, status: &str, captured: i64) -> serde_json::Value {
    json!({"id": id, "object": "payment", "status": status, "in_doubt": false, "amount_captured": captured, "amount_refunded": 0})
}

fn paid(key: &str, order: &str, http: u16, replayed: bool, id: &str, status: &str, captured: i64) -> Attempt {
    let body = view(id, status, captured).to_string().into_bytes();
    attempt(key, Ask::Pay { order: order.into() }, Some(Answer { status: http, replayed, body }))
}

fn captured(key: &str, replayed: bool, status: &str) -> Attempt {
    let object = json!({"id": "cap_c1", "object": "capture", "status": status, "in_doubt": false,
                        "payment": view("pay_1", "captured", 60)});
    let body = object.to_string().into_bytes();
    attempt(key, Ask::Capture { payment: "pay_1".into() }, Some(Answer { status: 201, replayed, body }))
}

/// The books with one fault planted break this rule.
#[track_caller]
fn found(rule: Rule, plant: impl FnOnce(&mut Books)) {
    let mut books = books();
    plant(&mut books);
    let findings = judge(&books);
    assert!(findings.iter().any(|finding| finding.rule == rule), "{rule:?} is not among {findings:#?}");
}

#[test]
fn books_that_agree_are_right() {
    assert_eq!(judge(&books()), []);
}

#[test]
fn what_was_told_and_is_gone_is_found() {
    found(Rule::Lost, |books| drop(books.payments.remove(1)));
    found(Rule::Lost, |books| books.told[4] = paid("key-2", "order-2", 202, false, "pay_9", "processing", 0));
    found(Rule::Lost, |books| {
        books.payments[0].operations.remove(1);
    });
    found(Rule::Lost, |books| {
        let answer = Some(Answer { status: 404, replayed: false, body: Vec::new() });
        books.told.push(attempt("", Ask::Read { payment: "pay_1".into() }, answer));
    });
}

#[test]
fn what_the_provider_has_and_nobody_knows_is_found() {
    found(Rule::UnknownCharge, |books| books.booked.push(booked("capture", "c9", 1)));
}

#[test]
fn a_second_charge_of_a_purchase_is_found() {
    found(Rule::ChargedTwice, |books| {
        books.payments[1].order = "order-1".into();
        books.payments[1].operations[0].state = "succeeded".into();
        books.booked.push(Booked { id: "ch_2".into(), status: "captured".into(), ..booked("charge", "a2", 50) });
    });
}

#[test]
fn a_key_that_did_two_things_is_found() {
    found(Rule::KeyUsedTwice, |books| books.payments[1].key = "key-1".into());
    found(Rule::KeyUsedTwice, |books| books.told.push(paid("key-1", "order-1", 201, true, "pay_2", "failed", 0)));
    found(Rule::KeyUsedTwice, |books| books.told.push(paid("key-2", "order-2", 201, false, "pay_2", "failed", 0)));
    found(Rule::KeyUsedTwice, |books| {
        books.payments[0].operations.push(operation("r2", "refund", "failed", 5, 2));
    });
}

#[test]
fn a_call_that_was_repeated_is_found() {
    found(Rule::SentTwice, |books| books.booked[0].asked = 2);
    found(Rule::SentTwice, |books| books.unbooked[0].asked = 2);
    found(Rule::SentTwice, |books| {
        books.unbooked.push(Unbooked { key: "c1".into(), reason: "timeout_before".into(), asked: 1 });
    });
}

#[test]
fn too_much_taken_or_given_is_found() {
    found(Rule::CapturedTooMuch, |books| books.booked[0].captured = 101);
    found(Rule::CapturedTooMuch, |books| books.payments[0].captured = 101);
    found(Rule::RefundedTooMuch, |books| books.booked[0].refunded = 61);
    found(Rule::RefundedTooMuch, |books| books.payments[0].refunded = 61);
}

#[test]
fn a_failure_with_a_charge_behind_it_is_found() {
    found(Rule::FailedButDone, |books| {
        books.booked.push(Booked { status: "captured".into(), authorized: 50, ..booked("charge", "a2", 50) });
    });
    found(Rule::FailedButDone, |books| books.payments[0].operations[1].state = "failed".into());
    found(Rule::FailedButDone, |books| {
        books.booked.push(Booked { status: "pending".into(), ..booked("charge", "a2", 50) });
    });
}

#[test]
fn a_success_without_a_charge_is_found() {
    found(Rule::SucceededButNot, |books| drop(books.booked.remove(1)));
    found(Rule::SucceededButNot, |books| books.booked[1].status = "failed".into());
    found(Rule::SucceededButNot, |books| books.booked[0].status = "voided".into());
}

#[test]
fn sums_that_differ_are_found() {
    found(Rule::SumsDiffer, |books| books.booked[0].captured = 59);
    found(Rule::SumsDiffer, |books| books.booked[0].authorized = 99);
    found(Rule::SumsDiffer, |books| books.booked[1].amount = 59);
    found(Rule::SumsDiffer, |books| books.payments[0].operations[2].amount = 19);
    found(Rule::SumsDiffer, |books| books.payments[1].captured = 50);
}

#[test]
fn what_is_left_open_is_found() {
    found(Rule::LeftInDoubt, |books| books.payments[0].operations[1].state = "in_doubt".into());
    found(Rule::LeftInDoubt, |books| books.payments[0].operations[1].state = "intended".into());
    found(Rule::LeftOpen, |books| books.payments[0].operations[1].state = "accepted".into());
    found(Rule::LeftOpen, |books| books.payments[0].status = "processing".into());
}

#[test]
fn what_was_told_otherwise_is_found() {
    found(Rule::ToldOtherwise, |books| books.told[4] = paid("key-2", "order-2", 201, false, "pay_2", "captured", 50));
    found(Rule::ToldOtherwise, |books| books.told[0] = paid("key-1", "order-1", 201, false, "pay_1", "failed", 0));
    found(Rule::ToldOtherwise, |books| books.told[0] = paid("key-1", "order-1", 201, false, "pay_1", "captured", 61));
    found(Rule::ToldOtherwise, |books| books.told[2] = captured("key-3", true, "failed"));
}

#[test]
fn a_replay_of_other_bytes_is_found() {
    found(Rule::ReplayDiffers, |books| books.told.push(paid("key-1", "order-1", 201, true, "pay_1", "captured", 60)));
    // What was not final may read otherwise later.
    let mut books = books();
    books.told[0] = paid("key-1", "order-1", 202, false, "pay_1", "processing", 0);
    books.told.push(paid("key-1", "order-1", 201, true, "pay_1", "captured", 60));
    assert_eq!(judge(&books), []);
}

#[test]
fn an_api_that_shows_something_else_is_found() {
    found(Rule::ShownOtherwise, |books| books.shown.get_mut("pay_1").unwrap().captured = 1);
    found(Rule::ShownOtherwise, |books| drop(books.shown.remove("pay_2")));
    found(Rule::ShownOtherwise, |books| drop(books.fed.pop()));
    found(Rule::ShownOtherwise, |books| books.fed.swap(0, 1));
    found(Rule::EventsDeny, |books| books.fed[6].status = "authorized".into());
    found(Rule::EventsDeny, |books| books.fed[8].status = "processing".into());
}

#[test]
fn a_feed_that_does_not_tell_is_found() {
    found(Rule::EventMissing, |books| drop(books.events.remove(1)));
    found(Rule::EventMissing, |books| drop(books.events.remove(6)));
    found(Rule::EventMissing, |books| drop(books.events.remove(4)));
    found(Rule::EventTwice, |books| books.events.push(Event { position: 10, ..books.events[8].clone() }));
    found(Rule::EventsDeny, |books| books.events[3].kind = "payment.captured".into());
    found(Rule::EventsDeny, |books| books.events[5].kind = "capture.failed".into());
    found(Rule::EventsDeny, |books| books.payments[0].in_doubt = true);
    found(Rule::EventsDeny, |books| books.events[8].object = "nobody".into());
}

#[test]
fn a_contradiction_without_a_lie_is_found() {
    let plant = |books: &mut Books| books.payments[0].contradiction = Some("they say otherwise".into());
    found(Rule::Contradiction, plant);
    let mut books = books();
    plant(&mut books);
    books.lied_about.insert("c1".into());
    assert_eq!(judge(&books), []);
}

#[test]
fn an_answer_that_nobody_should_get_is_found() {
    found(Rule::Fault, |books| {
        let answer = Some(Answer { status: 500, replayed: false, body: b"{}".to_vec() });
        books.told.push(attempt("key-9", Ask::Pay { order: "order-9".into() }, answer));
    });
    found(Rule::Fault, |books| books.payments[1].operations[0].state = "lost".into());
}
