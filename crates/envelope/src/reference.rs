//! References: what an institution sees of a record id, another one each time.

use renkei_ids::RecordId;

use crate::kdf::Label;
use crate::seal::{SEAL_OVERHEAD, open, seal};
use crate::sealed::sealed_form;
use crate::secret::secret;
use crate::{InvalidSealed, Patient, Random};

const REFERENCE: Label = Label("renkei 2026-11 reference");

secret!(
    /// Seals record ids into the references that one institution sees for one patient.
    ReferenceKey
);
sealed_form!(
    /// A record id as one institution sees it.
    Reference, SEAL_OVERHEAD + RecordId::LEN
);

impl ReferenceKey {
    /// A fresh reference to a record.
    pub fn seal(&self, patient: &Patient, record: RecordId, source: &dyn Random) -> Reference {
        let parts: [&[u8]; 2] = [patient.cloud.as_bytes(), patient.pid.as_bytes()];
        Reference::new(seal(&self.0, REFERENCE, &parts, record.as_bytes(), source))
    }

    /// The record that a reference means.
    ///
    /// # Errors
    /// [`InvalidSealed`], for a reference of another institution or patient too.
    pub fn open(&self, patient: &Patient, reference: &Reference) -> Result<RecordId, InvalidSealed> {
        let parts: [&[u8]; 2] = [patient.cloud.as_bytes(), patient.pid.as_bytes()];
        let record = open(&self.0, REFERENCE, &parts, reference.as_bytes())?;
        RecordId::try_from(&record[..]).map_err(|_| InvalidSealed::Content("record id"))
    }
}
