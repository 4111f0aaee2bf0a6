//! Tasks that are polled by hand, and the seams that stop them: every store command and every edge of a provider call is
//! a step, and between two steps of a task any other may go.

use async_trait::async_trait;
use std::collections::BTreeMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use switchyard_core::clock::{Clock, Timestamp, Uptime};
use switchyard_core::operation::Target;
use switchyard_core::payment::Payment;
use switchyard_core::route::Route;
use switchyard_core::{MerchantName, Mode, Operation, OperationId, OperationKind, PaymentId, RouteId};
use switchyard_engine::{BoxedTask, Spawn, Stopping};
use switchyard_store::*;
use uuid::Uuid;

pub(crate) fn hashed(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// What all tasks of a run share: the time, and what each of them has seen.
pub(crate) struct World(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// The task that is being polled.
    current: String,
    traces: BTreeMap<String, Trace>,
    spawned: Vec<(String, BoxedTask)>,
    millis: u64,
}

/// One task: a task that saw the same goes on the same way.
#[derive(Default, Hash)]
struct Trace {
    seen: u64,
    ids: u64,
    children: u64,
    /// The step it stands before.
    at: Option<&'static str>,
}

impl World {
    pub(crate) fn new(millis: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner { millis, ..Inner::default() })))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }

    /// Waits until the scheduler lets this task go on.
    pub(crate) fn step(self: &Arc<Self>, label: &'static str) -> Step {
        Step { world: Arc::clone(self), label, waited: false }
    }

    /// The current task has learnt something.
    pub(crate) fn saw(&self, what: &str) {
        self.with(|inner| {
            let trace = inner.traces.entry(inner.current.clone()).or_default();
            trace.seen = hashed((trace.seen, what));
        });
    }

    pub(crate) fn current(&self) -> String {
        self.with(|inner| inner.current.clone())
    }

    pub(crate) fn pass(&self, span: Duration) {
        self.with(|inner| inner.millis += u64::try_from(span.as_millis()).unwrap());
    }

    pub(crate) fn millis(&self) -> u64 {
        self.with(|inner| inner.millis)
    }
}

/// A place where a task stops.
pub(crate) struct Step {
    world: Arc<World>,
    label: &'static str,
    waited: bool,
}

impl Future for Step {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let at = (!self.waited).then_some(self.label);
        self.world.with(|inner| inner.traces.entry(inner.current.clone()).or_default().at = at);
        if self.waited {
            return Poll::Ready(());
        }
        self.waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Time stands still unless it is told to pass; ids hang on the task alone, so that they are the same in every order.
pub(crate) struct HandClock(pub(crate) Arc<World>);

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(i64::try_from(self.0.millis()).unwrap())
    }

    fn uptime(&self) -> Uptime {
        Uptime(Duration::from_millis(self.0.millis()))
    }

    fn uuid(&self) -> Uuid {
        self.0.with(|inner| {
            let trace = inner.traces.entry(inner.current.clone()).or_default();
            trace.ids += 1;
            let chance = u128::from(hashed((&inner.current, trace.ids)) >> 2);
            Uuid::from_u128(u128::from(inner.millis) << 80 | 7 << 76 | 2 << 62 | chance)
        })
    }

    async fn sleep(&self, span: Duration) {
        self.0.step("sleep").await;
        self.0.pass(span);
    }
}

/// Gives tasks to the scheduler.
pub(crate) struct Spawner(pub(crate) Arc<World>);

impl Spawn for Spawner {
    fn spawn(&self, task: BoxedTask) -> Result<(), Stopping> {
        self.0.with(|inner| {
            let parent = inner.traces.entry(inner.current.clone()).or_default();
            parent.children += 1;
            let (seen, name) = (parent.seen, format!("{}.{}", inner.current, parent.children));
            inner.traces.entry(name.clone()).or_default().seen = seen;
            inner.spawned.push((name, task));
        });
        Ok(())
    }
}

/// Set by a waker.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls tasks, one step at a time.
pub(crate) struct Scheduler {
    world: Arc<World>,
    tasks: BTreeMap<String, (BoxedTask, Arc<Flag>)>,
    /// Every step so far, for whoever has to understand a failure.
    pub(crate) steps: Vec<String>,
}

