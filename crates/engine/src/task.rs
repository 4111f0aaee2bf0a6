//! Tasks that own an operation from the moment its intent is handed to the ledger: a merchant who hangs up cancels
//! nothing.

use crate::{Engine, EngineError};
use std::future::Future;
use std::pin::Pin;
use tokio::sync::oneshot;

/// A task, ready to run.
pub type BoxedTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The process is stopping and takes nothing new on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopping;

/// Where tasks run. Whoever implements it waits for all of them before the process ends.
pub trait Spawn: Send + Sync {
    /// Runs `task` to its end, whatever becomes of the caller.
    ///
    /// # Errors
    /// [`Stopping`] once no new task may start; `task` was dropped without being polled.
    fn spawn(&self, task: BoxedTask) -> Result<(), Stopping>;
}

/// How a task gives its caller an answer, maybe long before it ends.
pub(crate) struct Reply<T>(Option<oneshot::Sender<T>>);

impl<T> Reply<T> {
    /// The first call answers; a caller who has gone, or was answered, does not matter.
    pub(crate) fn send(&mut self, value: T) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(value);
        }
    }
}

impl Engine {
    /// Runs `work` as a task of its own, and waits for what it replies.
    pub(crate) async fn owned<T, W, F>(&self, work: W) -> Result<T, EngineError>
    where
        T: Send + 'static,
        F: Future<Output = ()> + Send + 'static,
        W: FnOnce(Reply<Result<T, EngineError>>) -> F,
    {
        let (sender, receiver) = oneshot::channel();
        let task = work(Reply(Some(sender)));
        self.seams.spawn.spawn(Box::pin(task)).map_err(|Stopping| EngineError::Stopping)?;
        // A task that ends without an answer has panicked or was torn down: what it did is in the ledger, or nowhere.
        receiver.await.unwrap_or(Err(EngineError::Unanswered))
    }
}
