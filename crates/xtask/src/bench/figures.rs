//! Medians, spreads and ratios.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Several measurements of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one, or the mean of the middle two.
    pub median: f64,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

impl Spread {
    /// `None` where there is nothing to sum up, or one is no number.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get(values.len().saturating_sub(1) / 2)?;
        Some(Self { median: f64::midpoint(lower, upper), low, high })
    }

    /// `12.3 (11.9..12.8)`
    #[must_use]
    pub fn show(&self, decimals: usize) -> String {
        let Self { median, low, high } = self;
        format!("{median:.decimals$} ({low:.decimals$}..{high:.decimals$})")
    }
}

/// Exact up to 2^53, which no figure here comes near.
#[must_use]
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "there is no `From`; exact up to 2^53")]
pub fn float(number: u64) -> f64 {
    number as f64
}

/// Not a number where there is nothing to divide by.
#[must_use]
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { f64::NAN } else { float(part) / float(whole) }
}

/// Whole times one goes into another, 0 where there is nothing to divide by.
#[must_use]
pub fn quotient(whole: u64, part: u64) -> u64 {
    whole.checked_div(part).unwrap_or(0)
}

/// Nanoseconds, of a duration of less than 500 years.
#[must_use]
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Points of a latency distribution, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// How many were measured.
    pub count: u64,
    /// Half of them were faster.
    pub p50_ms: f64,
    /// All but one in a hundred.
    pub p99_ms: f64,
    /// All but one in a thousand.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Latency {
    /// Of a histogram of nanoseconds.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile: f64| float(histogram.value_at_quantile(quantile)) / 1e6;
        Self {
            count: histogram.len(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: float(histogram.max()) / 1e6,
        }
    }
}

/// An empty histogram of nanoseconds, up to two minutes, within 0.1%.
///
/// # Errors
/// Never with these bounds.
pub fn histogram() -> crate::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1_000, 120_000_000_000, 3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, low: 1.0, high: 3.0 }));
        assert_eq!(Spread::of([1.0, 2.0]).map(|spread| spread.median), Some(1.5));
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([f64::NAN]), None);
    }
}
