//! Who changes the ledger: the process that serves from it, asked, or this one, where none does.

use super::serving::{self, Serving};
use super::{Failed, client};
use crate::config::Settings;
use crate::config::settings::StoreUrl;
use std::future::Future;
use std::sync::Arc;
use switchyard_store::sqlite::{self, Sqlite};

/// The way to a ledger.
pub(crate) enum Ledger {
    /// A process serves from it.
    Served(Serving),
    /// Nobody does; it is ours for as long as this lives.
    Own(Own),
}

impl Ledger {
    /// Finds the process that serves from the data directory, else opens the ledger.
    pub(crate) fn reach(settings: &Settings) -> Result<Self, Failed> {
        // A process that died leaves its note behind, but nobody who listens.
        match serving::read(&settings.store.data)?.filter(client::listens) {
            Some(serving) => Ok(Self::Served(serving)),
            None => Own::open(settings).map(Self::Own),
        }
    }
}

/// A ledger that this process has opened.
pub(crate) struct Own {
    pub(crate) store: Arc<Sqlite>,
}

impl Own {
    fn open(settings: &Settings) -> Result<Self, Failed> {
        let StoreUrl::Sqlite(path) = &settings.store.url;
        let fatal = Arc::new(|reason: &str| {
            eprintln!("the ledger cannot go on: {reason}");
            std::process::abort();
        });
        Ok(Self { store: Sqlite::open_inline(&sqlite::Settings::new(path, fatal))? })
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.store.close();
    }
}

/// Waits for what the ledger does.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failed> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?.block_on(future))
}
