//! Reads TOML tables and finds all that is wrong with them in one pass: unknown and missing keys, wrong types, values
//! out of bounds, each with its place and the nearest valid name.
//!
//! Every getter gives an `Option` and has already told [`Faults`] why where it is `None`, so that a loader reads on
//! and the operator sees every fault at once:
//!
//! ```
//! use switchyard_routing::{reader::{Document, Faults}, source::Source};
//!
//! let source = Source::new("config/channels.toml", r#"
//! [channels.adyen_eu]
//! provider = "adyen"
//! requests_per_second = "many"
//! timeout = "5s"
//! retirde = true
//! "#);
//! let faults = Faults::new(&source);
//! if let Some(document) = Document::parse(&faults) {
//!     let root = document.root(&faults);
//!     for (name, value) in root.table("channels").map(|channels| channels.entries()).unwrap_or_default() {
//!         let Some(channel) = value.table() else { continue };
//!         let provider = channel.required("provider").and_then(|value| value.text());
//!         let rate = channel.get("requests_per_second").and_then(|value| value.integer_in(1..=100_000));
//!         let timeout = channel.get("timeout").and_then(|value| value.duration());
//!         let retired = channel.get("retired").and_then(|value| value.boolean()).unwrap_or(false);
//!         channel.finish();
//!         assert_eq!((name.text, provider.map(|text| text.text)), ("adyen_eu", Some("adyen")));
//!         assert_eq!((rate, timeout.map(|span| span.as_secs()), retired), (None, Some(5), false));
//!     }
//!     root.finish();
//! }
//! let messages: Vec<String> = faults.into_vec().into_iter().map(|fault| fault.message).collect();
//! assert_eq!(messages, [
//!     "`requests_per_second` is a text, where an integer is wanted",
//!     "unknown key `retirde` in [channels.adyen_eu]",
//! ]);
//! ```

use crate::nearest::did_you_mean;
use crate::source::{Fault, SOURCE_BYTES_MAX, Source, Span};
use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The faults found so far in one source. Shared by everything that reads it.
#[derive(Debug)]
pub struct Faults<'s> {
    source: &'s Source,
    found: RefCell<Vec<Fault>>,
}

impl<'s> Faults<'s> {
    /// None yet.
    #[must_use]
    pub fn new(source: &'s Source) -> Self {
        Self { source, found: RefCell::default() }
    }

    /// The source the faults point into.
    #[must_use]
    pub fn source(&self) -> &'s Source {
        self.source
    }

    /// Adds a fault.
    pub fn push(&self, span: &Span, message: impl Into<String>) {
        self.add(self.source.fault(span, message));
    }

    /// Adds a fault with advice, where there is any.
    pub fn push_with_hint(&self, span: &Span, message: impl Into<String>, hint: Option<String>) {
        self.add(Fault { hint, ..self.source.fault(span, message) });
    }

    /// Adds a fault: `name`, said to be `what`, is none of `known`, the nearest of which is the advice.
    pub fn unknown<'c>(&self, at: Text<'_>, what: &str, known: impl IntoIterator<Item = &'c str>) {
        self.push_with_hint(&at.span(), format!("unknown {what} `{}`", at.text), did_you_mean(at.text, known));
    }

    fn add(&self, fault: Fault) {
        self.found.borrow_mut().push(fault);
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All faults, in the order of their places.
    #[must_use]
    pub fn into_vec(self) -> Vec<Fault> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|fault| (fault.place.line, fault.place.column));
        found.dedup();
        found
    }
}

/// A parsed file.
#[derive(Debug)]
pub struct Document<'s>(Spanned<DeTable<'s>>);

impl<'s> Document<'s> {
    /// Parses the source. `None` where it is not TOML or longer than [`SOURCE_BYTES_MAX`]: every syntax error is then
    /// among the faults, and nothing else, since what a broken file means is guesswork.
    #[must_use]
    pub fn parse(faults: &Faults<'s>) -> Option<Self> {
        let text = faults.source.text();
        if text.len() > SOURCE_BYTES_MAX {
            faults.push(&(0..0), format!("{} bytes are more than the {SOURCE_BYTES_MAX} that are read", text.len()));
            return None;
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            faults.push(&error.span().unwrap_or(text.len()..text.len()), format!("not TOML: {}", error.message()));
        }
        errors.is_empty().then_some(Self(root))
    }

