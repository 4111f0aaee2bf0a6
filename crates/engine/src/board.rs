//! What is in force: rules, channels and merchants, and the channels' status under them, posted for every worker to see.

use crate::maintenance::{Maintenance, Period, Window, maintenance};
use crate::setup::{Merchants, Roster, Setup};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use switchyard_coordination::{Coordination, Health, Reading};
use switchyard_core::{ChannelName, Mode, PaymentId, Timestamp};
use switchyard_routing::{RuleSet, Snapshot, Status};

/// A channel as configured, as far as its status goes.
#[derive(Clone, Debug)]
pub struct Attended {
    /// Which channel.
    pub name: ChannelName,
    /// Where it has an account.
    pub modes: Vec<Mode>,
    /// When it is maintained.
    pub windows: Vec<Window>,
}

/// An operator's word on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What the channel is.
    pub status: Status,
    /// Why.
    pub reason: Arc<str>,
    /// Whose word it is.
    pub by: Arc<str>,
    /// When it was given.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// What makes a channel what it is: the strongest of what speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// How its calls went.
    Health,
    /// A window of its configuration.
    Maintenance(Period),
    /// An operator.
    Override(Word),
}

impl Cause {
    /// The name in answers, logs and the ledger.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Maintenance(_) => "maintenance",
            Self::Override(_) => "override",
        }
    }
}

/// What a channel is in one mode, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// For new payments; trials are left out.
    pub status: Status,
    /// Why.
    pub cause: Cause,
    /// Since when that is so.
    pub since: Timestamp,
}

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
    test: Posted,
    live: Posted,
}

/// The channels in one mode.
struct Posted {
    snapshot: Snapshot,
    bytes: Arc<[u8]>,
    standing: HashMap<ChannelName, Standing>,
    /// On trial: what they are hangs on the payment.
    probing: Vec<ChannelName>,
}

/// What the status is made of, health apart.
struct Inputs {
    setup: Setup,
    since: Timestamp,
    generation: u64,
    words: HashMap<ChannelName, Word>,
    attended: HashMap<ChannelName, Attended>,
}

impl Inputs {
    /// What is stronger than a channel's health: an operator's word, then maintenance.
    fn said(&self, channel: &ChannelName, now: Timestamp) -> Option<Standing> {
        let holds = |word: &&Word| word.until.is_none_or(|end| end > now);
        if let Some(word) = self.words.get(channel).filter(holds) {
            return Some(Standing { status: word.status, since: word.since, cause: Cause::Override(word.clone()) });
        }
        let period = self.maintenance(channel, now).current?;
        Some(Standing { status: Status::Down, since: period.from, cause: Cause::Maintenance(period) })
    }

    fn maintenance(&self, channel: &ChannelName, now: Timestamp) -> Maintenance {
        self.attended.get(channel).map(|channel| maintenance(&channel.windows, now)).unwrap_or_default()
    }
}

