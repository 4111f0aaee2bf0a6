//! The ways in which an answer goes wrong on purpose.

use crate::words::words;

words! {
    /// What happens to the answer. "Before" and "after" are those of booking.
    Fault {
        TimeoutBefore = "timeout_before",
        TimeoutAfter = "timeout_after",
        CutBefore = "cut_before",
        CutAfter = "cut_after",
        ErrorBefore = "error_before",
        ErrorAfter = "error_after",
        Garbage = "garbage",
        ProxyPage = "proxy_page",
        RateLimited = "rate_limited",
        Slow = "slow",
    }
}

impl Fault {
    /// Whether the request is booked all the same.
    pub(crate) const fn books(self) -> bool {
        match self {
            Self::TimeoutAfter | Self::CutAfter | Self::ErrorAfter | Self::Garbage | Self::Slow => true,
            Self::TimeoutBefore | Self::CutBefore | Self::ErrorBefore | Self::ProxyPage | Self::RateLimited => false,
        }
    }
}
