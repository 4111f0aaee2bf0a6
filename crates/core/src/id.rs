//! Identifiers: a prefix that names the object and 32 hexadecimal digits of a UUID version 7 (RFC 9562, section 5.7).
//!
//! Their order is the order of creation, to the millisecond.

use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What its text starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Takes the UUID as it is.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID alone, as stores and providers keep it.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Reads the text form back; another prefix, or anything but 32 lower-case digits after it, is `None`.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                parse(Self::PREFIX, text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                print(Self::PREFIX, self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

fn print(prefix: &str, uuid: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{prefix}_{}", uuid.simple())
}

/// Reads `prefix_` and 32 lower-case hexadecimal digits.
#[must_use]
pub fn parse(prefix: &str, text: &str) -> Option<Uuid> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?;
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digits.len() != 32 || !digits.bytes().all(lower) {
        return None;
    }
    Uuid::try_parse(digits).ok()
}

id! {
    /// A payment.
    PaymentId, "pay"
}
id! {
    /// One call to a provider. Captures, voids and refunds are operations, and print with their own prefixes
    /// ([`crate::OperationKind::prefix`]). Sent to the provider as idempotency key and merchant reference.
    OperationId, "op"
}
id! {
    /// An event of the merchant's feed.
    EventId, "evt"
}
id! {
    /// A merchant's webhook endpoint.
    EndpointId, "we"
}
id! {
    /// An API key; not the secret.
    KeyId, "key"
}
id! {
    /// A route: a decision made before its payment.
    RouteId, "rt"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back_with_its_own_prefix_only() {
        let id = PaymentId::from_uuid(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001));
        let text = id.to_string();
        assert_eq!(text, "pay_01970000000070008000000000000001");
        assert_eq!(PaymentId::parse(&text), Some(id));
        assert_eq!(OperationId::parse(&text), None);
        for bad in ["pay_", "pay", "", "pay_0197000000007000800000000000000", "pay_0197000000007000800000000000000G"] {
            assert_eq!(PaymentId::parse(bad), None, "{bad}");
        }
        assert_eq!(PaymentId::parse(&text.to_uppercase()), None);
    }
}
