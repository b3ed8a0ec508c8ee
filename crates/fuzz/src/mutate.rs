//! Mutations without coverage, for the runs in `cargo verify`: the same inputs for the same seed.

/// A small generator; the same numbers for the same seed on every machine (splitmix64).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The generator of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(bound).expect("usize fits in 64 bits")).expect("below a usize")
    }

    fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }
}

/// Numbers at whose edges code errs.
const EDGES: [u64; 12] =
    [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 60, u64::MAX >> 1, u64::MAX];

/// Makes inputs of known ones.
#[derive(Debug)]
pub struct Mutator {
    rng: Rng,
    known: Vec<Vec<u8>>,
    max: usize,
}

impl Mutator {
    /// Mutations of these inputs, none longer than `max` bytes.
    pub fn new(seed: u64, known: Vec<Vec<u8>>, max: usize) -> Self {
        Self { rng: Rng::new(seed), known, max }
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        let mut input = if self.known.is_empty() || self.rng.below(16) == 0 {
            let len = self.rng.below(64);
            (0..len).map(|_| self.rng.byte()).collect()
        } else {
            let place = self.rng.below(self.known.len());
            self.known[place].clone()
        };
        for _ in 0..=self.rng.below(6) {
            self.mutate(&mut input);
        }
        input.truncate(self.max);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.rng.below(input.len() + 1);
        let until = at + self.rng.below((input.len() - at).min(32) + 1);
        match self.rng.below(8) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..until)),
            2 => {
                let copied = input[at..until].to_vec();
                let to = self.rng.below(input.len() + 1);
                input.splice(to..to, copied);
            }
            3 => {
                let bytes: Vec<u8> = (0..self.rng.below(9)).map(|_| self.rng.byte()).collect();
                input.splice(at..until, bytes);
            }
            4 => {
                let edge = EDGES[self.rng.below(EDGES.len())];
                let len = [1, 2, 4, 8][self.rng.below(4)];
                let bytes = if self.rng.below(2) == 0 { edge.to_le_bytes() } else { edge.to_be_bytes() };
                let end = (at + len).min(input.len());
                input.splice(at..end, bytes[..len].iter().copied());
            }
            5 if !self.known.is_empty() => {
                let other = self.rng.below(self.known.len());
                let from = self.rng.below(self.known[other].len() + 1);
                let tail = self.known[other][from..].to_vec();
                input.truncate(at);
                input.extend_from_slice(&tail);
            }
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = if self.rng.below(2) == 0 { *byte ^ (1 << self.rng.below(8)) } else { self.rng.byte() };
                }
            }
        }
    }
}
