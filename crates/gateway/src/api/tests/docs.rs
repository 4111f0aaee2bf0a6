//! `docs/errors.md` is made from the tables, and is not stale.

use crate::api::problem::Code;
use std::fmt::Write as _;
use std::path::Path;
use switchyard_core::FailureCode;

const HEAD: &str = "# Errors and declines

Two things can go wrong, and they are told apart: a *request* that was not carried out has a status of 4xx or 5xx and a problem body; a *payment* that
was tried and failed is 201 with `\"status\": \"failed\"` and a `failure`. This page is made from the tables in the code.

## Requests that were not carried out

`application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `code`, `request_id`, and `errors` naming every faulty field at once. Nothing was
recorded and the idempotency key is free, except for `idempotency_in_progress` and `internal_error`: there, ask again with the same key.

| code | status | means |
|---|---|---|
";

const FAILURES: &str = "
## Payments, captures and refunds that failed

`retry` says what may help, and always means a new request under a **new** key: `never`, `later`, `new_method` (another way to pay), `new_data`
(corrected data), `same_request` (the same body). While an object is `processing`, `requires_action` or in doubt, only the **old** key or a GET is safe.

`payer_message` is safe to show. `origin` says who said no.

| code | category | retry | origin | means | payer_message |
|---|---|---|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for code in Code::ALL {
        let name = code.name();
        writeln!(page, "| <a id=\"{name}\"></a>`{name}` | {} | {} |", code.status(), code.title()).unwrap();
    }
    page.push_str(FAILURES);
    for code in FailureCode::ALL {
        let (category, retry, origin) = (code.category().as_str(), code.retry().as_str(), code.origin().as_str());
        let (name, message, payer) = (code.name(), code.message(), code.payer_message());
        writeln!(page, "| `{name}` | {category} | `{retry}` | {origin} | {message} | {payer} |").unwrap();
    }
    page
}

#[test]
fn the_page_of_errors_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    if std::env::var_os("SWITCHYARD_WRITE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stands == page(), "docs/errors.md is stale; run this test with SWITCHYARD_WRITE_DOCS=1");
}
