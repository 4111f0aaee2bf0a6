//! One request from its first to its last step: its id, its caller, its answer, its line in the log.

use super::Api;
use super::auth::{self, Held, Keys};
use super::card_numbers;
use super::faults::Faults;
use super::fingerprint::Asked;
use super::fingerprint::Pepper;
use super::json::{self, Document, Json, JsonError};
use super::limits::{Allowance, RATE_LIMIT, RATE_LIMIT_POLICY};
use super::problem::{Code, Problem};
use super::query::Query;
use super::request_body;
use super::use_cases::UseCases;
use super::versions::Version;
use super::webhook_endpoints::Hooks;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use switchyard_core::clock::{Clock, Uptime};
use switchyard_core::key::IdempotencyKey;
use switchyard_core::limits::REQUEST_DEPTH_MAX;
use switchyard_core::{MerchantName, OrderType, PaymentId, Timestamp};
use switchyard_engine::{Answered, Caller, EngineError, Key};
use switchyard_store::{ApiKey, Feed, Scope, Store};

const X_REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");
const IDEMPOTENCY_KEY: header::HeaderName = header::HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: header::HeaderName = header::HeaderName::from_static("idempotent-replayed");

/// Longest request id that is taken over, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// What the log and the metrics call a request that its client left before it was answered (as nginx does).
const STATUS_CLIENT_LEFT: u16 = 499;

