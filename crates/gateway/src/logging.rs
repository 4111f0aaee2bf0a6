//! JSON lines, one for each request and for whatever needs a person's eye.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Sends what the program says to `file`, else to standard error. `level` is a filter such as `info` or
/// `switchyard=debug,warn`.
///
/// # Errors
/// Where the file cannot be opened for appending, or the filter is not one.
pub(crate) fn start(level: &str, format: Format, file: Option<&Path>) -> io::Result<()> {
    let filter = EnvFilter::try_new(level).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let writer = match file {
        Some(path) => BoxMakeWriter::new(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?)),
        None => BoxMakeWriter::new(io::stderr),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    let started = match format {
        Format::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
        Format::Text => builder.compact().with_target(false).try_init(),
    };
    started.map_err(io::Error::other)
}
