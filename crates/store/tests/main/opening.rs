//! Who may open a ledger, and when it closes.

use crate::{Ledger, settings};
use std::sync::Arc;
use switchyard_store::sqlite::OpenError;
use switchyard_store::suite::Fixture as _;
use switchyard_store::suite::sample::{Sample, begun};
use switchyard_store::{Begun, Period, Sqlite, Store as _, StoreError};
use tempfile::TempDir;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_second_opener_is_refused_by_number() {
    let directory = TempDir::new().unwrap();
    let first = Sqlite::open(&settings(&directory)).unwrap();
    for opened in [Sqlite::open(&settings(&directory)), Sqlite::open_inline(&settings(&directory))] {
        let error = opened.unwrap_err();
        let pid = std::process::id();
        assert!(matches!(&error, OpenError::Locked { pid: Some(found), .. } if *found == pid), "{error:?}");
        assert!(error.to_string().ends_with(&format!("is in use by process {pid}")), "{error}");
    }
    drop(first);
    Sqlite::open(&settings(&directory)).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = settings(&directory).path;
    let text = "this is not a database, and it is longer than a header of one hundred bytes would be. ".repeat(9);
    std::fs::write(&path, &text).unwrap();
    let error = Sqlite::open(&settings(&directory)).unwrap_err();
    assert!(error.to_string().ends_with("switchyard.db is not a database"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = settings(&directory).path;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(other);
    let error = Sqlite::open(&settings(&directory)).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
}

#[test]
fn a_newer_schema_is_refused_by_number() {
    let directory = TempDir::new().unwrap();
    Sqlite::open(&settings(&directory)).unwrap().close();
    let connection = rusqlite::Connection::open(settings(&directory).path).unwrap();
    connection.execute("UPDATE meta SET value = 99 WHERE name = 'schema'", []).unwrap();
    drop(connection);
    let error = Sqlite::open(&settings(&directory)).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("schema version 99; this Switchyard knows versions up to 1"), "{error}");
}

#[test]
fn a_missing_directory_is_made_and_the_file_is_private() {
    let directory = TempDir::new().unwrap();
    let mut settings = settings(&directory);
    settings.path = directory.path().join("a/b/ledger.db");
    Sqlite::open(&settings).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&settings.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn closing_does_what_was_taken_in_and_nothing_after() {
    for inline in [false, true] {
        let ledger = Ledger::new(inline);
        let store = ledger.sqlite();
        let mut sample = Sample::new();
        let payment = block_on(begun(&*store, sample.begin())).0;
        store.close();
        store.close();
        let closed = Err(StoreError::Unavailable("it is closed".into()));
        assert_eq!(block_on(store.payment(payment.id)), closed);
        assert!(matches!(block_on(store.begin(sample.begin())), Err(StoreError::Unavailable(_))));
        // The log is empty and gone: all of it is in the database.
        assert!(!ledger.settings().path.with_extension("db-wal").exists());
    }
}

#[test]
fn a_full_queue_says_so_and_loses_nothing_it_took() {
    let directory = TempDir::new().unwrap();
    let mut settings = settings(&directory).unsynced();
    settings.queue_len = 4;
    let store = Sqlite::open(&settings).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let mut sample = Sample::new();
    let (mut done, mut overloaded) = (Vec::new(), 0);
    runtime.block_on(async {
        // Until one is refused: how fast the writer is does not matter.
        while overloaded == 0 {
            let mut tasks = tokio::task::JoinSet::new();
            for begin in (0..500).map(|_| sample.begin()) {
                let store = Arc::clone(&store);
                tasks.spawn(async move { (begin.payment.id, store.begin(begin).await) });
            }
            for (id, begun) in tasks.join_all().await {
                match begun {
                    Ok(Begun::Done) => done.push(id),
                    Err(StoreError::Overloaded) => overloaded += 1,
                    other => panic!("{other:?}"),
                }
            }
        }
        for id in done {
            assert!(store.payment(id).await.unwrap().is_some());
        }
    });
}

#[test]
fn a_restart_is_a_new_opening() {
    let mut ledger = Ledger::new(false);
    ledger.restart();
    assert_eq!(block_on(ledger.sqlite().events(0, 1)), Ok(Vec::new()));
}

#[test]
fn it_is_read_beside_the_one_who_writes() {
    let directory = TempDir::new().unwrap();
    let missing = Sqlite::open_reading(&settings(&directory)).unwrap_err();
    assert!(matches!(missing, OpenError::Missing { .. }), "{missing:?}");
    let writing = Sqlite::open(&settings(&directory).unsynced()).unwrap();
    let mut sample = Sample::new();
    let first = block_on(begun(&*writing, sample.begin())).0;
    let reading = Sqlite::open_reading(&settings(&directory)).unwrap();
    // Words that were written after it was opened are read as well.
    let mut begin = sample.begin();
    begin.payment.merchant = switchyard_core::MerchantName::new("new-shop").unwrap();
    let second = block_on(begun(&*writing, begin)).0;
    let slice = |store: &Sqlite| block_on(store.slice(Period::default(), None, 10)).unwrap().payments;
    assert_eq!(slice(&reading), [first.clone(), second.clone()]);
    let refused = block_on(reading.begin(sample.begin())).unwrap_err();
    assert!(refused.to_string().contains("reading only"), "{refused}");
    // Nor does it matter when it ends, or that the other does.
    let other = Sqlite::open_reading(&settings(&directory)).unwrap();
    drop(reading);
    block_on(begun(&*writing, sample.begin()));
    writing.close();
    assert_eq!(slice(&other).len(), 3);
    other.close();
    assert!(matches!(block_on(other.payment(first.id)), Err(StoreError::Unavailable(_))));
    assert_eq!(slice(&Sqlite::open(&settings(&directory)).unwrap()).len(), 3);
}

#[test]
fn what_a_dead_process_left_is_read_without_being_written_back() {
    let ledger = Ledger::new(true);
    let store = ledger.sqlite();
    let payment = block_on(begun(&*store, Sample::new().begin())).0;
    // As the disk has it at this moment, with nothing closed.
    let after = TempDir::new().unwrap();
    for file in ["switchyard.db", "switchyard.db-wal"] {
        std::fs::copy(ledger.settings().path.with_file_name(file), after.path().join(file)).unwrap();
    }
    let log = std::fs::read(after.path().join("switchyard.db-wal")).unwrap();
    let reading = Sqlite::open_reading(&settings(&after)).unwrap();
    assert_eq!(block_on(reading.payment(payment.id)), Ok(Some(payment)));
    drop(reading);
    assert_eq!(std::fs::read(after.path().join("switchyard.db-wal")).unwrap(), log);
}
