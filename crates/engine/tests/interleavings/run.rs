//! One run: an engine over a copy of a prepared ledger, requests under way, and the judgement of what has become of it.

use super::bank::{Bank, Books, Charge};
use super::world::{HandClock, Scheduler, Spawner, Stepped, World, hashed};
use crate::bench::{NoTransport, Nobody, TIMEOUT, ask, caller, key, merchants, rules, setup};
use futures_util::FutureExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchyard_coordination::{HealthSettings, InProcess};
use switchyard_core::operation::Target;
use switchyard_core::payment::{CaptureMode, Payment};
use switchyard_core::settle::EventKind;
use switchyard_core::status::OperationState;
use switchyard_core::{ChannelName, Mode, Operation, PaymentId};
use switchyard_engine::{
    Account, Board, BoxedTask, Channel, Channels, Engine, EngineError, FollowUp, Limit, Live, NewPayment, Render, Seams,
};
use switchyard_store::sqlite::{Settings, Sqlite};
use switchyard_store::{Answer, PaymentFilter, Store};

/// What somebody does. Two who use the same key send the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A new payment, held; all of them have one reference, and the guard on it.
    Create,
    /// Of all that is left, or of so much.
    Capture(Option<i64>),
    Void,
    Refund(Option<i64>),
    /// Time passes, and recovery looks at what is due.
    Recover,
    /// The same twice: the second time, *not found* would count.
    RecoverTwice,
    /// A merchant has the payment looked up.
    Refresh,
}

/// Somebody who does something under a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor {
    pub(crate) name: &'static str,
    pub(crate) act: Act,
    pub(crate) key: u8,
}

/// A ledger and a provider's books to start from.
#[derive(Clone, Default)]
pub(crate) struct Prepared {
    ledger: Vec<u8>,
    books: Books,
    payment: Option<PaymentId>,
    millis: u64,
}

/// What a merchant was told.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    Answer(Answer, bool),
    Refused(EngineError),
}

type Heard = Arc<Mutex<BTreeMap<String, Told>>>;

/// Says all that a merchant could hold against the ledger later.
struct Full;

impl Render for Full {
    fn answer(&self, payment: &Payment, operation: &Operation) -> Answer {
        let conclusive = !operation.state.open();
        let body = format!("{} {:?} {} {:?}", operation.id, operation.state, operation.amount, payment.status);
        Answer { status: if conclusive { 201 } else { 202 }, body: body.into_bytes().into() }
    }
}

pub(crate) struct Run<'a> {
    folder: &'a Path,
    actors: &'a [Actor],
    payment: Option<PaymentId>,
    pub(crate) world: Arc<World>,
    pub(crate) scheduler: Scheduler,
    pub(crate) bank: Arc<Bank>,
    store: Option<Arc<Sqlite>>,
    engine: Option<Arc<Engine>>,
    heard: Heard,
}

fn open(folder: &Path) -> Arc<Sqlite> {
    let settings = Settings::new(folder.join("ledger.db"), Arc::new(|reason| panic!("{reason}"))).unsynced();
    Sqlite::open_inline(&settings).unwrap()
}

fn engine(world: &Arc<World>, store: &Arc<Sqlite>, bank: &Arc<Bank>) -> Arc<Engine> {
    let name = ChannelName::new("eu").unwrap();
    let target = Target { channel: name.clone(), base: "https://provider.example".into(), account: "one".into() };
    let account =
        Account { provider: Arc::<Bank>::clone(bank), transport: Arc::new(NoTransport), target: Arc::new(target) };
    let channels = Channels::from_iter([Channel {
        name: name.clone(),
        provider: "scripted".into(),
        test: Some(account),
        live: None,
        timeout: TIMEOUT,
        limit: Limit::new(64),
    }]);
    let coordination = Arc::new(InProcess::new([(name, HealthSettings::default().check().unwrap())]));
    let clock = Arc::new(HandClock(Arc::clone(world)));
    let board = Arc::new(Board::new(
        setup(rules(""), channels, merchants()),
        coordination,
        switchyard_core::Clock::now(&*clock),
    ));
    let seams = Seams {
        clock,
        spawn: Arc::new(Spawner(Arc::clone(world))),
        store: Arc::new(Stepped { inner: Arc::clone(store), world: Arc::clone(world) }),
        render: Arc::new(Full),
        watch: Arc::new(Nobody),
        board,
        live: Live::default(),
        route_life: Duration::from_secs(900),
    };
    Engine::new(seams)
}

