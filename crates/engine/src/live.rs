//! Operations that a task of this process owns: nobody else decides on them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use switchyard_core::OperationId;

/// The operations that have an owner. Shared by all workers of a process.
#[derive(Clone, Debug, Default)]
pub struct Live(Arc<Mutex<HashSet<OperationId>>>);

impl Live {
    /// Owned from here until what is given back is dropped, also by a panic. `None` where it has an owner.
    pub(crate) fn own(&self, operation: OperationId) -> Option<Owned> {
        let fresh = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(operation);
        fresh.then(|| Owned { live: self.clone(), operation })
    }

    /// Whether it has an owner.
    pub(crate) fn owns(&self, operation: OperationId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&operation)
    }
}

/// Gives the operation up when dropped.
pub(crate) struct Owned {
    live: Live,
    operation: OperationId,
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.live.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.operation);
    }
}
