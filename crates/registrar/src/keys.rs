//! The registrar's own keys.

use std::fmt;

use renkei_envelope::{RegistrarKey, SeedKey};

/// The two keys of a registrar, the same on each of its hosts, each from a file of its own.
pub struct Keys {
    /// Indexes and seals what is known of persons.
    pub registrar: RegistrarKey,
    /// Seals their seeds.
    pub seeds: SeedKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}
