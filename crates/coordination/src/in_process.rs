//! One instance alone: everything is in this process and gone with it.

use crate::channel::Channel;
use crate::limit::Limiter;
use crate::wake::Hub;
use crate::{Change, Coordination, Health, HealthPolicy, Level, Limit, Noted, ProbeEnd, Reading, Taken, Wake, Wakes};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use switchyard_core::{ChannelName, Mode, PaymentId, Timestamp};

/// A lock for each channel and mode, held for a few dozen instructions; none is taken to learn that a channel is up.
pub struct InProcess {
    channels: ArcSwap<HashMap<ChannelName, Modes>>,
    limiter: Limiter,
    hub: Hub,
}

#[derive(Clone)]
struct Modes {
    test: Arc<Cell>,
    live: Arc<Cell>,
}

struct Cell {
    /// Whether the level is up, which no passing of time changes. Written under the lock.
    up: AtomicBool,
    channel: Mutex<Channel>,
}

impl InProcess {
    /// Knows these channels, all of them up.
    #[must_use]
    pub fn new(channels: impl IntoIterator<Item = (ChannelName, HealthPolicy)>) -> Self {
        let known = channels.into_iter().map(|(name, policy)| (name, Modes::new(&policy))).collect();
        Self { channels: ArcSwap::from_pointee(known), limiter: Limiter::new(), hub: Hub::default() }
    }

    /// From now on knows these channels. Those known before keep their level, and their window unless its span is another.
    pub fn reconfigure(&self, channels: impl IntoIterator<Item = (ChannelName, HealthPolicy)>) {
        let policies: Vec<_> = channels.into_iter().collect();
        self.channels.rcu(|known| {
            let modes = |(name, policy): &(ChannelName, HealthPolicy)| {
                let modes = known.get(name).map_or_else(|| Modes::new(policy), |modes| modes.judge_by(policy));
                (name.clone(), modes)
            };
            policies.iter().map(modes).collect::<HashMap<_, _>>()
        });
    }

    fn with<T>(&self, channel: &ChannelName, mode: Mode, look: impl FnOnce(&Cell) -> T) -> Option<T> {
        self.channels.load().get(channel).map(|modes| look(modes.cell(mode)))
    }
}

impl Modes {
    fn new(policy: &HealthPolicy) -> Self {
        Self { test: Arc::new(Cell::new(policy)), live: Arc::new(Cell::new(policy)) }
    }

    fn cell(&self, mode: Mode) -> &Cell {
        match mode {
            Mode::Test => &self.test,
            Mode::Live => &self.live,
        }
    }

    fn judge_by(&self, policy: &HealthPolicy) -> Self {
        for cell in [&self.test, &self.live] {
            cell.locked(|channel| channel.judge_by(policy.clone()));
        }
        self.clone()
    }
}

impl Cell {
    fn new(policy: &HealthPolicy) -> Self {
        Self { up: AtomicBool::new(true), channel: Mutex::new(Channel::new(policy.clone())) }
    }

    fn locked<T>(&self, look: impl FnOnce(&mut Channel) -> T) -> T {
        let mut channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = look(&mut channel);
        self.up.store(channel.level() == Level::Up, Ordering::Release);
        seen
    }
}

impl Coordination for InProcess {
    fn note(&self, channel: &ChannelName, mode: Mode, now: Timestamp, noted: Noted) -> Option<Change> {
        self.with(channel, mode, |cell| cell.locked(|channel| channel.note(now, noted)))?
    }

    fn health(&self, channel: &ChannelName, mode: Mode, now: Timestamp) -> Health {
        let look = |cell: &Cell| {
            if cell.up.load(Ordering::Acquire) { Health::Up } else { cell.locked(|channel| channel.health(now)) }
        };
        self.with(channel, mode, look).unwrap_or(Health::Up)
    }

    fn reading(&self, channel: &ChannelName, mode: Mode, now: Timestamp) -> Option<Reading> {
        self.with(channel, mode, |cell| cell.locked(|channel| channel.reading(now)))
    }

    fn probe_started(&self, channel: &ChannelName, mode: Mode, now: Timestamp, payment: PaymentId) -> bool {
        self.with(channel, mode, |cell| cell.locked(|state| state.probe_started(channel, now, payment)))
            .unwrap_or(false)
    }

    fn probe_ended(
        &self,
        channel: &ChannelName,
        mode: Mode,
        now: Timestamp,
        payment: PaymentId,
        end: ProbeEnd,
    ) -> Option<Change> {
        self.with(channel, mode, |cell| cell.locked(|channel| channel.probe_ended(now, payment, end)))?
    }

    fn take(&self, key: [u8; 16], now: Timestamp, limit: Limit) -> Taken {
        self.limiter.take(key, now, limit)
    }

    fn wake(&self, wake: Wake) {
        self.hub.wake(wake);
    }

    fn subscribe(&self) -> Wakes {
        self.hub.subscribe()
    }
}
