//! The API as a merchant meets it, over an engine that only remembers what it was asked.

mod answers;
mod api_keys;
mod discovery;
mod docs;
mod log;
mod refusals;
mod sample;
mod sockets;
mod versions;
mod views;

use super::*;
use actix_web::body::MessageBody;
use actix_web::http::header::HeaderMap;
use actix_web::test::{self as actix, TestRequest};
use actix_web::{App, web};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use switchyard_core::clock::Uptime;
use switchyard_core::status::OperationState;
use switchyard_core::{
    MerchantName, Mode, Operation, OperationId, OperationKind, OrderType, Payment, PaymentId, Timestamp,
};
use switchyard_engine::{
    Answered, Caller, ChannelOffer, EngineError, FollowUp, Key, MethodOffer, NewPayment, NewRoute, Refreshed, Render,
    Reservation, WantedMethods,
};
use switchyard_store::sqlite::{Settings, Sqlite};
use switchyard_store::{Answer, ApiKey, Page, PaymentFilter, Scope};
use uuid::Uuid;

/// What a list of operations was asked for.
type Listed = (Vec<OperationKind>, Option<PaymentId>, Option<OperationId>, u32);

/// An answer with the claim of the request it was given to.
type Given = (Key, Answer);

/// Remembers what it was asked, and answers with samples or with the error it was given.
#[derive(Default)]
pub(super) struct Remembers {
    created: Mutex<Vec<(Caller, NewPayment)>>,
    followed_up: Mutex<Vec<FollowUp>>,
    filters: Mutex<Vec<PaymentFilter>>,
    lists: Mutex<Vec<Listed>>,
    answers: Mutex<HashMap<[u8; 16], Given>>,
    error: Mutex<Option<EngineError>>,
    narrowed: std::sync::atomic::AtomicBool,
}

impl Remembers {
    /// From now on no merchant may ask for `ecommerce`.
    pub(super) fn narrow(&self) {
        self.narrowed.store(true, Ordering::Relaxed);
    }

    fn answer(&self, key: Key, operation: &Operation) -> Result<Answered, EngineError> {
        if let Some(error) = self.error.lock().unwrap().clone() {
            return Err(error);
        }
        let mut answers = self.answers.lock().unwrap();
        match answers.get(&key.key) {
            Some((original, _)) if original.request != key.request => Err(EngineError::KeyMismatch),
            Some((original, answer)) => Ok(Answered { answer: answer.clone(), replayed: true, form: original.form }),
            None => {
                let answer = JsonRender.answer(&sample::payment(), operation);
                answers.insert(key.key, (key, answer.clone()));
                Ok(Answered { answer, replayed: false, form: key.form })
            }
        }
    }
}

#[async_trait::async_trait(?Send)]
impl UseCases for Remembers {
    async fn create_payment(&self, caller: Caller, key: Key, ask: NewPayment) -> Result<Answered, EngineError> {
        let answered = self.answer(key, &sample::operation(0, OperationKind::Authorize, OperationState::Succeeded));
        self.created.lock().unwrap().push((caller, ask));
        answered
    }

    async fn follow_up(&self, _: Caller, key: Key, _: PaymentId, ask: FollowUp) -> Result<Answered, EngineError> {
        let (kind, state) = match ask {
            FollowUp::Capture { .. } => (OperationKind::Capture, OperationState::Succeeded),
            FollowUp::Void { .. } => (OperationKind::Void, OperationState::InDoubt),
            FollowUp::Refund { .. } => (OperationKind::Refund, OperationState::Accepted),
        };
        self.followed_up.lock().unwrap().push(ask);
        self.answer(key, &sample::operation(1, kind, state))
    }

    async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Payment, EngineError> {
        let payment = sample::payment();
        let theirs = payment.id == id && payment.merchant == caller.merchant && payment.mode == caller.mode;
        theirs.then_some(payment).ok_or(EngineError::NotFound)
    }

    async fn refresh(&self, caller: &Caller, id: PaymentId) -> Result<Refreshed, EngineError> {
        let payment = self.payment(caller, id).await?;
        Ok(Refreshed { payment, not_refreshed: Some("the channel is gone".into()) })
    }

