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
#[cfg(feature = "crash-points")]
mod crash;
mod follow_up;
mod live;
pub mod maintenance;
mod methods;
mod read;
mod record;
mod recover;
mod reserve;
mod route;
mod setup;
mod task;
mod watch;

pub use board::{Attended, Board, Cause, InForce, Standing, Word};
pub use channel::{Account, Channel, Channels, Limit};
pub use command::{Answered, Caller, EngineError, FollowUp, Key, NewPayment, Refreshed, Render, Tokens};
pub use live::Live;
pub use methods::{ChannelOffer, MethodOffer, Terms, Unavailable, WantedMethods};
pub use record::{Difference, End, Inputs, differences};
pub use reserve::{NewRoute, Reservation};
pub use setup::{Merchants, Roster, Setup};
pub use task::{BoxedTask, Spawn, Stopping};
pub use watch::{Outcome, Watch};

use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use switchyard_core::{Clock, MerchantName, OrderType};
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
    connected: ArcSwap<Connected>,
    /// Held by who connects, so that nobody does it twice.
    connecting: Mutex<()>,
    looking: recover::Looking,
}

/// The channels of one [`Setup`], connected.
struct Connected {
    generation: u64,
    channels: Channels,
}

impl Engine {
    /// Puts the parts together.
    #[must_use]
    pub fn new(seams: Seams) -> Arc<Self> {
        let in_force = seams.board.in_force();
        let channels = in_force.roster.connect(&Channels::default());
        let connected = ArcSwap::from_pointee(Connected { generation: in_force.generation, channels });
        Arc::new(Self { seams, connected, connecting: Mutex::default(), looking: recover::Looking::default() })
    }

    /// Closes connections to providers that were idle for too long.
    pub fn close_idle(&self) {
        for channel in self.connected(&self.seams.board.in_force()).channels.iter() {
            for account in [&channel.test, &channel.live].into_iter().flatten() {
                account.transport.close_idle();
            }
        }
    }

    /// The channels of what is in force. The first who asks after a reload connects them; what is under way keeps the
    /// account that it began with.
    fn connected(&self, in_force: &InForce) -> Arc<Connected> {
        let connected = self.connected.load_full();
        if connected.generation == in_force.generation {
            return connected;
        }
        let _one = self.connecting.lock().unwrap_or_else(PoisonError::into_inner);
        let connected = self.connected.load_full();
        if connected.generation == in_force.generation {
            return connected;
        }
        let channels = in_force.roster.connect(&connected.channels);
        let fresh = Arc::new(Connected { generation: in_force.generation, channels });
        // Whoever still holds what was in force before gets its channels, and moves nobody back.
        if connected.generation < in_force.generation {
            self.connected.store(Arc::clone(&fresh));
        }
        fresh
    }

    /// The order types of payments that a merchant may ask for now; `None` where it is not configured any more.
    #[must_use]
    pub fn order_types(&self, merchant: &MerchantName) -> Option<Arc<[OrderType]>> {
        self.seams.board.in_force().merchants.order_types(merchant).cloned()
    }
}
