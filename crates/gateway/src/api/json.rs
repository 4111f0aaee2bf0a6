//! JSON documents of merchants (RFC 8259), read strictly: no name twice in an object, no deeper than
//! [`REQUEST_DEPTH_MAX`], and integers told apart from all other numbers.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use switchyard_core::limits::REQUEST_DEPTH_MAX;

/// Most objects of a payment have fewer.
const MEMBERS_EXPECTED: usize = 8;

/// The members of an object, in the order they came.
pub(crate) type Members<'b> = Vec<(Cow<'b, str>, Json<'b>)>;

/// A value. Texts borrow from the request's body where it holds them without escapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Json<'b> {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number written without fraction and exponent.
    Integer(i64),
    /// The same, past what [`Self::Integer`] holds.
    LargeInteger(u64),
    /// A number with a fraction or an exponent, or past 64 bits. Nothing that merchants send is one.
    Decimal(f64),
    /// A text.
    Text(Cow<'b, str>),
    /// An array.
    Array(Vec<Json<'b>>),
    /// An object.
    Object(Members<'b>),
}

impl Json<'_> {
    /// What it is, with an article, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::LargeInteger(_) => "an integer",
            Self::Decimal(_) => "a number with a fraction or an exponent",
            Self::Text(_) => "a text",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl Json<'_> {
    /// The value as JSON again, members in the order they came; `None` where a number in it might not come out as it
    /// went in.
    pub(crate) fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => out.serialize_unit(),
            Self::Bool(value) => out.serialize_bool(*value),
            Self::Integer(number) => out.serialize_i64(*number),
            Self::LargeInteger(number) => out.serialize_u64(*number),
            Self::Decimal(_) => Err(serde::ser::Error::custom("a fraction might not come out as it went in")),
            Self::Text(text) => out.serialize_str(text),
            Self::Array(items) => out.collect_seq(items),
            Self::Object(members) => out.collect_map(members.iter().map(|(name, value)| (name, value))),
        }
    }
}

/// A whole document.
#[derive(Debug, PartialEq)]
pub(crate) struct Document<'b> {
    /// Its value.
    pub(crate) value: Json<'b>,
    /// Names that stand twice in one object. A document with any is to be refused.
    pub(crate) duplicates: Vec<String>,
    /// Whether any number in it is a [`Json::Decimal`].
    pub(crate) decimals: bool,
}

impl Default for Document<'_> {
    /// An object without members.
    fn default() -> Self {
        Self { value: Json::Object(Members::new()), duplicates: Vec::new(), decimals: false }
    }
}

/// Why a body is not a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Past [`REQUEST_DEPTH_MAX`].
    TooDeep,
    /// Not JSON; where and why, without a word of the body.
    Syntax(String),
}

/// Reads a body.
///
/// # Errors
/// [`JsonError`]. Names that stand twice are no error yet: what else is wrong can be told with them.
pub(crate) fn parse(body: &[u8]) -> Result<Document<'_>, JsonError> {
    let notes = Notes::default();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = ValueSeed { notes: &notes, depth: 0 }.deserialize(&mut reader);
    match value.and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok(Document { value, duplicates: notes.duplicates.into_inner(), decimals: notes.decimals.get() }),
        Err(_) if notes.too_deep.get() => Err(JsonError::TooDeep),
        Err(error) => Err(JsonError::Syntax(error.to_string())),
    }
}

/// The members as names sort, so that the order they came in makes no difference.
pub(crate) fn sorted<'m, 'b>(members: &'m Members<'b>) -> Vec<&'m (Cow<'b, str>, Json<'b>)> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    sorted
}

/// What is found on the way through a document.
#[derive(Default)]
struct Notes {
    too_deep: Cell<bool>,
    decimals: Cell<bool>,
    duplicates: RefCell<Vec<String>>,
}

#[derive(Clone, Copy)]
struct ValueSeed<'n> {
    notes: &'n Notes,
    depth: usize,
}

