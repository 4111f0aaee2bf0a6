//! The end of a ledger that only a fresh start can help.

use super::settings::Fatal;
use std::fmt;
use std::sync::OnceLock;

/// Shared by all who may find out. Once told, nothing is written any more, even if the process is not ended.
pub(super) struct Doom {
    fatal: Fatal,
    reason: OnceLock<String>,
}

impl Doom {
    pub(super) fn new(fatal: Fatal) -> Self {
        Self { fatal, reason: OnceLock::new() }
    }

    /// Says so to whoever ends the process.
    pub(super) fn tell(&self, reason: &str) {
        tracing::error!(reason, "the ledger stops");
        // The first reason stays.
        self.reason.get_or_init(|| reason.to_owned());
        (self.fatal)(reason);
    }

    /// The disk may hold what was written, or may not.
    pub(super) fn lost_sync(&self, error: &dyn fmt::Display) {
        self.tell(&format!("the disk did not confirm a write: {error}"));
    }

    /// Why nothing is written any more.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn the_first_reason_stays_and_each_is_told() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&told);
        let doom = Doom::new(Arc::new(move |reason: &str| hears.lock().unwrap().push(reason.to_owned())));
        assert_eq!(doom.reason(), None);
        doom.lost_sync(&"no space");
        doom.tell("again");
        assert_eq!(doom.reason(), Some("the disk did not confirm a write: no space"));
        assert_eq!(*told.lock().unwrap(), ["the disk did not confirm a write: no space", "again"]);
    }
}
