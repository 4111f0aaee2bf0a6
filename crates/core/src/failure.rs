//! Why a payment, capture, void, refund or payout failed: one closed table.

use std::fmt;

/// Groups of failure codes, for people and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// The issuer or the payer's bank said no.
    Declined,
    /// The payer did not prove who they are, or went away.
    Payer,
    /// Something in the request cannot be right.
    Invalid,
    /// Risk checks said no.
    Risk,
    /// The provider or the network could not do it.
    Provider,
    /// Switchyard itself decided or is set up wrongly.
    Gateway,
}

impl Category {
    /// The name in answers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Payer => "payer",
            Self::Invalid => "invalid",
            Self::Risk => "risk",
            Self::Provider => "provider",
            Self::Gateway => "gateway",
        }
    }
}

/// What may help. After a failure a retry always takes a new idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Nothing will.
    Never,
    /// The same, some time later.
    Later,
    /// Another way to pay.
    NewMethod,
    /// Corrected data.
    NewData,
    /// The same request at once.
    SameRequest,
}

impl Retry {
    /// The name in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Later => "later",
            Self::NewMethod => "new_method",
            Self::NewData => "new_data",
            Self::SameRequest => "same_request",
        }
    }
}

/// Who said no. Only faults of the provider and the network count against a channel's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The merchant's request.
    Caller,
    /// The person paying.
    Payer,
    /// The payer's bank.
    Issuer,
    /// The provider.
    Provider,
    /// What lies between.
    Network,
    /// Switchyard.
    Gateway,
}

impl Origin {
    /// The name in answers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Payer => "payer",
            Self::Issuer => "issuer",
            Self::Provider => "provider",
            Self::Network => "network",
            Self::Gateway => "gateway",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Caller, Self::Payer, Self::Issuer, Self::Provider, Self::Network, Self::Gateway]
            .into_iter()
            .find(|origin| origin.as_str() == name)
    }
}

const PLAIN_DECLINE: &str = "Your bank declined this payment. Please use another way to pay or contact your bank.";

macro_rules! codes {
    ($($variant:ident $name:literal $category:ident $retry:ident $origin:ident $message:literal, $payer:expr;)*) => {
        /// The unified failure code, a decline code among them.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each row's message says what it means")]
        pub enum FailureCode { $($variant,)* }

        impl FailureCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in answers and metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Reads the name back.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// Its group.
            #[must_use]
            pub const fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category,)* }
            }

            /// What may help, unless the provider knows better.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$variant => Retry::$retry,)* }
            }

            /// Who says so, unless the provider tells.
            #[must_use]
            pub const fn origin(self) -> Origin {
                match self { $(Self::$variant => Origin::$origin,)* }
            }

            /// For the merchant's engineers.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// Safe to show to the payer: lost, stolen and fraud read as a plain decline.
            #[must_use]
            pub const fn payer_message(self) -> &'static str {
                match self { $(Self::$variant => $payer,)* }
            }
        }
    };
}

