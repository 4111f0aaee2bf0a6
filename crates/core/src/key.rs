//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header).

use crate::limits::IDEMPOTENCY_KEY_CHARS_MAX;
use std::fmt;

/// The name a merchant gives to one request, so that asking twice makes one payment.
///
/// `Debug` shows nothing: merchants put order numbers and worse into it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads the header. The quoted form (a structured field's string, RFC 9651 section 3.3.3) and the bare form name
    /// the same key.
    ///
    /// # Errors
    /// [`KeyError`] where it is empty, too long, or holds anything but visible ASCII and inner spaces.
    pub fn parse(header: &str) -> Result<Self, KeyError> {
        let header = header.trim_matches([' ', '\t']);
        let key = match header.strip_prefix('"') {
            Some(rest) => unquote(rest).ok_or(KeyError::Quotes)?,
            None => header.to_owned(),
        };
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        if key.chars().count() > IDEMPOTENCY_KEY_CHARS_MAX {
            return Err(KeyError::TooLong);
        }
        if !key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(KeyError::Characters);
        }
        Ok(Self(key))
    }

    /// The key without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

/// What follows the opening quote, up to the closing one, which must be the last character.
fn unquote(rest: &str) -> Option<String> {
    let mut key = String::with_capacity(rest.len());
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(key),
            '\\' => match chars.next()? {
                escaped @ ('"' | '\\') => key.push(escaped),
                _ => return None,
            },
            plain => key.push(plain),
        }
    }
}

/// Why a header is not an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing in it.
    #[error("the key is empty")]
    Empty,
    /// Past [`IDEMPOTENCY_KEY_CHARS_MAX`].
    #[error("the key has more than {IDEMPOTENCY_KEY_CHARS_MAX} characters")]
    TooLong,
    /// Something that is not visible ASCII.
    #[error("the key may hold visible ASCII characters and spaces only")]
    Characters,
    /// A quote that is not closed, or closed too early.
    #[error("the key's quotes do not match")]
    Quotes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_are_one_key() {
        let bare = IdempotencyKey::parse("order-1001-1").unwrap();
        assert_eq!(IdempotencyKey::parse("\"order-1001-1\""), Ok(bare));
        assert_eq!(IdempotencyKey::parse(r#""a\"b\\c""#).unwrap().as_str(), r#"a"b\c"#);
    }

    #[test]
    fn what_is_not_a_key_is_refused_with_its_reason() {
        assert_eq!(IdempotencyKey::parse("  "), Err(KeyError::Empty));
        assert_eq!(IdempotencyKey::parse("\"\""), Err(KeyError::Empty));
        assert_eq!(IdempotencyKey::parse(&"k".repeat(256)), Err(KeyError::TooLong));
        assert_eq!(IdempotencyKey::parse("schlüssel"), Err(KeyError::Characters));
        for bad in ["\"open", "\"a\"b", r#""a\x""#] {
            assert_eq!(IdempotencyKey::parse(bad), Err(KeyError::Quotes), "{bad}");
        }
    }
}
