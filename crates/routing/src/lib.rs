//! Which channel serves a payment: rules compiled to a table, a table to a decision, a decision with its reasons.
//!
//! Pure: nothing here reads a file, a clock or chance. What a gateway does with it:
//!
//! ```
//! use switchyard_core::capabilities::{AmountRange, Which};
//! use switchyard_core::{ChannelName, Country, Currency, MerchantName, Method, Mode, Money, OrderType, PaymentId};
//! use switchyard_core::method::Direction;
//! use switchyard_routing::{
//!     ChannelSpec, Facts, MerchantSpec, Offer, OrderTypeSpec, Outcome, RuleSet, Service, Source, Status, Vocabulary,
//! };
//!
//! // 1. What rules may name, from the configuration and the capability records.
//! let eur = Currency::from_code("EUR").unwrap();
//! let cards = Service {
//!     method: Method::Card,
//!     direction: Direction::Payin,
//!     currencies: Which::Only(vec![eur]),
//!     countries: Which::All,
//!     amounts: vec![AmountRange { currency: eur, min: 50, max: Some(99_999_999), step: 1 }],
//!     hosted: false,
//!     manual_capture: true,
//!     sale: true,
//! };
//! let channel = |name: &str, provider: &str| ChannelSpec {
//!     name: ChannelName::new(name).unwrap(),
//!     provider: provider.to_owned(),
//!     retired: false,
//!     modes: vec![Mode::Test],
//!     order_types: Which::All,
//!     acquiring_country: Country::from_code("DE"),
//!     bare_token: false,
//!     services: vec![cards.clone()],
//! };
//! let vocabulary = Vocabulary {
//!     order_types: vec![OrderTypeSpec { name: OrderType::new("ecommerce").unwrap(), direction: Direction::Payin }],
//!     merchants: vec![MerchantSpec { name: MerchantName::new("shop").unwrap(), order_types: Which::All, channels: Which::All }],
//!     channels: vec![channel("adyen_eu", "adyen"), channel("stripe_eu", "stripe")],
//! };
//!
//! // 2. The rules: compiled, or every fault at once, each with file, line, column and caret (`to_string`).
//! let source = Source::new("config/routing.toml", r#"
//!     [[rules]]
//!     name = "cards"
//!     when = { region = ["EU"], method = ["card"] }
//!     use = ["adyen_eu", "stripe_eu"]
//!
//!     [[rules]]
//!     name = "rest"
//!     reject = "no channel for this payment"
//! "#);
//! let rules = RuleSet::compile(&source, &vocabulary).map_err(|faults| faults[0].to_string())?;
//! assert!(rules.hash().starts_with("sha256:"));
//!
//! // 3. The status of each channel, taken once for each mode and whenever one changes.
//! let all_up = rules.snapshot(|_| Status::Up);
//! let one_down = rules.snapshot(|name| if name.as_str() == "adyen_eu" { Status::Down } else { Status::Up });
//!
//! // 4. The decision.
//! let (shop, germany) = (MerchantName::new("shop").unwrap(), Country::from_code("DE").unwrap());
//! let mut facts = Facts::new(
//!     OrderType::new("ecommerce").unwrap(), Method::Card, Money::new(12_500, eur).unwrap(), germany, shop,
//! );
//! facts.mode = Some(Mode::Test);
//! let tokens = rules.offer(["adyen", "stripe_eu"])?; // the keys of payment_method.tokens; `Offer::Bare` for a bare token
//! let id = PaymentId::parse("pay_01970000000070008000000000000001").unwrap();
//! let decision = rules.decide(&facts, &tokens, &all_up, id);
//! assert_eq!(decision.rule, Some("cards"));
//! assert_eq!(decision.channel().map(|name| name.as_str()), Some("adyen_eu"));
//! assert_eq!(decision.reason.as_str(), "first channel up");
//! let decision = rules.decide(&facts, &tokens, &one_down, id);
//! assert!(matches!(decision.outcome, Outcome::Channel { channel, provider: "stripe" } if channel.as_str() == "stripe_eu"));
//!
//! // 5. Why: every channel of the rule, and what became of it. Nothing but what is stored with the payment is needed:
//! //    the rule set (by hash), facts, offer (`Offer::to_bytes`), snapshot (`Snapshot::as_bytes`) and id.
//! let why: Vec<String> = rules.explain(&facts, &Offer::Nothing, &one_down, id).candidates.iter()
//!     .map(|candidate| format!("{} {}", candidate.channel, candidate.verdict)).collect();
//! assert_eq!(why[0], "adyen_eu has no token in this payment and no hosted page for this method");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Whether rules make sense together is told by [`check`], what a change of rules changes by [`diff`], and their
//! canonical form is written by [`mod@format`].

mod again;
mod area;
mod bits;
mod channel;
pub mod check;
pub mod decision;
mod describe;
pub mod diff;
#[cfg(test)]
mod docs;
mod domain;
pub mod effect;
pub mod facts;
pub mod format;
mod money_set;
pub mod nearest;
pub mod offer;
pub mod offered;
mod parse;
mod possible;
mod prove;
pub mod reader;
pub mod refusal;
pub mod region;
pub mod report;
mod rule;
pub mod rule_set;
pub mod snapshot;
pub mod source;
pub mod split;
mod table;
mod test_case;
pub mod vocabulary;

pub use again::{Carry, NotAgain};
pub use decision::{Decision, Explanation, Outcome, Reason};
pub use effect::Effect;
pub use facts::{Brand, Facts, Funding, Initiator};
pub use offer::{CHANNELS_MAX, Offer, UnknownTarget};
pub use offered::{Closed, Offered, Wanted};
pub use parse::RULES_MAX;
pub use refusal::{Candidate, Refusal, Verdict};
pub use report::{Finding, Kind, Report, Severity, Witness};
pub use rule_set::RuleSet;
pub use snapshot::{Percent, Snapshot, Status};
pub use source::{Fault, Place, Source};
pub use vocabulary::{ChannelSpec, MerchantSpec, OrderTypeSpec, Service, Vocabulary};
