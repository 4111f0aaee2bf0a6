//! What is in force: rules, channels and merchants, and the channels' status under them, posted for every worker to see.

use crate::setup::{Merchants, Roster, Setup};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use switchyard_coordination::{Coordination, Health};
use switchyard_core::{ChannelName, Mode, PaymentId, Timestamp};
use switchyard_routing::{RuleSet, Snapshot, Status};

/// Rules, channels and merchants, and the channels' status: one value, so that no request sees half of a change.
pub struct InForce {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Their hash, which covers channels and merchants.
    pub version: Arc<str>,
    /// The channels, not yet connected.
    pub roster: Arc<dyn Roster>,
    /// The merchants.
    pub merchants: Arc<Merchants>,
    /// When this set came into force.
    pub since: Timestamp,
    /// How many sets came into force before it.
    pub generation: u64,
    test: Standing,
    live: Standing,
}

/// The channels in one mode.
struct Standing {
    snapshot: Snapshot,
    bytes: Arc<[u8]>,
    status: HashMap<ChannelName, Status>,
    /// On trial: what they are hangs on the payment.
    probing: Vec<ChannelName>,
}

/// What an operator or a channel's health says at this moment.
struct Inputs {
    setup: Setup,
    since: Timestamp,
    generation: u64,
    overrides: HashMap<ChannelName, Status>,
}

impl Standing {
    fn new(inputs: &Inputs, coordination: &dyn Coordination, mode: Mode, now: Timestamp) -> Self {
        let mut status = HashMap::new();
        let mut probing = Vec::new();
        for channel in inputs.setup.rules.channel_names() {
            // An operator's word wins over health.
            let this = inputs.overrides.get(channel).copied().unwrap_or_else(|| {
                let health = coordination.health(channel, mode, now);
                if let Health::Probing { .. } = health {
                    probing.push(channel.clone());
                }
                level(health)
            });
            status.insert(channel.clone(), this);
        }
        let snapshot = inputs.setup.rules.snapshot(|channel| status.get(channel).copied().unwrap_or(Status::Disabled));
        Self { bytes: snapshot.as_bytes().into(), snapshot, status, probing }
    }
}

/// A channel on trial is what it was to all but the payments that probe it.
fn level(health: Health) -> Status {
    match health.level() {
        switchyard_coordination::Level::Up => Status::Up,
        switchyard_coordination::Level::Degraded => Status::Degraded,
        switchyard_coordination::Level::Down => Status::Down,
    }
}

impl InForce {
    fn new(inputs: &Inputs, coordination: &dyn Coordination, now: Timestamp) -> Self {
        Self {
            version: inputs.setup.rules.hash().into(),
            roster: Arc::clone(&inputs.setup.roster),
            merchants: Arc::clone(&inputs.setup.merchants),
            since: inputs.since,
            generation: inputs.generation,
            test: Standing::new(inputs, coordination, Mode::Test, now),
            live: Standing::new(inputs, coordination, Mode::Live, now),
            rules: Arc::clone(&inputs.setup.rules),
        }
    }

    fn standing(&self, mode: Mode) -> &Standing {
        match mode {
            Mode::Test => &self.test,
            Mode::Live => &self.live,
        }
    }

    /// A channel's status in a mode, trials left out.
    #[must_use]
    pub fn status(&self, channel: &ChannelName, mode: Mode) -> Status {
        self.standing(mode).status.get(channel).copied().unwrap_or(Status::Disabled)
    }

    /// Whether a channel is on trial.
    #[must_use]
    pub fn probing(&self, channel: &ChannelName, mode: Mode) -> bool {
        self.standing(mode).probing.contains(channel)
    }

    /// What the channels are to whoever probes none of them, and the same for the ledger.
    pub(crate) fn snapshot(&self, mode: Mode) -> (&Snapshot, Arc<[u8]>) {
        let standing = self.standing(mode);
        (&standing.snapshot, Arc::clone(&standing.bytes))
    }

    /// What the channels are to one payment, and the same for the ledger.
    pub(crate) fn snapshot_for(
        &self,
        coordination: &dyn Coordination,
        mode: Mode,
        now: Timestamp,
        payment: PaymentId,
    ) -> (Snapshot, Arc<[u8]>) {
        let standing = self.standing(mode);
        if standing.probing.is_empty() {
            return (standing.snapshot.clone(), Arc::clone(&standing.bytes));
        }
        let snapshot = self.rules.snapshot(|channel| {
            if !standing.probing.contains(channel) {
                return self.status(channel, mode);
            }
            match coordination.status_for(channel, mode, now, payment) {
                switchyard_coordination::Status::Up | switchyard_coordination::Status::Probe => Status::Up,
                switchyard_coordination::Status::Degraded => Status::Degraded,
                switchyard_coordination::Status::Down => Status::Down,
            }
        });
        let bytes = snapshot.as_bytes().into();
        (snapshot, bytes)
    }
}

/// Where what is in force is posted.
pub struct Board {
    coordination: Arc<dyn Coordination>,
    inputs: Mutex<Inputs>,
    in_force: ArcSwap<InForce>,
}

impl Board {
    /// With no override.
    #[must_use]
    pub fn new(setup: Setup, coordination: Arc<dyn Coordination>, now: Timestamp) -> Self {
        let inputs = Inputs { setup, since: now, generation: 0, overrides: HashMap::new() };
        let in_force = ArcSwap::from_pointee(InForce::new(&inputs, &*coordination, now));
        Self { coordination, inputs: Mutex::new(inputs), in_force }
    }

    /// What holds now.
    #[must_use]
    pub fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    pub(crate) fn coordination(&self) -> &dyn Coordination {
        &*self.coordination
    }

    /// Posts the channels' health as it is now.
    pub fn look(&self, now: Timestamp) {
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        self.in_force.store(Arc::new(InForce::new(&inputs, &*self.coordination, now)));
    }

    /// Posts the operators' overrides, all of them, and health as it is now. True where an override is new or gone.
    pub fn post_overrides(&self, overrides: HashMap<ChannelName, Status>, now: Timestamp) -> bool {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = inputs.overrides != overrides;
        inputs.overrides = overrides;
        self.in_force.store(Arc::new(InForce::new(&inputs, &*self.coordination, now)));
        changed
    }

    /// Puts another set in force, whole.
    pub fn put_in_force(&self, setup: Setup, now: Timestamp) {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        inputs.setup = setup;
        inputs.since = now;
        inputs.generation = inputs.generation.saturating_add(1);
        self.in_force.store(Arc::new(InForce::new(&inputs, &*self.coordination, now)));
    }
}
