//! Rule sets taken from the ledger and compiled again, the latest few of them at hand.

use std::sync::{Arc, Mutex, PoisonError};
use switchyard_routing::{NotAgain, RuleSet};
use switchyard_store::{Store, StoreError};

/// How many are at hand. Payments that were made one after the other were decided by few of them.
const RULE_SETS_MAX: usize = 8;

/// Why a decision's rules are not to be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unkept {
    /// The ledger does not have them.
    #[error("the ledger does not have the rules that decided")]
    Missing,
    /// It has something that does not make them again.
    #[error("the rules that decided are not to be had again: {0}")]
    NotAgain(#[from] NotAgain),
    /// They could not be compiled.
    #[error("the rules that decided could not be compiled: {0}")]
    Failed(String),
}

type Found = Result<Arc<RuleSet>, Unkept>;

/// The rule sets at hand, the one asked for last in front.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<Vec<(String, Found)>>);

impl Shelf {
    /// The rule set of that hash.
    ///
    /// # Errors
    /// The ledger's own.
    pub(crate) async fn rules(&self, store: &dyn Store, hash: &str) -> Result<Found, StoreError> {
        if let Some(found) = self.at_hand(hash) {
            return Ok(found);
        }
        let found = match store.rules(hash.to_owned()).await? {
            None => Err(Unkept::Missing),
            Some(kept) => {
                // Ten thousand rules take a moment, and others are served meanwhile.
                let compile = move || RuleSet::again(&kept.hash, &kept.source, &kept.vocabulary);
                match tokio::task::spawn_blocking(compile).await {
                    Ok(compiled) => compiled.map(Arc::new).map_err(Unkept::from),
                    Err(error) => Err(Unkept::Failed(error.to_string())),
                }
            }
        };
        self.put(hash, found.clone());
        Ok(found)
    }

    fn at_hand(&self, hash: &str) -> Option<Found> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = shelf.iter().position(|(known, _)| known == hash)?;
        let found = shelf.remove(at);
        shelf.insert(0, found.clone());
        Some(found.1)
    }

    fn put(&self, hash: &str, found: Found) {
        // Rules that are missing may be kept a moment later, by another process.
        if matches!(found, Err(Unkept::Missing)) {
            return;
        }
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !shelf.iter().any(|(known, _)| known == hash) {
            shelf.insert(0, (hash.to_owned(), found));
            shelf.truncate(RULE_SETS_MAX);
        }
    }
}
