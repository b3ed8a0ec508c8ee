//! Where every invented value comes from: a keyed hash of (seed, subject, domain, version, position).
//!
//! `SipHash` 1-3 is specified to the bit, so the same seed gives the same population on every machine and in every
//! build. Nothing here is floating point for the same reason.

use siphasher::sip::SipHasher13;

/// Names the scheme of draws. A change to it, or to the order of draws in a domain, is another population.
const SCHEME: u64 = u64::from_le_bytes(*b"renkei-1");

/// What a sequence of draws is for. Each has draws of its own, so that a field added to one moves no other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Domain {
    Household = 1,
    Name = 2,
    Birth = 3,
    Insurance = 4,
    Visits = 5,
    Notation = 6,
    Mistake = 7,
    Permutation = 8,
    Prescription = 9,
    Vaccination = 10,
    Discharge = 11,
    Urn = 12,
    Contact = 13,
    Staff = 14,
    Narrative = 15,
    Laboratory = 16,
}

/// The seed of a population: half of the key of its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The draws about one subject, usually a person or a household.
    pub(crate) fn draws(self, domain: Domain, subject: u64, version: u32) -> Draws {
        Draws { seed: self, domain, subject, version, position: 0 }
    }

    pub(crate) fn bits(self, domain: Domain, subject: u64, version: u32, position: u32) -> u64 {
        let mut message = [0_u8; 24];
        message[..8].copy_from_slice(&subject.to_le_bytes());
        message[8..16].copy_from_slice(&(domain as u64).to_le_bytes());
        message[16..20].copy_from_slice(&version.to_le_bytes());
        message[20..].copy_from_slice(&position.to_le_bytes());
        SipHasher13::new_with_keys(self.0, SCHEME).hash(&message)
    }
}

/// Successive draws about one subject.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    seed: Seed,
    domain: Domain,
    subject: u64,
    version: u32,
    position: u32,
}

impl Draws {
    pub(crate) fn bits(&mut self) -> u64 {
        let bits = self.seed.bits(self.domain, self.subject, self.version, self.position);
        self.position += 1;
        bits
    }

    /// A number below `bound`, which is not zero. The bias of the multiplication is below 2⁻³².
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let product = u128::from(self.bits()) * u128::from(bound);
        u32::try_from(product >> 64).expect("a 64-bit fraction of a u32 is a u32")
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn within(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of a hundred draws.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let len = u32::try_from(from.len()).expect("tables are short");
        &from[self.below(len) as usize]
    }

    /// The position of a draw from weights whose sum is `total`.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = u32>, total: u32) -> usize {
        let mut left = self.below(total);
        for (position, weight) in weights.enumerate() {
            if left < weight {
                return position;
            }
            left -= weight;
        }
        unreachable!("the weights sum to the total, which the draw is below")
    }

    /// A rank below `count` by the law of Zipf and Mandelbrot: as likely as 1 / (rank + a sixteenth of the count), up to
    /// the octave that this sum lies in. The offset keeps the first of thousands from having everybody.
    pub(crate) fn zipf(&mut self, count: u32) -> u32 {
        let offset = count / 16 + 1;
        let (first, last) = (offset.ilog2(), (count + offset - 1).ilog2());
        loop {
            let octave = self.within(first, last);
            let place = (1_u32 << octave) + self.below(1 << octave);
            if (offset..count + offset).contains(&place) {
                return place - offset;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_the_same_in_every_build() {
        let mut draws = Seed::new(42).draws(Domain::Name, 7, 1);
        assert_eq!([draws.bits(), draws.bits()], [1_371_027_749_973_786_367, 14_988_069_383_252_410_171]);
    }

    #[test]
    fn zipf_halves_from_octave_to_octave() {
        let mut draws = Seed::new(1).draws(Domain::Visits, 0, 0);
        // Offset 60 and one more: ranks 3 to 66 lie in one octave, 67 to 194 in the next, and so on.
        let mut octaves = [0_u32; 4];
        for _ in 0..100_000 {
            let octave = (draws.zipf(960) + 61).ilog2();
            if (6..10).contains(&octave) {
                octaves[octave as usize - 6] += 1;
            }
        }
        // The last octave is cut at 1,021 of 1,024.
        assert!(octaves.iter().all(|count| count.abs_diff(octaves[0]) < 1_000), "{octaves:?}");
    }

    #[test]
    fn zipf_reaches_every_rank_and_none_beyond() {
        for count in [1, 2, 15, 16, 17, 100] {
            let mut draws = Seed::new(2).draws(Domain::Visits, count.into(), 0);
            let mut hit = vec![false; count as usize];
            for _ in 0..5_000 {
                hit[draws.zipf(count) as usize] = true;
            }
            assert!(hit.iter().all(|hit| *hit), "of {count}");
        }
    }

    #[test]
    fn weights_are_kept() {
        let mut draws = Seed::new(1).draws(Domain::Visits, 1, 0);
        let mut counts = [0_u32; 3];
        for _ in 0..60_000 {
            counts[draws.weighted([1, 2, 3].into_iter(), 6)] += 1;
        }
        assert!(counts[0].abs_diff(10_000) < 500 && counts[2].abs_diff(30_000) < 500, "{counts:?}");
    }
}
