//! What is known of a payment when it is routed.

use switchyard_core::method::Direction;
use switchyard_core::payment::CaptureMode;
use switchyard_core::{Country, MerchantName, Method, Mode, Money, OrderType};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$row_doc:meta])* $variant:ident $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$row_doc])* $variant,)* }

        impl $name {
            /// Every value, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in requests and rules.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads the name back.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

named! {
    /// A card's scheme.
    #[allow(missing_docs, reason = "each row's name says all there is to say")]
    Brand {
        Visa "visa";
        Mastercard "mastercard";
        Amex "amex";
        Discover "discover";
        Diners "diners";
        Jcb "jcb";
        Unionpay "unionpay";
        Maestro "maestro";
        Mir "mir";
        Rupay "rupay";
        Elo "elo";
        Hipercard "hipercard";
        CartesBancaires "cartes_bancaires";
        Bancontact "bancontact";
        Dankort "dankort";
        Eftpos "eftpos";
        Interac "interac";
        Mada "mada";
        Troy "troy";
        Verve "verve";
        /// A scheme that is none of these.
        Other "other";
    }
}

named! {
    /// What kind of account a card draws on.
    #[allow(missing_docs, reason = "each row's name says all there is to say")]
    Funding {
        Credit "credit";
        Debit "debit";
        Prepaid "prepaid";
        /// Billed in whole each month.
        Charge "charge";
    }
}

named! {
    /// Who sets the payment going.
    Initiator {
        /// The customer, who is there.
        Customer "customer";
        /// The merchant, with a method stored before; also every payout.
        Merchant "merchant";
    }
}

/// Whether card facts (brand, funding, issuer country) can be known of a payment by this method.
#[must_use]
pub fn has_card_facts(method: Method) -> bool {
    matches!(method, Method::Card | Method::ApplePay | Method::GooglePay)
}

/// All that rules and channels may ask about a payment or payout. Stored with the decision, so that it can be made
/// again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The merchant's word for the kind of payment; its direction says whether this is a payment or a payout.
    pub order_type: OrderType,
    /// By which method; a payout's: its kind of destination.
    pub method: Method,
    /// How much, of which currency.
    pub amount: Money,
    /// Where the payer is; a payout's: its destination.
    pub country: Country,
    /// Whose payment.
    pub merchant: MerchantName,
    /// The card's scheme, where it is known.
    pub brand: Option<Brand>,
    /// The card's funding, where it is known.
    pub funding: Option<Funding>,
    /// Where the card was issued, where that is known.
    pub issuer_country: Option<Country>,
    /// Who sets the payment going; for a payout, the merchant.
    pub initiator: Initiator,
    /// Whether the money is taken at once; a payout's is automatic.
    pub capture: CaptureMode,
    /// Which credentials: a channel without these is not eligible. `None` asks for none, as checks do.
    pub mode: Option<Mode>,
}

impl Facts {
    /// The facts that every payment has. Card facts are unknown, the customer initiates, capture is automatic, and the
    /// mode is not asked for; set what is known besides.
    #[must_use]
    pub fn new(order_type: OrderType, method: Method, amount: Money, country: Country, merchant: MerchantName) -> Self {
        Self {
            order_type,
            method,
            amount,
            country,
            merchant,
            brand: None,
            funding: None,
            issuer_country: None,
            initiator: Initiator::Customer,
            capture: CaptureMode::Automatic,
            mode: None,
        }
    }
}

/// The name of a direction in configuration.
#[must_use]
pub const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Payin => "payin",
        Direction::Payout => "payout",
    }
}
