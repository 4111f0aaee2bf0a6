//! What breaks, and what must hold then.

use crate::{Ledger, settings};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use switchyard_core::payment::News;
use switchyard_store::sqlite::Group;
use switchyard_store::suite::sample::{Sample, answer, approved, begun, claim, concluded};
use switchyard_store::{Begun, Sqlite, Store as _, StoreError};
use tempfile::TempDir;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn nonsense_in_a_row_is_corrupt_and_no_panic() {
    for inline in [false, true] {
        let ledger = Ledger::new(inline);
        let store = ledger.sqlite();
        block_on(async {
            let mut sample = Sample::new();
            let changes = [
                "status = 99",
                "status = 'captured'",
                "status = 2",
                "status = NULL",
                "mode = 2",
                "amount = -1",
                "amount = 1.5",
                "authorized = -1",
                "captured = 1",
                "currency = 'XXX'",
                "country = 'xx'",
                "method = 'cash'",
                "merchant = 4711",
                "merchant = order_type",
                "reference = NULL",
                "reference = CAST(x'ff' AS TEXT)",
                "operations = x'00'",
                "pending = x'00ff'",
                "metadata = x'7f'",
                "failure = x'00'",
                "observed_at = 5",
                "version = -1",
                "version = 4294967296",
                "open = 0",
            ];
            for change in changes {
                let (payment, _) = begun(&*store, sample.begin()).await;
                let id = payment.id.uuid().simple().to_string();
                store.sql(&format!("UPDATE payments SET {change} WHERE id = x'{id}'")).await.unwrap();
                let read = store.payment(payment.id).await;
                assert!(matches!(&read, Err(StoreError::Corrupt(_))), "{change}: {read:?}");
            }
            for change in ["kind = 9", "state = 9", "amount = -1", "target = 1", "payment = x'00'", "last = 2"] {
                let (_, operation) = begun(&*store, sample.begin()).await;
                let id = operation.id.uuid().simple().to_string();
                store.sql(&format!("UPDATE operations SET {change} WHERE id = x'{id}'")).await.unwrap();
                let read = store.operation(operation.id).await;
                assert!(matches!(&read, Err(StoreError::Corrupt(_))), "{change}: {read:?}");
            }
            // It names row and column.
            let (payment, _) = begun(&*store, sample.begin()).await;
            let id = payment.id.uuid().simple().to_string();
            store.sql(&format!("UPDATE payments SET status = 99 WHERE id = x'{id}'")).await.unwrap();
            let expected = StoreError::Corrupt(format!("row {id}: status: 99 is unknown"));
            assert_eq!(store.payment(payment.id).await, Err(expected));

            store.sql("UPDATE events SET kind = 99 WHERE position = 1").await.unwrap();
            assert!(matches!(store.events(0, 1).await, Err(StoreError::Corrupt(_))));
            assert_eq!(store.events(1, 1).await.unwrap().len(), 1);
        });
    }
}

#[test]
fn a_corrupt_row_fails_its_own_command_alone() {
    let ledger = Ledger::new(false);
    let store = ledger.sqlite();
    block_on(async {
        let mut sample = Sample::new();
        let mut first = sample.begin();
        first.claim = Some(claim(1));
        let (payment, _) = begun(&*store, first).await;
        store.sql("UPDATE payments SET status = 99").await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..20 {
            let (store, mut begin) = (Arc::clone(&store), sample.begin());
            begin.claim = (number % 2 == 0).then(|| claim(1));
            tasks.spawn(async move { (number, store.begin(begin).await) });
        }
        for (number, begun) in tasks.join_all().await {
            match (number % 2, begun) {
                (0, Err(StoreError::Corrupt(_))) | (1, Ok(Begun::Done)) => {}
                (_, other) => panic!("{number}: {other:?}"),
            }
        }
        assert!(store.payment(payment.id).await.is_err());
    });
}