/// Answers one request: `work` does what is particular to it.
pub(super) async fn serve(
    request: HttpRequest,
    route: &'static str,
    work: impl AsyncFnOnce(&mut Call<'_>) -> Result<Reply, Problem>,
) -> HttpResponse {
    let Some(api) = request.app_data::<Data<Api>>() else {
        tracing::error!("the API has no data to work with");
        return HttpResponse::InternalServerError().finish();
    };
    let mut call = Call::begin(&request, api, route);
    let mut answer = match work(&mut call).await {
        Ok(reply) => {
            call.line.replayed = reply.replayed;
            call.version = reply.version.or(call.version);
            reply.answer(call.speaks())
        }
        Err(mut problem) => {
            if let Some(version) = call.version {
                version.rename_faults(route, &mut problem);
            }
            call.line.code = Some(problem.code.name());
            problem.answer(&call.id)
        }
    };
    let headers = answer.headers_mut();
    if let Ok(id) = header::HeaderValue::from_str(&call.id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    if let Some(version) = call.version {
        version.tell(headers);
    }
    if let Some((policy, left)) = call.allowance.as_ref().map(Allowance::headers) {
        headers.insert(RATE_LIMIT_POLICY, policy);
        if let Some(left) = left {
            headers.insert(RATE_LIMIT, left);
        }
    }
    call.line.status = Some(answer.status().as_u16());
    #[cfg(feature = "crash-points")]
    answering();
    answer
}

/// Where tests kill the process around an answer.
#[cfg(feature = "crash-points")]
fn answering() {
    use switchyard_crash_points::{Point, reach};
    reach(Point::AnswerBefore);
    actix_web::rt::spawn(async {
        // Long enough for the worker to have written the answer, mostly.
        tokio::time::sleep(Duration::from_millis(2)).await;
        reach(Point::AnswerAfter);
    });
}

/// What a request is answered with, where nothing is wrong.
pub(super) struct Reply {
    status: u16,
    body: Bytes,
    replayed: bool,
    /// What it has to be shown in, where that is not what the request speaks: a replay answers the original request.
    version: Option<Version>,
}

impl Reply {
    /// An object or list that was asked for.
    pub(super) const fn read(body: Bytes) -> Self {
        Self { status: 200, body, replayed: false, version: None }
    }

    /// What will be done.
    pub(super) const fn accepted(body: Bytes) -> Self {
        Self { status: 202, body, replayed: false, version: None }
    }

    /// Done, with nothing to show.
    pub(super) const fn nothing() -> Self {
        Self { status: 204, body: Bytes::new(), replayed: false, version: None }
    }

    /// An object that was made.
    pub(super) const fn made(body: Bytes) -> Self {
        Self { status: 201, body, replayed: false, version: None }
    }

    fn answer(self, version: Version) -> HttpResponse {
        let mut answer = HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        if self.status != 204 {
            answer.insert_header((header::CONTENT_TYPE, header::HeaderValue::from_static("application/json")));
        }
        if self.replayed {
            answer.insert_header((IDEMPOTENT_REPLAYED, header::HeaderValue::from_static("true")));
        }
        answer.body(version.down(self.body))
    }
}

impl From<Answered> for Reply {
    fn from(Answered { answer, replayed, form }: Answered) -> Self {
        Self { status: answer.status, body: answer.body, replayed, version: Some(Version::from_number(form)) }
    }
}

/// One request under way.
pub(super) struct Call<'r> {
    request: &'r HttpRequest,
    api: &'r Api,
    id: String,
    line: Line<'r>,
    /// Those that the caller may use.
    order_types: Arc<[OrderType]>,
    /// The caller's key, once it is known.
    held: Option<Arc<Held>>,
    /// What is left of what the caller may ask.
    allowance: Option<Allowance>,
    /// What the request speaks, once its key is known.
    version: Option<Version>,
}

impl<'r> Call<'r> {
    fn begin(request: &'r HttpRequest, api: &'r Api, route: &'static str) -> Self {
        let id = given_request_id(request).unwrap_or_else(|| format!("req_{}", api.clock.uuid().simple()));
        let line = Line {
            api,
            method: method_name(request.method()),
            route,
            began: api.clock.uptime(),
            request_id: id.clone(),
            status: None,
            code: None,
            replayed: false,
            merchant: None,
            payment: None,
        };
        Self { request, api, id, line, order_types: Arc::default(), held: None, allowance: None, version: None }
    }

    /// The engine.
    pub(super) fn engine(&self) -> &'r dyn UseCases {
        &*self.api.engine
    }

    /// What happened.
    pub(super) fn feed(&self) -> &'r dyn Feed {
        &*self.api.feed
    }

    /// Webhook endpoints.
    pub(super) fn hooks(&self) -> &'r Hooks {
        &self.api.hooks
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.api.clock.now()
    }

    /// For a new id.
    pub(super) fn uuid(&self) -> uuid::Uuid {
        self.api.clock.uuid()
    }

    /// Knows the caller by the API key, which needs the scope, and refuses card numbers outside the body.
    pub(super) fn allow(&mut self, scope: Scope) -> Result<Caller, Problem> {
        let now = self.api.clock.now();
        let held = match self.api.keys.of(self.request, now) {
            Ok(held) => self.held.insert(held),
            Err(problem) => {
                self.stranger()?;
                return Err(problem);
            }
        };
        let key = Arc::clone(&held.key);
        let allowance = self.api.limits.of_key(key.id, &held.policy, now);
        self.spend(allowance)?;
        self.version = Some(Version::of(self.request, &key)?);
        let caller = Caller { merchant: key.merchant.clone(), mode: key.mode };
        self.line.merchant = Some(caller.merchant.clone());
        self.order_types = self.engine().order_types(&caller.merchant).ok_or_else(Problem::no_merchant)?;
        auth::require(&key, scope)?;
        self.refuse_card_numbers()?;
        Ok(caller)
    }

    /// Counts a request without a key against its address.
    pub(super) fn stranger(&mut self) -> Result<(), Problem> {
        let peer = self.request.peer_addr().map(|peer| peer.ip());
        let allowance = self.api.limits.of_address(peer, self.api.clock.now());
        self.spend(allowance)
    }

    fn spend(&mut self, allowance: Allowance) -> Result<(), Problem> {
        let allowance = self.allowance.insert(allowance);
        let Some(problem) = allowance.refusal() else { return Ok(()) };
        self.api.metrics.limited(allowance.by());
        Err(problem)
    }

    /// The caller's key, once it is known.
    pub(super) fn key(&self) -> Option<Arc<ApiKey>> {
        self.held.as_ref().map(|held| Arc::clone(&held.key))
    }

    /// Every key.
    pub(super) fn keys(&self) -> &'r Keys {
        &self.api.keys
    }

    /// Where keys are kept.
    pub(super) fn ledger(&self) -> &'r dyn Store {
        &*self.api.ledger
    }

    /// What their hashes are made with.
    pub(super) fn pepper(&self) -> &'r Pepper {
        &self.api.pepper
    }

    /// The time.
    pub(super) fn clock(&self) -> &'r dyn Clock {
        &*self.api.clock
    }

    /// Refuses card numbers in path and headers. The query's are found where it is read, the key's where it is parsed.
    pub(super) fn refuse_card_numbers(&self) -> Result<(), Problem> {
        if card_numbers::in_path(self.request.path()) {
            return Err(Problem::card_number("the path"));
        }
        let suspicious = self.request.headers().iter().any(|(name, value)| {
            *name != header::AUTHORIZATION && value.len() > 12 && value.to_str().is_ok_and(card_numbers::in_header)
        });
        if suspicious { Err(Problem::card_number("a header")) } else { Ok(()) }
    }

    /// The order types that the caller may use.
    pub(super) fn order_types(&self) -> Arc<[OrderType]> {
        Arc::clone(&self.order_types)
    }

    /// The query. Whoever reads it also finishes it.
    pub(super) fn query(&self) -> Result<Query, Problem> {
        Query::parse(self.request.query_string())
    }

    /// Refuses every query parameter.
    pub(super) fn no_query(&self) -> Result<(), Problem> {
        if self.request.query_string().is_empty() { Ok(()) } else { self.query()?.finish() }
    }

    /// The `{id}` of the path, read by `parse`; anything else names nothing.
    pub(super) fn id<T>(&self, what: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
        self.request.match_info().get("id").and_then(parse).ok_or_else(|| Problem::not_found(what))
    }

    /// The payment that the path names.
    pub(super) fn payment_id(&mut self) -> Result<PaymentId, Problem> {
        let id = self.id("payment", PaymentId::parse)?;
        self.line.payment = Some(id);
        Ok(id)
    }

    /// Reads key and body of a request that moves money, then hands the body to `read`. A request that is refused by now
    /// may be a repeat of one that was carried out, so its key is looked at before it is refused.
    pub(super) async fn command<T>(
        &mut self,
        caller: &Caller,
        payload: &mut Payload,
        body: BodyRule,
        read: impl FnOnce(Json<'_>, &mut Faults) -> Option<T>,
    ) -> Result<Command<T>, Problem> {
        self.no_query()?;
        let key = self.idempotency_key()?;
        let bytes = request_body::read(self.request, payload).await?;
        let Document { value, duplicates, decimals: _ } = self.document(&bytes, body)?;
        let (method, path, version) = (self.line.method, self.request.path(), self.speaks());
        let asked = Asked { method, path, body: &value, body_bytes: bytes.len(), version };
        let claim = self.api.pepper.claim(caller, &key, &asked);
        let refused = match read_whole(value, duplicates, read) {
            Ok(ask) => return Ok(Command::Do(claim, ask)),
            Err(refused) => refused,
        };
        match self.engine().already(claim).await {
            Ok(Some(answered)) => Ok(Command::Done(answered)),
            Ok(None) | Err(EngineError::KeyMismatch) => Err(refused),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the body of a request that moves no money, and so needs no key.
    pub(super) async fn body<T>(
        &mut self,
        payload: &mut Payload,
        read: impl FnOnce(Json<'_>, &mut Faults) -> Option<T>,
    ) -> Result<T, Problem> {
        self.no_query()?;
        let bytes = request_body::read(self.request, payload).await?;
        let Document { value, duplicates, decimals: _ } = self.document(&bytes, BodyRule::Required)?;
        read_whole(value, duplicates, read)
    }

    /// The same where no body is as good as an empty one.
    pub(super) async fn body_if_any<T>(
        &mut self,
        payload: &mut Payload,
        read: impl FnOnce(Json<'_>, &mut Faults) -> Option<T>,
    ) -> Result<T, Problem> {
        self.no_query()?;
        let bytes = request_body::read(self.request, payload).await?;
        let Document { value, duplicates, decimals: _ } = self.document(&bytes, BodyRule::MayBeLeftOut)?;
        read_whole(value, duplicates, read)
    }

    /// The version that the request speaks.
    fn speaks(&self) -> Version {
        self.version.unwrap_or(Version::NEWEST)
    }

    /// The body as JSON of the newest version, without card numbers.
    fn document<'b>(&self, bytes: &'b Bytes, body: BodyRule) -> Result<Document<'b>, Problem> {
        let mut document = match (bytes.is_empty(), body) {
            (true, BodyRule::MayBeLeftOut) => Document::default(),
            (_, BodyRule::MayBeLeftOut | BodyRule::Required) => {
                request_body::require_json(self.request)?;
                parse(bytes)?
            }
        };
        if card_numbers::in_body(&document, bytes) {
            return Err(Problem::card_number("the body"));
        }
        self.speaks().up(self.line.route, &mut document.value);
        Ok(document)
    }

    fn idempotency_key(&self) -> Result<IdempotencyKey, Problem> {
        let invalid = |detail: String| Problem::new(Code::IdempotencyKeyInvalid, detail);
        let mut headers = self.request.headers().get_all(IDEMPOTENCY_KEY);
        let Some(value) = headers.next() else {
            let detail =
                "send `Idempotency-Key` with a text of your own that names this request, such as \"order-1001-1\"";
            return Err(Problem::new(Code::IdempotencyKeyMissing, detail));
        };
        if headers.next().is_some() {
            return Err(invalid("there is more than one key".to_owned()));
        }
        let text = value.to_str().map_err(|_| invalid("the key may hold visible ASCII characters only".to_owned()))?;
        let key = IdempotencyKey::parse(text).map_err(|error| invalid(error.to_string()))?;
        if card_numbers::in_text(key.as_str()) {
            return Err(Problem::card_number("the idempotency key"));
        }
        Ok(key)
    }

    /// Notes which payment the request was about.
    pub(super) fn about(&mut self, payment: PaymentId) {
        self.line.payment = Some(payment);
    }

    /// The same for a new payment, or one replayed: its answer begins with its id.
    pub(super) fn about_created(&mut self, answered: &Answered) {
        const BEFORE_ID: &[u8] = br#"{"id":""#;
        let id = answered.answer.body.strip_prefix(BEFORE_ID).and_then(|rest| rest.split(|byte| *byte == b'"').next());
        self.line.payment = id.and_then(|id| std::str::from_utf8(id).ok()).and_then(PaymentId::parse);
    }
}

/// What a request that moves money comes to.
pub(super) enum Command<T> {
    /// It is to be carried out, under this key.
    Do(Key, T),
    /// It was carried out before, and would be refused today.
    Done(Answered),
}

/// Whether a request can do without a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyRule {
    /// It cannot.
    Required,
    /// No body is `{}`.
    MayBeLeftOut,
}

/// What `read` makes of the body, or every fault of it.
fn read_whole<'b, T>(
    value: Json<'b>,
    duplicates: Vec<String>,
    read: impl FnOnce(Json<'b>, &mut Faults) -> Option<T>,
) -> Result<T, Problem> {
    let mut faults = Faults::default();
    faults.add_duplicates(duplicates);
    match read(value, &mut faults) {
        Some(ask) if faults.is_empty() => Ok(ask),
        Some(_) | None => Err(Problem::faulty(faults)),
    }
}

fn parse(bytes: &[u8]) -> Result<Document<'_>, Problem> {
    json::parse(bytes).map_err(|error| match error {
        JsonError::TooDeep => Problem::new(Code::TooDeep, format!("a body may nest {REQUEST_DEPTH_MAX} levels deep")),
        JsonError::Syntax(_) if bytes.is_empty() => Problem::new(Code::InvalidJson, "the body is empty"),
        JsonError::Syntax(reason) => Problem::new(Code::InvalidJson, reason),
    })
}

