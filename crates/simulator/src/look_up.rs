//! Look-ups by id and by reference.

use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::account::Account;
use crate::answer::{self, method_not_allowed};
use crate::charge::Charge;
use crate::control::Target;
use crate::error::ApiError;
use crate::id::Object;
use crate::ledger::{Books, OnCharge};
use crate::limits::LOOK_UP_MAX;
use crate::operation::{Kind, Operation};
use crate::server::Simulator;
use crate::view::{ChargeView, List, OperationView};

pub(crate) fn routes(service: &mut ServiceConfig) {
    service
        .service(
            web::resource("/{objects:captures|voids|refunds}")
                .get(operations)
                .default_service(web::to(method_not_allowed)),
        )
        .service(
            web::resource("/{objects:charges|captures|voids|refunds}/{id}")
                .get(by_id)
                .default_service(web::to(method_not_allowed)),
        );
}

#[derive(Deserialize)]
struct ByReference {
    reference: Option<String>,
}

/// `GET /v1/charges?reference=...`
pub(crate) async fn charges(simulator: Data<Simulator>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    by_reference(&simulator, &request, Object::Charge).await
}

async fn operations(
    simulator: Data<Simulator>,
    request: HttpRequest,
    objects: Path<String>,
) -> Result<HttpResponse, ApiError> {
    by_reference(&simulator, &request, object(&objects)?).await
}

async fn by_id(
    simulator: Data<Simulator>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let account = Account::of(request.headers())?;
    let (objects, id) = path.into_inner();
    let object = object(&objects)?;
    let number = simulator.names.number(object, &id).filter(|_| !simulator.control.forgets());
    let found = match number {
        Some(number) => simulator.ledger.run(move |books| Found::by_number(books, &account, object, number)).await?,
        None => None,
    };
    let response = found.map_or_else(|| Err(ApiError::NotFound), |found| Ok(found.show(&simulator)));
    spoil(&simulator, response).await
}

async fn by_reference(simulator: &Simulator, request: &HttpRequest, object: Object) -> Result<HttpResponse, ApiError> {
    let account = Account::of(request.headers())?;
    let query = Query::<ByReference>::from_query(request.query_string())
        .map_err(|_| ApiError::ParameterInvalid("reference", "a single value"))?;
    let reference = query.into_inner().reference.ok_or(ApiError::ParameterMissing("reference"))?;
    let found = if simulator.control.forgets() {
        Vec::new()
    } else {
        simulator.ledger.run(move |books| Found::by_reference(books, &account, object, &reference)).await?
    };
    let list = List { data: found.iter().map(|found| found.view(simulator)).collect() };
    spoil(simulator, Ok(answer::json(&list))).await
}

/// A fault set by control strikes look-ups as well, whatever they found.
async fn spoil(simulator: &Simulator, response: Result<HttpResponse, ApiError>) -> Result<HttpResponse, ApiError> {
    match simulator.control.take_fault(Target::LookUps) {
        Some(fault) => {
            let response = response.unwrap_or_else(|error| actix_web::ResponseError::error_response(&error));
            Ok(answer::spoiled(simulator, fault, response).await)
        }
        None => response,
    }
}

/// `charges` to charge, and so on.
fn object(plural: &str) -> Result<Object, ApiError> {
    plural.strip_suffix('s').and_then(Object::parse).ok_or(ApiError::NoSuchEndpoint)
}

enum Found {
    Charge(Charge, Vec<Operation>),
    Operation(OnCharge),
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum View<'a> {
    Charge(ChargeView<'a>),
    Operation(OperationView<'a>),
}

impl Found {
    fn by_number(books: &mut Books, account: &Account, object: Object, number: i64) -> rusqlite::Result<Option<Self>> {
        match object {
            Object::Charge => {
                let found = books.find_charge(account, number)?;
                Ok(found.map(|(charge, operations)| Self::Charge(charge, operations)))
            }
            Object::Operation(kind) => {
                let found = books.find_operation(account, number)?;
                Ok(found.filter(|(operation, _)| is(operation, kind)).map(Self::Operation))
            }
        }
    }

    fn by_reference(
        books: &mut Books,
        account: &Account,
        object: Object,
        reference: &str,
    ) -> rusqlite::Result<Vec<Self>> {
        let numbers = books.referring(account, object, reference, LOOK_UP_MAX)?;
        let found = numbers.into_iter().map(|number| Self::by_number(books, account, object, number));
        found.filter_map(Result::transpose).collect()
    }

    fn show(&self, simulator: &Simulator) -> HttpResponse {
        answer::json(&self.view(simulator))
    }

    fn view(&self, simulator: &Simulator) -> View<'_> {
        match self {
            Self::Charge(charge, operations) => View::Charge(ChargeView::whole(&simulator.names, charge, operations)),
            Self::Operation((operation, charge)) => {
                View::Operation(OperationView::with_charge(&simulator.names, operation, charge))
            }
        }
    }
}

fn is(operation: &Operation, kind: Kind) -> bool {
    operation.kind == kind
}
