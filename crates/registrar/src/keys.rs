//! The registrar's own keys.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use renkei_access::StatementKey;
use renkei_envelope::{DayKey, MarkKey, RegistrarKey, SeedKey};
use renkei_ids::{CloudId, PersonId};

/// The keys of a registrar, the same on each of its hosts, each from a file of its own.
pub struct Keys {
    /// Indexes and seals what is known of persons.
    pub registrar: RegistrarKey,
    /// Seals their seeds.
    pub seeds: SeedKey,
    /// Makes their marks.
    pub marks: MarkKey,
    /// Seals the secrets of days.
    pub days: DayKey,
    /// Signs tickets.
    pub signing: StatementKey,
}

const CHECK: &[u8] = b"renkei 2026-11 check of a registrar's keys\0";

impl Keys {
    /// What is the same on hosts that have the same keys, and says nothing of them.
    pub fn check(&self) -> [u8; 32] {
        let Self { registrar, seeds, marks, days, signing } = self;
        // The mark of a person and a cloud that there are not.
        let mark = marks.mark(PersonId::from_bytes([0; 16]), CloudId::from_bytes([0; 16]));
        let public = signing.verifying_key();
        let parts: [&[u8]; 6] =
            [CHECK, &registrar.check(), &seeds.check(), mark.as_bytes(), &days.check(), public.as_bytes()];
        digest(&SHA256, &parts.concat()).as_ref().try_into().expect("SHA-256 gives 32 bytes")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}
