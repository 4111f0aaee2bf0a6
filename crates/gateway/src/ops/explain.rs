//! Why a recorded payment went where it went.

use super::{Ops, unavailable};
use crate::records::Unkept;
use crate::records::explained::Recorded;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use switchyard_core::{Payment, PaymentId};
use switchyard_routing::RuleSet;
use switchyard_store::StoreError;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/rules/explain", web::get().to(explain));
}

#[derive(Deserialize)]
struct Asked {
    payment: Option<String>,
}

async fn explain(ops: web::Data<Ops>, asked: web::Query<Asked>) -> HttpResponse {
    let Some(id) = asked.payment.as_deref().and_then(PaymentId::parse) else {
        return HttpResponse::BadRequest().json(json!({"error": "?payment= and the id of a payment are wanted"}));
    };
    let payment = match ops.store.payment(id).await {
        Ok(Some(payment)) => payment,
        Ok(None) => return HttpResponse::NotFound().json(json!({"error": "there is no such payment"})),
        Err(error) => return unavailable(&error),
    };
    match ops.explained(&payment).await {
        Ok(Ok(recorded)) => HttpResponse::Ok().json(recorded),
        Ok(Err(reason)) => HttpResponse::Conflict().json(json!({"error": reason})),
        Err(error) => unavailable(&error),
    }
}

impl Ops {
    /// The payment's decision made again; or why it cannot be.
    pub(super) async fn explained(&self, payment: &Payment) -> Result<Result<Recorded, String>, StoreError> {
        let rules = match self.rules_of(payment).await? {
            Ok(rules) => rules,
            Err(unkept) => return Ok(Err(unkept.to_string())),
        };
        Ok(Recorded::new(payment, &rules).ok_or_else(|| "what the payment carried is not recorded".to_owned()))
    }

    async fn rules_of(&self, payment: &Payment) -> Result<Result<Arc<RuleSet>, Unkept>, StoreError> {
        let in_force = self.board.in_force();
        if in_force.version == payment.decided.rules_version {
            return Ok(Ok(Arc::clone(&in_force.rules)));
        }
        self.shelf.rules(&*self.store, &payment.decided.rules_version).await
    }
}
