//! Times on the command line and in the operators' JSON.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::time::Duration;
use switchyard_core::Timestamp;

/// RFC 3339 in UTC, to the millisecond; `None` past the year 9999.
pub(crate) fn shown(at: Timestamp) -> Option<String> {
    jiff::Timestamp::from_millisecond(at.0).ok().map(|time| format!("{time:.3}"))
}

/// Reads RFC 3339.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
}

/// Reads a span from `now` on (`90d`, `12h`, `30m`, `45s`), the start of a day in UTC (`2027-01-31`), or RFC 3339.
pub(crate) fn at(text: &str, now: Timestamp) -> Option<Timestamp> {
    moment(text).or_else(|| span(text).map(|span| now.after(span)))
}

/// Reads a span back from `now`, the start of a day in UTC, or RFC 3339.
pub(crate) fn since(text: &str, now: Timestamp) -> Option<Timestamp> {
    let back = |span: Duration| i64::try_from(span.as_millis()).ok().map(|span| Timestamp(now.0.saturating_sub(span)));
    moment(text).or_else(|| span(text).and_then(back))
}

fn moment(text: &str) -> Option<Timestamp> {
    if let Some(at) = parse(text) {
        return Some(at);
    }
    let day = text.parse::<Date>().ok()?;
    day.to_zoned(TimeZone::UTC).ok().map(|start| Timestamp(start.timestamp().as_millisecond()))
}

fn span(text: &str) -> Option<Duration> {
    let unit: u64 = match text.chars().last()? {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return None,
    };
    let count = text.get(..text.len().checked_sub(1)?)?;
    let whole = !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_digit());
    let seconds = count.parse::<u64>().ok().filter(|_| whole)?.checked_mul(unit)?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_days_and_times_are_read() {
        let now = parse("2026-11-22T20:00:00Z").unwrap();
        let read = |text: &str| at(text, now).and_then(shown);
        assert_eq!(read("90d").as_deref(), Some("2027-02-20T20:00:00.000Z"));
        assert_eq!(read("12h").as_deref(), Some("2026-11-23T08:00:00.000Z"));
        assert_eq!(read("2027-01-31").as_deref(), Some("2027-01-31T00:00:00.000Z"));
        assert_eq!(read("2027-01-31T12:00:00+02:00").as_deref(), Some("2027-01-31T10:00:00.000Z"));
        for text in ["", "d", "-1d", "+1d", "1.5d", "1w", "tomorrow", "2027-02-30", "99999999999999999999d"] {
            assert_eq!(at(text, now), None, "{text}");
        }
        assert_eq!(read("18446744073709551615s"), None);
        let back = |text: &str| since(text, now).and_then(shown);
        assert_eq!(back("7d").as_deref(), Some("2026-11-15T20:00:00.000Z"));
        assert_eq!(back("2026-11-01T00:00:00Z").as_deref(), Some("2026-11-01T00:00:00.000Z"));
        assert_eq!(back("2026-11-01").as_deref(), Some("2026-11-01T00:00:00.000Z"));
        assert_eq!(back("-7d"), None);
    }
}
