//! What a provider can do: data, printed as the support matrix and read by routing, validation and recovery.

use crate::country::Country;
use crate::method::{Direction, Method};
use crate::money::Currency;
use std::time::Duration;

/// Some values of a set, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which<T> {
    /// Every value.
    All,
    /// These.
    Only(Vec<T>),
}

impl<T: PartialEq> Which<T> {
    /// Whether `value` is among them.
    pub fn holds(&self, value: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(values) => values.contains(value),
        }
    }
}

/// How often an operation may be asked of one charge, and for how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parts {
    /// Not at all.
    No,
    /// Once, for the whole amount.
    Whole,
    /// Once, for the whole or a part.
    Part,
    /// Many times, for parts.
    Many,
}

/// How the payer's card or account reaches the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// By a token that the provider's own page code made.
    Token,
    /// On a page of the provider; no token is needed.
    Hosted,
}

/// A field of a payment's request that a method may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named as the request names it")]
pub enum Field {
    ReturnUrl,
    CustomerEmail,
    CustomerName,
    CustomerPhone,
    BillingAddress,
}

impl Field {
    /// The field's path in a request.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ReturnUrl => "return_url",
            Self::CustomerEmail => "customer.email",
            Self::CustomerName => "customer.name",
            Self::CustomerPhone => "customer.phone",
            Self::BillingAddress => "billing_address",
        }
    }
}

/// The smallest and largest amount, in minor units of a currency, and the step between amounts that can be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmountRange {
    /// Of which currency.
    pub currency: Currency,
    /// From this.
    pub min: i64,
    /// Up to this, included; `None` for no limit of the provider's.
    pub max: Option<i64>,
    /// Amounts are multiples of it; 1 for any.
    pub step: i64,
}

/// What can be done by one method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodCapability {
    /// The method.
    pub method: Method,
    /// Which way money moves.
    pub direction: Direction,
    /// How the payer's data reaches the provider.
    pub presentation: Presentation,
    /// In which currencies.
    pub currencies: Which<Currency>,
    /// For payers (a payout's: destinations) in which countries.
    pub countries: Which<Country>,
    /// Limits; a currency without a row has none.
    pub amounts: Vec<AmountRange>,
    /// Whether money can be held before it is taken.
    pub manual_capture: bool,
    /// Whether hold and take can be one call.
    pub sale: bool,
    /// Captures of one authorization.
    pub captures: Parts,
    /// Whether an authorization, or what is left of it, can be let go.
    pub void: bool,
    /// Whether a charge that waits for its payer can be called off.
    pub cancel_waiting: bool,
    /// Refunds of one charge.
    pub refunds: Parts,
    /// What the request must hold besides the base.
    pub required: Vec<Field>,
}

/// How the provider keeps one request from being carried out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// By a key of ours, kept so long.
    Key {
        /// How long a key is known.
        retention: Duration,
    },
    /// By our reference, unique for ever.
    Reference,
    /// Not at all.
    None,
}

/// How to learn what became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// By our own reference.
    pub by_our_reference: bool,
    /// By the provider's id.
    pub by_their_reference: bool,
    /// Whether a search by our reference that finds nothing proves that there is nothing.
    pub complete: bool,
    /// How long after the call's deadline *not found* starts to count.
    pub grace: Duration,
    /// How long to wait before each look-up; the last one repeats.
    pub schedule: Vec<Duration>,
    /// Without news for so long, a person has to look.
    pub longest_silence: Duration,
}

/// What a provider can do. Every field is named in each adapter: no default stands for "nobody looked".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The provider's name, as channels name it.
    pub provider: &'static str,
    /// The version of its API that the adapter speaks.
    pub api_version: &'static str,
    /// What can be done by each method.
    pub methods: Vec<MethodCapability>,
    /// How repeats are told apart.
    pub idempotency: Idempotency,
    /// How to learn what became of a call.
    pub look_up: LookUp,
}

impl Capabilities {
    /// What can be done by `method`.
    #[must_use]
    pub fn method(&self, method: Method, direction: Direction) -> Option<&MethodCapability> {
        self.methods.iter().find(|row| row.method == method && row.direction == direction)
    }
}
