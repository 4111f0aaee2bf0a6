//! A bench to try the engine on.

use async_trait::async_trait;
use secrecy::SecretString;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchyard_coordination::{HealthSettings, InProcess};
use switchyard_core::capabilities::{Capabilities, Idempotency, LookUp, MethodCapability, Parts, Presentation, Which};
use switchyard_core::clock::{Clock, Timestamp, Uptime};
use switchyard_core::method::Direction;
use switchyard_core::operation::Target;
use switchyard_core::payment::{CaptureMode, News, Payment, Source};
use switchyard_core::provider::{Authorize, Call, Capture, Found, Provider, ProviderError, Reference, Refund};
use switchyard_core::settle::Report;
use switchyard_core::transport::{Bounds, HttpRequest, HttpResponse, Transport, TransportError};
use switchyard_core::{
    ChannelName, Country, Currency, MerchantName, Method, Mode, Money, Operation, OperationKind, OrderType,
};
use switchyard_engine::{
    Account, Board, BoxedTask, Caller, Channel, Channels, Engine, Key, Limit, Live, Merchants, NewPayment, Outcome,
    Render, Seams, Setup, Spawn, Stopping, Tokens, Watch,
};
use switchyard_routing::RuleSet;
use switchyard_routing::source::Source as RuleSource;
use switchyard_routing::vocabulary::{ChannelSpec, MerchantSpec, OrderTypeSpec, Service, Vocabulary};
use switchyard_store::sqlite::{Settings, Sqlite};
use switchyard_store::{Answer, Claim, Store};
use tempfile::TempDir;
use uuid::Uuid;

/// How long a call to the scripted provider may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// How long its *not found* proves nothing.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// How long payments may follow a route.
pub(crate) const ROUTE_LIFE: Duration = Duration::from_secs(60);

/// Both clocks, moved by hand; sleeping moves them.
#[derive(Debug)]
pub(crate) struct HandClock {
    wall: AtomicU64,
    boot: AtomicU64,
    ids: AtomicU64,
}

impl HandClock {
    /// Time passes.
    pub(crate) fn pass(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.wall.fetch_add(millis, Ordering::SeqCst);
        self.boot.fetch_add(millis, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock forward.
    pub(crate) fn step(&self, span: Duration) {
        self.wall.fetch_add(u64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(i64::try_from(self.wall.load(Ordering::SeqCst)).unwrap())
    }

    fn uptime(&self) -> Uptime {
        Uptime(Duration::from_millis(self.boot.load(Ordering::SeqCst)))
    }

    fn uuid(&self) -> Uuid {
        let count = self.ids.fetch_add(1, Ordering::SeqCst);
        let millis = u128::from(self.wall.load(Ordering::SeqCst));
        Uuid::from_u128(millis << 80 | 7 << 76 | 2 << 62 | u128::from(count))
    }

    async fn sleep(&self, span: Duration) {
        self.pass(span);
        tokio::task::yield_now().await;
    }
}

/// Answers by script, and remembers what it was asked.
pub(crate) struct Scripted {
    pub(crate) answers: Mutex<VecDeque<Result<Report, ProviderError>>>,
    pub(crate) found: Mutex<VecDeque<Result<Found, ProviderError>>>,
    pub(crate) calls: Mutex<Vec<OperationKind>>,
    pub(crate) look_ups: AtomicU32,
    /// Held up until told.
    pub(crate) gate: tokio::sync::Semaphore,
    pub(crate) gated: std::sync::atomic::AtomicBool,
    /// Holds up the answer of the next look-up, which the provider has given by then.
    pub(crate) hold_look_up: std::sync::atomic::AtomicBool,
}

impl Scripted {
    fn new() -> Self {
        Self {
            answers: Mutex::default(),
            found: Mutex::default(),
            calls: Mutex::default(),
            look_ups: AtomicU32::new(0),
            gate: tokio::sync::Semaphore::new(0),
            gated: std::sync::atomic::AtomicBool::new(false),
            hold_look_up: std::sync::atomic::AtomicBool::new(false),
        }
    }

    pub(crate) fn answer(&self, answer: Result<Report, ProviderError>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    pub(crate) fn find(&self, found: Result<Found, ProviderError>) {
        self.found.lock().unwrap().push_back(found);
    }

    async fn next(&self, kind: OperationKind) -> Result<Report, ProviderError> {
        self.calls.lock().unwrap().push(kind);
        if self.gated.load(Ordering::SeqCst) {
            self.gate.acquire().await.unwrap().forget();
        }
        self.answers.lock().unwrap().pop_front().expect("a scripted answer")
    }
}

#[async_trait]
impl Provider for Scripted {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(capabilities())
    }

    fn base(&self) -> &str {
        "https://provider.example"
    }

    fn account(&self) -> &str {
        "one"
    }

    async fn authorize(&self, _: &Call<'_>, ask: &Authorize) -> Result<Report, ProviderError> {
        self.next(match ask.capture {
            CaptureMode::Automatic => OperationKind::Sale,
            CaptureMode::Manual => OperationKind::Authorize,
        })
        .await
    }

    async fn look_up(&self, _: &Call<'_>, _: &Reference) -> Result<Found, ProviderError> {
        self.look_ups.fetch_add(1, Ordering::SeqCst);
        let found = self.found.lock().unwrap().pop_front().expect("a scripted look-up");
        if self.hold_look_up.swap(false, Ordering::SeqCst) {
            self.gate.acquire().await.unwrap().forget();
        }
        found
    }

    async fn capture(&self, _: &Call<'_>, _: &Capture) -> Result<Report, ProviderError> {
        self.next(OperationKind::Capture).await
    }

    async fn refund(&self, _: &Call<'_>, _: &Refund) -> Result<Report, ProviderError> {
        self.next(OperationKind::Refund).await
    }
}

pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        provider: "scripted",
        api_version: "1",
        methods: vec![MethodCapability {
            method: Method::Card,
            direction: Direction::Payin,
            presentation: Presentation::Token,
            currencies: Which::All,
            countries: Which::All,
            amounts: Vec::new(),
            manual_capture: true,
            sale: true,
            captures: Parts::Many,
            void: true,
            cancel_waiting: true,
            refunds: Parts::Many,
            required: Vec::new(),
        }],
        idempotency: Idempotency::Reference,
        look_up: LookUp {
            by_our_reference: true,
            by_their_reference: false,
            complete: true,
            grace: GRACE,
            schedule: vec![Duration::from_secs(1), Duration::from_secs(60)],
            longest_silence: Duration::from_secs(3600),
        },
    }
}

/// The scripted provider sends nothing.
pub(crate) struct NoTransport;

#[async_trait]
impl Transport for NoTransport {
    async fn send(&self, _: HttpRequest, _: Bounds) -> Result<HttpResponse, TransportError> {
        Err(TransportError::NeverLeft("there is no way out".into()))
    }
}

/// Runs tasks on the test's runtime.
struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, task: BoxedTask) -> Result<(), Stopping> {
        tokio::spawn(task);
        Ok(())
    }
}

