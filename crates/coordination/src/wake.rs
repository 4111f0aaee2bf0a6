//! Wake-ups: that there is work, not what it is.
//!
//! They carry nothing, so each subscriber needs one mark per kind: the memory is bounded, a slow subscriber loses
//! only repetitions, and whoever wakes looks into the ledger, where the work is.

use arc_swap::ArcSwap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

/// Who should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wake {
    /// An operation came to be in doubt, or news of one arrived: recovery has something to settle.
    Settle,
    /// An event was written: the feed and the webhooks have something to deliver.
    Deliver,
    /// An override, a maintenance window, a revocation or a lease changed in the ledger.
    Controls,
    /// Another rule set was activated.
    Rules,
}

impl Wake {
    const ALL: [Self; 4] = [Self::Settle, Self::Deliver, Self::Controls, Self::Rules];

    const fn mark(self) -> u8 {
        match self {
            Self::Settle => 1,
            Self::Deliver => 2,
            Self::Controls => 4,
            Self::Rules => 8,
        }
    }
}

#[derive(Default)]
struct Pending {
    marks: u8,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Slot(Mutex<Pending>);

impl Slot {
    fn with<T>(&self, look: impl FnOnce(&mut Pending) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One subscriber's wake-ups. Dropping it ends the subscription.
pub struct Wakes(Arc<Slot>);

impl Wakes {
    /// The next wake-up, if one is pending. Repeated ones come once.
    pub fn take(&mut self) -> Option<Wake> {
        self.0.with(take)
    }

    /// The next wake-up; waits for it. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Wake {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`next`](Self::next), for those who poll.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Wake> {
        self.0.with(|pending| match take(pending) {
            Some(wake) => Poll::Ready(wake),
            None => {
                pending.waker = Some(context.waker().clone());
                Poll::Pending
            }
        })
    }
}

fn take(pending: &mut Pending) -> Option<Wake> {
    let next = Wake::ALL.into_iter().find(|wake| pending.marks & wake.mark() != 0)?;
    pending.marks &= !next.mark();
    Some(next)
}

/// All subscribers of this process.
#[derive(Default)]
pub(crate) struct Hub {
    slots: ArcSwap<Vec<Weak<Slot>>>,
}

impl Hub {
    pub(crate) fn subscribe(&self) -> Wakes {
        let slot = Arc::new(Slot::default());
        self.slots.rcu(|slots| {
            let mut living: Vec<_> = slots.iter().filter(|slot| slot.strong_count() > 0).cloned().collect();
            living.push(Arc::downgrade(&slot));
            living
        });
        Wakes(slot)
    }

    pub(crate) fn wake(&self, wake: Wake) {
        for slot in self.slots.load().iter().filter_map(Weak::upgrade) {
            let waker = slot.with(|pending| {
                pending.marks |= wake.mark();
                pending.waker.take()
            });
            // Outside the lock: a waker may run anything.
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}
