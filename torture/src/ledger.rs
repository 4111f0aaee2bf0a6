//! Reads Switchyard's ledger from its file, once no process serves it, and the provider's over HTTP.

use crate::book::{Booked, Event, Fed, Operation, Payment, Shown, Unbooked};
use crate::merchant::send;
use crate::wire::{Manner, Wire, request};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use switchyard_core::{MerchantName, Mode};
use switchyard_store::feed::Subject;
use switchyard_store::sqlite::{Settings, Sqlite};
use switchyard_store::{PaymentFilter, Store as _};

/// Rows of one page.
const PAGE: u32 = 1_000;

/// Everything in the ledger of the sandbox's merchant.
///
/// # Panics
/// Where it cannot be read: a ledger that does not open is no ledger.
#[must_use]
pub fn read(data: &Path) -> (Vec<Payment>, Vec<Event>) {
    let fatal = Arc::new(|reason: &str| panic!("the ledger: {reason}"));
    let store = Sqlite::open(&Settings::new(data.join("switchyard.db"), fatal)).expect("the ledger opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let read = runtime.block_on(async {
        let merchant = MerchantName::new("sandbox").expect("a name");
        let mut payments = Vec::new();
        let mut before = None;
        loop {
            let filter = PaymentFilter::of(merchant.clone(), Mode::Test);
            let page = store.list_payments(filter, before, PAGE).await.expect("payments");
            for payment in &page.data {
                let operations = store.operations(payment.operations.clone()).await.expect("operations");
                payments.push(of_payment(payment, &operations));
            }
            before = page.next.map(switchyard_core::PaymentId::from_uuid);
            if before.is_none() {
                break;
            }
        }
        let mut events = Vec::new();
        loop {
            let after = events.last().map_or(0, |event: &Event| event.position);
            let page = store.events(after, PAGE).await.expect("events");
            if page.is_empty() {
                break;
            }
            events.extend(page.into_iter().map(|recorded| Event {
                position: recorded.position,
                kind: recorded.kind.as_str().to_owned(),
                object: match recorded.subject {
                    Subject::Operation(_, operation) => operation.uuid().simple().to_string(),
                    Subject::Payment(payment) => payment.to_string(),
                    Subject::Endpoint(endpoint) => endpoint.to_string(),
                },
                sequence: recorded.sequence,
            }));
        }
        (payments, events)
    });
    store.close();
    read
}

fn of_payment(payment: &switchyard_core::Payment, operations: &[switchyard_core::Operation]) -> Payment {
    let key = payment.metadata.iter().find(|(name, _)| name == "key").map(|(_, key)| key.clone());
    Payment {
        id: payment.id.to_string(),
        order: payment.reference.clone(),
        key: key.unwrap_or_default(),
        status: payment.status.as_str().to_owned(),
        in_doubt: payment.in_doubt(),
        amount: payment.amount.minor(),
        authorized: payment.authorized,
        captured: payment.captured,
        refunded: payment.refunded,
        operations: operations.iter().map(of_operation).collect(),
        events: payment.events,
        contradiction: payment.contradiction.clone(),
    }
}

fn of_operation(operation: &switchyard_core::Operation) -> Operation {
    Operation {
        id: operation.id.uuid().simple().to_string(),
        kind: operation.kind.as_str().to_owned(),
        state: operation.state.as_str().to_owned(),
        amount: operation.amount,
        events: operation.events,
    }
}

/// What the API shows, payment by payment.
///
/// # Panics
/// Where the API does not answer.
#[must_use]
pub fn shown(api: &str, filter: &str) -> HashMap<String, (Shown, Value)> {
    let mut wire = Wire::default();
    let mut shown = HashMap::new();
    let mut path = format!("/v1/payments?limit=100{filter}");
    loop {
        let answer = send(&mut wire, api, "GET", &path, "", None, Manner::Patient).expect("an answer");
        let page = answer.json();
        assert_eq!(answer.status, 200, "{page}");
        for payment in page["data"].as_array().into_iter().flatten() {
            let number = |name: &str| payment[name].as_i64().unwrap_or(-1);
            let status = payment["status"].as_str().unwrap_or_default().to_owned();
            let view = Shown { status, captured: number("amount_captured"), refunded: number("amount_refunded") };
            shown.insert(payment["id"].as_str().unwrap_or_default().to_owned(), (view, payment.clone()));
        }
        match page["next_cursor"].as_str() {
            Some(cursor) if page["has_more"] == true => {
                path = format!("/v1/payments?limit=100{filter}&cursor={cursor}")
            }
            _ => return shown,
        }
    }
}

/// The feed as the API shows it.
///
/// # Panics
/// Where the API does not answer.
#[must_use]
pub fn fed(api: &str) -> Vec<Fed> {
    let mut wire = Wire::default();
    let mut fed = Vec::new();
    let mut path = "/v1/events?order=asc&limit=100".to_owned();
    loop {
        let answer = send(&mut wire, api, "GET", &path, "", None, Manner::Patient).expect("an answer");
        let page = answer.json();
        assert_eq!(answer.status, 200, "{page}");
        for event in page["data"].as_array().into_iter().flatten() {
            let object = &event["data"]["object"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let id = text(&object["id"]);
            let digits = id.rsplit('_').next().unwrap_or_default().to_owned();
            fed.push(Fed {
                kind: text(&event["type"]),
                object: if object["object"] == "payment" { id } else { digits },
                sequence: event["sequence"].as_u64().unwrap_or(0),
                status: text(&object["status"]),
            });
        }
        match page["next_cursor"].as_str() {
            Some(cursor) if page["has_more"] == true => {
                path = format!("/v1/events?order=asc&limit=100&cursor={cursor}")
            }
            _ => return fed,
        }
    }
}

/// The provider's ledger.
#[must_use]
pub fn booked(provider: &str) -> (Vec<Booked>, Vec<Unbooked>) {
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let booked = pages(provider, "/ledger").into_iter().map(|line| Booked {
        object: text(&line, "object"),
        id: text(&line, "id"),
        charge: line["charge_id"].as_str().map(ToOwned::to_owned),
        reference: text(&line, "reference"),
        status: text(&line, "status"),
        asked: line["asked"].as_u64().unwrap_or(0),
        amount: line["amount"].as_i64().unwrap_or(0),
        authorized: line["amount_authorized"].as_i64().unwrap_or(0),
        captured: line["amount_captured"].as_i64().unwrap_or(0),
        refunded: line["amount_refunded"].as_i64().unwrap_or(0),
    });
    let unbooked = pages(provider, "/ledger/unbooked").into_iter().map(|line| Unbooked {
        key: text(&line, "idempotency_key"),
        reason: text(&line, "reason"),
        asked: line["asked"].as_u64().unwrap_or(0),
    });
    (booked.collect(), unbooked.collect())
}

fn pages(provider: &str, path: &str) -> Vec<Value> {
    let mut wire = Wire::default();
    let mut lines = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let bytes = request("GET", &format!("{path}?after={after}&limit=5000"), provider, &[], None);
        let page = wire.ask(provider, &bytes, Manner::Patient).expect("the provider answers").json();
        lines.extend(page["data"].as_array().cloned().unwrap_or_default());
        if page["next"].is_null() {
            return lines;
        }
        after = page["next"].to_string();
    }
}
