//! The pages where a payer approves or declines.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType, LOCATION, REFERRER_POLICY};
use actix_web::web::{self, Data, Path, ServiceConfig};

use crate::charge::{Charge, Status, Verdict};
use crate::error::ApiError;
use crate::server::Simulator;

pub(crate) fn routes(service: &mut ServiceConfig) {
    service
        .service(web::resource("/pages/{page}").get(show))
        .service(web::resource("/pages/{page}/approve").post(approve))
        .service(web::resource("/pages/{page}/decline").post(decline));
}

async fn show(simulator: Data<Simulator>, page: Path<String>) -> Result<HttpResponse, ApiError> {
    let Some(number) = simulator.names.charge_of_page(&page) else {
        return Ok(unknown());
    };
    let charge = simulator.ledger.run(move |books| books.any_charge(number)).await?;
    Ok(charge.map_or_else(unknown, |charge| {
        let buttons = if charge.status == Status::RequiresAction { buttons(&page) } else { String::new() };
        html(StatusCode::OK, &format!("{}{buttons}", summary(&charge)))
    }))
}

async fn approve(simulator: Data<Simulator>, page: Path<String>) -> Result<HttpResponse, ApiError> {
    decide(&simulator, &page, Verdict::Approve).await
}

async fn decline(simulator: Data<Simulator>, page: Path<String>) -> Result<HttpResponse, ApiError> {
    decide(&simulator, &page, Verdict::Decline).await
}

async fn decide(simulator: &Simulator, page: &str, verdict: Verdict) -> Result<HttpResponse, ApiError> {
    let Some(number) = simulator.names.charge_of_page(page) else {
        return Ok(unknown());
    };
    let decided = simulator
        .ledger
        .run(move |books| {
            let Some(charge) = books.any_charge(number)? else {
                return Ok(None);
            };
            // A second press of the same button is no second decision.
            if charge.status != Status::RequiresAction {
                let same = stands(&charge, verdict);
                return Ok(Some((charge, same)));
            }
            let settled = books.settle_charge(number, verdict)?.and_then(Result::ok);
            Ok(settled.map(|charge| (charge, true)))
        })
        .await?;
    Ok(match decided {
        Some((charge, true)) => decision_taken(&charge),
        Some((charge, false)) => html(StatusCode::CONFLICT, &summary(&charge)),
        None => unknown(),
    })
}

/// Whether this decision is the one that was taken.
fn stands(charge: &Charge, verdict: Verdict) -> bool {
    match charge.status {
        Status::Authorized | Status::Captured => verdict == Verdict::Approve,
        Status::Declined => verdict == Verdict::Decline,
        Status::Pending | Status::RequiresAction | Status::Voided | Status::Expired => false,
    }
}

fn decision_taken(charge: &Charge) -> HttpResponse {
    match &charge.request.return_url {
        Some(url) => HttpResponse::SeeOther().insert_header((LOCATION, url.as_str())).finish(),
        None => html(StatusCode::OK, &summary(charge)),
    }
}

fn unknown() -> HttpResponse {
    html(StatusCode::NOT_FOUND, "<p>There is no such page.</p>")
}

fn summary(charge: &Charge) -> String {
    let request = &charge.request;
    format!(
        "<p>{} {} (minor units)<br>Reference {}<br>Status: {}</p>",
        request.amount,
        escaped(&request.currency),
        escaped(charge.reference()),
        charge.status.as_str()
    )
}

fn buttons(page: &str) -> String {
    format!(
        "<form method=\"post\" action=\"/pages/{page}/approve\"><button>Approve</button></form>\
         <form method=\"post\" action=\"/pages/{page}/decline\"><button>Decline</button></form>"
    )
}

fn html(status: StatusCode, content: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(format!(
            "<!doctype html><html lang=\"en\"><head><title>Simulated payment</title></head>\
             <body><h1>Simulated payment</h1>{content}</body></html>\n"
        ))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_merchant_writes_is_no_markup() {
        assert_eq!(escaped("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}
