//! Class keys, and the keys of records that grow from them.

use renkei_ids::{RecordId, RecordVersion};

use crate::kdf::{Label, derive_key};
use crate::secret::secret;

const RECORD: Label = Label("renkei 2026-11 record key");

secret!(
    /// CK: opens the records of one class and year of a patient. The unit of erasure.
    ClassKey
);
secret!(
    /// Seals one part of one version of a record.
    RecordKey
);

impl ClassKey {
    /// The key of a version of a record of this class and year.
    pub fn record_key(&self, record: RecordId, version: RecordVersion) -> RecordKey {
        let version = version.get().to_be_bytes();
        RecordKey::from_bytes(*derive_key(&self.0, RECORD, &[record.as_bytes(), &version]))
    }
}
