//! A configuration file's text, and faults that point into it.

use serde::Serialize;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Largest file that is read, in bytes: about fifty thousand rules, and far below what a parse could choke on.
pub const SOURCE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Longest part of a line that a fault shows, in characters.
const EXCERPT_CHARS_MAX: usize = 160;
/// How much of it may stand before the caret.
const EXCERPT_CHARS_BEFORE: usize = 80;

/// Where something stands in a text: a range of bytes.
pub type Span = Range<usize>;

/// A file that was read: its path as the operator knows it, and its text. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Source {
    path: Arc<str>,
    text: Arc<str>,
    /// Where each line starts, in bytes.
    lines: Arc<[usize]>,
}

impl Source {
    /// Takes the text as it is; nothing is read from disk.
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let (path, text) = (path.into(), text.into());
        let after_breaks =
            text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at.saturating_add(1));
        let lines = std::iter::once(0).chain(after_breaks).collect();
        Self { path, text, lines }
    }

    /// The path as given.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A fault at `span`. Without a better place, `0..0` is the file's start.
    pub fn fault(&self, span: &Span, message: impl Into<String>) -> Fault {
        Fault { place: self.place(span), message: message.into(), hint: None }
    }

    /// Line, column and excerpt of `span`.
    #[must_use]
    pub fn place(&self, span: &Span) -> Place {
        let start = span.start.min(self.text.len());
        let line = self.lines.partition_point(|&begin| begin <= start).max(1);
        let begin = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        let whole = self.text.get(begin..end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let chars_to = |to: usize| self.text.get(begin..to).map_or(0, |part| part.chars().count());
        let before = chars_to(start).min(whole.chars().count());
        let last = chars_to(span.end.clamp(start, end)).min(whole.chars().count());
        let skipped = before.saturating_sub(EXCERPT_CHARS_BEFORE);
        let excerpt: String = whole.chars().skip(skipped).take(EXCERPT_CHARS_MAX).map(without_controls).collect();
        let caret = before.saturating_sub(skipped);
        let room = excerpt.chars().count().saturating_sub(caret).max(1);
        Place {
            file: self.path.to_string(),
            line,
            column: before.saturating_add(1),
            excerpt,
            caret,
            width: last.saturating_sub(before).clamp(1, room),
        }
    }
}

/// Tabs count as one column, so that the caret stands under what it means.
fn without_controls(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// A place in a file, with the line's text so that it can be shown without the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The path, as the operator knows it.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The line's text, or the part of a long one around the place.
    pub excerpt: String,
    /// How many characters of `excerpt` stand before the caret.
    pub caret: usize,
    /// How many characters the caret underlines; at least 1.
    pub width: usize,
}

impl Place {
    /// Prints the place as compilers do: file, line and column, then the line with carets below.
    pub(crate) fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = self.line.to_string().len();
        let (nothing, caret, width) = ("", self.caret, self.width);
        writeln!(f, "{nothing:gutter$}--> {}:{}:{}", self.file, self.line, self.column)?;
        writeln!(f, "{nothing:gutter$} |")?;
        writeln!(f, "{} | {}", self.line, self.excerpt)?;
        write!(f, "{nothing:gutter$} | {nothing:caret$}{nothing:^<width$}")
    }
}

/// Something wrong in a file: where, what, and what was perhaps meant.
///
/// ```
/// use switchyard_routing::source::Source;
/// let source = Source::new("config/routing.toml", "name = \"x\"\ncurency = \"EUR\"\n");
/// let fault = source.fault(&(11..18), "unknown key `curency`").with_hint("did you mean `currency`?");
/// assert_eq!(fault.to_string(), "\
/// error: unknown key `curency`
///  --> config/routing.toml:2:1
///   |
/// 2 | curency = \"EUR\"
///   | ^^^^^^^
///   = help: did you mean `currency`?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl Fault {
    /// The same fault with advice.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        self.place.show(f)?;
        show_hint(self.place.line, self.hint.as_deref(), f)
    }
}

/// Prints the line `= help:` below a place in line `line`.
pub(crate) fn show_hint(line: usize, hint: Option<&str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match hint {
        Some(hint) => write!(f, "\n{:gutter$} = help: {hint}", "", gutter = line.to_string().len()),
        None => Ok(()),
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_survive_any_span() {
        let source = Source::new("f", "a = \"é€x\"\r\n\tb = 1");
        let x = source.text().find('x').unwrap();
        let place = source.place(&(x..x + 1));
        assert_eq!((place.line, place.column, place.width, place.excerpt.as_str()), (1, 8, 1, "a = \"é€x\""));
        let b = source.text().find('b').unwrap();
        assert_eq!((source.place(&(b..b + 1)).line, source.place(&(b..b + 1)).column), (2, 2));
        for span in [0..0, Span { start: 3, end: 1 }, 6..7, 999..1000, 0..999] {
            let place = source.place(&span);
            assert!(place.width >= 1 && place.line >= 1, "{span:?}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let text = format!("{}HERE{}", "a".repeat(5000), "b".repeat(5000));
        let place = Source::new("f", text).place(&(5000..5004));
        assert_eq!(place.column, 5001);
        assert_eq!(place.excerpt.chars().count(), EXCERPT_CHARS_MAX);
        assert_eq!(place.excerpt.chars().skip(place.caret).take(place.width).collect::<String>(), "HERE");
    }
}
