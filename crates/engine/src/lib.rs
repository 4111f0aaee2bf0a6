//! The use cases: authorize, capture, void, refund, settle what is in doubt.
//!
//! Nothing here knows HTTP or JSON. The engine starts no tasks, timers or threads: [`Clock`], [`Spawn`], [`Store`],
//! [`Transport`](switchyard_core::Transport) and [`Render`] are passed in, and every await is on one of these.
//!
//! The rules that all of it serves: an operation is durable before its first byte leaves, and its outcome before the
//! merchant hears of it; nothing is ever sent twice; only the provider, or proof that nothing left, ends it as failed.

mod authorize;
mod board;
mod call;
mod channel;
mod command;
mod conclude;
mod follow_up;
mod live;
mod methods;
mod read;
mod recover;
mod reserve;
mod route;
mod task;
mod watch;

pub use board::{Board, InForce};
pub use channel::{Account, Channel, Channels, Limit};
pub use command::{Answered, Caller, EngineError, FollowUp, Key, NewPayment, Refreshed, Render, Tokens};
pub use live::Live;
pub use methods::{ChannelOffer, MethodOffer, Terms, Unavailable, WantedMethods};
pub use reserve::{NewRoute, Reservation};
pub use task::{BoxedTask, Spawn, Stopping};
pub use watch::{Outcome, Watch};

use std::sync::Arc;
use std::time::Duration;
use switchyard_core::Clock;
use switchyard_store::Store;

/// What the engine stands on.
#[derive(Clone)]
pub struct Seams {
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
    /// Where tasks run that outlive a request.
    pub spawn: Arc<dyn Spawn>,
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// How answers look.
    pub render: Arc<dyn Render>,
    /// Who counts.
    pub watch: Arc<dyn Watch>,
    /// The rules in force and the channels' status.
    pub board: Arc<Board>,
    /// Operations that a task of this process owns.
    pub live: Live,
    /// How long payments may follow a route.
    pub route_life: Duration,
}

/// The use cases. One per worker, since the channels' connections belong to one; all share ledger, rules and status.
pub struct Engine {
    seams: Seams,
    channels: Channels,
    looking: recover::Looking,
}

impl Engine {
    /// Puts the parts together.
    #[must_use]
    pub fn new(seams: Seams, channels: Channels) -> Arc<Self> {
        Arc::new(Self { seams, channels, looking: recover::Looking::default() })
    }

    /// Closes connections to providers that were idle for too long.
    pub fn close_idle(&self) {
        for channel in self.channels.iter() {
            for account in [&channel.test, &channel.live].into_iter().flatten() {
                account.transport.close_idle();
            }
        }
    }

    /// The channels by name.
    #[must_use]
    pub fn channels(&self) -> &Channels {
        &self.channels
    }
}
