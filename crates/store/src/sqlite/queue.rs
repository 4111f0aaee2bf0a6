//! A bounded queue between threads. What does not fit is refused at once; what was taken in before it closed is served.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Why something was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// As many wait as may wait.
    Full,
    /// Nothing is taken any more.
    Closed,
}

pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
    len_max: usize,
}

struct State<T> {
    items: VecDeque<T>,
    open: bool,
    /// Threads asleep for want of items, so that nobody is woken in vain.
    asleep: usize,
}

impl<T> Queue<T> {
    pub(super) fn new(len_max: usize) -> Self {
        let state = State { items: VecDeque::new(), open: true, asleep: 0 };
        Self { state: Mutex::new(state), arrived: Condvar::new(), len_max }
    }

    // No code runs under the lock that could leave the state half changed, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what may be refused when there is too much to do.
    pub(super) fn push(&self, item: T) -> Result<(), NotTaken> {
        self.put(item, self.len_max)
    }

    /// Takes what must not be refused for being much: what is bounded by what was let in before.
    pub(super) fn push_anyway(&self, item: T) -> Result<(), NotTaken> {
        self.put(item, usize::MAX)
    }

    fn put(&self, item: T, len_max: usize) -> Result<(), NotTaken> {
        let mut state = self.state();
        if !state.open {
            return Err(NotTaken::Closed);
        }
        if state.items.len() >= len_max {
            return Err(NotTaken::Full);
        }
        state.items.push_back(item);
        if state.asleep > 0 {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Moves up to `max` items into `taken`, waiting for the first. `false` where nothing will come any more.
    pub(super) fn take(&self, max: usize, taken: &mut Vec<T>) -> bool {
        let mut state = self.state();
        while state.items.is_empty() {
            if !state.open {
                return false;
            }
            state.asleep = state.asleep.saturating_add(1);
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep = state.asleep.saturating_sub(1);
        }
        let count = state.items.len().min(max.max(1));
        taken.extend(state.items.drain(..count));
        true
    }

    /// Waits for one item. `None` where nothing will come any more.
    pub(super) fn take_one(&self) -> Option<T> {
        let mut taken = Vec::with_capacity(1);
        self.take(1, &mut taken);
        taken.pop()
    }

    pub(super) fn len(&self) -> usize {
        self.state().items.len()
    }

    /// Takes nothing in from here on.
    pub(super) fn close(&self) {
        self.state().open = false;
        self.arrived.notify_all();
    }

    /// Closes, and drops what waits.
    pub(super) fn abandon(&self) {
        self.close();
        let dropped = std::mem::take(&mut self.state().items);
        drop(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_taken_together_and_in_order() {
        let queue = Queue::new(3);
        for item in 1..=3 {
            queue.push(item).unwrap();
        }
        assert_eq!(queue.push(4), Err(NotTaken::Full));
        let mut taken = Vec::new();
        assert!(queue.take(2, &mut taken));
        assert_eq!(taken, [1, 2]);
        queue.close();
        assert_eq!(queue.push(5), Err(NotTaken::Closed));
        assert_eq!(queue.take_one(), Some(3));
        assert_eq!(queue.take_one(), None);
    }

    #[test]
    fn a_sleeper_is_woken() {
        let queue = std::sync::Arc::new(Queue::new(1));
        let other = std::sync::Arc::clone(&queue);
        let thread = std::thread::spawn(move || other.take_one());
        queue.push(7).unwrap();
        assert_eq!(thread.join().unwrap(), Some(7));
    }
}
