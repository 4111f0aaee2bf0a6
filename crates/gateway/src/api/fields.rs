//! Reads the members of a JSON object one by one and notes everything that is wrong with them.

use super::faults::{Faults, did_you_mean};
use super::json::{Json, Members};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use switchyard_core::limits::AMOUNT_MINOR_MAX;

/// Names that one object is asked for; the largest is a payment.
const NAMES_EXPECTED: usize = 24;

/// The largest number that [`Json`] tells from others as an integer, 2^64.
const INTEGER_MAX: f64 = 18_446_744_073_709_551_615.0;

/// An object that is being read. What was never asked for by name is unknown.
pub(crate) struct Fields<'b, 'f> {
    members: Members<'b>,
    prefix: Cow<'static, str>,
    asked: Vec<&'static str>,
    faults: &'f mut Faults,
}

/// Reads a whole body, which must be an object, with `read`; `None` where anything in it is faulty.
pub(crate) fn read_body<'b, T>(
    body: Json<'b>,
    faults: &mut Faults,
    read: impl FnOnce(&mut Fields<'b, '_>) -> Option<T>,
) -> Option<T> {
    let value = match body {
        Json::Object(members) => read_members(members, Cow::Borrowed(""), faults, read),
        other @ (Json::Null
        | Json::Bool(_)
        | Json::Integer(_)
        | Json::LargeInteger(_)
        | Json::Decimal(_)
        | Json::Text(_)
        | Json::Array(_)) => {
            faults.add("", "invalid_type", format!("must be an object, not {}", other.kind()));
            None
        }
    };
    value.filter(|_| faults.is_empty())
}

fn read_members<'b, T>(
    members: Members<'b>,
    prefix: Cow<'static, str>,
    faults: &mut Faults,
    read: impl FnOnce(&mut Fields<'b, '_>) -> T,
) -> T {
    let mut fields = Fields { members, prefix, asked: Vec::with_capacity(NAMES_EXPECTED), faults };
    let value = read(&mut fields);
    fields.refuse_unknown();
    value
}

