//! One payment's way, for people.

use super::{Ops, rfc3339, unavailable};
use crate::records::explained::Recorded;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};
use switchyard_core::{Operation, Payment, PaymentId};
use switchyard_store::StoreError;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/payments/{id}", web::get().to(timeline));
}

async fn timeline(ops: web::Data<Ops>, id: web::Path<String>) -> HttpResponse {
    let Some(id) = PaymentId::parse(&id) else { return unknown() };
    let (payment, operations) = match read(&ops, id).await {
        Ok(Some(found)) => found,
        Ok(None) => return unknown(),
        Err(error) => return unavailable(&error),
    };
    match ops.explained(&payment).await {
        Ok(explained) => HttpResponse::Ok().json(view(&payment, &operations, explained)),
        Err(error) => unavailable(&error),
    }
}

async fn read(ops: &Ops, id: PaymentId) -> Result<Option<(Payment, Vec<Operation>)>, StoreError> {
    let Some(payment) = ops.store.payment(id).await? else { return Ok(None) };
    let operations = ops.store.operations(payment.operations.clone()).await?;
    Ok(Some((payment, operations)))
}

fn unknown() -> HttpResponse {
    HttpResponse::NotFound().json(json!({"error": "there is no such payment"}))
}

fn view(payment: &Payment, operations: &[Operation], explained: Result<Recorded, String>) -> Value {
    let operations: Vec<Value> = operations.iter().map(operation).collect();
    json!({
        "id": payment.id.to_string(),
        "merchant": payment.merchant.as_str(),
        "mode": payment.mode.as_str(),
        "status": payment.status.as_str(),
        "in_doubt": payment.in_doubt(),
        "amount": payment.amount.minor(),
        "currency": payment.amount.currency().code(),
        "contradiction": payment.contradiction,
        "observed": payment.observed.map(|(at, from)| json!({"at": rfc3339(at), "from": from.as_str()})),
        "decision": decision(payment, explained),
        "provider_reference": payment.provider_reference,
        "created_at": rfc3339(payment.created_at),
        "updated_at": rfc3339(payment.updated_at),
        "operations": operations,
    })
}

/// As it is recorded, and why it came out so: made again under the rules of that moment.
fn decision(payment: &Payment, explained: Result<Recorded, String>) -> Value {
    let (explained, not_explained) = match explained {
        Ok(recorded) => (Some(recorded), None),
        Err(reason) => (None, Some(reason)),
    };
    json!({
        "rule": &*payment.decided.rule,
        "rules_version": &*payment.decided.rules_version,
        "channel": payment.decided.channel.as_ref().map(|channel| channel.as_str()),
        "reason": &*payment.decided.reason,
        "candidates": explained.as_ref().map(|recorded| &recorded.explained.candidates),
        "statuses": explained.as_ref().map(|recorded| &recorded.statuses),
        "differences": explained.as_ref().map(|recorded| &recorded.differences),
        "not_explained": not_explained,
    })
}

fn operation(operation: &Operation) -> Value {
    json!({
        "id": operation.public_id(),
        "sent_as": operation.id.uuid().simple().to_string(),
        "kind": operation.kind.as_str(),
        "state": operation.state.as_str(),
        "amount": operation.amount,
        "target": operation.target.as_ref().map(|target| json!({
            "channel": target.channel.as_str(), "base": target.base, "account": target.account,
        })),
        "provider_reference": operation.provider_reference,
        "failure": operation.failure.as_ref().map(|failure| failure.code.name()),
        "created_at": rfc3339(operation.created_at),
        "updated_at": rfc3339(operation.updated_at),
        "send_by": rfc3339(operation.send_by),
        "look_ups": operation.look_ups,
        "next_look_up_at": operation.next_look_up_at.and_then(rfc3339),
    })
}
