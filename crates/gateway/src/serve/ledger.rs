//! The ledger of a serving process.

use super::Failure;
use crate::config::settings::{Store as StoreSettings, StoreUrl};
use crate::metrics::Metrics;
use std::sync::Arc;
use switchyard_store::sqlite::{Settings, Sqlite};

/// Opens it, and has its commits counted.
pub(super) fn open(settings: &StoreSettings, metrics: &Arc<Metrics>) -> Result<Arc<Sqlite>, Failure> {
    let StoreUrl::Sqlite(path) = &settings.url;
    let mut opening = Settings::new(path, Arc::new(end));
    #[cfg(feature = "crash-points")]
    {
        opening.checkpoint_pages = switchyard_crash_points::checkpoint_pages().unwrap_or(opening.checkpoint_pages);
        if switchyard_crash_points::unsynced() {
            opening = opening.unsynced();
        }
    }
    let metrics = Arc::clone(metrics);
    opening.observe = Some(Arc::new(move |group| metrics.committed(group.commands, group.commit)));
    Ok(Sqlite::open(&opening)?)
}

/// The disk did not say that it has what was written: nobody knows what it has. Recovery is the only road back.
fn end(reason: &str) {
    tracing::error!(reason, "the ledger cannot go on; ending the process");
    eprintln!("switchyard: the ledger cannot go on: {reason}");
    std::process::abort();
}