impl ValueSeed<'_> {
    fn deeper<E: Error>(mut self) -> Result<Self, E> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > REQUEST_DEPTH_MAX {
            self.notes.too_deep.set(true);
            return Err(E::custom("too deep"));
        }
        Ok(self)
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json<'de>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(value).map_or(Json::LargeInteger(value), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        self.notes.decimals.set(true);
        Ok(Json::Decimal(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let seed = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(seed)? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let seed = self.deeper()?;
        let mut members = Members::with_capacity(MEMBERS_EXPECTED);
        while let Some(name) = entries.next_key_seed(NameSeed)? {
            members.push((name, entries.next_value_seed(seed)?));
        }
        note_duplicates(&mut members, &self.notes.duplicates);
        Ok(Json::Object(members))
    }
}

/// A member's name, borrowed where it can be.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Cow<'de, str>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Notes names that stand twice. All of them stay in the document, so that what they hold is looked through.
fn note_duplicates(members: &mut Members<'_>, duplicates: &RefCell<Vec<String>>) {
    if !twice(members) {
        return;
    }
    let mut names: Vec<String> = sorted(members)
        .windows(2)
        .filter_map(|pair| match pair {
            [(a, _), (b, _)] if a == b => Some(a.clone().into_owned()),
            _ => None,
        })
        .collect();
    names.dedup();
    duplicates.borrow_mut().append(&mut names);
}

/// Whether a name stands twice: pair by pair where members are few, by sorting where somebody sent thousands.
fn twice(members: &Members<'_>) -> bool {
    const FEW: usize = 16;
    if members.len() > FEW {
        return sorted(members).windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b));
    }
    let mut rest = members.as_slice();
    while let Some(((name, _), others)) = rest.split_first() {
        if others.iter().any(|(other, _)| other == name) {
            return true;
        }
        rest = others;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Json<'_> {
        parse(text.as_bytes()).unwrap().value
    }

    #[test]
    fn numbers_keep_their_kind() {
        assert_eq!(value("12"), Json::Integer(12));
        assert_eq!(value("-12"), Json::Integer(-12));
        assert_eq!(value("9223372036854775808"), Json::LargeInteger(1 << 63));
        for text in ["12.0", "1e3", "1E0", "0.5", "92233720368547758080", "-0"] {
            assert!(matches!(value(text), Json::Decimal(_)), "{text}");
        }
    }

    #[test]
    fn order_is_kept_and_plain_texts_are_borrowed() {
        let Json::Object(members) = value(r#"{"b": "plain", "a": "esc\u0061ped", "c": [null, true]}"#) else {
            panic!("an object");
        };
        assert_eq!(members.iter().map(|(name, _)| name.as_ref()).collect::<Vec<_>>(), ["b", "a", "c"]);
        assert!(matches!(&members[0].1, Json::Text(Cow::Borrowed("plain"))));
        assert_eq!(members[1].1, Json::Text("escaped".into()));
        assert_eq!(members[2].1, Json::Array(vec![Json::Null, Json::Bool(true)]));
    }

    #[test]
    fn names_that_stand_twice_are_told() {
        let body = br#"{"a": 1, "b": {"x": 1, "x": 2}, "a": 2, "\u0061": 3}"#;
        assert_eq!(parse(body).unwrap().duplicates, ["x", "a"]);
        let many: String = (0..100).map(|i| format!("\"k{i}\":0,")).collect();
        assert!(parse(format!("{{{many}\"z\":0}}").as_bytes()).unwrap().duplicates.is_empty());
        assert_eq!(parse(format!("{{{many}\"k7\":0}}").as_bytes()).unwrap().duplicates, ["k7"]);
    }

    #[test]
    fn depth_has_a_limit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(REQUEST_DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(parse(nested(REQUEST_DEPTH_MAX + 1).as_bytes()), Err(JsonError::TooDeep));
        assert_eq!(parse("{\"a\":".repeat(30_000).as_bytes()), Err(JsonError::TooDeep));
    }

    #[test]
    fn what_is_not_json_is_told_by_place_and_never_quoted() {
        for text in
            ["", "{", "{\"a\" 1}", "{a: 4242424242424242}", "[1,]", "{} {}", "nul", "\u{feff}{}", "'a'", "NaN", "01"]
        {
            let Err(JsonError::Syntax(reason)) = parse(text.as_bytes()) else { panic!("{text}") };
            assert!(reason.contains("line 1 column") && !reason.contains("4242"), "{text}: {reason}");
        }
        assert!(parse(b"\"\xff\"").is_err());
    }
}