/// Shows status and doubt.
struct Plain;

impl Render for Plain {
    fn answer(&self, payment: &Payment, operation: &Operation) -> Answer {
        let open = operation.state.open();
        let doubt = if payment.in_doubt() { " in doubt" } else { "" };
        let body = format!("{}{doubt} v{}", payment.status.as_str(), payment.events);
        Answer { status: if open { 202 } else { 201 }, body: body.into_bytes().into() }
    }
}

pub(crate) struct Nobody;

impl Watch for Nobody {
    fn called(&self, _: &ChannelName, _: Mode, _: OperationKind, _: Outcome, _: bool, _: Duration) {}
    fn looked_up(&self, _: &ChannelName, _: OperationKind, _: &'static str, _: Duration) {}
    fn settled(&self, _: Option<&ChannelName>, _: OperationKind, _: Outcome, _: Source) {}
    fn routed(&self, _: &str, _: Option<&ChannelName>) {}
    fn replayed(&self) {}
    fn contradicted(&self, _: &ChannelName) {}
}

/// One engine with all that it stands on.
pub(crate) struct Bench {
    pub(crate) engine: Arc<Engine>,
    pub(crate) provider: Arc<Scripted>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) coordination: Arc<InProcess>,
    pub(crate) channels: Channels,
    seams: Seams,
    _data: TempDir,
}

impl Bench {
    /// Over a ledger as it is.
    pub(crate) fn new() -> Self {
        Self::over(|ledger| ledger)
    }

    /// Over a ledger that `wrap` makes worse.
    pub(crate) fn over(wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        let data = TempDir::new().unwrap();
        let settings = Settings::new(data.path().join("ledger.db"), Arc::new(|reason| panic!("{reason}")));
        let store = wrap(Sqlite::open_inline(&settings).unwrap());
        let clock = Arc::new(HandClock {
            wall: AtomicU64::new(1_770_000_000_000),
            boot: AtomicU64::new(1_000_000),
            ids: AtomicU64::new(1),
        });
        let provider = Arc::new(Scripted::new());
        let name = ChannelName::new("eu").unwrap();
        let target =
            Target { channel: name.clone(), base: provider.base().to_owned(), account: provider.account().to_owned() };
        let account = Account {
            provider: Arc::<Scripted>::clone(&provider),
            transport: Arc::new(NoTransport),
            target: Arc::new(target),
        };
        let channels = Channels::from_iter([Channel {
            name: name.clone(),
            provider: "scripted".into(),
            test: Some(account),
            live: None,
            timeout: TIMEOUT,
            limit: Limit::new(64),
        }]);
        // Every second payment may try out a channel that was bad.
        let health = HealthSettings { probe_share_permille: 500, ..HealthSettings::default() }.check().unwrap();
        let coordination = Arc::new(InProcess::new([(name, health)]));
        let watched: Arc<InProcess> = Arc::clone(&coordination);
        let board = Arc::new(Board::new(setup(rules(""), channels.clone(), merchants()), coordination, clock.now()));
        let seams = Seams {
            clock: Arc::<HandClock>::clone(&clock),
            spawn: Arc::new(OnTokio),
            store: Arc::clone(&store),
            render: Arc::new(Plain),
            watch: Arc::new(Nobody),
            board,
            live: Live::default(),
            route_life: ROUTE_LIFE,
        };
        let engine = Engine::new(seams.clone());
        Self { engine, provider, clock, store, coordination: watched, channels, seams, _data: data }
    }