    async fn operations(&self, _: &Payment) -> Result<Vec<Operation>, EngineError> {
        Ok(vec![
            sample::operation(0, OperationKind::Authorize, OperationState::Succeeded),
            sample::operation(1, OperationKind::Refund, OperationState::Failed),
        ])
    }

    async fn operation(
        &self,
        caller: &Caller,
        kinds: &[OperationKind],
        id: OperationId,
    ) -> Result<(Operation, Payment), EngineError> {
        let payment = self.payment(caller, sample::payment_id()).await?;
        let operation = sample::operation(1, *kinds.first().unwrap(), OperationState::Succeeded);
        (operation.id == id).then_some((operation, payment)).ok_or(EngineError::NotFound)
    }

    async fn list_payments(
        &self,
        filter: PaymentFilter,
        _: Option<PaymentId>,
        limit: u32,
    ) -> Result<Page<Payment>, EngineError> {
        self.filters.lock().unwrap().push(filter);
        let data = vec![sample::payment(); usize::try_from(limit).unwrap().min(2)];
        Ok(Page { data, next: (limit == 1).then(|| sample::payment_id().uuid()) })
    }

    async fn list_operations(
        &self,
        _: &Caller,
        kinds: &[OperationKind],
        payment: Option<PaymentId>,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Page<(Operation, Payment)>, EngineError> {
        self.lists.lock().unwrap().push((kinds.to_vec(), payment, before, limit));
        let operation = sample::operation(1, *kinds.last().unwrap(), OperationState::Succeeded);
        Ok(Page { data: vec![(operation, sample::payment())], next: None })
    }

    async fn reserve(&self, _: Caller, ask: NewRoute) -> Result<Reservation, EngineError> {
        if let Some(error) = self.error.lock().unwrap().clone() {
            return Err(error);
        }
        Ok(sample::reservation(ask))
    }

    fn methods(&self, _: &Caller, ask: &WantedMethods) -> Vec<MethodOffer> {
        sample::methods(ask)
    }

    fn capabilities(&self, _: &Caller) -> Vec<ChannelOffer> {
        Vec::new()
    }

    fn order_types(&self, merchant: &MerchantName) -> Option<Arc<[OrderType]>> {
        let order_type = |name| OrderType::new(name).unwrap();
        match merchant.as_str() {
            "demo" if self.narrowed.load(Ordering::Relaxed) => Some(Arc::from([order_type("gaming")])),
            "demo" => Some(Arc::from([order_type("ecommerce"), order_type("gaming")])),
            "other" => Some(Arc::from([])),
            _ => None,
        }
    }

    async fn already(&self, key: Key) -> Result<Option<Answered>, EngineError> {
        match self.answers.lock().unwrap().get(&key.key) {
            Some((original, _)) if original.request != key.request => Err(EngineError::KeyMismatch),
            found => Ok(found.map(|(original, answer)| {
                let answer = answer.clone();
                Answered { answer, replayed: true, form: original.form }
            })),
        }
    }
}

/// Counts instead of running.
#[derive(Default)]
pub(super) struct StillClock(AtomicU64);

#[async_trait::async_trait]
impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        sample::AT
    }

    fn uptime(&self) -> Uptime {
        Uptime(Duration::from_micros(self.0.fetch_add(1, Ordering::Relaxed)))
    }

    fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }

    async fn sleep(&self, _: Duration) {}
}

/// Keeps what it is told.
#[derive(Default)]
pub(super) struct Counted(Mutex<Vec<(&'static str, &'static str, u16)>>);

impl ApiMetrics for Counted {
    fn request(&self, route: &'static str, method: &'static str, status: u16, _: Duration) {
        self.0.lock().unwrap().push((route, method, status));
    }

    fn limited(&self, _: By) {}
}

/// More than any test asks.
fn rate() -> switchyard_store::Rate {
    let many = std::num::NonZeroU32::MAX;
    switchyard_store::Rate { per_second: many, burst: many }
}

/// The API with its surroundings.
pub(super) struct Desk {
    pub(super) engine: Arc<Remembers>,
    pub(super) counted: Arc<Counted>,
    keys: Arc<Keys>,
    pepper: Pepper,
    ledger: Arc<Sqlite>,
    _directory: tempfile::TempDir,
}

