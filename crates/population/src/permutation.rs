//! A keyed bijection of 0..size onto itself: numbers that look drawn and never collide.

use crate::draw::{Domain, Seed};

const ROUNDS: u32 = 4;

/// A Feistel network over the next even number of bits, walked until it lands inside the range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permutation {
    seed: Seed,
    size: u32,
    half_bits: u32,
}

impl Permutation {
    /// Permutations of different sizes are unrelated.
    pub(crate) fn new(seed: Seed, size: u32) -> Self {
        let bits = u32::BITS - (size - 1).leading_zeros();
        Self { seed, size, half_bits: bits.div_ceil(2).max(1) }
    }

    /// Where `value`, which is below the size, goes. Fewer than four walks on average.
    pub(crate) fn apply(&self, value: u32) -> u32 {
        assert!(value < self.size, "a permutation is asked for values of its range only");
        let mut walked = self.once(value);
        while walked >= self.size {
            walked = self.once(walked);
        }
        walked
    }

    fn once(&self, value: u32) -> u32 {
        let mask = (1_u32 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for round in 0..ROUNDS {
            let mixed = self.seed.bits(Domain::Permutation, u64::from(right), self.size, round);
            let low = u32::try_from(mixed & u64::from(mask)).expect("a masked half is below 2^16");
            (left, right) = (right, left ^ low);
        }
        (left << self.half_bits) | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_hit_once() {
        for size in [1, 2, 3, 1_000, 4_097, 100_003] {
            let permutation = Permutation::new(Seed::new(9), size);
            let mut hit = vec![false; size as usize];
            for value in 0..size {
                let to = permutation.apply(value) as usize;
                assert!(!std::mem::replace(&mut hit[to], true), "size {size}: {to} twice");
            }
        }
    }
}