    /// Where what is in force is posted.
    pub(crate) fn board(&self) -> &Board {
        &self.seams.board
    }

    /// A reload after which the channel has another account.
    pub(crate) fn give_account(&self, account: &str) {
        let moved = self.channels.iter().map(|channel| {
            let of_mode = |known: &Account| Account {
                target: Arc::new(Target { account: account.into(), ..(*known.target).clone() }),
                ..known.clone()
            };
            Channel { test: channel.test.as_ref().map(of_mode), ..(**channel).clone() }
        });
        self.put_in_force(moved.collect(), merchants());
    }

    /// Another process over the same ledger, as after a crash: it owns none of what the first one had under way.
    pub(crate) fn restarted(&self) -> Arc<Engine> {
        Engine::new(Seams { live: Live::default(), ..self.seams.clone() })
    }

    /// A reload: the same rules over other channels and merchants.
    pub(crate) fn put_in_force(&self, channels: Channels, merchants: Merchants) {
        self.seams.board.put_in_force(setup(rules(""), channels, merchants), self.clock.now());
    }

    /// A reload: other rules over the same channels and merchants.
    pub(crate) fn put_rules_in_force(&self, rules: RuleSet) {
        self.seams.board.put_in_force(setup(rules, self.channels.clone(), merchants()), self.clock.now());
    }

    /// The merchants that it began with.
    pub(crate) fn merchants(&self) -> Merchants {
        merchants()
    }

    /// Lets recovery look up what is due, and waits for it.
    pub(crate) async fn recover(&self, engine: &Arc<Engine>) {
        engine.recover(&OnTokio, 16).await.unwrap();
        self.settle().await;
    }

    /// Lets every task go on that can.
    pub(crate) async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    /// The newest payment.
    pub(crate) async fn payment(&self) -> Payment {
        let filter = switchyard_store::PaymentFilter::of(caller().merchant, Mode::Test);
        self.store.list_payments(filter, None, 1).await.unwrap().data.pop().expect("a payment")
    }

    /// The types of all events so far.
    pub(crate) async fn events(&self) -> Vec<&'static str> {
        let events = self.store.events(0, 1_000).await.unwrap();
        events.iter().map(|event| event.kind.as_str()).collect()
    }
}

pub(crate) fn setup(rules: RuleSet, channels: Channels, merchants: Merchants) -> Setup {
    Setup { rules: Arc::new(rules), roster: Arc::new(channels), merchants: Arc::new(merchants) }
}

pub(crate) fn merchants() -> Merchants {
    let vocabulary = vocabulary();
    Merchants::new(vocabulary.merchants, &vocabulary.order_types)
}

/// One rule for everything, and whatever is to stand before it.
pub(crate) fn rules(before: &str) -> RuleSet {
    let source = RuleSource::new("routing.toml", format!("{before}[[rules]]\nname = \"all\"\nuse = [\"eu\"]\n"));
    RuleSet::compile(&source, &vocabulary()).unwrap()
}

fn vocabulary() -> Vocabulary {
    let capabilities = capabilities();
    Vocabulary {
        order_types: vec![OrderTypeSpec { name: OrderType::new("ecommerce").unwrap(), direction: Direction::Payin }],
        merchants: vec![MerchantSpec { name: caller().merchant, order_types: Which::All, channels: Which::All }],
        channels: vec![ChannelSpec {
            name: ChannelName::new("eu").unwrap(),
            provider: "scripted".into(),
            retired: false,
            modes: vec![Mode::Test],
            order_types: Which::All,
            acquiring_country: None,
            bare_token: true,
            services: capabilities.methods.iter().map(Service::from).collect(),
        }],
    }
}

pub(crate) fn caller() -> Caller {
    Caller { merchant: MerchantName::new("shop").unwrap(), mode: Mode::Test }
}

pub(crate) fn key(number: u8) -> Key {
    Claim { key: [number; 16], request: [number; 16], form: 0 }
}

pub(crate) fn money(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap()).unwrap()
}

pub(crate) fn approved(minor: i64) -> Report {
    Report::bare(News::Approved(money(minor)))
}

pub(crate) fn ask(capture: CaptureMode) -> NewPayment {
    NewPayment {
        amount: money(1_000),
        country: Country::from_code("DE").unwrap(),
        order_type: OrderType::new("ecommerce").unwrap(),
        reference: "order-1".into(),
        method: Method::Card,
        tokens: Tokens { bare: Some(SecretString::from("tok")), ..Tokens::default() },
        capture,
        return_url: None,
        statement_descriptor: None,
        description: None,
        customer: None,
        billing_address: None,
        shipping_address: None,
        browser: None,
        metadata: Vec::new(),
        allow_duplicate_reference: true,
        webhook_endpoint: None,
        route: None,
    }
}