impl<'a> Run<'a> {
    /// Everybody at their first step.
    pub(crate) fn start(folder: &'a Path, prepared: &Prepared, actors: &'a [Actor], deaf: Option<&str>) -> Self {
        for beside in ["ledger.db-wal", "ledger.db-shm"] {
            let _ = std::fs::remove_file(folder.join(beside));
        }
        if prepared.ledger.is_empty() {
            let _ = std::fs::remove_file(folder.join("ledger.db"));
        } else {
            std::fs::write(folder.join("ledger.db"), &prepared.ledger).unwrap();
        }
        let world = World::new(prepared.millis);
        let bank = Bank::new(&world, prepared.books.clone());
        bank.deaf.lock().unwrap().extend(deaf.map(str::to_owned));
        let store = open(folder);
        let engine = engine(&world, &store, &bank);
        let scheduler = Scheduler::new(&world);
        let (store, engine) = (Some(store), Some(engine));
        let payment = prepared.payment;
        let mut run = Self { folder, actors, payment, world, scheduler, bank, store, engine, heard: Heard::default() };
        for actor in actors {
            run.send(actor.name, *actor);
        }
        run
    }

    fn send(&mut self, name: &str, actor: Actor) {
        let task = self.task(name.to_owned(), actor);
        self.scheduler.add(name, task);
    }

    fn task(&self, name: String, actor: Actor) -> BoxedTask {
        let (engine, world, heard) = (self.engine().clone(), Arc::clone(&self.world), Arc::clone(&self.heard));
        let payment = self.payment;
        Box::pin(async move {
            let follow = |ask| engine.follow_up(caller(), key(actor.key), payment.unwrap(), ask);
            let told = match actor.act {
                Act::Create => engine.create_payment(caller(), key(actor.key), guarded()).await,
                Act::Capture(amount) => follow(FollowUp::Capture { amount, last: false }).await,
                Act::Void => follow(FollowUp::Void { reason: None }).await,
                Act::Refund(amount) => follow(FollowUp::Refund { amount, reason: None }).await,
                Act::Refresh => {
                    let refreshed = engine.refresh(&caller(), payment.unwrap()).await;
                    world.saw(&format!("{refreshed:?}"));
                    return;
                }
                Act::Recover | Act::RecoverTwice => {
                    let rounds = if actor.act == Act::Recover { 1 } else { 2 };
                    for _ in 0..rounds {
                        world.step("time passes").await;
                        world.pass(Duration::from_secs(30));
                        engine.recover(&Spawner(Arc::clone(&world)), 16).await.unwrap();
                    }
                    return;
                }
            };
            let told = match told {
                Ok(answered) => Told::Answer(answered.answer, answered.replayed),
                Err(error) => Told::Refused(error),
            };
            world.saw(&format!("{told:?}"));
            heard.lock().unwrap().insert(name, told);
        })
    }

    fn engine(&self) -> &Arc<Engine> {
        self.engine.as_ref().unwrap()
    }

    fn store(&self) -> &Arc<Sqlite> {
        self.store.as_ref().unwrap()
    }

    /// The payments, each with its operations.
    fn payments(&self) -> Vec<(Payment, Vec<Operation>)> {
        let filter = PaymentFilter::of(caller().merchant, Mode::Test);
        let page = self.store().list_payments(filter, None, 100).now_or_never().unwrap().unwrap();
        let operations =
            |payment: &Payment| self.store().operations(payment.operations.clone()).now_or_never().unwrap().unwrap();
        page.data.into_iter().map(|payment| (payment.clone(), operations(&payment))).collect()
    }

    /// All that outlives this process, and what was promised to merchants.
    pub(crate) fn durable(&self) -> u64 {
        let events = self.store().events(0, 1_000).now_or_never().unwrap().unwrap();
        let books = self.bank.books.lock().unwrap();
        let heard = self.heard.lock().unwrap();
        let millis = self.world.millis();
        hashed(format!("{:?} {events:?} {books:?} {heard:?} {millis}", self.payments()))
    }

    /// All that what happens next hangs on.
    pub(crate) fn state(&self) -> u64 {
        hashed((self.durable(), self.scheduler.state()))
    }

