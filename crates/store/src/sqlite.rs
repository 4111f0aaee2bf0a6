//! The embedded ledger, on SQLite: one writer that commits many commands in one group, and readers beside it.
//!
//! With [`Sqlite::open`] the writer, two readers and the one who writes the log back are threads of their own behind
//! bounded queues. With [`Sqlite::open_inline`] there are no threads and every call does its work before it returns, so
//! that a deterministic scheduler can drive the same code. Either way a commit has reached the disk before a command is
//! answered. With [`Sqlite::open_reading`] it is read beside the process that serves from it, and nothing is written.
//!
//! A command that was taken in runs to its end, whether anybody still waits for its answer or not.

mod account;
mod administration;
mod channel_event;
mod checkpoint;
mod columns;
mod connection;
#[cfg(feature = "crash-points")]
mod crash;
mod dictionary;
mod doom;
mod event;
mod fault;
mod feed;
mod list;
mod lock;
mod number;
mod operation;
mod pack;
mod payment;
mod queue;
mod records;
mod reserved;
mod retention;
mod schema;
mod settings;
mod state;
mod stats;
mod threads;
mod watch;
mod webhook;
mod writer;

pub use settings::{Fatal, Group, Observe, OpenError, Settings};
pub use stats::Stats;

use crate::{
    AccountUse, Administer, ApiKey, Audit, Begin, Begun, Claimed, Conclude, KeptRules, Override, Page, PaymentFilter,
    Period, Postpone, Recorded, RecordedStatus, Slice, StaleClaims, StatusQuery, StillNeeded, Store, StoreError,
    Totals, Written,
};
use columns::View;
use dictionary::{Dictionary, Interner};
use fault::Fault;
use lock::DirectoryLock;
use rusqlite::Connection;
use std::fmt;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use switchyard_core::id::KeyId;
use switchyard_core::operation::Target;
use switchyard_core::{
    MerchantName, Mode, Operation, OperationId, OperationKind, Payment, PaymentId, Route, RouteId, Timestamp,
};
use threads::Threads;
use writer::{Answered, Command, Outcome, Writer};

/// The embedded ledger.
pub struct Sqlite {
    running: Running,
    stats: Arc<Stats>,
    list_rows_max: u32,
}

enum Running {
    Threads(Threads),
    /// `None` once closed.
    Inline(Mutex<Option<Inline>>),
    /// `None` once closed.
    Reading(Mutex<Option<Reading>>),
}

/// Beside whoever writes.
struct Reading {
    connection: Connection,
    dictionary: Dictionary,
}

/// The order of the fields is the order in which they end.
struct Inline {
    writer: Writer,
    checkpoint_pages: u64,
    _file: File,
    _lock: DirectoryLock,
}

impl Sqlite {
    /// Opens or makes the ledger, with threads.
    ///
    /// # Errors
    /// [`OpenError`]: in use, not a ledger, of a newer version, or not to be read or written.
    pub fn open(settings: &Settings) -> Result<Arc<Self>, OpenError> {
        let (lock, file) = prepare(settings)?;
        let stats = Arc::new(Stats::default());
        let (writer, dictionary) = writer(settings, &stats)?;
        let threads = Threads::start(settings, writer, &dictionary, &stats, file, lock)?;
        let running = Running::Threads(threads);
        Ok(Arc::new(Self { running, stats, list_rows_max: settings.list_rows_max }))
    }

