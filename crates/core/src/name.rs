//! Names that operators choose: merchants, channels, order types.

use std::fmt;
use std::sync::Arc;

/// Longest operator-chosen name, in bytes: long enough for `adyen_eu_marketplace`, short enough for a metric label.
pub const NAME_BYTES_MAX: usize = 48;

fn is_name(text: &str) -> bool {
    let rest_ok = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    text.len() <= NAME_BYTES_MAX
        && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && text.bytes().all(rest_ok)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Lower-case letters, digits, `_` and `-`, a letter first, at most [`NAME_BYTES_MAX`]; else `None`.
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                is_name(text).then(|| Self(text.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// A merchant, as `config/merchants.toml` declares it.
    MerchantName
}
name! {
    /// One account at one provider, as `config/channels.toml` declares it.
    ChannelName
}
name! {
    /// The operator's word for a kind of payment (`ecommerce`), declared with a direction.
    OrderType
}

/// Which credentials and which books: chosen by the API key, never by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// The provider's test system; no money moves.
    Test,
    /// Money moves.
    Live,
}

impl Mode {
    /// `test` or `live`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}
