//! The ledger over HTTP, for those who judge what happened.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Query, ServiceConfig};
use serde::{Deserialize, Serialize};

use crate::answer;
use crate::error::ApiError;
use crate::ledger::Line;
use crate::limits::{LEDGER_PAGE_DEFAULT, LEDGER_PAGE_MAX};
use crate::server::Simulator;
use crate::view::List;

pub(crate) fn routes(service: &mut ServiceConfig) {
    service
        .service(web::resource("/ledger").get(lines))
        .service(web::resource("/ledger/unbooked").get(unbooked))
        .service(web::resource("/ledger/totals").get(totals))
        .service(web::resource("/healthz").get(health));
}

#[derive(Deserialize)]
struct Range {
    after: Option<i64>,
    limit: Option<u32>,
}

/// A page of the ledger. `next` is what to ask for after it, or `None` at the end.
#[derive(Serialize)]
struct Page<T> {
    data: Vec<T>,
    next: Option<i64>,
}

impl Range {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(LEDGER_PAGE_DEFAULT).clamp(1, LEDGER_PAGE_MAX)
    }
}

async fn lines(simulator: Data<Simulator>, range: RangeQuery) -> Result<HttpResponse, ApiError> {
    let range = read(range)?;
    let names = simulator.clone();
    let (after, limit) = (range.after.unwrap_or(0), range.limit());
    let data = simulator.ledger.run(move |books| books.lines(&names.names, after, limit)).await?;
    Ok(page(data, limit, |line: &Line| line.number))
}

async fn unbooked(simulator: Data<Simulator>, range: RangeQuery) -> Result<HttpResponse, ApiError> {
    let range = read(range)?;
    let (after, limit) = (range.after.unwrap_or(0), range.limit());
    let data = simulator.ledger.run(move |books| books.unbooked(after, limit)).await?;
    Ok(page(data, limit, |line| line.number))
}

async fn totals(simulator: Data<Simulator>) -> Result<HttpResponse, ApiError> {
    let data = simulator.ledger.run(|books| books.totals()).await?;
    Ok(answer::json(&List { data }))
}

async fn health() -> HttpResponse {
    answer::json(&serde_json::json!({"status": "ok"}))
}

type RangeQuery = Result<Query<Range>, actix_web::Error>;

fn read(range: RangeQuery) -> Result<Range, ApiError> {
    range.map(Query::into_inner).map_err(|_| ApiError::ParameterInvalid("after, limit", "integers"))
}

fn page<T: Serialize>(data: Vec<T>, limit: u32, number: impl Fn(&T) -> i64) -> HttpResponse {
    let full = usize::try_from(limit).is_ok_and(|limit| data.len() >= limit);
    let next = data.last().filter(|_| full).map(number);
    answer::json(&Page { data, next })
}
