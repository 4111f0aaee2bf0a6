//! End to end: the real binary, spoken to over HTTP, judged by the simulator's own ledger.

mod api_keys;
mod banner;
mod channel_status;
mod discovery;
mod doubt;
mod events;
mod flow;
mod guide;
mod idempotency;
mod keys;
mod kills;
mod operate;
mod parallel;
mod refused;
mod reload;
mod resets;
mod rules_records;
mod secrets;
mod versions;
mod webhooks;
