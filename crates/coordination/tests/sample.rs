//! Channels, payments and outcomes.

use std::time::Duration;
use switchyard_coordination::{HealthPolicy, InProcess, Noted};
use switchyard_core::{ChannelName, Mode, PaymentId, Timestamp};

pub(crate) const LIVE: Mode = Mode::Live;
pub(crate) const START: Timestamp = Timestamp(1_900_000_000_000);

pub(crate) fn channel(name: &str) -> ChannelName {
    ChannelName::new(name).unwrap()
}

pub(crate) fn acme() -> ChannelName {
    channel("acme")
}

pub(crate) fn coordination() -> InProcess {
    InProcess::new([(acme(), HealthPolicy::default())])
}

/// Looks like a UUID version 7 of its own millisecond.
pub(crate) fn payment(number: u64) -> PaymentId {
    PaymentId::parse(&format!("pay_{:012x}7000{:016x}", 0x0197_0000_0000 + number, 0x8000_0000_0000_0000 | number))
        .unwrap()
}

pub(crate) fn noted(fault: bool, latency_ms: u64) -> Noted {
    Noted { fault, latency: Duration::from_millis(latency_ms) }
}
