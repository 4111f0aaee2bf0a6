//! Amounts and currencies.

use std::fmt;

/// A currency of ISO 4217 that has a minor unit; metals, funds without one and test codes are not currencies here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads an alphabetic code in capitals (`EUR`). `None` where ISO 4217 has no such code or gives it no exponent.
    ///
    /// ```
    /// use switchyard_core::Currency;
    /// assert_eq!(Currency::from_code("KWD").map(|c| c.exponent()), Some(3));
    /// assert!(Currency::from_code("XAU").is_none());
    /// ```
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let currency = iso_currency::Currency::from_code(code)?;
        currency.exponent().map(|_| Self(currency))
    }

    /// The alphabetic code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals the major unit has: 0 (JPY), 2 (EUR), 3 (KWD) or 4 (CLF).
    #[must_use]
    pub fn exponent(self) -> u8 {
        self.0.exponent().and_then(|digits| u8::try_from(digits).ok()).unwrap_or(0)
    }

    /// The code's three-digit number, as ISO 8583 messages carry it.
    #[must_use]
    pub fn numeric(self) -> u16 {
        self.0.numeric()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in the minor unit of its currency: 1050 is €10.50, ¥1050 or KWD 1.050 (exponents: ISO 4217).
///
/// Never negative: the operation says which way money moves. Sums and differences are checked; no float touches it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `None` where `minor` is negative.
    #[must_use]
    pub fn new(minor: i64, currency: Currency) -> Option<Self> {
        (minor >= 0).then_some(Self { minor, currency })
    }

    /// Nothing, in `currency`.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The amount in minor units.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency of the amount.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The sum; `None` on overflow or where the currencies differ.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        Self::new(self.minor.checked_add(other.minor)?, self.currency)
    }

    /// The difference; `None` below zero or where the currencies differ.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        Self::new(self.minor.checked_sub(other.minor)?, self.currency)
    }

    /// Reads major units as text (`500.00`, `500`): exactly the digits, no sign, no exponent, no grouping.
    ///
    /// ```
    /// use switchyard_core::{Currency, Money};
    /// let eur = Currency::from_code("EUR").unwrap();
    /// assert_eq!(Money::from_major("500.5", eur).map(Money::minor), Ok(50_050));
    /// assert!(Money::from_major("500.505", eur).is_err());
    /// ```
    ///
    /// # Errors
    /// [`AmountError`] says which digit is one too many or what is not a digit.
    pub fn from_major(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) || text.ends_with('.') {
            return Err(AmountError::NotANumber);
        }
        let exponent = usize::from(currency.exponent());
        if fraction.len() > exponent {
            return Err(AmountError::TooManyDecimals { currency, decimals: currency.exponent() });
        }
        let digits = format!("{whole}{fraction:0<exponent$}");
        let minor = digits.parse::<i64>().map_err(|_| AmountError::TooLarge)?;
        Ok(Self { minor, currency })
    }

    /// Major units as text, with all of the currency's decimals: `500.50`, `500`, `0.500`.
    #[must_use]
    pub fn to_major(self) -> String {
        let exponent = usize::from(self.currency.exponent());
        let digits = format!("{:0>width$}", self.minor, width = exponent.saturating_add(1));
        match digits.split_at_checked(digits.len().saturating_sub(exponent)) {
            Some((whole, fraction)) if !fraction.is_empty() => format!("{whole}.{fraction}"),
            _ => digits,
        }
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.to_major())
    }
}

/// Why a text is not an amount in major units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// A sign, a letter, grouping, an exponent, or nothing at all.
    #[error("not a plain decimal number such as 500.00")]
    NotANumber,
    /// More decimals than the currency has.
    #[error("{currency} has {decimals} decimals")]
    TooManyDecimals {
        /// The currency meant.
        currency: Currency,
        /// How many decimals it has.
        decimals: u8,
    },
    /// Past what 64 bits hold.
    #[error("too large")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn exponents_follow_iso_4217() {
        let exponents = ["JPY", "EUR", "KWD", "CLF"].map(|code| currency(code).exponent());
        assert_eq!(exponents, [0, 2, 3, 4]);
        for code in ["XXX", "XTS", "XDR", "eur", "EURO", ""] {
            assert_eq!(Currency::from_code(code), None, "{code}");
        }
    }

    #[test]
    fn sums_stay_within_a_currency_and_above_zero() {
        let ten = Money::new(10, currency("EUR")).unwrap();
        let one = Money::new(1, currency("EUR")).unwrap();
        assert_eq!(ten.minus(one).map(Money::minor), Some(9));
        assert_eq!(one.minus(ten), None);
        assert_eq!(ten.plus(Money::new(1, currency("USD")).unwrap()), None);
        assert_eq!(ten.plus(Money::new(i64::MAX, currency("EUR")).unwrap()), None);
        assert_eq!(Money::new(-1, currency("EUR")), None);
    }

    #[test]
    fn major_text_is_refused_in_any_other_form() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1,000", "1e3", "1 ", "٣"] {
            assert_eq!(Money::from_major(text, currency("EUR")), Err(AmountError::NotANumber), "{text}");
        }
        assert_eq!(Money::from_major("99999999999999999999", currency("JPY")), Err(AmountError::TooLarge));
    }

    proptest! {
        #[test]
        fn major_text_reads_back(minor in 0..i64::MAX, code in prop::sample::select(vec!["JPY", "EUR", "KWD", "CLF"])) {
            let money = Money::new(minor, currency(code)).unwrap();
            prop_assert_eq!(Money::from_major(&money.to_major(), money.currency()), Ok(money));
        }
    }
}
