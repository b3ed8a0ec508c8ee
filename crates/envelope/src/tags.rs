//! Tags: what a node compares in place of names, and the two keys that a gateway makes its own from.

use renkei_ids::{BindingId, BindingTag, ClassTag, ContentTag, IdemTag, InstTag, InstitutionId};

use crate::Class;
use crate::ReferenceKey;
use crate::kdf::{Label, derive_key, derive_tag};
use crate::secret::secret;

const INSTITUTION: Label = Label("renkei 2026-11 institution tag");
const CLASS: Label = Label("renkei 2026-11 class tag");
const BINDING: Label = Label("renkei 2026-11 binding tag");
const REFERENCE: Label = Label("renkei 2026-11 ref");
const WRITES: Label = Label("renkei 2026-11 idem");
const IDEMPOTENCY: Label = Label("renkei 2026-11 idempotency tag");
const CONTENT: Label = Label("renkei 2026-11 content tag");

secret!(
    /// The key of a patient's tags. It stays in the vault.
    TagKey
);
secret!(
    /// Makes the idempotency and content tags of one institution's writes for a patient.
    WriteTagKey
);

impl TagKey {
    /// Tag of an institution.
    pub fn institution(&self, institution: InstitutionId) -> InstTag {
        InstTag::from_bytes(derive_tag(&self.0, INSTITUTION, &[institution.as_bytes()]))
    }

    /// Tag of a class of records.
    pub fn class(&self, class: Class) -> ClassTag {
        ClassTag::from_bytes(derive_tag(&self.0, CLASS, &[&class.to_bytes()]))
    }

    /// Tag of a binding.
    pub fn binding(&self, binding: BindingId) -> BindingTag {
        BindingTag::from_bytes(derive_tag(&self.0, BINDING, &[binding.as_bytes()]))
    }

    /// The key of the references that an institution sees.
    pub fn reference_key(&self, institution: InstitutionId) -> ReferenceKey {
        ReferenceKey::from_bytes(*derive_key(&self.0, REFERENCE, &[institution.as_bytes()]))
    }

    /// The key of the tags of an institution's writes.
    pub fn write_tag_key(&self, institution: InstitutionId) -> WriteTagKey {
        WriteTagKey::from_bytes(*derive_key(&self.0, WRITES, &[institution.as_bytes()]))
    }
}

impl WriteTagKey {
    /// Tag of a client's idempotency key, of any length below 4 GiB.
    pub fn idempotency(&self, key: &[u8]) -> IdemTag {
        IdemTag::from_bytes(derive_tag(&self.0, IDEMPOTENCY, &[key]))
    }

    /// Tag of a request's content, given as its SHA-256.
    pub fn content(&self, digest: &[u8; 32]) -> ContentTag {
        ContentTag::from_bytes(derive_tag(&self.0, CONTENT, &[digest]))
    }
}
