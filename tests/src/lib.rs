//! Starts the real binary and speaks HTTP to it. Knows nothing of its inside.

#![expect(clippy::disallowed_methods, reason = "another process is waited for, in real time")]

pub mod http;
pub mod process;
pub mod receiver;

pub use http::{Client, Response};
pub use process::{Options, Sandbox};

use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A text that no other call of this run gave.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A card payment of €125.00 that the simulator treats as `token` says.
pub fn card_payment(token: &str) -> Value {
    json!({
        "amount": 12_500, "currency": "EUR", "country": "DE", "order_type": "ecommerce", "reference": unique("order"),
        "payment_method": {"type": "card", "token": token}
    })
}

/// The same, to be captured later.
pub fn authorization(token: &str) -> Value {
    with(card_payment(token), "capture", "manual")
}

/// `body` with one more member, or another value for it.
pub fn with(mut body: Value, member: &str, value: impl Into<Value>) -> Value {
    body[member] = value.into();
    body
}

/// Asks until `done` says so; panics after `patience`, showing what was seen last. For outcomes that another process
/// brings about, never for how long they take.
pub fn until<T: std::fmt::Debug>(patience: Duration, mut ask: impl FnMut() -> T, done: impl Fn(&T) -> bool) -> T {
    let start = Instant::now();
    loop {
        let seen = ask();
        if done(&seen) {
            return seen;
        }
        assert!(start.elapsed() < patience, "still not so after {patience:?}: {seen:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
