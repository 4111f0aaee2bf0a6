//! Query parameters, read like the fields of a body: all faults at once, unknown ones refused.

use super::card_numbers;
use super::faults::{Faults, did_you_mean};
use super::problem::{Code, Problem};
use actix_web::web;
use std::fmt::Display;

/// More than any call knows; the rest is not even looked at.
const PARAMETERS_MAX: usize = 64;

/// A longer value is no parameter of ours, in characters.
const VALUE_CHARS_MAX: usize = 255;

/// The parameters of one request.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    asked: Vec<&'static str>,
    faults: Faults,
}

impl Query {
    /// Decodes a query string.
    ///
    /// # Errors
    /// [`Code::CardNumberRefused`], and [`Code::InvalidRequest`] where it cannot be decoded.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let pairs = if text.is_empty() {
            Vec::new()
        } else {
            web::Query::<Vec<(String, String)>>::from_query(text)
                .map_err(|_| Problem::new(Code::InvalidRequest, "the query is not of the form name=value&name=value"))?
                .into_inner()
        };
        if pairs.iter().any(|(name, value)| card_numbers::in_text(name) || card_numbers::in_text(value)) {
            return Err(Problem::card_number("the query"));
        }
        let mut faults = Faults::default();
        if pairs.len() > PARAMETERS_MAX {
            return Err(Problem::new(Code::InvalidRequest, "the query has too many parameters"));
        }
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        for pair in names.windows(2) {
            if let [a, b] = pair
                && a == b
            {
                faults.add_duplicates(vec![(*a).to_owned()]);
            }
        }
        Ok(Self { pairs, asked: Vec::new(), faults })
    }

    /// Notes a fault of a parameter.
    pub(crate) fn fault(&mut self, name: &'static str, code: &'static str, message: impl Into<String>) {
        self.faults.add(name, code, message.into());
    }

    /// A parameter as it came, decoded.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.asked.push(name);
        let value = self.pairs.iter_mut().find(|(known, _)| known == name).map(|(_, value)| std::mem::take(value))?;
        if value.is_empty() || value.chars().count() > VALUE_CHARS_MAX {
            self.fault(name, "invalid_value", format!("must have 1 to {VALUE_CHARS_MAX} characters"));
            return None;
        }
        Some(value)
    }

    /// Notes that the parameter is missing, where it is.
    pub(crate) fn require(&mut self, name: &'static str) {
        if !self.has(name) {
            self.asked.push(name);
            self.fault(name, "required", "is required");
        }
    }

    /// A parameter that `parse` knows how to read; `expected` says what it should be.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &'static str,
        expected: impl Display,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.fault(name, "invalid_value", format!("must be {expected}"));
        }
        value
    }

    /// One of a few names.
    pub(crate) fn choice<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        names: impl IntoIterator<Item = &'static str>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.fault(name, "unknown_value", format!("must be {expected}{}", did_you_mean(&text, names)));
        }
        value
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.parsed(name, "true or false", |text| text.parse().ok())
    }

    /// Whether the parameter is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(known, _)| known == name)
    }

    /// Ends reading.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] with every faulty and every unknown parameter.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in self.pairs.iter().filter(|(name, _)| !self.asked.contains(&name.as_str())) {
            self.faults.add_unknown("", name, "query parameter", &self.asked);
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::faulty(self.faults)) }
    }
}