codes! {
    InsufficientFunds "insufficient_funds" Declined Later Issuer
        "The account does not hold enough money.", "There is not enough money on this account. Please use another way to pay.";
    LimitExceeded "limit_exceeded" Declined Later Issuer
        "A limit of the account on amount or number of payments is exceeded.", "A limit of your account is exceeded. Please use another way to pay.";
    DoNotHonor "do_not_honor" Declined NewMethod Issuer
        "The issuer declined without a reason.", PLAIN_DECLINE;
    GenericDecline "generic_decline" Declined NewMethod Issuer
        "Declined; the reason given has no code of its own here, see provider_code.", PLAIN_DECLINE;
    ProcessingError "processing_error" Provider SameRequest Provider
        "The provider or issuer could not process the payment.", "The payment could not be processed. Please try again.";
    IssuerUnavailable "issuer_unavailable" Provider Later Network
        "The issuer could not be reached.", "Your bank cannot be reached at the moment. Please try again later.";
    AuthenticationRequired "authentication_required" Payer NewData Issuer
        "The issuer asks for authentication of the payer (3-D Secure).", "Your bank asks you to confirm this payment. Please try again.";
    AuthenticationFailed "authentication_failed" Payer NewMethod Payer
        "The payer was not authenticated.", "The payment was not confirmed. Please try again or use another way to pay.";
    IncorrectCvc "incorrect_cvc" Declined NewData Payer
        "The card's security code is wrong.", "The card's security code is wrong. Please check it.";
    IncorrectPin "incorrect_pin" Declined NewData Payer
        "The PIN is wrong, or was entered too often.", "The PIN is wrong.";
    IncorrectAddress "incorrect_address" Declined NewData Payer
        "The billing address does not match.", "The billing address does not match the one your bank knows. Please check it.";
    InvalidCard "invalid_card" Invalid NewMethod Payer
        "There is no such card.", "This card number is not valid. Please check it or use another card.";
    InvalidData "invalid_data" Invalid NewData Caller
        "The provider refused a field of the request, see provider_message.", "The payment could not be processed. Please check your details.";
    InvalidAccount "invalid_account" Invalid NewMethod Payer
        "There is no such account.", "This account is not valid. Please use another way to pay.";
    AccountClosed "account_closed" Declined NewMethod Issuer
        "The account is closed.", PLAIN_DECLINE;
    ExpiredCard "expired_card" Declined NewMethod Payer
        "The card has expired.", "This card has expired. Please use another card.";
    LostOrStolen "lost_or_stolen" Declined Never Issuer
        "The card is reported lost or stolen. Do not tell the payer.", PLAIN_DECLINE;
    FraudSuspected "fraud_suspected" Risk Never Issuer
        "The issuer suspects fraud. Do not tell the payer.", PLAIN_DECLINE;
    RiskBlocked "risk_blocked" Risk Never Provider
        "The provider's risk checks blocked the payment. Do not tell the payer.", PLAIN_DECLINE;
    CardRestricted "card_restricted" Declined NewMethod Issuer
        "The card may not be used here: restricted, not yet active, or blocked by its holder.", PLAIN_DECLINE;
    CardNotSupported "card_not_supported" Invalid NewMethod Provider
        "The provider or merchant account does not take this card.", "This kind of card is not accepted. Please use another card.";
    CurrencyNotSupported "currency_not_supported" Invalid NewMethod Provider
        "The currency is not supported by the card or the provider.", "This way to pay does not support the currency. Please use another.";
    TransactionNotAllowed "transaction_not_allowed" Declined NewMethod Issuer
        "The issuer or the provider does not permit this kind of payment.", PLAIN_DECLINE;
    AmountInvalid "amount_invalid" Invalid NewData Caller
        "The amount is too small, too large or not one the provider can carry.", "The payment could not be processed.";
    Duplicate "duplicate" Invalid Never Provider
        "The provider or issuer takes it for a repeat of an earlier payment.", "This payment seems to have been made already.";
    MandateInvalid "mandate_invalid" Invalid NewData Payer
        "The mandate or agreement is missing, withdrawn or does not cover this.", "Your permission for this payment is not valid any more. Please give it again.";
    CanceledByPayer "canceled_by_payer" Payer NewData Payer
        "The payer gave up.", "The payment was canceled.";
    PayerTimeout "payer_timeout" Payer NewData Payer
        "The payer did not act in time; the provider says so.", "The payment was not confirmed in time. Please try again.";
    Expired "expired" Payer NewData Provider
        "The provider says that the payment, page or voucher has expired.", "The time to pay is over. Please try again.";
    RateLimited "rate_limited" Provider Later Provider
        "The provider refuses calls for being too many.", "The payment could not be processed. Please try again later.";
    Configuration "configuration" Gateway SameRequest Gateway
        "The channel's credentials or set-up were refused by the provider.", "The payment could not be processed. Please try again later.";
    ProviderUnreachable "provider_unreachable" Provider SameRequest Network
        "The request provably never reached the provider.", "The payment could not be processed. Please try again.";
    NotCompleted "not_completed" Payer NewData Provider
        "The provider did not carry it out, as a look-up found.", "The payment was not completed. Please try again.";
    NoChannelAvailable "no_channel_available" Gateway Later Gateway
        "No channel of the matching rule is up and can serve this payment.", "This way to pay is not available at the moment. Please use another.";
    RejectedByRule "rejected_by_rule" Gateway NewMethod Gateway
        "A routing rule rejects this payment.", "This way to pay is not available. Please use another.";
    ChannelSaturated "channel_saturated" Gateway Later Gateway
        "The channel has as many calls open as it may.", "The payment could not be processed. Please try again.";
}

