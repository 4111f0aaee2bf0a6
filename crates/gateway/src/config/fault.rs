//! What is wrong with a configuration, and where: in a file, in an environment variable, or in a file that is not there.

use serde::Serialize;
use std::fmt;
use switchyard_routing::report::{self, Finding};
use switchyard_routing::source;

/// Whether a fault keeps the gateway from starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// Nothing starts.
    Error,
    /// Told, and gone on; `--strict` makes it an error.
    Warning,
    /// A warning that `--strict` leaves be: what time alone has brought about must not keep a restart from serving.
    #[serde(rename = "warning")]
    Reminder,
}

impl Severity {
    /// The word that a line of the report starts with.
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning | Self::Reminder => "warning",
        }
    }
}

/// Where a fault lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Where {
    /// In a file that was read.
    File(source::Place),
    /// In an environment variable.
    Variable {
        /// Its name.
        name: String,
        /// Its value, unless that may be a secret.
        value: Option<String>,
    },
    /// A file or directory as a whole.
    Path(String),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Fault {
    /// Whether it stops the start.
    pub(crate) severity: Severity,
    /// Where.
    pub(crate) at: Where,
    /// What, in one sentence without a full stop.
    pub(crate) message: String,
    /// What to do about it, where that is known.
    pub(crate) hint: Option<String>,
    /// The kind of finding, where it is a check of the rules that found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'static str>,
    /// A payment that shows it, as `[[tests]]` writes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment: Option<String>,
}

impl Fault {
    /// An error without advice.
    pub(crate) fn new(at: Where, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, at, message: message.into(), hint: None, kind: None, payment: None }
    }

    /// The same with advice.
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same as a warning.
    pub(crate) fn into_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }
}

impl Fault {
    /// What a check of the rules found, where it is more than a note.
    pub(crate) fn of_finding(finding: &Finding) -> Option<Self> {
        let severity = match finding.severity {
            report::Severity::Error => Severity::Error,
            report::Severity::Warning => Severity::Warning,
            report::Severity::Note => return None,
        };
        let fault = Self::new(Where::File(finding.place.clone()), finding.message.clone());
        let payment = finding.payment.as_ref().map(ToString::to_string);
        Some(Self { severity, hint: finding.hint.clone(), kind: Some(finding.kind.as_str()), payment, ..fault })
    }
}

impl From<source::Fault> for Fault {
    fn from(fault: source::Fault) -> Self {
        let place = masked(fault.place);
        Self { hint: fault.hint, ..Self::new(Where::File(place), fault.message) }
    }
}

/// Words on a line that make what it quotes suspect: a fault near a credential must not print the credential.
const SUSPECT: &[&str] =
    &["key", "secret", "token", "password", "pepper", "value", "credential", "sim_", "sk_", "_live", "_test"];

/// The place without what the line quotes, where that may be a secret. Columns stay as they are.
fn masked(place: source::Place) -> source::Place {
    let lower = place.excerpt.to_lowercase();
    let address_with_password = lower.contains("://") && lower.contains('@');
    if !address_with_password && !SUSPECT.iter().any(|word| lower.contains(word)) {
        return place;
    }
    let mut open = None;
    let hide = |c: char| match open {
        None => {
            open = matches!(c, '"' | '\'').then_some(c);
            c
        }
        Some(quote) if c == quote => {
            open = None;
            c
        }
        Some(_) => '*',
    };
    source::Place { excerpt: place.excerpt.chars().map(hide).collect(), ..place }
}

impl fmt::Display for Fault {
    /// As compilers print it: the sentence, the place, the line with a caret, the advice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = self.severity.as_str();
        match &self.at {
            Where::File(place) => {
                let kind = self.kind.map(|kind| format!("[{kind}]")).unwrap_or_default();
                let fault = source::Fault { place: place.clone(), message: self.message.clone(), hint: None };
                let text = fault.to_string();
                write!(f, "{severity}{kind}{}", text.strip_prefix("error").unwrap_or(&text))?;
                let gutter = place.line.to_string().len();
                let below = [("payment", &self.payment), ("help", &self.hint)];
                below.into_iter().try_for_each(|(what, text)| match text {
                    Some(text) => write!(f, "\n{:gutter$} = {what}: {text}", ""),
                    None => Ok(()),
                })
            }
            Where::Variable { name, value } => {
                writeln!(f, "{severity}: {}", self.message)?;
                writeln!(f, " --> environment variable {name}")?;
                writeln!(f, "  |")?;
                let shown = value.as_deref().unwrap_or("(not shown)");
                writeln!(f, "  | {name}={shown}")?;
                let (before, width) = match value {
                    Some(value) => (name.chars().count().saturating_add(1), value.chars().count().max(1)),
                    None => (0, name.chars().count()),
                };
                write!(f, "  | {:before$}{:^<width$}", "", "")?;
                self.show_hint(f)
            }
            Where::Path(path) => {
                write!(f, "{severity}: {}\n --> {path}", self.message)?;
                self.show_hint(f)
            }
        }
    }
}

impl Fault {
    fn show_hint(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hint {
            Some(hint) => write!(f, "\n  = help: {hint}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong, at least one of it an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl fmt::Display for Faults {
    /// Every fault, then how many there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.0 {
            writeln!(f, "{fault}\n")?;
        }
        match self.0.len() {
            1 => write!(f, "1 fault in the configuration"),
            count => write!(f, "{count} faults in the configuration"),
        }
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;
    use switchyard_routing::source::Source;

    #[test]
    fn a_variable_is_shown_with_a_caret_below_its_value() {
        let at = Where::Variable { name: "SWITCHYARD__API__WORKERS".into(), value: Some("many".into()) };
        let fault =
            Fault::new(at, "`workers` is a text, where an integer is wanted").with_hint("0 is one for each processor");
        assert_eq!(
            fault.to_string(),
            "error: `workers` is a text, where an integer is wanted\n --> environment variable SWITCHYARD__API__WORKERS\n  |\n  \
             | SWITCHYARD__API__WORKERS=many\n  |                          ^^^^\n  = help: 0 is one for each processor"
        );
    }

    #[test]
    fn a_line_that_may_hold_a_secret_is_shown_without_it() {
        for line in
            ["api_key = \"hunter2\"", "a = { value = 'hunter2' }", "token = \"hunter2", "url = \"redis://u:hunter2@h\""]
        {
            let shown = Fault::from(Source::new("f", line).fault(&(0..1), "wrong")).to_string();
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(shown.contains("*******"), "{shown}");
        }
        let plain = Fault::from(Source::new("f", "listen = \"here\"").fault(&(0..1), "wrong")).to_string();
        assert!(plain.contains("here"), "{plain}");
    }
}