impl Desk {
    /// With the sandbox key of `demo`, a key that may only read, and one of another merchant.
    pub(super) fn new() -> Self {
        let pepper = Pepper::new(b"a pepper for tests");
        let demo = MerchantName::new("demo").unwrap();
        let sandbox = sandbox_key(&pepper, demo);
        let keys = Arc::new(Keys::new(pepper.clone(), vec![sandbox.clone()], rate()));
        let all = vec![
            ApiKey {
                hash: pepper.api_key_hash("sy_test_reader"),
                scopes: vec![Scope::PaymentsRead],
                ..sandbox.clone()
            },
            ApiKey {
                hash: pepper.api_key_hash("sy_live_other"),
                merchant: MerchantName::new("other").unwrap(),
                mode: Mode::Live,
                ..sandbox.clone()
            },
            ApiKey {
                hash: pepper.api_key_hash("sy_test_removed"),
                merchant: MerchantName::new("removed").unwrap(),
                ..sandbox
            },
        ];
        keys.replace(all, keys.mark());
        let directory = tempfile::tempdir().unwrap();
        let fatal = Arc::new(|reason: &str| panic!("fatal: {reason}"));
        let settings = Settings::new(directory.path().join("switchyard.db"), fatal);
        let ledger = Sqlite::open_inline(&settings).unwrap();
        Self { engine: Arc::default(), counted: Arc::default(), keys, pepper, ledger, _directory: directory }
    }

    pub(super) fn api(&self) -> Api {
        let engine: Arc<Remembers> = Arc::clone(&self.engine);
        let counted: Arc<Counted> = Arc::clone(&self.counted);
        Api {
            engine,
            keys: Arc::clone(&self.keys),
            pepper: self.pepper.clone(),
            clock: Arc::new(StillClock::default()),
            metrics: counted,
            feed: Arc::<Sqlite>::clone(&self.ledger),
            hooks: Hooks {
                ledger: Arc::<Sqlite>::clone(&self.ledger),
                ring: crate::seal::KeyRing::open(None, self._directory.path()).unwrap(),
                rules: Rules { private_addresses: false },
                overlap: Duration::from_secs(60),
                changed: Arc::default(),
            },
            ledger: Arc::<Sqlite>::clone(&self.ledger),
            limits: Arc::new(Limits::new(Arc::new(switchyard_coordination::InProcess::new(Vec::new())), rate())),
        }
    }

    /// Sends one request and gives the answer whole.
    pub(super) async fn send(&self, request: TestRequest) -> Got {
        let app = actix::init_service(App::new().app_data(web::Data::new(self.api())).configure(configure)).await;
        let response = actix::call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().try_into_bytes().unwrap_or_default();
        Got { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Got {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The problem's code; that it is one in every respect is checked on the way.
    pub(super) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"], self.header("x-request-id").unwrap());
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("/docs/errors#{code}"));
        assert!(problem["title"].is_string() && problem["detail"].is_string());
        code
    }

    /// The faulty fields as `field code`.
    pub(super) fn faults(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        errors.iter().map(|fault| format!("{} {}", text(&fault["field"]), text(&fault["code"]))).collect()
    }
}

pub(super) fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path).insert_header(("authorization", "Bearer sy_test_sandbox")).peer_addr(loopback())
}

pub(super) fn post(path: &str, body: &str) -> TestRequest {
    get(path)
        .method(actix_web::http::Method::POST)
        .insert_header(("content-type", "application/json"))
        .insert_header(("idempotency-key", "key-1"))
        .set_payload(body.to_owned())
}

pub(super) fn loopback() -> std::net::SocketAddr {
    ([127, 0, 0, 1], 40_000).into()
}

/// The request of the docs.
pub(super) const PAYMENT: &str = r#"{"amount": 12500, "currency": "EUR", "country": "DE", "order_type": "ecommerce",
    "reference": "order-1001", "payment_method": {"type": "card", "token": "tok_approved"}, "capture": "manual",
    "return_url": "https://shop.example/return"}"#;
