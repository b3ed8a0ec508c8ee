//! Contents that need not be stored to be known: every id and every value grows from the run's seed.

use bytes::Bytes;
use rand::rngs::{SmallRng, StdRng};
use rand::{RngCore as _, SeedableRng as _};

use crate::operation::VALUE_BYTES;

/// 16 bytes that name a value.
pub(crate) type Name = [u8; 16];

/// The seed of one run: drawn once, printed with the result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed([u8; 16]);

impl Seed {
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The seed as text, for the report.
    pub(crate) fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Name of the value with this number, of this owner. Names of different numbers or owners differ but for chance
    /// of one in 2^128.
    pub(crate) fn name(&self, owner: u64, number: u64) -> Name {
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&self.0);
        seed[16..24].copy_from_slice(&owner.to_le_bytes());
        seed[24..].copy_from_slice(&number.to_le_bytes());
        let mut name = Name::default();
        // ChaCha, for its first block depends on every bit of the seed; that of a small generator does not.
        StdRng::from_seed(seed).fill_bytes(&mut name);
        name
    }

    /// The value of this name: [`VALUE_BYTES`] that do not compress, as ciphertext does not.
    pub(crate) fn value(&self, name: &Name) -> Bytes {
        let mut value = vec![0; VALUE_BYTES];
        self.fill(name, &mut value);
        Bytes::from(value)
    }

    /// Whether these bytes are the value of this name.
    pub(crate) fn is_value(&self, name: &Name, bytes: &[u8]) -> bool {
        let mut expected = [0; VALUE_BYTES];
        self.fill(name, &mut expected);
        bytes == expected
    }

    /// Random numbers of one client in one row.
    pub(crate) fn client(&self, row: u64, client: u64) -> SmallRng {
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&self.name(row, client));
        seed[16..].copy_from_slice(&self.0);
        SmallRng::from_seed(seed)
    }

    fn fill(&self, name: &Name, value: &mut [u8]) {
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(name);
        seed[16..].copy_from_slice(&self.0);
        SmallRng::from_seed(seed).fill_bytes(value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const SEED: Seed = Seed::from_bytes([9; 16]);

    #[test]
    fn names_are_distinct_and_come_again() {
        let names: HashSet<_> =
            (0..100).flat_map(|owner| (0..100).map(move |number| SEED.name(owner, number))).collect();
        assert_eq!(names.len(), 10_000);
        assert!(names.contains(&SEED.name(99, 0)));
    }

    #[test]
    fn a_value_belongs_to_its_name_and_its_run_alone() {
        let name = SEED.name(1, 2);
        let value = SEED.value(&name);
        assert!(SEED.is_value(&name, &value));
        assert!(!SEED.is_value(&SEED.name(2, 1), &value));
        assert!(!Seed::from_bytes([8; 16]).is_value(&name, &value));
        assert!(!SEED.is_value(&name, &value[1..]));
        let mut changed = value.to_vec();
        changed[VALUE_BYTES - 1] ^= 1;
        assert!(!SEED.is_value(&name, &changed));
    }
}
