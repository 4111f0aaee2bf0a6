//! Every bound of the product in one place, with its unit and its reason.

use std::time::Duration;

/// Largest amount, in minor units: twelve digits, as field 4 of an ISO 8583 message carries.
pub const AMOUNT_MINOR_MAX: i64 = 999_999_999_999;

/// Body of a merchant's request, in bytes; the largest sensible payment is below 20 KiB.
pub const REQUEST_BODY_BYTES_MAX: usize = 64 * 1024;

/// How deep a body may nest; the deepest documented field lies at four.
pub const REQUEST_DEPTH_MAX: usize = 16;

/// Answer of a provider, in bytes; a longer one is unreadable.
pub const PROVIDER_BODY_BYTES_MAX: usize = 1024 * 1024;

/// Idempotency key, in characters.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// Merchant reference, in characters: what the narrowest report of a provider carries.
pub const REFERENCE_CHARS_MAX: usize = 80;

/// Description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 500;

/// Web address, in bytes.
pub const URL_BYTES_MAX: usize = 2048;

/// Keys of `metadata`.
pub const METADATA_KEYS_MAX: usize = 50;
/// A key of `metadata`, in characters.
pub const METADATA_KEY_CHARS_MAX: usize = 40;
/// A value of `metadata`, in characters.
pub const METADATA_VALUE_CHARS_MAX: usize = 500;

/// A provider's token, in bytes; wallet payloads are the longest.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Operations of one payment. Each costs 16 bytes in the payment's row.
pub const OPERATIONS_PER_PAYMENT_MAX: usize = 1_000;

/// Objects on one page of a list.
pub const LIST_LIMIT_MAX: u32 = 100;
/// Objects on one page of a list, unless asked otherwise.
pub const LIST_LIMIT_DEFAULT: u32 = 20;

/// How long after its commit an intent may still be sent; past it the call counts as never left.
pub const SEND_WITHIN: Duration = Duration::from_secs(5);

/// Text that a provider sent and we keep (codes, messages, references), in characters.
pub const PROVIDER_TEXT_CHARS_MAX: usize = 255;
