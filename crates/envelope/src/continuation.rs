//! Continuations: where a query of one institution for one patient goes on. They open for the same query only.

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::kdf::Label;
use crate::seal::{open, seal};
use crate::{InvalidSealed, Patient, Random, ReferenceKey};

const CONTINUATION: Label = Label("renkei 2026-11 continuation");

impl ReferenceKey {
    /// Seals a place in the answer to a query, of which `query` is the SHA-256.
    pub fn seal_continuation(&self, patient: &Patient, query: &[u8; 32], place: &[u8], source: &dyn Random) -> Bytes {
        seal(self.expose(), CONTINUATION, &parts(patient, query), place, source).into()
    }

    /// Opens a place.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another institution, patient or query too.
    pub fn open_continuation(
        &self,
        patient: &Patient,
        query: &[u8; 32],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, InvalidSealed> {
        open(self.expose(), CONTINUATION, &parts(patient, query), sealed)
    }
}

fn parts<'a>(patient: &'a Patient, query: &'a [u8; 32]) -> [&'a [u8]; 3] {
    [patient.cloud.as_bytes(), patient.pid.as_bytes(), query]
}
