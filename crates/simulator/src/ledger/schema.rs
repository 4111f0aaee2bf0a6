//! The file: how it is opened, and what it holds.

use std::path::Path;

use rusqlite::Connection;

use crate::settings::Durability;

const VERSION: i32 = 1;

/// One row for everything that was ever booked, so that numbers give one order, and an idempotency key is used once.
///
/// The hot path writes the table and `entries_by_key`, no other index: a reference equal to the key is kept as NULL, and
/// charges that are captured at once never fall due.
const SCHEMA: &str = "
CREATE TABLE books (
    number INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    mode TEXT NOT NULL,
    UNIQUE (account, mode)
) STRICT;

CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    object TEXT NOT NULL,      -- charge, capture, void, refund
    book INTEGER NOT NULL,
    key TEXT NOT NULL,         -- the idempotency key
    reference TEXT,            -- NULL: the same as key
    charge INTEGER,            -- NULL on charges: the number of the charge it belongs to
    status TEXT NOT NULL,
    failure TEXT,              -- why it failed, or, while pending, is going to fail
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    authorized INTEGER NOT NULL,
    captured INTEGER NOT NULL,
    capturing INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    refunding INTEGER NOT NULL,
    released INTEGER NOT NULL,
    created_at INTEGER NOT NULL, -- milliseconds since 1970
    due_at INTEGER,              -- when time will change it
    asked INTEGER NOT NULL DEFAULT 1,
    request TEXT NOT NULL      -- in normal form, to tell a repetition from another request
) STRICT;
CREATE UNIQUE INDEX entries_by_key ON entries (book, key);
CREATE INDEX entries_by_reference ON entries (book, reference) WHERE reference IS NOT NULL;
CREATE INDEX entries_by_charge ON entries (charge) WHERE charge IS NOT NULL;
CREATE INDEX entries_by_due_at ON entries (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE unbooked (
    number INTEGER PRIMARY KEY,
    object TEXT NOT NULL,
    book INTEGER NOT NULL,
    key TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    UNIQUE (book, key)
) STRICT;

CREATE TABLE secret (bytes BLOB NOT NULL) STRICT;
";

/// Opens or creates the file, and holds it alone. A file in use, or of another version, is refused.
pub(super) fn open(path: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(1))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::Durable => "FULL",
        Durability::Fast => "OFF",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    match transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))? {
        0 => create(&transaction)?,
        VERSION => {}
        other => {
            let message = format!("the ledger is of version {other}, this program knows version {VERSION}");
            return Err(rusqlite::Error::ToSqlConversionFailure(message.into()));
        }
    }
    transaction.commit()?;
    Ok(connection)
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.to_string().into()))?;
    connection.execute_batch(SCHEMA)?;
    connection.execute("INSERT INTO secret (bytes) VALUES (?1)", [secret])?;
    connection.pragma_update(None, "user_version", VERSION)
}

/// Thirty-two random bytes, made with the file.
pub(super) fn secret(connection: &Connection) -> rusqlite::Result<[u8; 32]> {
    connection.query_row("SELECT bytes FROM secret", [], |row| row.get(0))
}
