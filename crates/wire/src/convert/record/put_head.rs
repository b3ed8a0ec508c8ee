use bytes::Bytes;
use renkei_envelope::Reference;
use renkei_ids::RecordVersion;

use super::InvalidRecordMessage as Invalid;
use super::{actor, patient};
use crate::bounds::{InvalidSize, filled};
use crate::limits::{DOCUMENT_MAX_BYTES, IDEMPOTENCY_KEY_MAX_BYTES};
use crate::pb::record::v1 as pb;
use crate::record::{PutHead, ReplaceHead};

impl TryFrom<pb::PutHead> for PutHead {
    type Error = Invalid;

    fn try_from(message: pb::PutHead) -> Result<Self, Invalid> {
        let pb::PutHead { patient, actor, idempotency_key, document_bytes } = message;
        Ok(Self {
            patient: patient::required(patient)?,
            actor: actor::required(actor)?,
            idempotency_key: idempotency(idempotency_key)?,
            document_bytes: document_size(document_bytes)?,
        })
    }
}

pub(super) fn idempotency(key: Bytes) -> Result<Bytes, Invalid> {
    filled(key, IDEMPOTENCY_KEY_MAX_BYTES).map_err(Invalid::size("idempotency_key"))
}

pub(super) fn document_size(bytes: u64) -> Result<usize, Invalid> {
    let actual = usize::try_from(bytes).unwrap_or(usize::MAX);
    match actual {
        0 => Err(InvalidSize::Empty),
        1..=DOCUMENT_MAX_BYTES => Ok(actual),
        _ => Err(InvalidSize::TooLong { limit: DOCUMENT_MAX_BYTES, actual }),
    }
    .map_err(Invalid::size("document_bytes"))
}

pub(super) fn size_message(bytes: usize) -> u64 {
    u64::try_from(bytes).expect("a usize has at most 64 bits")
}

pub(super) fn reference(bytes: Bytes) -> Result<Reference, Invalid> {
    Reference::try_from(bytes).map_err(|_| Invalid::Malformed("reference"))
}

pub(super) fn version(number: u32) -> Result<RecordVersion, Invalid> {
    RecordVersion::new(number).ok_or(Invalid::Malformed("version"))
}

impl From<PutHead> for pb::PutHead {
    fn from(head: PutHead) -> Self {
        let PutHead { patient, actor, idempotency_key, document_bytes } = head;
        Self {
            patient: Some(patient.into()),
            actor: Some(actor.into()),
            idempotency_key,
            document_bytes: size_message(document_bytes),
        }
    }
}

impl TryFrom<pb::ReplaceHead> for ReplaceHead {
    type Error = Invalid;

    fn try_from(message: pb::ReplaceHead) -> Result<Self, Invalid> {
        let pb::ReplaceHead { put, reference: sealed, version: number } = message;
        let current = version(number)?;
        current.next().ok_or(Invalid::Malformed("version"))?;
        Ok(Self {
            put: put.ok_or(Invalid::Malformed("put"))?.try_into()?,
            reference: reference(sealed)?,
            version: current,
        })
    }
}

impl From<ReplaceHead> for pb::ReplaceHead {
    fn from(head: ReplaceHead) -> Self {
        let ReplaceHead { put, reference, version } = head;
        Self { put: Some(put.into()), reference: reference.as_bytes().clone(), version: version.get() }
    }
}