impl Scheduler {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), tasks: BTreeMap::new(), steps: Vec::new() }
    }

    /// Adds a task and lets it go to its first step.
    pub(crate) fn add(&mut self, name: &str, task: BoxedTask) {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        self.tasks.insert(name.to_owned(), (task, flag));
        self.world.with(|inner| _ = inner.traces.entry(name.to_owned()).or_default());
        self.drain();
    }

    /// The tasks that stand before a step, by name.
    pub(crate) fn choices(&self) -> Vec<String> {
        self.world.with(|inner| {
            let waits = |name: &&String| inner.traces.get(*name).is_some_and(|trace| trace.at.is_some());
            self.tasks.keys().filter(waits).cloned().collect()
        })
    }

    /// Lets one of them take its step.
    pub(crate) fn go(&mut self, choice: usize) {
        let name = self.choices().swap_remove(choice);
        let label = self.world.with(|inner| inner.traces.get(&name).and_then(|trace| trace.at)).unwrap_or_default();
        self.steps.push(format!("{name}: {label}"));
        self.poll(&name);
        self.drain();
    }

    /// Lets all go on, the first always first, until none is left.
    pub(crate) fn finish(&mut self) {
        while !self.choices().is_empty() {
            self.go(0);
        }
        self.expect_done();
    }

    pub(crate) fn expect_done(&self) {
        assert!(self.tasks.is_empty(), "{:?} wait for ever: {:#?}", self.tasks.keys(), self.steps);
    }

    /// What every task stands before and has seen.
    pub(crate) fn state(&self) -> u64 {
        self.world.with(|inner| {
            let alive: Vec<(&String, &Trace)> =
                inner.traces.iter().filter(|(name, _)| self.tasks.contains_key(*name)).collect();
            hashed((alive, inner.millis))
        })
    }

    fn poll(&mut self, name: &str) {
        let Some((task, flag)) = self.tasks.get_mut(name) else { return };
        self.world.with(|inner| name.clone_into(&mut inner.current));
        flag.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(flag));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.tasks.remove(name);
        }
    }

    /// What does not stand before a step goes on at once: nobody could tell the difference.
    fn drain(&mut self) {
        loop {
            for (name, task) in self.world.with(|inner| std::mem::take(&mut inner.spawned)) {
                self.tasks.insert(name, (task, Arc::new(Flag(AtomicBool::new(true)))));
            }
            let choices = self.choices();
            let awake = |(name, (_, flag)): &(&String, &(BoxedTask, Arc<Flag>))| {
                flag.0.load(Ordering::SeqCst) && !choices.contains(name)
            };
            let Some(name) = self.tasks.iter().find(awake).map(|(name, _)| name.clone()) else { return };
            self.poll(&name);
        }
    }
}

/// The shipped ledger, with a step before each command.
pub(crate) struct Stepped {
    pub(crate) inner: Arc<Sqlite>,
    pub(crate) world: Arc<World>,
}

macro_rules! stepped {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        #[async_trait]
        impl Store for Stepped {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$result, StoreError> {
                self.world.step(stringify!($name)).await;
                let result = self.inner.$name($($argument),*).await;
                self.world.saw(&format!("{result:?}"));
                result
            })*
        }
    };
}

stepped! {
    begin(command: Begin) -> Begun;
    conclude(command: Conclude) -> Written;
    postpone(command: Postpone) -> Written;
    administer(command: Administer, audit: Audit) -> Written;
    stale_claims(after: [u8; 16], before: Timestamp, limit: u32) -> StaleClaims;
    forget(keys: Vec<[u8; 16]>) -> ();
    payment(id: PaymentId) -> Option<Payment>;
    operation(id: OperationId) -> Option<Operation>;
    operations(ids: Vec<OperationId>) -> Vec<Operation>;
    claimed(key: [u8; 16], payment: PaymentId) -> (Option<Claimed>, Option<Payment>);
    list_payments(filter: PaymentFilter, before: Option<PaymentId>, limit: u32) -> Page<Payment>;
    list_operations(merchant: MerchantName, mode: Mode, kinds: Vec<OperationKind>, before: Option<OperationId>, limit: u32)
        -> Page<(Operation, Payment)>;
    due(now: Timestamp, limit: u32) -> Vec<Operation>;
    intended(before: Timestamp, limit: u32) -> Vec<Operation>;
    events(after: i64, limit: u32) -> Vec<Recorded>;
    keys() -> Vec<ApiKey>;
    overrides() -> Vec<Override>;
    audit(limit: u32) -> Vec<Audit>;
    totals() -> Totals;
    reserve(route: Route) -> ();
    route(id: RouteId) -> Option<Route>;
    forget_routes(before: Timestamp, limit: u32) -> ();
    targets() -> Vec<Target>;
    still_needed(accounts: Vec<AccountUse>, before: Option<PaymentId>) -> StillNeeded;
    keep_rules(rules: KeptRules) -> ();
    rules(hash: String) -> Option<KeptRules>;
    slice(period: Period, after: Option<PaymentId>, limit: u32) -> Slice;
    note_uses(uses: Vec<(switchyard_core::id::KeyId, Timestamp)>) -> ();
    status_changes(query: StatusQuery, limit: u32) -> Vec<RecordedStatus>;
    free_accounts() -> Vec<AccountUse>;
    keep_free(accounts: Vec<AccountUse>) -> ();
}