#[test]
fn a_full_disk_is_unavailable_and_passes() {
    for inline in [false, true] {
        let mut ledger = Ledger::new(inline);
        let store = ledger.sqlite();
        let mut sample = Sample::new();
        let kept = block_on(async {
            let (kept, operation) = begun(&*store, sample.begin()).await;
            // No page more than there are.
            store.sql("PRAGMA max_page_count = 1").await.unwrap();
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..100_u8 {
                let (store, mut begin) = (Arc::clone(&store), sample.begin());
                begin.claim = Some(claim(number));
                begin.answer = Some(answer(201, &"x".repeat(3_000)));
                begin.payment.merchant = switchyard_core::MerchantName::new(&format!("shop-{number}")).unwrap();
                tasks.spawn(async move { (begin.clone(), store.begin(begin).await) });
            }
            let mut refused = 0;
            for (begin, begun) in tasks.join_all().await {
                let (claimed, payment) = store.claimed(begin.claim.unwrap().key, begin.payment.id).await.unwrap();
                match begun {
                    // There was room in pages that exist.
                    Ok(Begun::Done) => assert!(claimed.is_some() && payment.is_some()),
                    Err(StoreError::Unavailable(_)) => {
                        refused += 1;
                        assert!(claimed.is_none() && payment.is_none());
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert!(refused > 50, "{refused}");

            // Somebody makes room; the same commands do now.
            store.sql("PRAGMA max_page_count = 1000000").await.unwrap();
            begun(&*store, sample.begin()).await;
            let news = approved(&kept);
            concluded(&*store, sample.conclude(kept, operation, news)).await.0
        });
        drop(store);
        switchyard_store::suite::Fixture::restart(&mut ledger);
        let store = ledger.sqlite();
        assert_eq!(block_on(store.payment(kept.id)), Ok(Some(kept)));
    }
}

#[test]
fn a_write_that_fails_takes_no_other_with_it() {
    let ledger = Ledger::new(false);
    let store = ledger.sqlite();
    block_on(async {
        let trap = "CREATE TRIGGER trap BEFORE INSERT ON operations WHEN new.amount = 666 \
                    BEGIN SELECT raise(ABORT, 'trapped'); END";
        store.sql(trap).await.unwrap();
        let mut sample = Sample::new();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..40_u8 {
            let (store, mut begin) = (Arc::clone(&store), sample.begin());
            begin.claim = Some(claim(number));
            // Words that are new as well, so that their numbers are given and taken back.
            begin.payment.decided.rule = format!("rule-{number}").into();
            if number % 4 == 0 {
                begin.operation.amount = 666;
            }
            tasks.spawn(async move { (number, begin.payment.clone(), store.begin(begin).await) });
        }
        for (number, payment, begun) in tasks.join_all().await {
            let (claimed, read) = store.claimed([number; 16], payment.id).await.unwrap();
            if number % 4 == 0 {
                assert_eq!(begun.unwrap_err(), StoreError::Unavailable("trapped".into()));
                assert!(claimed.is_none() && read.is_none());
            } else {
                assert!(matches!(begun, Ok(Begun::Done)));
                assert_eq!(read.unwrap().decided.rule, payment.decided.rule);
            }
        }
        assert_eq!(store.events(0, 100).await.unwrap().len(), 30);
    });
}

#[test]
fn a_long_log_is_written_back_beside_the_writer() {
    let directory = TempDir::new().unwrap();
    let groups = Arc::new(Mutex::new(Vec::<Group>::new()));
    let mut settings = settings(&directory).unsynced();
    settings.checkpoint_pages = 200;
    let seen = Arc::clone(&groups);
    settings.observe = Some(Arc::new(move |group| seen.lock().unwrap().push(group)));
    let store = Sqlite::open(&settings).unwrap();
    let mut sample = Sample::new();
    block_on(async {
        for _ in 0..100 {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..32 {
                let (store, begin) = (Arc::clone(&store), sample.begin());
                let conclude_with = News::Approved(begin.payment.amount);
                let conclude = {
                    let (mut payment, mut operation) = (begin.payment.clone(), begin.operation.clone());
                    (payment.version, operation.version) = (1, 1);
                    sample.conclude(payment, operation, conclude_with)
                };
                tasks.spawn(async move {
                    store.begin(begin).await.unwrap();
                    store.conclude(conclude).await.unwrap();
                });
            }
            tasks.join_all().await;
        }
    });
    let stats = store.stats();
    assert!(stats.checkpoints.load(Ordering::Relaxed) > 0);
    let log = std::fs::metadata(settings.path.with_extension("db-wal")).unwrap().len();
    assert!(log < 4_096 * 2_000, "the log has {log} bytes");
    let groups = groups.lock().unwrap();
    assert_eq!(groups.iter().map(|group| group.commands).sum::<usize>(), 6_400);
    assert!(groups.len() < 6_400, "commands share commits");
    assert_eq!(stats.commands.load(Ordering::Relaxed), 6_400);
}

#[test]
fn what_was_answered_is_there_after_a_crash() {
    for inline in [false, true] {
        let ledger = Ledger::new(inline);
        let store = ledger.sqlite();
        let mut sample = Sample::new();
        let (payments, events) = block_on(async {
            let mut payments = Vec::new();
            for number in 0..50 {
                let mut begin = sample.begin();
                begin.claim = Some(claim(number));
                let (payment, operation) = begun(&*store, begin).await;
                let news = approved(&payment);
                payments.push(concluded(&*store, sample.conclude(payment, operation, news)).await);
            }
            (payments, store.events(0, 1_000).await.unwrap())
        });
        // As the disk has it at this moment, with nothing closed.
        let after = TempDir::new().unwrap();
        for file in ["switchyard.db", "switchyard.db-wal"] {
            std::fs::copy(ledger.settings().path.with_file_name(file), after.path().join(file)).unwrap();
        }
        let recovered = Sqlite::open_inline(&settings(&after)).unwrap();
        block_on(async {
            for (payment, operation) in payments {
                assert_eq!(recovered.payment(payment.id).await, Ok(Some(payment)));
                assert_eq!(recovered.operation(operation.id).await, Ok(Some(operation)));
            }
            assert_eq!(recovered.events(0, 1_000).await, Ok(events));
            assert!(recovered.claimed([49; 16], sample.payment().id).await.unwrap().0.is_some());
        });
    }
}
