//! Chance that can be had again: the same seed gives the same choices.

/// A small generator (SplitMix64).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another one that goes its own way, the same for the same `number`.
    #[must_use]
    pub fn child(&self, number: u64) -> Self {
        let mut child = Self(self.0 ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        child.bits();
        child
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least `from`, less than `to`.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.bits() % (to - from).max(1)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.between(0, 100) < percent
    }

    /// One of them.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let place = self.bits() % u64::try_from(choices.len()).expect("a length");
        &choices[usize::try_from(place).expect("below the length")]
    }

    /// One of them, each as likely as its weight.
    pub fn weighted<'a, T>(&mut self, choices: &'a [(u64, T)]) -> &'a T {
        let sum = choices.iter().map(|(weight, _)| weight).sum();
        let mut place = self.between(0, sum);
        for (weight, choice) in choices {
            if place < *weight {
                return choice;
            }
            place -= weight;
        }
        &choices[0].1
    }
}