/// The merchant's own id of the request, where it can be shown and logged as it is.
fn given_request_id(request: &HttpRequest) -> Option<String> {
    let id = request.headers().get(X_REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let right = (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(plain) && !card_numbers::in_text(id);
    right.then(|| id.to_owned())
}

/// The method among those that there are, so that a metric's label has few values.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: &[&str] = &["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
    KNOWN.iter().find(|known| **known == method.as_str()).copied().unwrap_or("other")
}

/// A request's line in the log, written when the request ends, however it does.
struct Line<'r> {
    api: &'r Api,
    method: &'static str,
    route: &'static str,
    began: Uptime,
    request_id: String,
    status: Option<u16>,
    code: Option<&'static str>,
    replayed: bool,
    merchant: Option<MerchantName>,
    payment: Option<PaymentId>,
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let status = self.status.unwrap_or(if std::thread::panicking() { 500 } else { STATUS_CLIENT_LEFT });
        let duration = self.api.clock.uptime().0.saturating_sub(self.began.0);
        self.api.metrics.request(self.route, self.method, status, duration);
        tracing::info!(
            request_id = self.request_id,
            method = self.method,
            route = self.route,
            status,
            duration_us = micros(duration),
            code = self.code,
            merchant = self.merchant.as_ref().map(MerchantName::as_str),
            payment = self.payment.map(tracing::field::display),
            replayed = self.replayed,
            "request"
        );
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
