//! The calls that book something.

use actix_web::error::PayloadError;
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::account::Account;
use crate::answer::{self, method_not_allowed};
use crate::control::Target;
use crate::error::ApiError;
use crate::id::Object;
use crate::ledger::Request;
use crate::look_up;
use crate::operation::Kind;
use crate::request::{ChargeRequest, OperationRequest, idempotency_key};
use crate::server::Simulator;
use crate::token::Plan;
use crate::view::{ChargeView, OperationView};

pub(crate) fn routes(service: &mut ServiceConfig) {
    service
        .service(
            web::resource("/charges")
                .post(create_charge)
                .get(look_up::charges)
                .default_service(web::to(method_not_allowed)),
        )
        .service(
            web::resource("/charges/{id}/{operations:captures|voids|refunds}")
                .post(create_operation)
                .default_service(web::to(method_not_allowed)),
        );
}

/// A body that may have been too large, or cut short.
type Body = Result<Bytes, actix_web::Error>;

async fn create_charge(simulator: Data<Simulator>, request: HttpRequest, body: Body) -> Result<HttpResponse, ApiError> {
    let mut ask = ask(&simulator, &request)?;
    let wanted = ChargeRequest::read(&bytes(body)?)?;
    let plan = Plan::of(wanted.token.as_deref(), &wanted.method, wanted.amount).ok_or(ApiError::InvalidToken)?;
    ask.fault = simulator.control.take_fault(Target::Charges);
    let made = simulator.ledger.run(move |books| books.charge(ask, wanted, &plan)).await?;
    let show = |charge: &_| answer::json(&ChargeView::compact(&simulator.names, charge));
    answer::made(&simulator, made, show).await
}

/// A capture, void or refund.
async fn create_operation(
    simulator: Data<Simulator>,
    request: HttpRequest,
    path: Path<(String, String)>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let (id, operations) = path.into_inner();
    let (kind, target) = match operations.as_str() {
        "captures" => (Kind::Capture, Target::Captures),
        "voids" => (Kind::Void, Target::Voids),
        _ => (Kind::Refund, Target::Refunds),
    };
    let mut ask = ask(&simulator, &request)?;
    let wanted = OperationRequest::read(&bytes(body)?)?;
    let charge = simulator.names.number(Object::Charge, &id).ok_or(ApiError::NotFound)?;
    ask.fault = simulator.control.take_fault(target);
    let made = simulator.ledger.run(move |books| books.operate(ask, kind, charge, wanted)).await?;
    let show = |(operation, charge): &_| answer::json(&OperationView::with_charge(&simulator.names, operation, charge));
    answer::made(&simulator, made, show).await
}

/// Who asks, and under which key.
fn ask(simulator: &Simulator, request: &HttpRequest) -> Result<Request, ApiError> {
    let account = Account::of(request.headers())?;
    let key = idempotency_key(request.headers())?;
    Ok(Request { account, key, fault: None, pending_ms: simulator.control.pending_ms() })
}

fn bytes(body: Body) -> Result<Bytes, ApiError> {
    body.map_err(|error| match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => ApiError::BodyTooLarge,
        Some(_) | None => ApiError::BodyUnreadable(error.to_string()),
    })
}