impl Posted {
    fn new(
        inputs: &Inputs,
        coordination: &dyn Coordination,
        mode: Mode,
        now: Timestamp,
        before: Option<&HashMap<ChannelName, Standing>>,
    ) -> Self {
        let mut standing = HashMap::new();
        let mut probing = Vec::new();
        for channel in inputs.setup.rules.channel_names() {
            let this = inputs.said(channel, now).unwrap_or_else(|| {
                let health = coordination.health(channel, mode, now);
                if let Health::Probing { .. } = health {
                    probing.push(channel.clone());
                }
                let (status, cause) = (level(health), Cause::Health);
                let unchanged = before.and_then(|before| before.get(channel));
                let unchanged = unchanged.filter(|before| before.status == status && before.cause == cause);
                Standing { status, cause, since: unchanged.map_or(now, |before| before.since) }
            });
            standing.insert(channel.clone(), this);
        }
        let snapshot =
            inputs.setup.rules.snapshot(|channel| standing.get(channel).map_or(Status::Disabled, |this| this.status));
        Self { bytes: snapshot.as_bytes().into(), snapshot, standing, probing }
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
    fn new(inputs: &Inputs, coordination: &dyn Coordination, now: Timestamp, before: Option<&Self>) -> Self {
        let posted = |mode: Mode| {
            Posted::new(inputs, coordination, mode, now, before.map(|before| &before.posted(mode).standing))
        };
        Self {
            version: inputs.setup.rules.hash().into(),
            roster: Arc::clone(&inputs.setup.roster),
            merchants: Arc::clone(&inputs.setup.merchants),
            since: inputs.since,
            generation: inputs.generation,
            test: posted(Mode::Test),
            live: posted(Mode::Live),
            rules: Arc::clone(&inputs.setup.rules),
        }
    }

    fn posted(&self, mode: Mode) -> &Posted {
        match mode {
            Mode::Test => &self.test,
            Mode::Live => &self.live,
        }
    }

    /// What a channel is in a mode, and why. `None` where the rules do not know it.
    #[must_use]
    pub fn standing(&self, channel: &ChannelName, mode: Mode) -> Option<&Standing> {
        self.posted(mode).standing.get(channel)
    }

    /// A channel's status in a mode, trials left out.
    #[must_use]
    pub fn status(&self, channel: &ChannelName, mode: Mode) -> Status {
        self.standing(channel, mode).map_or(Status::Disabled, |standing| standing.status)
    }

    /// Whether a channel is on trial.
    #[must_use]
    pub fn probing(&self, channel: &ChannelName, mode: Mode) -> bool {
        self.posted(mode).probing.contains(channel)
    }

    /// What the channels are to whoever probes none of them, and the same for the ledger.
    pub(crate) fn snapshot(&self, mode: Mode) -> (&Snapshot, Arc<[u8]>) {
        let posted = self.posted(mode);
        (&posted.snapshot, Arc::clone(&posted.bytes))
    }

    /// What the channels are to one payment, and the same for the ledger.
    pub(crate) fn snapshot_for(
        &self,
        coordination: &dyn Coordination,
        mode: Mode,
        now: Timestamp,
        payment: PaymentId,
    ) -> (Snapshot, Arc<[u8]>) {
        let posted = self.posted(mode);
        if posted.probing.is_empty() {
            return (posted.snapshot.clone(), Arc::clone(&posted.bytes));
        }
        let snapshot = self.rules.snapshot(|channel| {
            if !posted.probing.contains(channel) {
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
    /// With no override, and nothing attended to.
    #[must_use]
    pub fn new(setup: Setup, coordination: Arc<dyn Coordination>, now: Timestamp) -> Self {
        let (words, attended) = (HashMap::new(), HashMap::new());
        let inputs = Inputs { setup, since: now, generation: 0, words, attended };
        let in_force = ArcSwap::from_pointee(InForce::new(&inputs, &*coordination, now, None));
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

    /// Changes what the status is made of, and posts what comes of it.
    fn post<T>(&self, now: Timestamp, change: impl FnOnce(&mut Inputs) -> T) -> T {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut inputs);
        let before = self.in_force.load();
        self.in_force.store(Arc::new(InForce::new(&inputs, &*self.coordination, now, Some(&before))));
        changed
    }

    /// Posts the channels' status as it is now.
    pub fn look(&self, now: Timestamp) {
        self.post(now, |_| ());
    }

    /// Posts the operators' words, all of them. True where one is new or gone.
    pub fn post_overrides(&self, words: HashMap<ChannelName, Word>, now: Timestamp) -> bool {
        self.post(now, |inputs| {
            let changed = inputs.words != words;
            inputs.words = words;
            changed
        })
    }

    /// Puts another set in force, whole.
    pub fn put_in_force(&self, setup: Setup, now: Timestamp) {
        self.post(now, |inputs| {
            inputs.setup = setup;
            inputs.since = now;
            inputs.generation = inputs.generation.saturating_add(1);
        });
    }

    /// From now on keeps to these channels' maintenance windows, and knows where they have accounts.
    pub fn attend(&self, channels: Vec<Attended>, now: Timestamp) {
        let attended = channels.into_iter().map(|channel| (channel.name.clone(), channel)).collect();
        self.post(now, |inputs| inputs.attended = attended);
    }

    /// Where a channel has an account.
    #[must_use]
    pub fn modes(&self, channel: &ChannelName) -> Vec<Mode> {
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        inputs.attended.get(channel).map(|channel| channel.modes.clone()).unwrap_or_default()
    }

    /// What a channel's maintenance windows come to.
    #[must_use]
    pub fn maintenance(&self, channel: &ChannelName, now: Timestamp) -> Maintenance {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).maintenance(channel, now)
    }

    /// What a channel's health rests on.
    #[must_use]
    pub fn reading(&self, channel: &ChannelName, mode: Mode, now: Timestamp) -> Option<Reading> {
        self.coordination.reading(channel, mode, now)
    }
}
