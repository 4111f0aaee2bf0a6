//! The switchboard for tests: faults, delays, and settling what is open.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{Error, HttpResponse};
use serde::{Deserialize, Serialize};

use crate::answer;
use crate::charge::Verdict;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::fault::Fault;
use crate::id::Object;
use crate::limits::DELAY_MS_MAX;
use crate::operation::Kind;
use crate::request::parse;
use crate::server::Simulator;
use crate::view::{ChargeView, OperationView};
use crate::words::words;

words! {
    /// Which requests a fault strikes.
    Target {
        Any = "any",
        Charges = "charges",
        Captures = "captures",
        Voids = "voids",
        Refunds = "refunds",
        LookUps = "look_ups",
    }
}

/// What control has set. Nothing of it is kept over a restart.
#[derive(Debug)]
pub(crate) struct Control {
    started_with: Delays,
    latency_ms: AtomicU64,
    pending_ms: AtomicU64,
    slow_ms: AtomicU64,
    /// Until then look-ups find nothing, in milliseconds since 1970.
    forgets_until: AtomicI64,
    /// Whether `strike` holds one: saves the lock where no faults are wanted.
    armed: AtomicBool,
    strike: Mutex<Option<Strike>>,
}

#[derive(Clone, Copy, Debug)]
struct Delays {
    pending_ms: u64,
    slow_ms: u64,
}

/// A fault for the next so many requests.
#[derive(Clone, Copy, Debug)]
struct Strike {
    left: u64,
    fault: Fault,
    on: Target,
}

/// The body of `POST /control`.
#[derive(Deserialize)]
struct Change {
    fail_next: Option<u64>,
    r#as: Option<Fault>,
    on: Option<Target>,
    latency_ms: Option<u64>,
    forget_for_ms: Option<u64>,
    pending_ms: Option<u64>,
    slow_ms: Option<u64>,
}

#[derive(Serialize)]
struct Standing {
    fail_next: u64,
    r#as: Option<Fault>,
    on: Option<Target>,
    latency_ms: u64,
    forget_for_ms: u64,
    pending_ms: u64,
    slow_ms: u64,
}

impl Control {
    pub(crate) fn new(pending: Duration, slow: Duration) -> Self {
        let started_with = Delays { pending_ms: milliseconds(pending), slow_ms: milliseconds(slow) };
        Self {
            started_with,
            latency_ms: AtomicU64::new(0),
            pending_ms: AtomicU64::new(started_with.pending_ms),
            slow_ms: AtomicU64::new(started_with.slow_ms),
            forgets_until: AtomicI64::new(0),
            armed: AtomicBool::new(false),
            strike: Mutex::new(None),
        }
    }

    pub(crate) fn pending_ms(&self) -> i64 {
        i64::try_from(self.pending_ms.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
    }

    pub(crate) fn slow(&self) -> Duration {
        Duration::from_millis(self.slow_ms.load(Ordering::Relaxed))
    }

    pub(crate) fn forgets(&self) -> bool {
        let until = self.forgets_until.load(Ordering::Relaxed);
        until != 0 && Millis::now() < Millis(until)
    }

    /// The fault that this request meets, which uses up one.
    pub(crate) fn take_fault(&self, target: Target) -> Option<Fault> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        let mut held = self.lock();
        let strike = held.as_mut().filter(|strike| strike.on == Target::Any || strike.on == target)?;
        let fault = strike.fault;
        strike.left = strike.left.saturating_sub(1);
        if strike.left == 0 {
            *held = None;
            self.armed.store(false, Ordering::Release);
        }
        Some(fault)
    }

