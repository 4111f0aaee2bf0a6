//! The open loop's timetable: which request is due when, whatever became of the ones before.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use rustix::time::{timerfd_create, timerfd_settime};
use tokio::io::{Interest, unix::AsyncFd};
use tokio::sync::Semaphore;

use crate::Result;
use crate::bench::figures::{nanos, quotient};

/// Requests at even distances, a bounded number of them.
pub struct Schedule {
    every: Duration,
    unmeasured: u64,
    total: u64,
    started: Cell<Instant>,
    taken: Cell<u64>,
    due: Semaphore,
}

/// Leave to send one request.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// When it should be sent.
    pub due: Instant,
    /// Whether it is due inside the window.
    pub measured: bool,
}

impl Schedule {
    /// `rate` requests a second, first for the time of the warm-up, then for the window or until `requests_max` were due in it.
    #[must_use]
    pub fn new(rate: u64, warm_up: Duration, window: Duration, requests_max: u64) -> Self {
        let every = Duration::from_nanos(quotient(1_000_000_000, rate));
        let within = |span: Duration| quotient(nanos(span), nanos(every));
        let unmeasured = within(warm_up);
        Self {
            every,
            unmeasured,
            total: unmeasured.saturating_add(within(window).min(requests_max)),
            started: Cell::new(Instant::now()),
            taken: Cell::new(0),
            due: Semaphore::new(0),
        }
    }

    /// Waits until the next request is due; `None` after the last.
    pub async fn turn(&self) -> Option<Turn> {
        self.due.acquire().await.ok()?.forget();
        let index = self.taken.get();
        self.taken.set(index.saturating_add(1));
        if index >= self.total {
            return None;
        }
        let after_start = Duration::from_nanos(nanos(self.every).saturating_mul(index.saturating_add(1)));
        Some(Turn { due: self.started.get().checked_add(after_start)?, measured: index >= self.unmeasured })
    }

    /// Lets each request go when it is due, then tells all `connections` that there is no more. By a timer of the kernel,
    /// because the runtime's own goes by milliseconds.
    ///
    /// # Errors
    /// When the system gives no timer.
    pub async fn run(&self, connections: usize) -> Result<()> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "safe here: it owns the descriptor it registers; what replaces it needs `unsafe`"
        )]
        let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
        let every = Timespec::try_from(self.every)?;
        let setting = Itimerspec { it_interval: every, it_value: every };
        self.started.set(Instant::now());
        timerfd_settime(timer.get_ref(), TimerfdTimerFlags::empty(), &setting)?;
        let mut released = 0_u64;
        while released < self.total {
            let mut ready = timer.readable().await?;
            let mut expired = [0_u8; 8];
            let read = ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut expired)?));
            let Ok(read) = read else { continue };
            read?;
            let expired = u64::from_ne_bytes(expired);
            released = released.saturating_add(expired);
            self.due.add_permits(usize::try_from(expired)?);
        }
        self.due.add_permits(connections);
        Ok(())
    }
}