    /// The table of all keys at the top.
    #[must_use]
    pub fn root<'d>(&'d self, faults: &'d Faults<'d>) -> Table<'d> {
        Table::new(faults, String::new(), 0..0, self.0.get_ref())
    }
}

/// A text and its place.
#[derive(Clone, Copy, Debug)]
pub struct Text<'d> {
    /// The text itself.
    pub text: &'d str,
    start: usize,
    end: usize,
}

impl<'d> Text<'d> {
    fn new(text: &'d str, span: &Span) -> Self {
        Self { text, start: span.start, end: span.end }
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.start..self.end
    }
}

/// A table whose keys are asked for one by one; what was never asked for is unknown to [`Table::finish`].
#[derive(Debug)]
pub struct Table<'d> {
    faults: &'d Faults<'d>,
    /// As the file writes it: `[channels.adyen_eu]`; empty for the top.
    path: String,
    span: Span,
    entries: &'d DeTable<'d>,
    known: RefCell<Vec<&'static str>>,
}

impl<'d> Table<'d> {
    fn new(faults: &'d Faults<'d>, path: String, span: Span, entries: &'d DeTable<'d>) -> Self {
        Self { faults, path, span, entries, known: RefCell::default() }
    }

    /// Where the table starts: its header, or its braces.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// How messages call it: `[channels.adyen_eu]`, or `the file` for the top.
    #[must_use]
    pub fn label(&self) -> String {
        if self.path.is_empty() { "the file".into() } else { format!("[{}]", self.path) }
    }

    /// Where all faults go.
    #[must_use]
    pub fn faults(&self) -> &'d Faults<'d> {
        self.faults
    }

    /// The value of a key that may be left out.
    pub fn get(&self, key: &'static str) -> Option<Value<'d>> {
        self.known.borrow_mut().push(key);
        let (name, value) = self.entries.get_key_value(key)?;
        Some(Value { faults: self.faults, name: Text::new(name.get_ref(), &name.span()), path: self.child(key), value })
    }

    /// The value of a key that must be there.
    pub fn required(&self, key: &'static str) -> Option<Value<'d>> {
        let found = self.get(key);
        if found.is_none() {
            self.faults.push(&self.span, format!("{} lacks `{key}`", self.label()));
        }
        found
    }

    /// A nested table that may be left out.
    pub fn table(&self, key: &'static str) -> Option<Self> {
        self.get(key)?.table()
    }

    /// The tables of `[[key]]`; none where the key is left out.
    pub fn tables(&self, key: &'static str) -> Vec<Self> {
        self.get(key).map(|value| value.tables()).unwrap_or_default()
    }

    /// Every key with its value, in the file's order: for tables whose keys are names that the operator chooses.
    #[must_use]
    pub fn entries(&self) -> Vec<(Text<'d>, Value<'d>)> {
        let mut entries: Vec<_> = self
            .entries
            .iter()
            .map(|(name, value)| {
                let name = Text::new(name.get_ref(), &name.span());
                (name, Value { faults: self.faults, name, path: self.child(name.text), value })
            })
            .collect();
        entries.sort_by_key(|(name, _)| name.start);
        entries
    }

    /// Whether the key stands in the table. Does not make it known.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Reports every key that was never asked for.
    pub fn finish(self) {
        let known = self.known.into_inner();
        for name in self.entries.keys() {
            let key: &str = name.get_ref();
            if !known.contains(&key) {
                let place = if self.path.is_empty() { String::new() } else { format!(" in [{}]", self.path) };
                let hint = did_you_mean(key, known.iter().copied());
                self.faults.push_with_hint(&name.span(), format!("unknown key `{key}`{place}"), hint);
            }
        }
    }

    fn child(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }
}

/// A value that is yet to be read as one type or another.
#[derive(Clone, Debug)]
pub struct Value<'d> {
    faults: &'d Faults<'d>,
    name: Text<'d>,
    path: String,
    value: &'d Spanned<DeValue<'d>>,
}

impl<'d> Value<'d> {
    /// Where the value stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.value.span()
    }

