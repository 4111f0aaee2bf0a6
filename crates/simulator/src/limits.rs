//! Every bound in one place.

use std::time::Duration;

/// Twelve digits: sums of millions of them still fit an `i64`.
pub(crate) const AMOUNT_MAX: i64 = 999_999_999_999;
pub(crate) const BODY_BYTES_MAX: usize = 65_536;
pub(crate) const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
pub(crate) const TEXT_CHARACTERS_MAX: usize = 255;
/// Of an account's or a method's name.
pub(crate) const ACCOUNT_BYTES_MAX: usize = 64;
pub(crate) const METHOD_BYTES_MAX: usize = 32;

/// How long a card authorization holds money, in milliseconds: seven days, as is usual.
pub(crate) const AUTHORIZATION_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// How long a payer may take to visit the page, in milliseconds.
pub(crate) const PAGE_MS: i64 = 24 * 3_600 * 1_000;
/// An authorization that would expire while a capture or void is open is looked at again after so many milliseconds.
pub(crate) const EXPIRY_POSTPONED_MS: i64 = 1_000;
/// Of any delay that control may set, in milliseconds.
pub(crate) const DELAY_MS_MAX: u64 = 600_000;

/// How long a request that is never answered is held.
pub(crate) const HOLD: Duration = Duration::from_secs(60);
/// Longer than any sensible client keeps an idle connection, so that it is the client who closes it.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(75);
pub(crate) const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
pub(crate) const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Requests under way get so many seconds when the server stops.
pub(crate) const SHUTDOWN_SECONDS: u64 = 5;

/// How long the ledger waits for more jobs, once several came at the same time. Still a fast provider.
pub(crate) const GATHER: Duration = Duration::from_millis(1);
/// Jobs that share a commit.
pub(crate) const BATCH_MAX: usize = 256;
/// Rows of one page of the ledger; they are read by the thread that writes.
pub(crate) const LEDGER_PAGE_MAX: u32 = 5_000;
pub(crate) const LEDGER_PAGE_DEFAULT: u32 = 1_000;
/// Objects in the answer to a look-up by reference.
pub(crate) const LOOK_UP_MAX: u32 = 100;
/// Rows that have come due and are settled in one go.
pub(crate) const DUE_MAX: u32 = 1_000;