    fn set(&self, change: &Change) -> Result<(), ApiError> {
        for (name, delay) in [
            ("latency_ms", change.latency_ms),
            ("forget_for_ms", change.forget_for_ms),
            ("pending_ms", change.pending_ms),
            ("slow_ms", change.slow_ms),
        ] {
            if delay.is_some_and(|delay| delay > DELAY_MS_MAX) {
                return Err(ApiError::ParameterInvalid(name, "at most 600000"));
            }
        }
        if let Some(left) = change.fail_next {
            self.arm(left, change.r#as, change.on.unwrap_or(Target::Any))?;
        }
        store(&self.latency_ms, change.latency_ms);
        store(&self.pending_ms, change.pending_ms);
        store(&self.slow_ms, change.slow_ms);
        if let Some(forget) = change.forget_for_ms {
            let until = Millis::now().after(i64::try_from(forget).unwrap_or(i64::MAX));
            self.forgets_until.store(until.0, Ordering::Relaxed);
        }
        Ok(())
    }

    fn arm(&self, left: u64, fault: Option<Fault>, on: Target) -> Result<(), ApiError> {
        let strike = match (left, fault) {
            (0, _) => None,
            (_, Some(fault)) => Some(Strike { left, fault, on }),
            (_, None) => return Err(ApiError::ParameterMissing("as")),
        };
        *self.lock() = strike;
        self.armed.store(strike.is_some(), Ordering::Release);
        Ok(())
    }

    fn reset(&self) {
        *self.lock() = None;
        self.armed.store(false, Ordering::Release);
        self.latency_ms.store(0, Ordering::Relaxed);
        self.forgets_until.store(0, Ordering::Relaxed);
        self.pending_ms.store(self.started_with.pending_ms, Ordering::Relaxed);
        self.slow_ms.store(self.started_with.slow_ms, Ordering::Relaxed);
    }

    fn standing(&self) -> Standing {
        let strike = *self.lock();
        let forget_for = self.forgets_until.load(Ordering::Relaxed).saturating_sub(Millis::now().0);
        Standing {
            fail_next: strike.map_or(0, |strike| strike.left),
            r#as: strike.map(|strike| strike.fault),
            on: strike.map(|strike| strike.on),
            latency_ms: self.latency_ms.load(Ordering::Relaxed),
            forget_for_ms: u64::try_from(forget_for).unwrap_or(0),
            pending_ms: self.pending_ms.load(Ordering::Relaxed),
            slow_ms: self.slow_ms.load(Ordering::Relaxed),
        }
    }

    /// A strike is whole at any moment, so a lock whose holder panicked is good as it is.
    fn lock(&self) -> MutexGuard<'_, Option<Strike>> {
        self.strike.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Middleware: holds back answers by the latency that is set.
pub(crate) async fn hold_back<B: MessageBody>(
    simulator: Data<Simulator>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let response = next.call(request).await;
    let latency_ms = simulator.control.latency_ms.load(Ordering::Relaxed);
    if latency_ms > 0 {
        answer::wait(&simulator, Duration::from_millis(latency_ms)).await;
    }
    response
}

pub(crate) fn routes(service: &mut ServiceConfig) {
    service
        .service(web::resource("/control").get(show).post(change).delete(reset))
        .service(web::resource("/control/charges/{id}/settle").post(settle_charge))
        .service(web::resource("/control/{operations:captures|voids|refunds}/{id}/settle").post(settle_operation));
}

async fn show(simulator: Data<Simulator>) -> HttpResponse {
    answer::json(&simulator.control.standing())
}

async fn change(simulator: Data<Simulator>, body: Bytes) -> Result<HttpResponse, ApiError> {
    simulator.control.set(&parse(&body)?)?;
    Ok(answer::json(&simulator.control.standing()))
}

async fn reset(simulator: Data<Simulator>) -> HttpResponse {
    simulator.control.reset();
    answer::json(&simulator.control.standing())
}

#[derive(Deserialize)]
struct Settle {
    outcome: Verdict,
}

async fn settle_charge(simulator: Data<Simulator>, id: Path<String>, body: Bytes) -> Result<HttpResponse, ApiError> {
    let Settle { outcome } = parse(&body)?;
    let number = simulator.names.number(Object::Charge, &id).ok_or(ApiError::NotFound)?;
    let settled = simulator.ledger.run(move |books| books.settle_charge(number, outcome)).await?;
    let charge = settled.ok_or(ApiError::NotFound)?.map_err(ApiError::Refused)?;
    Ok(answer::json(&ChargeView::compact(&simulator.names, &charge)))
}

async fn settle_operation(
    simulator: Data<Simulator>,
    path: Path<(String, String)>,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let (operations, id) = path.into_inner();
    let succeeds = match parse::<Settle>(&body)?.outcome {
        Verdict::Approve => true,
        Verdict::Decline => false,
        Verdict::Expire => return Err(ApiError::ParameterInvalid("outcome", "approve or decline")),
    };
    let kind = operations.strip_suffix('s').and_then(Kind::parse).ok_or(ApiError::NoSuchEndpoint)?;
    let number = simulator.names.number(Object::Operation(kind), &id).ok_or(ApiError::NotFound)?;
    let settled = simulator.ledger.run(move |books| books.settle_operation(number, succeeds)).await?;
    let (operation, charge) = settled.ok_or(ApiError::NotFound)?.map_err(ApiError::Refused)?;
    Ok(answer::json(&OperationView::with_charge(&simulator.names, &operation, &charge)))
}

fn store(cell: &AtomicU64, value: Option<u64>) {
    if let Some(value) = value {
        cell.store(value, Ordering::Relaxed);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