    /// The key it was found under.
    #[must_use]
    pub fn name(&self) -> Text<'d> {
        self.name
    }

    /// Adds a fault at this value.
    pub fn fault(&self, message: impl Into<String>) {
        self.faults.push(&self.span(), message);
    }

    /// A fault at this value that is the caller's to count, or not.
    pub fn place_fault(&self, message: impl Into<String>) -> crate::source::Fault {
        self.faults.source().fault(&self.span(), message)
    }

    fn wrong<T>(&self, wanted: &str) -> Option<T> {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.fault(format!("`{}` is {found}, where {wanted} is wanted", self.name.text));
        None
    }

    /// A text.
    #[must_use]
    pub fn text(&self) -> Option<Text<'d>> {
        let DeValue::String(text) = self.value.get_ref() else { return self.wrong("a text") };
        Some(Text::new(text, &self.span()))
    }

    /// Whether it is a text, without a fault where it is not.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::String(_))
    }

    /// Whether it is a list, without a fault where it is not.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Array(_))
    }

    /// A text that names one of a fixed set.
    #[must_use]
    pub fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = choices.iter().find(|(name, _)| *name == text.text).map(|&(_, choice)| choice);
        if found.is_none() {
            let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
            let message =
                format!("`{}` is `{}`, where one of {} is wanted", self.name.text, text.text, names.join(", "));
            let hint = did_you_mean(text.text, choices.iter().map(|(name, _)| *name));
            self.faults.push_with_hint(&self.span(), message, hint);
        }
        found
    }

    /// An integer of 64 bits.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        let DeValue::Integer(digits) = self.value.get_ref() else { return self.wrong("an integer") };
        let integer = i64::from_str_radix(&digits.as_str().replace('_', ""), digits.radix()).ok();
        if integer.is_none() {
            self.fault(format!("`{}` is too large a number", self.name.text));
        }
        integer
    }

    /// An integer within bounds.
    #[must_use]
    pub fn integer_in(&self, bounds: RangeInclusive<i64>) -> Option<i64> {
        let integer = self.integer()?;
        if bounds.contains(&integer) {
            return Some(integer);
        }
        let (least, most) = bounds.into_inner();
        self.fault(format!("`{}` is {integer}, where {least} to {most} is wanted", self.name.text));
        None
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        let DeValue::Boolean(boolean) = self.value.get_ref() else { return self.wrong("true or false") };
        Some(*boolean)
    }

    /// A span of time as text: a whole number and `ms`, `s`, `m`, `h` or `d`.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let text = self.text()?.text;
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let millis = match text.get(digits.len()..) {
            Some("ms") => Some(1),
            Some("s") => Some(1_000),
            Some("m") => Some(60_000),
            Some("h") => Some(3_600_000),
            Some("d") => Some(86_400_000),
            _ => None,
        };
        let whole = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
        let span = millis.zip(whole).and_then(|(unit, count)| count.checked_mul(unit)).map(Duration::from_millis);
        if span.is_none() {
            self.fault(format!(
                "`{}` is `{text}`, where a span such as `250ms`, `5s`, `10m`, `1h` or `7d` is wanted",
                self.name.text
            ));
        }
        span
    }

    /// A date, a time or both, as TOML writes them without quotes.
    #[must_use]
    pub fn datetime(&self) -> Option<toml::value::Datetime> {
        let DeValue::Datetime(datetime) = self.value.get_ref() else {
            return self.wrong("a date or time without quotes");
        };
        Some(*datetime)
    }

    /// A table, whose unknown keys are the caller's to refuse with [`Table::finish`].
    #[must_use]
    pub fn table(&self) -> Option<Table<'d>> {
        let DeValue::Table(entries) = self.value.get_ref() else { return self.wrong("a table") };
        Some(Table::new(self.faults, self.path.clone(), self.span(), entries))
    }

    /// The tables of a `[[list]]`; whatever in it is no table is a fault and left out.
    #[must_use]
    pub fn tables(&self) -> Vec<Table<'d>> {
        self.list().unwrap_or_default().iter().filter_map(Self::table).collect()
    }

    /// A list of anything.
    #[must_use]
    pub fn list(&self) -> Option<Vec<Self>> {
        let DeValue::Array(values) = self.value.get_ref() else { return self.wrong("a list") };
        Some(values.iter().map(|value| Self { value, path: self.path.clone(), ..*self }).collect())
    }

    /// Texts: a list of them, or one alone. Whatever is no text is a fault and left out, and so is a text that stood
    /// before.
    #[must_use]
    pub fn texts(&self) -> Vec<Text<'d>> {
        if self.is_text() {
            return self.text().into_iter().collect();
        }
        if !self.is_list() {
            return self.wrong("a list of texts").unwrap_or_default();
        }
        let mut seen = std::collections::HashSet::new();
        let mut texts = Vec::new();
        for text in self.list().unwrap_or_default().iter().filter_map(Self::text) {
            if seen.insert(text.text) {
                texts.push(text);
            } else {
                self.faults.push(&text.span(), format!("`{}` names `{}` twice", self.name.text, text.text));
            }
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str, read: fn(Table<'_>)) -> Vec<String> {
        let source = Source::new("t.toml", text);
        let faults = Faults::new(&source);
        if let Some(document) = Document::parse(&faults) {
            read(document.root(&faults));
        }
        faults
            .into_vec()
            .into_iter()
            .map(|fault| format!("{}:{} {}", fault.place.line, fault.place.column, fault.message))
            .collect()
    }

    #[test]
    fn every_syntax_error_is_told_with_its_place() {
        let found = messages("a = \nb = [1\nc = 1\nc = 2\n", |_| {});
        assert!(found.len() >= 2, "{found:?}");
        assert!(found.iter().all(|message| message.contains("not TOML")), "{found:?}");
        assert!(messages("a = \"half writ", |_| {})[0].starts_with("1:"));
    }

    #[test]
    fn wrong_types_unknown_and_missing_keys_come_all_at_once() {
        let found =
            messages("n = 1.5\nb = \"yes\"\nd = \"5 parsecs\"\nl = [\"a\", 1, \"a\"]\nbeyond = 99\nx = 0\n", |root| {
                assert_eq!(root.get("n").and_then(|value| value.integer()), None);
                assert_eq!(root.get("b").and_then(|value| value.boolean()), None);
                assert_eq!(root.get("d").and_then(|value| value.duration()), None);
                assert_eq!(root.get("l").map(|value| value.texts().len()), Some(1));
                assert_eq!(root.get("beyond").and_then(|value| value.integer_in(0..=9)), None);
                assert!(root.required("must").is_none());
                root.finish();
            });
        assert_eq!(
            found,
            [
                "1:1 the file lacks `must`",
                "1:5 `n` is a number with a fraction, where an integer is wanted",
                "2:5 `b` is a text, where true or false is wanted",
                "3:5 `d` is `5 parsecs`, where a span such as `250ms`, `5s`, `10m`, `1h` or `7d` is wanted",
                "4:11 `l` is an integer, where a text is wanted",
                "4:14 `l` names `a` twice",
                "5:10 `beyond` is 99, where 0 to 9 is wanted",
                "6:1 unknown key `x`",
            ]
        );
    }

    #[test]
    fn integers_read_in_every_notation_of_toml() {
        let found = messages("a = 1_000\nb = 0xff\nc = -3\nd = 99999999999999999999\n", |root| {
            let integer = |key| root.get(key).and_then(|value| value.integer());
            assert_eq!(
                (integer("a"), integer("b"), integer("c"), integer("d")),
                (Some(1000), Some(255), Some(-3), None)
            );
        });
        assert_eq!(found, ["4:5 `d` is too large a number"]);
    }

    #[test]
    fn a_file_past_the_limit_is_refused_unread() {
        let found = messages(&" ".repeat(SOURCE_BYTES_MAX + 1), |_| {});
        assert_eq!(
            found,
            [format!("1:1 {} bytes are more than the {SOURCE_BYTES_MAX} that are read", SOURCE_BYTES_MAX + 1)]
        );
    }
}