    /// The process dies where it stands, and another takes its ledger over.
    pub(crate) fn crash(&mut self, landed: bool) {
        self.scheduler = Scheduler::new(&self.world);
        (self.engine, self.store) = (None, None);
        {
            let mut books = self.bank.books.lock().unwrap();
            if landed {
                books.land();
            }
            books.flying.clear();
        }
        self.bank.deaf.lock().unwrap().clear();
        let store = open(self.folder);
        self.engine = Some(engine(&self.world, &store, &self.bank));
        self.store = Some(store);
        let engine = self.engine().clone();
        self.scheduler.add(
            "start",
            Box::pin(async move {
                _ = engine.adopt().await.unwrap();
            }),
        );
        self.scheduler.finish();
    }

    /// Recovery goes on until nothing is in doubt, merchants ask again with their keys, and all of it is judged.
    pub(crate) fn judge(&mut self, what: &str) {
        self.books_agree(what, false);
        self.bank.deaf.lock().unwrap().clear();
        self.recover();
        self.books_agree(what, true);
        let before = self.heard.lock().unwrap().clone();
        for actor in
            self.actors.iter().filter(|actor| !matches!(actor.act, Act::Recover | Act::RecoverTwice | Act::Refresh))
        {
            let again = format!("{}-again", actor.name);
            self.send(&again, *actor);
            self.scheduler.finish();
            let heard = self.heard.lock().unwrap();
            if let Some(Told::Answer(answer, _)) = before.get(actor.name)
                && answer.status == 201
            {
                let expected = Told::Answer(answer.clone(), true);
                assert_eq!(heard.get(&again), Some(&expected), "{what}: another answer: {:#?}", self.scheduler.steps);
            }
        }
        self.recover();
        self.books_agree(what, true);
    }

    fn recover(&mut self) {
        for turn in 0..8 {
            if self.payments().iter().all(|(payment, _)| payment.pending.is_empty()) {
                return;
            }
            self.world.pass(Duration::from_secs(60));
            let (engine, world) = (self.engine().clone(), Arc::clone(&self.world));
            let task: BoxedTask = Box::pin(async move {
                _ = engine.recover(&Spawner(world), 16).await.unwrap();
            });
            self.scheduler.add(&format!("recovery-{turn}-{}", self.world.millis()), task);
            self.scheduler.finish();
        }
    }

    /// The oracle: what the ledger says, the provider's books say.
    fn books_agree(&self, what: &str, settled: bool) {
        let payments = self.payments();
        let books = self.bank.books.lock().unwrap();
        let told = || format!("{what}: {:#?}\n{payments:#?}\n{books:#?}", self.scheduler.steps);
        let mut asked = BTreeSet::new();
        assert!(books.asked.iter().all(|operation| asked.insert(operation)), "sent twice; {}", told());
        let known: BTreeSet<_> = payments.iter().flat_map(|(_, operations)| operations).map(|it| it.id).collect();
        assert!(books.asked.iter().all(|operation| known.contains(operation)), "sent without an intent; {}", told());
        for (payment, operations) in &payments {
            for operation in operations {
                let booked = books.booked.get(&operation.id);
                match operation.state {
                    OperationState::Succeeded => {
                        assert_eq!(
                            booked.map(|row| (row.0, row.2)),
                            Some((operation.kind, operation.amount)),
                            "{}",
                            told()
                        );
                    }
                    OperationState::Failed => assert_eq!(booked, None, "failed, and booked; {}", told()),
                    OperationState::Intended | OperationState::InDoubt | OperationState::Accepted => {
                        assert!(!settled, "still open; {}", told());
                    }
                    OperationState::Reversed => panic!("nobody reversed anything; {}", told()),
                }
            }
            assert!(payment.captured <= payment.authorized && payment.refunded <= payment.captured, "{}", told());
            assert_eq!(payment.contradiction, None, "{}", told());
            let charge = books.charges.get(payment.operations.first().unwrap()).copied().unwrap_or_default();
            if settled {
                assert!(!payment.in_doubt(), "still in doubt; {}", told());
                let ours = Charge {
                    authorized: payment.authorized,
                    captured: payment.captured,
                    released: payment.released,
                    refunded: payment.refunded,
                };
                assert_eq!(ours, charge, "other sums; {}", told());
            }
        }
        drop(books);
        self.feed_is_whole(&payments, what);
        self.answers_stand(&payments, what);
    }

