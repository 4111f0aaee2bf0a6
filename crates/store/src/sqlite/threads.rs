//! The threads of the embedded ledger, and the queues before them.

use super::checkpoint::{Checkpointer, Signals};
use super::columns::View;
use super::dictionary::Dictionary;
use super::doom::Doom;
use super::fault::Fault;
use super::lock::DirectoryLock;
use super::queue::{NotTaken, Queue};
use super::settings::{OpenError, Settings};
use super::stats::Stats;
use super::writer::{Answered, Command, Writer};
use super::{closed, connection, guard, of_one_moment};
use crate::StoreError;
use rusqlite::Connection;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

const READERS: usize = 2;

/// A command, and who waits for its answer.
struct Job {
    command: Command,
    reply: oneshot::Sender<Answered>,
}

type Read = Box<dyn FnOnce(View<'_>) + Send>;

pub(super) struct Threads {
    jobs: Arc<Queue<Job>>,
    reads: Arc<Queue<Read>>,
    signals: Arc<Signals>,
    /// `None` once closed.
    held: Mutex<Option<Held>>,
}

/// What ends with the ledger.
struct Held {
    writer: JoinHandle<()>,
    readers: Vec<JoinHandle<()>>,
    checkpointer: JoinHandle<()>,
    file: Arc<File>,
    lock: DirectoryLock,
}

impl Threads {
    pub(super) fn start(
        settings: &Settings,
        writer: Writer,
        dictionary: &Arc<Dictionary>,
        stats: &Arc<Stats>,
        file: File,
        lock: DirectoryLock,
    ) -> Result<Self, OpenError> {
        let failed = OpenError::io(&settings.path);
        let file = Arc::new(file);
        let jobs = Arc::new(Queue::new(settings.queue_len));
        let reads = Arc::new(Queue::new(settings.read_queue_len));
        let signals = Arc::new(Signals::new());

        let checkpointer = Checkpointer {
            connection: connection::checkpointer(settings)?,
            file: Arc::clone(&file),
            signals: Arc::clone(&signals),
            stats: Arc::clone(stats),
            doom: writer.doom(),
        };
        let connections = (0..READERS).map(|_| connection::reader(&settings.path)).collect::<Result<Vec<_>, _>>()?;

        let desk = Desk {
            doom: writer.doom(),
            writer,
            jobs: Arc::clone(&jobs),
            signals: Arc::clone(&signals),
            batch_max: settings.batch_max,
            checkpoint_pages: settings.checkpoint_pages,
        };
        let spawned = || -> std::io::Result<_> {
            let writer = spawn("ledger-writer", move || desk.work())?;
            let checkpointer = spawn("ledger-log", move || checkpointer.work())?;
            let readers = connections.into_iter().map(|connection| {
                let (reads, dictionary) = (Arc::clone(&reads), Arc::clone(dictionary));
                spawn("ledger-reader", move || read_all(&connection, &dictionary, &reads))
            });
            Ok((writer, checkpointer, readers.collect::<std::io::Result<Vec<_>>>()?))
        };
        let spawned = spawned().map_err(|error| {
            // Those that did start end.
            jobs.close();
            reads.close();
            signals.close();
            failed(error)
        });
        let (writer, checkpointer, readers) = spawned?;
        let held = Mutex::new(Some(Held { writer, readers, checkpointer, file, lock }));
        Ok(Self { jobs, reads, signals, held })
    }

    pub(super) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    pub(super) async fn command(&self, command: Command) -> Answered {
        let (reply, answer) = oneshot::channel();
        // An outcome that could not be written would be told as doubt; there is one at most for each intent let in.
        let outcome = matches!(command, Command::Conclude(_) | Command::Postpone(_));
        let job = Job { command, reply };
        if outcome { self.jobs.push_anyway(job) } else { self.jobs.push(job) }.map_err(not_taken)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the writer has ended".into())))
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(View<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Read = Box::new(move |view| {
            // Who waited may be gone; then nobody misses it.
            let _unheard = reply.send(of_one_moment(view, read));
        });
        self.reads.push(job).map_err(not_taken)?;
        match answer.await {
            Ok(value) => Ok(value?),
            Err(_) => Err(StoreError::Unavailable("the read was given up".into())),
        }
    }

    /// Does what was taken in, then ends. The last connection to close is the one that empties the log.
    pub(super) fn close(&self) {
        let mut held = guard(&self.held);
        let Some(Held { writer, readers, checkpointer, file, lock }) = held.take() else { return };
        self.jobs.close();
        self.reads.close();
        // A thread that panicked has said so already.
        let _ended = writer.join();
        for reader in readers {
            let _ended = reader.join();
        }
        self.signals.close();
        let _ended = checkpointer.join();
        drop(file);
        drop(lock);
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn not_taken(not_taken: NotTaken) -> StoreError {
    match not_taken {
        NotTaken::Full => StoreError::Overloaded,
        NotTaken::Closed => closed(),
    }
}

/// Where the writer sits.
struct Desk {
    doom: Arc<Doom>,
    writer: Writer,
    jobs: Arc<Queue<Job>>,
    signals: Arc<Signals>,
    batch_max: usize,
    checkpoint_pages: u64,
}

impl Desk {
    /// Until the queue is closed and empty.
    fn work(mut self) {
        if catch_unwind(AssertUnwindSafe(|| self.groups())).is_err() {
            self.doom.tell("the ledger's writer panicked");
        }
        self.jobs.abandon();
    }

    fn groups(&mut self) {
        #[expect(clippy::disallowed_methods, reason = "it measures commits for metrics, and nothing hangs on it")]
        let start = std::time::Instant::now();
        let elapsed = move || start.elapsed();
        let mut jobs: Vec<Job> = Vec::new();
        while self.jobs.take(self.batch_max, &mut jobs) {
            let (commands, replies): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.command, job.reply)).unzip();
            let answers = self.writer.run(&commands, &elapsed);
            #[cfg(feature = "crash-points")]
            super::crash::before_answers();
            #[cfg(feature = "crash-points")]
            let (mut index, of) = (0_usize, replies.len());
            for (reply, answer) in replies.into_iter().zip(answers) {
                // Who waited may be gone; what is written stays written.
                let _unheard = reply.send(answer);
                #[cfg(feature = "crash-points")]
                super::crash::answered(&mut index, of);
            }
            self.look_after_log();
        }
    }

    fn look_after_log(&mut self) {
        if self.signals.after_group(self.writer.log_pages() >= self.checkpoint_pages) {
            self.writer.write_back();
        }
    }
}

fn read_all(connection: &Connection, dictionary: &Dictionary, reads: &Queue<Read>) {
    while let Some(read) = reads.take_one() {
        // Its caller hears that it was given up; the next one is read all the same.
        if catch_unwind(AssertUnwindSafe(|| read(View { connection, dictionary }))).is_err() {
            tracing::error!("a read of the ledger panicked");
        }
    }
}
