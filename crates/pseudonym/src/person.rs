//! The registrar's side: a person's point, and blinding.

use curve25519_dalek::{RistrettoPoint, Scalar};
use renkei_ids::Random;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::group::{hash_to_group, random_pairs};
use crate::secret::hidden;
use crate::{BatchTooLong, BlindedPoint, MaskedPoint, TransitPoint, check_batch};

const PERSON: &[u8] = b"renkei 2026-11 person\0";

/// M: a person's own point.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Person(pub(crate) RistrettoPoint);

/// 1/b: takes one blinding off, once.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Unblind(Scalar);

hidden!(Person Unblind);

impl Person {
    /// The point that grows from a person's random seed, which only the registrar holds; no number of the person goes into
    /// it. A new generation is a new identity: no pseudonym of an earlier one leads to it.
    pub fn new(seed: &[u8; 32], generation: u32) -> Self {
        let parts = [PERSON, seed, &generation.to_be_bytes()];
        let mut message = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| message.extend_from_slice(part));
        Self(hash_to_group(&message))
    }
}

/// Blinds up to [`BATCH_MAX`](crate::BATCH_MAX) persons, each with a random factor of its own, in their order.
///
/// # Errors
/// When there are more.
pub fn blind(persons: &[&Person], source: &dyn Random) -> Result<Vec<(Unblind, BlindedPoint)>, BatchTooLong> {
    check_batch(persons.len())?;
    let (blinds, inverses) = random_pairs(persons.len(), source);
    let blinded = persons.iter().zip(blinds.iter().zip(inverses.iter()));
    Ok(blinded.map(|(person, (blind, inverse))| (Unblind(*inverse), BlindedPoint(blind * person.0))).collect())
}

impl Unblind {
    /// Takes the blinding off, after every key holder.
    pub fn finish(self, masked: &MaskedPoint) -> TransitPoint {
        TransitPoint(self.0 * masked.0)
    }
}