impl<'b> Fields<'b, '_> {
    /// Notes a fault of the member `name`.
    pub(crate) fn fault(&mut self, name: &str, code: &'static str, message: impl Into<Cow<'static, str>>) {
        self.faults.add(format!("{}{name}", self.prefix), code, message);
    }

    /// The member's value; `None` where it is missing or null.
    fn take(&mut self, name: &'static str) -> Option<Json<'b>> {
        self.asked.push(name);
        let (_, value) = self.members.iter_mut().find(|(known, _)| known == name)?;
        match std::mem::take(value) {
            Json::Null => None,
            value @ (Json::Bool(_)
            | Json::Integer(_)
            | Json::LargeInteger(_)
            | Json::Decimal(_)
            | Json::Text(_)
            | Json::Array(_)
            | Json::Object(_)) => Some(value),
        }
    }

    /// Whether the member is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(known, value)| known == name && *value != Json::Null)
    }

    /// Notes that the member is missing, where it is.
    pub(crate) fn require(&mut self, name: &'static str) {
        if !self.has(name) {
            self.fault(name, "required", "is required");
        }
    }

    /// A text of so many characters, none of them a control character.
    pub(crate) fn text(&mut self, name: &'static str, chars: RangeInclusive<usize>) -> Option<Cow<'b, str>> {
        match self.take(name)? {
            Json::Text(text) => match text_fault(&text, &chars) {
                None => Some(text),
                Some((code, message)) => {
                    self.fault(name, code, message);
                    None
                }
            },
            other @ (Json::Null
            | Json::Bool(_)
            | Json::Integer(_)
            | Json::LargeInteger(_)
            | Json::Decimal(_)
            | Json::Array(_)
            | Json::Object(_)) => self.wrong_type(name, "a text", &other),
        }
    }

    /// A text that `parse` knows how to read; `expected` says what it should be.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &'static str,
        chars: RangeInclusive<usize>,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name, chars)?;
        let value = parse(&text);
        if value.is_none() {
            self.fault(name, "invalid_value", format!("must be {expected}"));
        }
        value
    }

    /// One of a few names; a wrong one is answered with the nearest.
    pub(crate) fn choice<'n, T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        names: impl IntoIterator<Item = &'n str>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name, 1..=usize::MAX)?;
        let value = parse(&text);
        if value.is_none() {
            let near = did_you_mean(&text, names);
            self.fault(name, "unknown_value", format!("must be {expected}{near}"));
        }
        value
    }

    /// An amount in minor units, from 1.
    pub(crate) fn amount(&mut self, name: &'static str) -> Option<i64> {
        const NOT_MINOR: &str = "must be an integer in minor units (EUR 12.50 is 1250), without fraction or exponent";
        self.bounded(name, 1..=AMOUNT_MINOR_MAX, NOT_MINOR)
    }

    /// An integer within bounds.
    pub(crate) fn integer(&mut self, name: &'static str, bounds: RangeInclusive<i64>) -> Option<i64> {
        self.bounded(name, bounds, "must be an integer, written without fraction or exponent")
    }

    fn bounded(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<i64>,
        not_an_integer: &'static str,
    ) -> Option<i64> {
        let (min, max) = (*bounds.start(), *bounds.end());
        match self.take(name)? {
            Json::Integer(number) if bounds.contains(&number) => Some(number),
            Json::Integer(number) if number < min => {
                self.fault(name, "too_small", format!("must be at least {min}"));
                None
            }
            Json::Integer(_) | Json::LargeInteger(_) => {
                self.fault(name, "too_large", format!("must be at most {max}"));
                None
            }
            // Integers past 64 bits are read as this as well.
            Json::Decimal(number) if number > INTEGER_MAX => {
                self.fault(name, "too_large", format!("must be at most {max}"));
                None
            }
            Json::Decimal(_) => {
                self.fault(name, "not_an_integer", not_an_integer);
                None
            }
            other @ (Json::Null | Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_)) => {
                self.wrong_type(name, "an integer", &other)
            }
        }
    }

    /// An integer within bounds that fits a smaller type.
    pub(crate) fn small<T: TryFrom<i64>>(&mut self, name: &'static str, bounds: RangeInclusive<i64>) -> Option<T> {
        self.integer(name, bounds).and_then(|number| T::try_from(number).ok())
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Json::Bool(value) => Some(value),
            other @ (Json::Null
            | Json::Integer(_)
            | Json::LargeInteger(_)
            | Json::Decimal(_)
            | Json::Text(_)
            | Json::Array(_)
            | Json::Object(_)) => self.wrong_type(name, "true or false", &other),
        }
    }

    /// Whether the member is there and null.
    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.members.iter().any(|(known, value)| known == name && *value == Json::Null)
    }

    /// An object with fields of its own.
    pub(crate) fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Fields<'b, '_>) -> T) -> Option<T> {
        let members = self.members(name)?;
        let prefix = format!("{}{name}.", self.prefix);
        Some(read_members(members, prefix.into(), self.faults, read))
    }

    /// An object whose names are the merchant's own.
    pub(crate) fn members(&mut self, name: &'static str) -> Option<Members<'b>> {
        match self.take(name)? {
            Json::Object(members) => Some(members),
            other @ (Json::Null
            | Json::Bool(_)
            | Json::Integer(_)
            | Json::LargeInteger(_)
            | Json::Decimal(_)
            | Json::Text(_)
            | Json::Array(_)) => self.wrong_type(name, "an object", &other),
        }
    }

    /// A list of so many texts.
    pub(crate) fn texts(&mut self, name: &'static str, count: RangeInclusive<usize>) -> Option<Vec<Cow<'b, str>>> {
        let values = match self.take(name)? {
            Json::Array(values) => values,
            other @ (Json::Null
            | Json::Bool(_)
            | Json::Integer(_)
            | Json::LargeInteger(_)
            | Json::Decimal(_)
            | Json::Text(_)
            | Json::Object(_)) => return self.wrong_type(name, "a list", &other),
        };
        if !count.contains(&values.len()) {
            let (least, most) = (count.start(), count.end());
            self.fault(name, "invalid_value", format!("must have {least} to {most} members"));
            return None;
        }
        let mut texts = Vec::with_capacity(values.len());
        for value in values {
            match value {
                Json::Text(text) => texts.push(text),
                other @ (Json::Null
                | Json::Bool(_)
                | Json::Integer(_)
                | Json::LargeInteger(_)
                | Json::Decimal(_)
                | Json::Array(_)
                | Json::Object(_)) => return self.wrong_type(name, "a list of texts", &other),
            }
        }
        Some(texts)
    }

    fn wrong_type<T>(&mut self, name: &str, expected: &str, found: &Json<'_>) -> Option<T> {
        self.fault(name, "invalid_type", format!("must be {expected}, not {}", found.kind()));
        None
    }

    fn refuse_unknown(&mut self) {
        for (name, _) in self.members.iter().filter(|(name, _)| !self.asked.contains(&name.as_ref())) {
            self.faults.add_unknown(&self.prefix, name, "field", &self.asked);
        }
    }
}

/// What is wrong with a text.
pub(crate) fn text_fault(text: &str, chars: &RangeInclusive<usize>) -> Option<(&'static str, Cow<'static, str>)> {
    let count = if text.is_ascii() { text.len() } else { text.chars().count() };
    if count < *chars.start() {
        return Some(match chars.start() {
            1 => ("too_short", "must not be empty".into()),
            min => ("too_short", format!("must have at least {min} characters").into()),
        });
    }
    if count > *chars.end() {
        return Some(("too_long", format!("must have at most {} characters", chars.end()).into()));
    }
    text.chars().any(char::is_control).then(|| ("invalid_value", "must not hold control characters".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json::parse;

    /// Reads with `read` and gives the faults as `field code` lines.
    fn faults(body: &str, read: impl FnOnce(&mut Fields<'_, '_>)) -> Vec<String> {
        let document = parse(body.as_bytes()).unwrap();
        let mut faults = Faults::default();
        let read = read_body(document.value, &mut faults, |fields| {
            read(fields);
            Some(())
        });
        assert_eq!(read.is_some(), faults.is_empty());
        faults.into_list().iter().map(|fault| format!("{} {}: {}", fault.field, fault.code, fault.message)).collect()
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_paths() {
        let body = r#"{"number": 12.5, "large": 11, "small": -1, "huge": 18446744073709551615, "digits": "12",
            "text": 5, "short": "", "long": "abcd", "control": "a\u0000", "wide": "äöüß", "choice": "manuel",
            "flag": "true", "inner": {"code": "eur", "cod": 1}, "not_an_object": [], "nul": null, "extra": 1, "shrt": 2}"#;
        let told = faults(body, |fields| {
            fields.integer("number", 1..=10);
            fields.integer("large", 1..=10);
            fields.integer("small", 1..=10);
            fields.integer("huge", 1..=10);
            fields.integer("digits", 1..=10);
            fields.text("text", 1..=3);
            fields.text("short", 1..=3);
            fields.text("long", 1..=3);
            fields.text("control", 1..=3);
            assert_eq!(fields.text("wide", 1..=4).as_deref(), Some("äöüß"));
            fields.choice("choice", "automatic or manual", ["automatic", "manual"], |_| None::<()>);
            fields.boolean("flag");
            fields.object("inner", |inner| inner.parsed("code", 3..=3, "an ISO 4217 code", |_| None::<()>));
            fields.object("not_an_object", |_| ());
            fields.require("nul");
            fields.require("missing");
            assert_eq!(fields.text("nul", 1..=3), None);
        });
        insta::assert_snapshot!(told.join("\n"), @r#"
        number not_an_integer: must be an integer, written without fraction or exponent
        large too_large: must be at most 10
        small too_small: must be at least 1
        huge too_large: must be at most 10
        digits invalid_type: must be an integer, not a text
        text invalid_type: must be a text, not an integer
        short too_short: must not be empty
        long too_long: must have at most 3 characters
        control invalid_value: must not hold control characters
        choice unknown_value: must be automatic or manual; did you mean `manual`?
        flag invalid_type: must be true or false, not a text
        inner.code invalid_value: must be an ISO 4217 code
        inner.cod unknown_field: there is no such field; did you mean `code`?
        not_an_object invalid_type: must be an object, not an array
        nul required: is required
        missing required: is required
        extra unknown_field: there is no such field
        shrt unknown_field: there is no such field; did you mean `short`?
        "#);
    }

    #[test]
    fn a_body_is_an_object() {
        for body in ["[]", "1", "null", "\"a\"", "true"] {
            let told = faults(body, |_| ());
            assert!(told.len() == 1 && told[0].starts_with(" invalid_type: must be an object, not "), "{told:?}");
        }
    }
}
