//! Sets of amounts over all currencies, as ranges on one line.
//!
//! A position is the currency's number in the upper 16 bits and the amount in minor units in the lower 48, so that a set
//! is a sorted list of ranges that neither touch nor overlap, and all of it is one range.

use crate::domain::AMOUNT_BITS;

/// A range of positions, the end excluded.
pub(crate) type Range = (u64, u64);

/// Ranges in order; none empty, no two touching.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct MoneySet(Vec<Range>);

/// The position where a currency starts.
pub(crate) fn start_of(currency: usize) -> u64 {
    u64::try_from(currency).unwrap_or(u64::MAX).wrapping_shl(AMOUNT_BITS)
}

/// The currency and the amount at a position.
pub(crate) fn split(position: u64) -> (usize, u64) {
    let currency = usize::try_from(position.wrapping_shr(AMOUNT_BITS)).unwrap_or(usize::MAX);
    (currency, position & crate::domain::AMOUNT_LAST)
}

impl MoneySet {
    /// The positions of `currencies` currencies, from number 0.
    pub(crate) fn all(currencies: usize) -> Self {
        Self::from_ranges(vec![(0, start_of(currencies))])
    }

    /// From ranges in any order, which may overlap.
    pub(crate) fn from_ranges(mut ranges: Vec<Range>) -> Self {
        ranges.retain(|(start, end)| start < end);
        ranges.sort_unstable();
        let mut merged: Vec<Range> = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Self(merged)
    }

    pub(crate) fn ranges(&self) -> &[Range] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, position: u64) -> bool {
        let after = self.0.partition_point(|&(start, _)| start <= position);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|&(_, end)| position < end)
    }

    /// What lies in both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let mut both = Vec::with_capacity(self.0.len().max(other.0.len()));
        self.meet(other, |range| {
            both.push(range);
            true
        });
        Self(both)
    }

    /// What lies in this one only.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        let mut rest = Vec::with_capacity(self.0.len().saturating_add(1));
        let mut taken = other.0.iter().peekable();
        for &(mut start, end) in &self.0 {
            while taken.next_if(|(_, until)| *until <= start).is_some() {}
            let mut ahead = taken.clone();
            while let Some(&(from, until)) = ahead.next_if(|(from, _)| *from < end) {
                if start < from {
                    rest.push((start, from));
                }
                start = until;
            }
            if start < end {
                rest.push((start, end));
            }
        }
        Self(rest)
    }

    /// Whether they share nothing.
    pub(crate) fn is_apart_from(&self, other: &Self) -> bool {
        let mut apart = true;
        self.meet(other, |_| {
            apart = false;
            false
        });
        apart
    }

    /// Whether all of it lies in `other`.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let mut whole = other.0.iter().peekable();
        self.0.iter().all(|&(start, end)| {
            while whole.next_if(|(_, until)| *until <= start).is_some() {}
            whole.peek().is_some_and(|(from, until)| *from <= start && end <= *until)
        })
    }

    /// Calls `see` with each range that lies in both, until it says `false`.
    fn meet(&self, other: &Self, mut see: impl FnMut(Range) -> bool) {
        // Where one side has few ranges and the other many, most are skipped at once.
        let (Some(first), Some(other_first)) = (self.0.first(), other.0.first()) else { return };
        let from = first.0.max(other_first.0);
        let mut left =
            self.0.get(self.0.partition_point(|&(_, end)| end <= from)..).unwrap_or_default().iter().peekable();
        let mut right =
            other.0.get(other.0.partition_point(|&(_, end)| end <= from)..).unwrap_or_default().iter().peekable();
        while let (Some(&&(a, b)), Some(&&(c, d))) = (left.peek(), right.peek()) {
            let (start, end) = (a.max(c), b.min(d));
            if start < end && !see((start, end)) {
                return;
            }
            if b <= d {
                left.next();
            } else {
                right.next();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set() -> impl Strategy<Value = MoneySet> {
        prop::collection::vec((0_u64..40, 0_u64..12), 0..6).prop_map(|ranges| {
            MoneySet::from_ranges(ranges.into_iter().map(|(start, len)| (start, start.saturating_add(len))).collect())
        })
    }

    proptest! {
        #[test]
        fn every_operation_agrees_with_its_positions(a in set(), b in set()) {
            let (and, minus) = (a.and(&b), a.minus(&b));
            let mut apart = true;
            let mut within = true;
            for at in 0..60 {
                prop_assert_eq!(and.has(at), a.has(at) && b.has(at));
                prop_assert_eq!(minus.has(at), a.has(at) && !b.has(at));
                apart &= !(a.has(at) && b.has(at));
                within &= !a.has(at) || b.has(at);
            }
            prop_assert_eq!(a.is_apart_from(&b), apart);
            prop_assert_eq!(a.is_within(&b), within);
            for result in [and, minus] {
                prop_assert_eq!(MoneySet::from_ranges(result.ranges().to_vec()), result);
            }
        }
    }

    #[test]
    fn positions_part_into_currency_and_amount() {
        assert_eq!(split(start_of(7) + 1234), (7, 1234));
        assert!(MoneySet::all(3).has(start_of(2) + 99) && !MoneySet::all(3).has(start_of(3)));
    }
}
