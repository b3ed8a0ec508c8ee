//! Escrow rows: what a cloud's officers find its patients by again when pseudonyms are lost, a key holder's factors with
//! them. Sealed to a key whose private half is offline; nothing inside the system opens one.
//!
//! Sealed: version 1 | HPKE to the officers' key, of: person mark 16 | S 32.

use bytes::Bytes;
use renkei_ids::PersonMark;
use zeroize::Zeroizing;

use crate::hpke::{self, HPKE_OVERHEAD};
use crate::random::random;
use crate::secret::secret;
use crate::{InvalidSealed, Patient, PatientSeed, Random};

const INFO: &[u8] = b"renkei 2026-11 escrow row";
const VERSION: u8 = 1;

/// Bytes of an escrow row.
pub const ESCROW_ROW_BYTES: usize = 1 + HPKE_OVERHEAD + 16 + 32;

secret!(
    /// The officers' private key. Offline, in shares; only a restore has it whole.
    EscrowSecret
);

/// The public half of an [`EscrowSecret`], which every vault of the cloud is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EscrowKey([u8; 32]);

/// A key that nothing can be sealed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be sealed to the escrow key")]
pub struct InvalidEscrowKey;

impl EscrowKey {
    /// The key that these bytes are.
    ///
    /// # Errors
    /// For a point of low order, to which nothing can be sealed.
    pub fn new(bytes: [u8; 32]) -> Result<Self, InvalidEscrowKey> {
        // What is sealed here is thrown away; the key is tried once, so that every later row succeeds.
        let tried = hpke::seal(&bytes, INFO, &[], &[], &[1; 32]);
        tried.map(|_| Self(bytes)).map_err(|_| InvalidEscrowKey)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals a patient's row.
    pub fn seal(&self, patient: &Patient, mark: PersonMark, seed: &PatientSeed, source: &dyn Random) -> Bytes {
        let once = Zeroizing::new(random(source));
        let content = Zeroizing::new([&mark.as_bytes()[..], seed.expose()].concat());
        let sealed = hpke::seal(&self.0, INFO, &place(patient), &content, &once);
        let sealed = sealed.expect("a key that something was sealed to once is no point of low order");
        [&[VERSION][..], &sealed].concat().into()
    }
}

impl EscrowSecret {
    /// What is sealed to it.
    pub fn public(&self) -> EscrowKey {
        EscrowKey(hpke::public_key(&self.0))
    }

    /// Opens a patient's row.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another cloud or patient too.
    pub fn open(&self, patient: &Patient, sealed: &[u8]) -> Result<(PersonMark, PatientSeed), InvalidSealed> {
        let (&version, rest) = sealed.split_first().ok_or(InvalidSealed::TooShort(0))?;
        if version != VERSION {
            return Err(InvalidSealed::Format(version));
        }
        let content = hpke::open(&self.0, INFO, &place(patient), rest).map_err(|_| InvalidSealed::Tag)?;
        let (mark, seed) = content.split_first_chunk::<16>().ok_or(InvalidSealed::Content("escrow row"))?;
        let seed = PatientSeed::try_from(seed).map_err(|_| InvalidSealed::Content("escrow row"))?;
        Ok((PersonMark::from_bytes(*mark), seed))
    }
}

fn place(patient: &Patient) -> [u8; 32] {
    let Patient { cloud, pid } = patient;
    let mut place = [0; 32];
    let (first, second) = place.split_at_mut(16);
    first.copy_from_slice(cloud.as_bytes());
    second.copy_from_slice(pid.as_bytes());
    place
}

#[cfg(test)]
mod tests {
    use renkei_ids::{CloudId, Pid};

    use super::*;

    struct Fixed(u8);

    impl Random for Fixed {
        fn fill(&self, into: &mut [u8]) {
            into.fill(self.0);
        }
    }

    fn patient(pid: u8) -> Patient {
        Patient { cloud: CloudId::from_bytes([1; 16]), pid: Pid::from_bytes([pid; 16]) }
    }

    #[test]
    fn a_row_opens_for_the_officers_and_its_patient_only() {
        let (officers, mark) = (EscrowSecret::from_bytes([2; 32]), PersonMark::from_bytes([3; 16]));
        let seed = PatientSeed::from_bytes([4; 32]);
        let row = officers.public().seal(&patient(5), mark, &seed, &Fixed(6));
        assert_eq!(row.len(), ESCROW_ROW_BYTES);
        assert!(officers.open(&patient(5), &row) == Ok((mark, seed)));
        assert!(officers.open(&patient(6), &row).is_err());
        assert!(EscrowSecret::from_bytes([9; 32]).open(&patient(5), &row).is_err());
        let other = EscrowKey::new(*officers.public().as_bytes()).unwrap();
        assert_eq!(other, officers.public());
    }

    #[test]
    fn a_row_is_that_of_version_1() {
        let seed = PatientSeed::from_bytes([4; 32]);
        let key = EscrowSecret::from_bytes([2; 32]).public();
        let row = key.seal(&patient(5), PersonMark::from_bytes([3; 16]), &seed, &Fixed(6));
        let hex: String = row.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
        assert!(hex == include_str!("../tests/fixtures/escrow-v1.txt"), "a form has changed:\n{hex}");
    }

    #[test]
    fn no_key_is_a_point_of_low_order() {
        assert_eq!(EscrowKey::new([0; 32]), Err(InvalidEscrowKey));
    }
}
