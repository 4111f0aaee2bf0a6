//! `switchyard rules verify`, `replay` and `explain` of a recorded payment: what the ledger recorded, used again.
//!
//! The ledger is read beside the process that serves from it, if one does: slice by slice, so that neither the payments'
//! path nor the operations listener carries the work.

use super::arguments::{Replay, Verify};
use super::ledger::block_on;
use super::{Failed, client, environment, expiry, serving};
use crate::config::settings::StoreUrl;
use crate::config::{self, Settings, Wanted};
use crate::records::Shelf;
use crate::records::explained::Recorded;
use crate::records::replay::replay;
use crate::records::verify::verify;
use serde_json::{Value, json};
use std::sync::Arc;
use switchyard_core::{Clock, PaymentId, Timestamp};
use switchyard_routing::RuleSet;
use switchyard_store::sqlite::{self, Sqlite};
use switchyard_store::{Period, Store, StoreError};

/// What `--since` and `--until` take.
const TIMES: &str =
    "a span back from now such as 7d, a day such as 2026-11-01 or a time such as 2026-11-01T00:00:00Z is wanted";

/// Opens the ledger beside whoever writes it.
fn open(settings: &Settings) -> Result<Arc<Sqlite>, Failed> {
    let StoreUrl::Sqlite(path) = &settings.store.url;
    let fatal = Arc::new(|reason: &str| eprintln!("the ledger cannot go on: {reason}"));
    Ok(Sqlite::open_reading(&sqlite::Settings::new(path, fatal))?)
}

fn period(since: Option<&str>, until: Option<&str>, now: Timestamp) -> Result<Period, Failed> {
    let read = |name: &str, text: Option<&str>| match text.map(|text| (text, expiry::since(text, now))) {
        None => Ok(None),
        Some((_, Some(at))) => Ok(Some(at)),
        Some((text, None)) => Err(Failed(format!("--{name} {text}: {TIMES}"))),
    };
    let period = match (read("since", since), read("until", until)) {
        (Ok(from), Ok(to)) => Period { from, to },
        (Err(Failed(one)), Err(Failed(two))) => return Err(Failed(format!("{one}\n{two}"))),
        (Err(failed), Ok(_)) | (Ok(_), Err(failed)) => return Err(failed),
    };
    match period {
        Period { from: Some(from), to: Some(to) } if from >= to => {
            Err(Failed("--until is not later than --since, so that no payment is between them".into()))
        }
        period => Ok(period),
    }
}

/// Makes every decision again, and fails where one does not come out as it is recorded.
pub(super) fn run_verify(asked: &Verify, wanted: &Wanted, clock: &dyn Clock) -> Result<(), Failed> {
    let period = period(asked.since.as_deref(), None, clock.now())?;
    let (settings, _) = config::load_settings(wanted, &environment())?;
    println!("{}", verified(&*open(&settings)?, period, |line| println!("{line}"))?);
    Ok(())
}

fn verified(store: &dyn Store, period: Period, mut print: impl FnMut(String)) -> Result<String, Failed> {
    let tell = |id: PaymentId, wrong: &[String]| print(format!("{id}: {}", wrong.join("; ")));
    let found = block_on(verify(store, period, tell))??;
    if found.different > 0 {
        let (different, payments) = (found.different, found.payments);
        return Err(Failed(format!("{different} of {payments} decisions do not come out again as they are recorded")));
    }
    Ok(format!("{} decisions of {} rule sets come out again as they are recorded", found.payments, found.rule_sets))
}

/// Tells which recorded payments other rules would send elsewhere.
pub(super) fn run_replay(asked: &Replay, wanted: &Wanted, clock: &dyn Clock) -> Result<(), Failed> {
    let period = period(Some(&asked.since), asked.until.as_deref(), clock.now())?;
    let loaded = config::load(wanted, &environment())?;
    let other = asked.rules.as_deref().map(|file| super::rules::compiled(file, &loaded.vocabulary())).transpose()?;
    let rules: &RuleSet = other.as_ref().unwrap_or(&loaded.rules);
    let store = open(&loaded.settings)?;
    let found = block_on(replay(&*store, period, rules, asked.limit))??;
    let shown = |at: Option<Timestamp>| at.and_then(expiry::shown);
    if asked.json {
        let mut json = found.json();
        if let Value::Object(members) = &mut json {
            members.insert("since".into(), json!(shown(period.from)));
            members.insert("until".into(), json!(shown(period.to)));
        }
        println!("{json:#}");
        return Ok(());
    }
    println!(
        "Rules of {} ({}), tried on the payments from {} to {}:\n",
        rules.source().path(),
        rules.hash(),
        shown(period.from).unwrap_or_default(),
        shown(period.to).unwrap_or_else(|| "now".into()),
    );
    print!("{found}");
    Ok(())
}

/// Explains a recorded payment's decision.
pub(super) fn explain(payment: &str, wanted: &Wanted) -> Result<Recorded, Failed> {
    let id = PaymentId::parse(payment)
        .ok_or_else(|| Failed(format!("`{payment}` is not the id of a payment: `pay_` and 32 hexadecimal digits")))?;
    let (settings, _) = config::load_settings(wanted, &environment())?;
    // The process that serves has the rules at hand.
    match serving::read(&settings.store.data)?.filter(client::listens) {
        Some(serving) => {
            let answer = client::call(&serving, "GET", &format!("/ops/rules/explain?payment={id}"), None)?;
            Ok(serde_json::from_value(answer)?)
        }
        None => block_on(explained(&*open(&settings)?, id))??,
    }
}

async fn explained(store: &dyn Store, id: PaymentId) -> Result<Result<Recorded, Failed>, StoreError> {
    let Some(payment) = store.payment(id).await? else {
        return Ok(Err(Failed("there is no such payment".into())));
    };
    let rules = Shelf::default().rules(store, &payment.decided.rules_version).await?;
    Ok(rules.map_err(Failed::from).and_then(|rules| {
        Recorded::new(&payment, &rules).ok_or_else(|| Failed("what the payment carried is not recorded".into()))
    }))
}

#[cfg(test)]
#[path = "recorded_tests.rs"]
mod tests;
