//! What every ledger keeps to: one suite, run against each backend.
//!
//! ```no_run
//! # fn fresh() -> Box<dyn switchyard_store::suite::Fixture> { unimplemented!() }
//! switchyard_store::suite::run(fresh);
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "these are tests, and their names say what they hold to"
)]

pub mod sample;

mod accounts;
mod administration;
mod arbitrary;
mod channel_status;
mod claims;
mod events;
mod feed;
mod lists;
mod records;
mod reserved;
mod retention;
mod rows;
mod versions;
mod watch;
mod webhooks;

use crate::{Feed, Store, Webhooks};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

/// A ledger of its own for one case.
pub trait Fixture: Send + Sync {
    /// The ledger.
    fn store(&self) -> Arc<dyn Store>;

    /// The same ledger, as far as it tells what happened.
    fn feed(&self) -> Arc<dyn Feed>;

    /// The same, as far as webhooks go.
    fn webhooks(&self) -> Arc<dyn Webhooks>;

    /// Ends the process that serves the ledger, in effect, and opens it again. Whoever calls holds no store.
    fn restart(&mut self);
}

type Run = for<'f> fn(&'f mut dyn Fixture) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>;

/// One promise of the contract.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    run: Run,
}

macro_rules! cases {
    ($($name:literal $run:path;)*) => {
        const CASES: &[Case] = &[$(Case { name: $name, run: |fixture| Box::pin($run(fixture)) },)*];
    };
}

cases! {
    "a key is forgotten once its payment has ended long ago, and not before" retention::keys_are_forgotten;
    "a begun payment reads back" rows::begun_reads_back;
    "a concluded payment reads back" rows::concluded_reads_back;
    "every field of any payment and operation reads back" rows::anything_reads_back;
    "every value of every enumeration reads back" rows::every_value_reads_back;
    "what was never written is not there" rows::unknown_is_none;
    "sums that cannot be are not written" rows::impossible_sums;
    "operations come in the order asked" rows::operations_in_order;
    "a restart keeps all" rows::restart_keeps_all;
    "a key is taken once" claims::key_taken;
    "a taken key wins over everything else" claims::key_checked_first;
    "an operation without a key claims none" claims::no_key;
    "of two hundred begins with one key one is done" claims::parallel_begins;
    "an answer is never replaced" claims::answer_kept;
    "an answer given at once is kept" claims::answer_at_once;
    "a reference is guarded while its payment is open" claims::reference_guard;
    "a reference is guarded while its payment is in doubt" claims::reference_in_doubt;
    "the guard on references can be waived" claims::reference_waived;
    "what was seen must still stand" versions::stale_writes;
    "of parallel writes on one version one is done" versions::parallel_conclusions;
    "a refused command fails alone" versions::refused_alone;
    "postponing moves nothing else" versions::postpone;
    "a further operation of a payment" versions::further_operation;
    "lists are newest first, page by page" lists::pages;
    "every filter of payments" lists::filters;
    "operations are listed by kind, merchant and mode" lists::operations;
    "events are complete and in order" feed::complete;
    "events of parallel writers are complete and in order" feed::parallel;
    "due look-ups come longest due first" watch::due;
    "intents of the dead are found" watch::intended;
    "totals count what is open" watch::totals;
    "keys are issued and taken back" administration::keys;
    "overrides are set, replaced and removed" administration::overrides;
    "only what was done is audited" administration::audit;
    "routes read back and are forgotten, oldest first" reserved::read_back_and_forgotten;
    "an event keeps its object as it stood" events::as_it_stood;
    "the feed is listed in both orders, page by page" events::orders;
    "every filter of events" events::filters;
    "an account is needed while a payment is open, holds money or can give some back" accounts::still_needed;
    "uses of keys are noted, the latest of them" administration::uses;
    "what one mode needs of an account says nothing of the other" accounts::by_mode;
    "accounts found free are remembered until others are" accounts::free;
    "rules are kept once, as they are" records::rules_are_kept;
    "payments come in the order in which they were made" records::slices;
    "webhook endpoints are made, changed, switched off and removed" webhooks::endpoints;
    "deliveries read back, and come when they are due" webhooks::deliveries;
    "a delivery waits for an earlier one of its object" webhooks::waiting;
    "deliveries that ended are removed after their time" webhooks::purge;
    "an override ends by its time only where it still stands" channel_status::expiry;
    "a change of status begins where the last one ended" channel_status::chained;
    "changes of status are read forwards, backwards and by channel" channel_status::reads;
}

/// Runs every case against a ledger of its own.
///
/// # Panics
/// Where a case does, after all have run; the message names them.
pub fn run(fresh: impl Fn() -> Box<dyn Fixture>) {
    let mut failed = Vec::new();
    for case in CASES {
        let mut fixture = fresh();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let ran = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on((case.run)(fixture.as_mut()))));
        if ran.is_err() {
            failed.push(case.name);
        }
    }
    assert!(failed.is_empty(), "of {} cases failed: {failed:#?}", CASES.len());
}