    /// Opens or makes the ledger, without threads: each call does its work before its first await returns.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_inline(settings: &Settings) -> Result<Arc<Self>, OpenError> {
        let (lock, file) = prepare(settings)?;
        let stats = Arc::new(Stats::default());
        let (writer, _) = writer(settings, &stats)?;
        let inline = Inline { writer, checkpoint_pages: settings.checkpoint_pages, _file: file, _lock: lock };
        let running = Running::Inline(Mutex::new(Some(inline)));
        Ok(Arc::new(Self { running, stats, list_rows_max: settings.list_rows_max }))
    }

    /// Opens the ledger for reading, without its lock: whether a process serves from it or not. Commands are refused. Each
    /// read sees one moment and holds nothing behind, so that a long way through the ledger does not keep its log from
    /// being written back.
    ///
    /// # Errors
    /// [`OpenError`]: not there, not a ledger, of another version, or not to be read.
    pub fn open_reading(settings: &Settings) -> Result<Arc<Self>, OpenError> {
        let connection = connection::beside(&settings.path)?;
        let dictionary = Dictionary::load(&connection).map_err(failed(settings))?;
        let running = Running::Reading(Mutex::new(Some(Reading { connection, dictionary })));
        Ok(Arc::new(Self { running, stats: Arc::default(), list_rows_max: settings.list_rows_max }))
    }

    /// Figures since the start.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Commands that wait for the writer now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        match &self.running {
            Running::Threads(threads) => threads.waiting(),
            Running::Inline(_) | Running::Reading(_) => 0,
        }
    }

    /// Takes nothing in any more, does what was taken in, writes the log back and lets go of the directory. Blocks until
    /// that is done. Closing again does nothing.
    pub fn close(&self) {
        match &self.running {
            Running::Threads(threads) => threads.close(),
            Running::Inline(inline) => {
                let closed = guard(inline).take();
                drop(closed);
            }
            Running::Reading(reading) => {
                let closed = guard(reading).take();
                drop(closed);
            }
        }
    }

    /// Runs SQL on the connection that writes, as a command of its own, for tests that break things.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where SQLite refuses it.
    #[cfg(feature = "suite")]
    pub async fn sql(&self, sql: &str) -> Result<(), StoreError> {
        self.command(Command::Sql(sql.to_owned())).await.map(drop)
    }

    async fn command(&self, command: Command) -> Answered {
        match &self.running {
            Running::Threads(threads) => threads.command(command).await,
            Running::Inline(inline) => match guard(inline).as_mut() {
                Some(inline) => inline.command(command),
                None => Err(closed()),
            },
            Running::Reading(_) => Err(StoreError::Unavailable("it is open for reading only".into())),
        }
    }

    async fn written(&self, command: Command) -> Result<Written, StoreError> {
        match self.command(command).await? {
            Outcome::Written(written) => Ok(written),
            Outcome::Begun(_) => Err(StoreError::Unavailable("an answer of another command".into())),
        }
    }

    /// Reads from one moment of the ledger.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(View<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.running {
            Running::Threads(threads) => threads.read(read).await,
            Running::Inline(inline) => match guard(inline).as_ref() {
                Some(inline) => Ok(of_one_moment(inline.writer.view(), read)?),
                None => Err(closed()),
            },
            Running::Reading(reading) => match guard(reading).as_ref() {
                Some(Reading { connection, dictionary }) => Ok(of_one_moment(View { connection, dictionary }, read)?),
                None => Err(closed()),
            },
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl Inline {
    fn command(&mut self, command: Command) -> Answered {
        let mut answers = self.writer.run(&[command], &|| Duration::ZERO);
        if self.writer.log_pages() >= self.checkpoint_pages {
            self.writer.write_back();
        }
        answers.pop().unwrap_or_else(|| Err(closed()))
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".into())
}

fn prepare(settings: &Settings) -> Result<(DirectoryLock, File), OpenError> {
    let lock = DirectoryLock::take(&settings.path)?;
    let file = connection::create(&settings.path)?;
    Ok((lock, file))
}

fn writer(settings: &Settings, stats: &Arc<Stats>) -> Result<(Writer, Arc<Dictionary>), OpenError> {
    let connection = connection::writer(settings)?;
    let dictionary = Arc::new(Dictionary::load(&connection).map_err(failed(settings))?);
    let words = Interner::new(&connection, Arc::clone(&dictionary)).map_err(OpenError::sql(&settings.path))?;
    let writer = Writer::new(connection, words, Arc::clone(stats), settings).map_err(OpenError::sql(&settings.path))?;
    Ok((writer, dictionary))
}

fn failed(settings: &Settings) -> impl Fn(Fault) -> OpenError {
    |fault: Fault| OpenError::Failed { path: settings.path.clone(), reason: StoreError::from(fault).to_string() }
}

fn of_one_moment<T>(view: View<'_>, read: impl FnOnce(View<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let moment = view.connection.unchecked_transaction()?;
    let value = read(view)?;
    moment.finish()?;
    Ok(value)
}

#[async_trait::async_trait]
impl Store for Sqlite {
    async fn begin(&self, command: Begin) -> Result<Begun, StoreError> {
        match self.command(Command::Begin(Box::new(command))).await? {
            Outcome::Begun(begun) => Ok(begun),
            Outcome::Written(_) => Err(StoreError::Unavailable("an answer of another command".into())),
        }
    }

    async fn conclude(&self, command: Conclude) -> Result<Written, StoreError> {
        self.written(Command::Conclude(Box::new(command))).await
    }

    async fn postpone(&self, command: Postpone) -> Result<Written, StoreError> {
        self.written(Command::Postpone(command)).await
    }

    async fn administer(&self, command: Administer, audit: Audit) -> Result<Written, StoreError> {
        self.written(Command::Administer(Box::new(command), Box::new(audit))).await
    }

    async fn stale_claims(&self, after: [u8; 16], before: Timestamp, limit: u32) -> Result<StaleClaims, StoreError> {
        self.read(move |view| retention::stale(view, after, before, limit)).await
    }

    async fn forget(&self, keys: Vec<[u8; 16]>) -> Result<(), StoreError> {
        self.written(Command::Forget(keys)).await.map(drop)
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        self.read(move |view| payment::read(view, id)).await
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        self.read(move |view| operation::read(view, id)).await
    }

    async fn operations(&self, ids: Vec<OperationId>) -> Result<Vec<Operation>, StoreError> {
        self.read(move |view| ids.into_iter().filter_map(|id| operation::read(view, id).transpose()).collect()).await
    }

    async fn claimed(
        &self,
        key: [u8; 16],
        payment: PaymentId,
    ) -> Result<(Option<Claimed>, Option<Payment>), StoreError> {
        self.read(move |view| Ok((operation::claimed(view, key)?, payment::read(view, payment)?))).await
    }

    async fn list_payments(
        &self,
        filter: PaymentFilter,
        before: Option<PaymentId>,
        limit: u32,
    ) -> Result<Page<Payment>, StoreError> {
        let rows_max = self.list_rows_max;
        self.read(move |view| list::payments(view, &filter, before, limit, rows_max)).await
    }

    async fn list_operations(
        &self,
        merchant: MerchantName,
        mode: Mode,
        kinds: Vec<OperationKind>,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Page<(Operation, Payment)>, StoreError> {
        let rows_max = self.list_rows_max;
        self.read(move |view| list::operations(view, (&merchant, mode), &kinds, before, limit, rows_max)).await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Operation>, StoreError> {
        self.read(move |view| watch::due(view, now, limit)).await
    }

    async fn intended(&self, before: Timestamp, limit: u32) -> Result<Vec<Operation>, StoreError> {
        self.read(move |view| watch::intended(view, before, limit)).await
    }

    async fn events(&self, after: i64, limit: u32) -> Result<Vec<Recorded>, StoreError> {
        self.read(move |view| event::after(view, after, limit)).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.read(administration::keys).await
    }

    async fn overrides(&self) -> Result<Vec<Override>, StoreError> {
        self.read(administration::overrides).await
    }

    async fn audit(&self, limit: u32) -> Result<Vec<Audit>, StoreError> {
        self.read(move |view| administration::audit(view, limit)).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.read(watch::totals).await
    }

    async fn reserve(&self, route: Route) -> Result<(), StoreError> {
        self.written(Command::Reserve(Box::new(route))).await.map(drop)
    }

    async fn route(&self, id: RouteId) -> Result<Option<Route>, StoreError> {
        self.read(move |view| reserved::read(view, id)).await
    }

    async fn forget_routes(&self, before: Timestamp, limit: u32) -> Result<(), StoreError> {
        self.written(Command::ForgetRoutes { before, limit }).await.map(drop)
    }

    async fn targets(&self) -> Result<Vec<Target>, StoreError> {
        self.read(|view| Ok(account::all(view))).await
    }

    async fn still_needed(
        &self,
        accounts: Vec<AccountUse>,
        before: Option<PaymentId>,
    ) -> Result<StillNeeded, StoreError> {
        let rows_max = self.list_rows_max;
        self.read(move |view| account::still_needed(view, &accounts, before, rows_max)).await
    }

    async fn keep_rules(&self, rules: KeptRules) -> Result<(), StoreError> {
        self.written(Command::KeepRules(Box::new(rules))).await.map(drop)
    }

    async fn rules(&self, hash: String) -> Result<Option<KeptRules>, StoreError> {
        self.read(move |view| records::kept(view, &hash)).await
    }

    async fn slice(&self, period: Period, after: Option<PaymentId>, limit: u32) -> Result<Slice, StoreError> {
        self.read(move |view| records::slice(view, period, after, limit)).await
    }

    async fn note_uses(&self, uses: Vec<(KeyId, Timestamp)>) -> Result<(), StoreError> {
        self.written(Command::NoteUses(uses)).await.map(drop)
    }

    async fn status_changes(&self, query: StatusQuery, limit: u32) -> Result<Vec<RecordedStatus>, StoreError> {
        self.read(move |view| channel_event::read(view, &query, limit)).await
    }

    async fn free_accounts(&self) -> Result<Vec<AccountUse>, StoreError> {
        self.read(account::free).await
    }

    async fn keep_free(&self, accounts: Vec<AccountUse>) -> Result<(), StoreError> {
        self.written(Command::KeepFree(accounts)).await.map(drop)
    }
}
