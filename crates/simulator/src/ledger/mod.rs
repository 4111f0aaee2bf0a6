//! The ledger: one SQLite file, written and read by one thread.
//!
//! Jobs that wait at the same time share a commit, and none of them is answered before it. So what anybody was told is in the file,
//! and every look-up sees all that was told before.

mod books;
mod lines;
mod rows;
mod schema;

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

pub(crate) use books::{Books, Made, OnCharge, Request};
pub(crate) use lines::Line;

use crate::clock::Millis;
use crate::error::ApiError;
use crate::limits::{BATCH_MAX, GATHER};
use crate::settings::Durability;

/// What to tell whoever asked, after the commit. Dropped instead, it tells them that the ledger failed.
type Reply = Box<dyn FnOnce() + Send>;
type Job = Box<dyn FnOnce(&mut Books) -> rusqlite::Result<Reply> + Send>;

enum Message {
    Job(Job),
    Stop,
}

/// Hands jobs to the ledger's thread.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    messages: mpsc::Sender<Message>,
}

/// The ledger's thread.
#[derive(Debug)]
pub(crate) struct Keeper {
    ledger: Ledger,
    thread: JoinHandle<()>,
}

/// Opens the ledger, and answers the secret that belongs to it for ever.
pub(crate) fn open(path: &Path, durability: Durability) -> rusqlite::Result<(Keeper, [u8; 32])> {
    let connection = schema::open(path, durability)?;
    let secret = schema::secret(&connection)?;
    let mut books = Books::new(connection);
    books.recall()?;
    let (messages, inbox) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("simulator-ledger".into())
        .spawn(move || keep(&mut books, &inbox))
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    Ok((Keeper { ledger: Ledger { messages }, thread }, secret))
}

impl Ledger {
    /// Runs a job in the ledger's thread and answers once it is committed. The job is done even if nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Books) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |books| {
            let value = job(books)?;
            // Whoever asked may be gone.
            Ok(Box::new(move || drop(tell.send(value))))
        });
        self.messages.send(Message::Job(job)).map_err(|_| ApiError::Internal)?;
        told.await.map_err(|_| ApiError::Internal)
    }
}

impl Keeper {
    pub(crate) fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Ends the thread after the jobs it has, and closes the file. Blocks.
    pub(crate) fn stop(self) {
        // Failing to send means that the thread has ended already.
        let _ = self.ledger.messages.send(Message::Stop);
        if self.thread.join().is_err() {
            tracing::error!("the ledger's thread panicked");
        }
    }
}

fn keep(books: &mut Books, inbox: &mpsc::Receiver<Message>) {
    let mut replies = Vec::with_capacity(BATCH_MAX);
    let mut busy = false;
    while let Ok(Message::Job(first)) = inbox.recv() {
        if busy {
            // Waking this thread and committing cost more than a job does. Where jobs come one at a time, none waits.
            std::thread::sleep(GATHER);
        }
        let mut stopping = false;
        let rest = std::iter::from_fn(|| match inbox.try_recv() {
            Ok(Message::Job(job)) => Some(job),
            Ok(Message::Stop) => {
                stopping = true;
                None
            }
            Err(_) => None,
        });
        let jobs = std::iter::once(first).chain(rest).take(BATCH_MAX);
        let committed = commit(books, jobs, &mut replies);
        busy = replies.len() > 1;
        match committed {
            Ok(()) => replies.drain(..).for_each(|reply| reply()),
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be written: the batch is rolled back");
                replies.clear();
            }
        }
        if stopping {
            return;
        }
    }
}

/// Runs a batch in one transaction: all of it is booked, or nothing.
fn commit(books: &mut Books, jobs: impl Iterator<Item = Job>, replies: &mut Vec<Reply>) -> rusqlite::Result<()> {
    let done = books.begin(Millis::now()).and_then(|()| {
        for job in jobs {
            replies.push(job(books)?);
        }
        books.commit()
    });
    if done.is_err() {
        books.roll_back();
    }
    done
}

/// A ledger in memory, for tests of the books alone.
#[cfg(test)]
fn in_memory() -> Books {
    let connection = schema::open(Path::new(":memory:"), Durability::Fast).unwrap();
    let mut books = Books::new(connection);
    books.recall().unwrap();
    books
}
