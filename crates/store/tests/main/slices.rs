//! Payments are looked through a slice at a time.

use crate::settings;
use std::sync::Arc;
use switchyard_core::operation::Target;
use switchyard_core::{ChannelName, Mode};
use switchyard_store::suite::sample::{Sample, approve, begun};
use switchyard_store::{AccountUse, Sqlite, StillNeeded, Store};
use tempfile::TempDir;

#[tokio::test]
async fn an_account_is_found_behind_many_payments_of_others() {
    let directory = TempDir::new().unwrap();
    let mut settings = settings(&directory).unsynced();
    settings.list_rows_max = 8;
    let store = Sqlite::open(&settings).unwrap();
    let mut sample = Sample::new();
    let first = sample.payment();
    let (first, operation) = approve(&*store, &mut sample, first).await;
    let target = Target::clone(operation.target.as_ref().unwrap());
    let elsewhere = Target { channel: ChannelName::new("elsewhere").unwrap(), ..target.clone() };
    for _ in 0..20 {
        let mut begin = sample.begin();
        begin.payment.decided.channel = Some(elsewhere.channel.clone());
        begin.operation.target = Some(Arc::new(elsewhere.clone()));
        begun(&*store, begin).await;
    }
    let account = AccountUse { target: target.clone(), mode: Mode::Test };
    let mut before = None;
    let mut slices = 0;
    let found = loop {
        let slice = store.still_needed(vec![account.clone()], before).await.unwrap();
        slices += 1;
        match slice {
            StillNeeded { found: None, next: Some(next) } => before = Some(next),
            StillNeeded { found, next: None } => break found,
            StillNeeded { found: Some(_), next: Some(_) } => panic!("more after the end: {slice:?}"),
        }
    };
    assert_eq!((found, slices), (Some((first.id, account)), 3));
    assert_eq!(store.targets().await, Ok(vec![target, elsewhere]));
    store.close();
}
