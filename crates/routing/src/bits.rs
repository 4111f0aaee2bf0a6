//! Bits in words.

/// Bits of one word.
const WORD: usize = 64;

/// How many words hold `count` bits.
pub(crate) const fn words_for(count: usize) -> usize {
    count.div_ceil(WORD)
}

/// The word a bit lies in.
pub(crate) const fn word_of(bit: usize) -> usize {
    bit / WORD
}

/// The bit's place in its word.
#[expect(clippy::as_conversions, reason = "a remainder of 64 fits 32 bits; on the path of every decision")]
pub(crate) const fn mask_of(bit: usize) -> u64 {
    1_u64.wrapping_shl((bit % WORD) as u32)
}

/// Whether the bit is set; bits past the end are not.
pub(crate) fn has(words: &[u64], bit: usize) -> bool {
    words.get(word_of(bit)).is_some_and(|word| word & mask_of(bit) != 0)
}

/// Sets the bit, where there is room for it.
pub(crate) fn set(words: &mut [u64], bit: usize) {
    if let Some(word) = words.get_mut(word_of(bit)) {
        *word |= mask_of(bit);
    }
}

/// Clears the bit.
pub(crate) fn clear(words: &mut [u64], bit: usize) {
    if let Some(word) = words.get_mut(word_of(bit)) {
        *word &= !mask_of(bit);
    }
}

/// The first bit of a word that stands at place `at` in its row.
#[expect(clippy::as_conversions, reason = "at most 64; on the path of every decision")]
pub(crate) fn first_in(at: usize, word: u64) -> usize {
    at.saturating_mul(WORD).saturating_add(word.trailing_zeros() as usize)
}

/// Every set bit, ascending.
pub(crate) fn ones(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().flat_map(|(at, &word)| {
        std::iter::successors(Some(word), |&rest| Some(rest & rest.wrapping_sub(1)))
            .take_while(|&rest| rest != 0)
            .map(move |rest| first_in(at, rest))
    })
}

/// How many bits are set.
pub(crate) fn count(words: &[u64]) -> usize {
    words.iter().map(|word| usize::try_from(word.count_ones()).unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_in_order() {
        let mut words = vec![0; words_for(130)];
        for bit in [0, 63, 64, 129] {
            set(&mut words, bit);
        }
        assert_eq!(ones(&words).collect::<Vec<_>>(), [0, 63, 64, 129]);
        clear(&mut words, 64);
        assert!(has(&words, 129) && !has(&words, 64) && !has(&words, 1000));
        assert_eq!(count(&words), 3);
    }
}
