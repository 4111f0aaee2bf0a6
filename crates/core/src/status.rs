//! The states, as merchants read them. What moves them: [`crate::payment`] and [`crate::operation`].

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every state.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in answers, filters and metrics.
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

states! {
    /// The phase of a payment; how much stands in its amounts.
    PaymentStatus {
        /// Under way, or in doubt.
        Processing "processing",
        /// The payer has to do something.
        RequiresAction "requires_action",
        /// Something is held and can be captured.
        Authorized "authorized",
        /// Closed, with something captured.
        Captured "captured",
        /// Closed by a void, with nothing captured.
        Voided "voided",
        /// Closed by the provider for its age, with nothing captured.
        Expired "expired",
        /// No money moved, and none can any more.
        Failed "failed",
        /// All that was captured was taken back by the provider.
        Reversed "reversed",
    }
}

impl PaymentStatus {
    /// Whether more is to come without anybody asking for it: the payment is looked up until this is false.
    #[must_use]
    pub const fn open(self) -> bool {
        match self {
            Self::Processing | Self::RequiresAction => true,
            Self::Authorized | Self::Captured | Self::Voided | Self::Expired | Self::Failed | Self::Reversed => false,
        }
    }
}

states! {
    /// The state of a capture, void or refund.
    OperationStatus {
        /// Under way, or in doubt.
        Processing "processing",
        /// Done.
        Succeeded "succeeded",
        /// Not done, and never will be.
        Failed "failed",
        /// Done, and taken back by the provider afterwards.
        Reversed "reversed",
    }
}

states! {
    /// What is known of one call to a provider.
    OperationState {
        /// Durable, owned by a task that calls the provider or is about to.
        Intended "intended",
        /// Nobody knows whether the provider carried it out.
        InDoubt "in_doubt",
        /// The provider has it; the outcome follows.
        Accepted "accepted",
        /// Done.
        Succeeded "succeeded",
        /// Not done, and never will be.
        Failed "failed",
        /// Done, and taken back by the provider afterwards.
        Reversed "reversed",
    }
}

impl OperationState {
    /// The state as merchants read it.
    #[must_use]
    pub const fn status(self) -> OperationStatus {
        match self {
            Self::Intended | Self::InDoubt | Self::Accepted => OperationStatus::Processing,
            Self::Succeeded => OperationStatus::Succeeded,
            Self::Failed => OperationStatus::Failed,
            Self::Reversed => OperationStatus::Reversed,
        }
    }

    /// Whether its outcome is still to come.
    #[must_use]
    pub const fn open(self) -> bool {
        match self {
            Self::Intended | Self::InDoubt | Self::Accepted => true,
            Self::Succeeded | Self::Failed | Self::Reversed => false,
        }
    }
}

states! {
    /// The state of money sent out. What moves it: [`PayoutStatus::on`].
    PayoutStatus {
        /// A second key has to approve it; nothing was sent.
        RequiresApproval "requires_approval",
        /// Under way, or in doubt.
        Processing "processing",
        /// The money has left.
        Paid "paid",
        /// The money has not left, and never will.
        Failed "failed",
        /// The money has left, and came back.
        Returned "returned",
        /// Called off.
        Canceled "canceled",
    }
}

states! {
    /// How far a dispute has come. Their order is the procedure's.
    DisputeStage {
        /// A question, with no money taken.
        Inquiry "inquiry",
        /// The money was taken back.
        Chargeback "chargeback",
        /// The cardholder's bank insists.
        PreArbitration "pre_arbitration",
        /// The scheme decides.
        Arbitration "arbitration",
    }
}

states! {
    /// Whose turn it is in a dispute, or how it ended. What moves it: [`crate::dispute::DisputeState::on`].
    DisputeStatus {
        /// The merchant's.
        NeedsResponse "needs_response",
        /// The bank's or the scheme's.
        UnderReview "under_review",
        /// For the merchant.
        Won "won",
        /// For the cardholder.
        Lost "lost",
        /// The merchant gave in.
        Accepted "accepted",
        /// Ended without a winner.
        Closed "closed",
    }
}