impl fmt::Debug for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why something failed: our code, and all that the provider said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The unified code.
    pub code: FailureCode,
    /// Who said no.
    pub origin: Origin,
    /// Seconds to wait before a retry, where the provider tells.
    pub retry_after_seconds: Option<u32>,
    /// The provider's own code, as it came.
    pub provider_code: Option<String>,
    /// The provider's own words, as they came.
    pub provider_message: Option<String>,
    /// The scheme's response code (ISO 8583 field 39), where passed on.
    pub network_code: Option<String>,
    /// The scheme's advice code (Mastercard DE 48 SE 84, Visa category), where passed on.
    pub advice_code: Option<String>,
}

impl Failure {
    /// With the table's defaults, and nothing from a provider.
    #[must_use]
    pub const fn new(code: FailureCode) -> Self {
        Self {
            code,
            origin: code.origin(),
            retry_after_seconds: None,
            provider_code: None,
            provider_message: None,
            network_code: None,
            advice_code: None,
        }
    }

    /// With the provider's code and words.
    #[must_use]
    pub fn told(code: FailureCode, provider_code: Option<String>, provider_message: Option<String>) -> Self {
        Self { provider_code, provider_message, ..Self::new(code) }
    }

    /// Whether it counts against the channel's health: a fault of the provider or the network does, and so do credentials
    /// that are refused. A decline never does, whoever declines, or a wave of stolen cards would take a channel down
    /// whose risk checks do their work.
    #[must_use]
    pub fn counts_against_channel(&self) -> bool {
        match self.code.category() {
            Category::Provider => match self.origin {
                Origin::Provider | Origin::Network => true,
                Origin::Gateway | Origin::Caller | Origin::Payer | Origin::Issuer => false,
            },
            Category::Gateway => self.code == FailureCode::Configuration,
            Category::Declined | Category::Payer | Category::Invalid | Category::Risk => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_speaks() {
        for &code in FailureCode::ALL {
            assert_eq!(FailureCode::from_name(code.name()), Some(code));
            assert!(code.message().ends_with('.') && code.payer_message().ends_with('.'), "{code:?}");
        }
        assert_eq!(FailureCode::ALL.len(), 36);
    }

    #[test]
    fn only_faults_of_provider_and_network_and_refused_credentials_count() {
        let counting = |failure: &Failure| failure.counts_against_channel();
        let counted: Vec<_> = FailureCode::ALL.iter().filter(|code| counting(&Failure::new(**code))).collect();
        let wanted = [
            FailureCode::ProcessingError,
            FailureCode::IssuerUnavailable,
            FailureCode::RateLimited,
            FailureCode::Configuration,
            FailureCode::ProviderUnreachable,
        ];
        assert_eq!(counted, wanted.iter().collect::<Vec<_>>());
        // Whoever is said to have declined, it is a decline; and a provider that blames another is believed.
        let by = |code, origin| Failure { origin, ..Failure::new(code) };
        assert!(!counting(&by(FailureCode::GenericDecline, Origin::Provider)));
        assert!(!counting(&by(FailureCode::ProcessingError, Origin::Issuer)));
        assert!(counting(&by(FailureCode::Configuration, Origin::Provider)));
    }

    #[test]
    fn payers_never_learn_of_theft_or_fraud() {
        for code in [FailureCode::LostOrStolen, FailureCode::FraudSuspected, FailureCode::RiskBlocked] {
            assert_eq!(code.payer_message(), FailureCode::DoNotHonor.payer_message());
        }
    }
}
