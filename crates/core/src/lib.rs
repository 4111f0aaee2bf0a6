//! The contract of Switchyard: the nouns of payments, their states and how these move, what a provider is.
//!
//! Nothing here does I/O, reads a clock or knows JSON. Every other crate depends on this one; it depends on none of them.

pub mod capabilities;
pub mod card;
pub mod clock;
pub mod country;
pub mod dispute;
pub mod failure;
pub mod id;
pub mod key;
pub mod limits;
pub mod method;
pub mod money;
pub mod name;
pub mod network;
pub mod operation;
pub mod payment;
pub mod payout;
pub mod provider;
pub mod route;
pub mod settle;
pub mod status;
pub mod transport;

pub use capabilities::Capabilities;
pub use clock::{Clock, Timestamp};
pub use country::Country;
pub use failure::{Failure, FailureCode};
pub use id::{EndpointId, EventId, OperationId, PaymentId, RouteId};
pub use method::Method;
pub use money::{Currency, Money};
pub use name::{ChannelName, MerchantName, Mode, OrderType};
pub use network::Network;
pub use operation::{Operation, OperationKind};
pub use payment::Payment;
pub use provider::{Call, Fate, Provider, ProviderError};
pub use route::Route;
pub use status::{DisputeStage, DisputeStatus, OperationStatus, PaymentStatus, PayoutStatus};
pub use transport::Transport;
