//! Channels as the engine calls them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use switchyard_core::operation::Target;
use switchyard_core::{ChannelName, Mode, Provider, Transport};

/// One account's adapter and its way out.
#[derive(Clone)]
pub struct Account {
    /// The adapter, with the account's credentials.
    pub provider: Arc<dyn Provider>,
    /// Its connections.
    pub transport: Arc<dyn Transport>,
    /// Written on every operation, so that look-ups ask the same account.
    pub target: Arc<Target>,
}

/// How many calls may be open at once. Shared by all workers.
#[derive(Clone, Debug)]
pub struct Limit {
    open: Arc<AtomicUsize>,
    max: usize,
}

impl Limit {
    /// At most `max` at once.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { open: Arc::default(), max }
    }

    /// Another bound on the same calls.
    #[must_use]
    pub fn with_max(&self, max: usize) -> Self {
        Self { open: Arc::clone(&self.open), max }
    }

    /// Takes a place, or says at once that there is none: nothing waits here.
    pub(crate) fn enter(&self) -> Option<Entered> {
        let max = self.max;
        self.open
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| (open < max).then(|| open.saturating_add(1)))
            .ok()
            .map(|_| Entered(Arc::clone(&self.open)))
    }

    /// How many are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }
}

/// A place taken, given back when dropped.
pub(crate) struct Entered(Arc<AtomicUsize>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A channel.
#[derive(Clone)]
pub struct Channel {
    /// Its name.
    pub name: ChannelName,
    /// Its provider's name.
    pub provider: Arc<str>,
    /// The account for test payments, where it has one that works.
    pub test: Option<Account>,
    /// The account for live payments, where it has one that works.
    pub live: Option<Account>,
    /// How long one call may take, connecting included.
    pub timeout: Duration,
    /// How many calls may be open at once.
    pub limit: Limit,
}

impl Channel {
    /// The account for `mode`.
    #[must_use]
    pub fn account(&self, mode: Mode) -> Option<&Account> {
        match mode {
            Mode::Test => self.test.as_ref(),
            Mode::Live => self.live.as_ref(),
        }
    }
}

/// The channels by name.
#[derive(Clone, Default)]
pub struct Channels(HashMap<ChannelName, Arc<Channel>>);

impl Channels {
    /// The channel of that name.
    #[must_use]
    pub fn get(&self, name: &ChannelName) -> Option<&Arc<Channel>> {
        self.0.get(name)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.0.values()
    }
}

impl FromIterator<Channel> for Channels {
    fn from_iter<I: IntoIterator<Item = Channel>>(channels: I) -> Self {
        Self(channels.into_iter().map(|channel| (channel.name.clone(), Arc::new(channel))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_are_open_count_on_under_another_bound() {
        let limit = Limit::new(2);
        let first = limit.enter().unwrap();
        let narrower = limit.with_max(1);
        assert_eq!(narrower.open(), 1);
        assert!(narrower.enter().is_none());
        drop(first);
        let second = narrower.enter().unwrap();
        assert_eq!(limit.open(), 1);
        drop(second);
    }
}