    /// Each object's events count from 1 without gaps, and payments of one reference follow one another.
    fn feed_is_whole(&self, payments: &[(Payment, Vec<Operation>)], what: &str) {
        let events = self.store().events(0, 1_000).now_or_never().unwrap().unwrap();
        let mut positions = events.iter().map(|event| event.position);
        assert!(positions.by_ref().is_sorted(), "{what}");
        for (payment, _) in payments {
            let mut counted: BTreeMap<String, Vec<u32>> = BTreeMap::new();
            for event in events.iter().filter(|event| event.subject.payment() == Some(payment.id)) {
                counted.entry(format!("{:?}", event.subject)).or_default().push(event.sequence);
            }
            let whole = |sequence: &Vec<u32>| sequence.iter().copied().eq(1..=u32::try_from(sequence.len()).unwrap());
            assert!(counted.values().all(whole), "{what}: a gap in {counted:#?} {:#?}", self.scheduler.steps);
            let of_payment =
                counted.iter().filter(|(subject, _)| subject.starts_with("Payment")).map(|(_, it)| it.len());
            assert_eq!(u32::try_from(of_payment.sum::<usize>()).unwrap(), payment.events, "{what}");
        }
        let place = |payment: &Payment, of: &[EventKind]| {
            let like = |event: &&switchyard_store::Recorded| {
                event.subject.payment() == Some(payment.id) && of.contains(&event.kind)
            };
            events.iter().find(like).map(|event| event.position)
        };
        let mut guarded: Vec<&Payment> =
            payments.iter().map(|(payment, _)| payment).filter(|it| !it.allow_duplicate_reference).collect();
        guarded.sort_by_key(|payment| place(payment, &[EventKind::PaymentCreated]));
        for pair in guarded.windows(2) {
            let [before, after] = pair else { continue };
            let ended = place(before, &[EventKind::PaymentAuthorized, EventKind::PaymentFailed]);
            let begun = place(after, &[EventKind::PaymentCreated]);
            assert!(ended.is_some() && ended < begun, "{what}: two open at once; {:#?}", self.scheduler.steps);
        }
    }

    /// What a merchant was told for certain stands in the ledger.
    fn answers_stand(&self, payments: &[(Payment, Vec<Operation>)], what: &str) {
        for (name, told) in self.heard.lock().unwrap().iter() {
            let Told::Answer(answer, _) = told else { continue };
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let mut words = body.split(' ');
            let (id, state) = (words.next().unwrap(), words.next().unwrap());
            let mut operations = payments.iter().flat_map(|(_, operations)| operations);
            let operation = operations.find(|operation| operation.id.to_string() == id);
            let operation = operation.unwrap_or_else(|| panic!("{what}: {name} was told of nothing: {body}"));
            let stands = format!("{:?}", operation.state);
            let same = answer.status == 202 || stands == state;
            assert!(same, "{what}: {name} was told {state}, and it is {stands}; {:#?}", self.scheduler.steps);
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        // The next run opens the same folder.
        self.scheduler = Scheduler::new(&self.world);
        (self.engine, self.store) = (None, None);
    }
}

fn guarded() -> NewPayment {
    NewPayment { allow_duplicate_reference: false, reference: "order-2".into(), ..ask(CaptureMode::Manual) }
}

/// A payment of 1,000, held, of which 400 are captured; with `doubt` besides, a capture of 300 whose answer was lost, or
/// that never came in.
pub(crate) fn prepare(folder: &Path, doubt: Option<bool>) -> Prepared {
    let start = Prepared { millis: 1_770_000_000_000, ..Prepared::default() };
    let mut run = Run::start(folder, &start, &[], None);
    let engine = run.engine().clone();
    let first = NewPayment { reference: "order-1".into(), ..ask(CaptureMode::Manual) };
    run.scheduler
        .add("first", Box::pin(async move { drop(engine.create_payment(caller(), key(201), first).await.unwrap()) }));
    run.scheduler.finish();
    run.payment = run.payments().first().map(|(payment, _)| payment.id);
    run.send("part", Actor { name: "part", act: Act::Capture(Some(400)), key: 202 });
    run.scheduler.finish();
    if let Some(booked) = doubt {
        let lost = if booked { &run.bank.deaf } else { &run.bank.mute };
        lost.lock().unwrap().insert("lost".into());
        run.send("lost", Actor { name: "lost", act: Act::Capture(Some(300)), key: 203 });
        run.scheduler.finish();
        run.world.pass(Duration::from_secs(2));
    }
    let (payment, millis, books) = (run.payment, run.world.millis(), run.bank.books.lock().unwrap().clone());
    run.engine = None;
    run.store().close();
    drop(run);
    let ledger = std::fs::read(folder.join("ledger.db")).unwrap();
    Prepared { ledger, books, payment, millis }
}
