//! Tasks that own operations, and the end of the process that waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use switchyard_engine::{BoxedTask, Spawn, Stopping};
use tokio_util::task::TaskTracker;

/// Runs tasks on the worker that asked, and lets the process wait for all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stopping: Arc<AtomicBool>,
}

impl Tasks {
    /// From here on nothing new starts.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.tracker.close();
    }

    /// Whether nothing new starts any more.
    pub(crate) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Returns when all have ended; [`Tasks::stop`] first.
    pub(crate) async fn wait(&self) {
        self.tracker.wait().await;
    }

    /// How many are running.
    pub(crate) fn running(&self) -> usize {
        self.tracker.len()
    }
}

impl Spawn for Tasks {
    fn spawn(&self, task: BoxedTask) -> Result<(), Stopping> {
        // Held while deciding: whoever waits for the end cannot miss a task that was let in.
        let token = self.tracker.token();
        if self.stopping() {
            return Err(Stopping);
        }
        self.tracker.spawn(task);
        drop(token);
        Ok(())
    }
}
