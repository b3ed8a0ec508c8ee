//! Audit rows: who did what to a patient, sealed where it names an institution or a person.
//!
//! A row is stored with its place in the log and its salted hash; the hash covers [`AuditContent`] as encoded, byte for
//! byte, and so does not change when a row moves with its slot.

use bytes::Bytes;
use renkei_ids::{AuditSeq, CapabilityId, InstTag, LeafIndex, LogId, Pid, RecordId, RequestId, UnixMillis};
use renkei_merkle::{LeafHash, SALT_BYTES};

use crate::command::convert::{joined, split};
use crate::command::{Access, Operation, Outcome};
use crate::format::{self, copied};
use crate::rows::{InvalidRow, Row};

/// What the leaf hash covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditContent {
    /// The patient.
    pub pid: Pid,
    /// Place in the patient's history.
    pub seq: AuditSeq,
    /// Group time when it was applied.
    pub time: UnixMillis,
    /// What was done.
    pub operation: Operation,
    /// What came of it.
    pub outcome: Outcome,
    /// Records disclosed or changed.
    pub records: Vec<RecordId>,
    /// The request.
    pub request: RequestId,
    /// The capability it was done under.
    pub capability: CapabilityId,
    /// The institution's tag.
    pub institution: InstTag,
    /// Institution, cell, purpose, evidence and binding, sealed under the patient's log key.
    pub stub: Bytes,
    /// The acting person, sealed.
    pub actor: Bytes,
}

/// A row as it is stored and listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// The log that holds the leaf.
    pub log: LogId,
    /// The leaf's place in it.
    pub leaf: LeafIndex,
    /// The leaf.
    pub hash: LeafHash,
    /// Salt of the leaf.
    pub salt: [u8; SALT_BYTES],
    /// Encoded [`AuditContent`].
    pub content: Bytes,
}

/// Bytes that are no audit row or content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit row does not read")]
pub struct InvalidAuditRow;

impl AuditContent {
    pub(crate) fn new(
        access: &Access,
        seq: AuditSeq,
        time: UnixMillis,
        operation: Operation,
        outcome: Outcome,
        records: &[RecordId],
    ) -> Self {
        let Access { capability, pid, institution, scope: _, expires: _, request, stub, actor, salt: _ } = access;
        Self {
            pid: *pid,
            seq,
            time,
            operation,
            outcome,
            records: records.to_vec(),
            request: *request,
            capability: *capability,
            institution: *institution,
            stub: stub.clone(),
            actor: actor.clone(),
        }
    }

    /// The hashed bytes.
    pub fn encode(&self) -> Bytes {
        let Self { pid, seq, time, operation, outcome, records, request, capability, institution, stub, actor } = self;
        format::encode(&pb::Content {
            pid: copied(pid.as_bytes()),
            seq: seq.0,
            time_ms: time.0,
            operation: u32::from(*operation as u8),
            outcome: u32::from(*outcome as u8),
            records: joined(records),
            request: copied(request.as_bytes()),
            capability: copied(capability.as_bytes()),
            institution: copied(institution.as_bytes()),
            stub: stub.clone(),
            actor: actor.clone(),
        })
    }

    /// Reads the hashed bytes.
    ///
    /// # Errors
    /// [`InvalidAuditRow`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidAuditRow> {
        let content: pb::Content = format::decode(bytes).map_err(|_| InvalidAuditRow)?;
        let pb::Content {
            pid,
            seq,
            time_ms,
            operation,
            outcome,
            records,
            request,
            capability,
            institution,
            stub,
            actor,
        } = content;
        Ok(Self {
            pid: Pid::try_from(&pid[..]).map_err(|_| InvalidAuditRow)?,
            seq: AuditSeq(seq),
            time: UnixMillis(time_ms),
            operation: Operation::from_raw(operation).ok_or(InvalidAuditRow)?,
            outcome: Outcome::from_raw(outcome).ok_or(InvalidAuditRow)?,
            records: split(&records).map_err(|_| InvalidAuditRow)?,
            request: RequestId::try_from(&request[..]).map_err(|_| InvalidAuditRow)?,
            capability: CapabilityId::try_from(&capability[..]).map_err(|_| InvalidAuditRow)?,
            institution: InstTag::try_from(&institution[..]).map_err(|_| InvalidAuditRow)?,
            stub,
            actor,
        })
    }
}

impl AuditRow {
    pub(crate) fn new(log: LogId, leaf: LeafIndex, salt: [u8; SALT_BYTES], content: &AuditContent) -> Self {
        let content = content.encode();
        Self { log, leaf, hash: LeafHash::of(&salt, &content), salt, content }
    }

    /// Whether the stored hash is the hash of the stored content.
    pub fn hash_holds(&self) -> bool {
        self.hash == LeafHash::of(&self.salt, &self.content)
    }
}

impl Row for AuditRow {
    const NAME: &'static str = "audit row";

    fn encode(&self) -> Bytes {
        let Self { log, leaf, hash, salt, content } = self;
        format::encode(&pb::Row {
            log: copied(log.as_bytes()),
            leaf: leaf.0,
            hash: copied(hash.as_bytes()),
            salt: copied(salt),
            content: content.clone(),
        })
    }

    fn decode(bytes: &Bytes) -> Result<Self, InvalidRow> {
        let pb::Row { log, leaf, hash, salt, content } = format::decode(bytes)?;
        Ok(Self {
            log: LogId::try_from(&log[..])?,
            leaf: LeafIndex(leaf),
            hash: LeafHash::from_bytes(hash[..].try_into().map_err(|_| InvalidRow)?),
            salt: salt[..].try_into().map_err(|_| InvalidRow)?,
            content,
        })
    }
}

mod pb {
    use bytes::Bytes;

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Row {
        #[prost(bytes = "bytes", tag = "1")]
        pub(super) log: Bytes,
        #[prost(uint64, tag = "2")]
        pub(super) leaf: u64,
        #[prost(bytes = "bytes", tag = "3")]
        pub(super) hash: Bytes,
        #[prost(bytes = "bytes", tag = "4")]
        pub(super) salt: Bytes,
        #[prost(bytes = "bytes", tag = "5")]
        pub(super) content: Bytes,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Content {
        #[prost(bytes = "bytes", tag = "1")]
        pub(super) pid: Bytes,
        #[prost(uint64, tag = "2")]
        pub(super) seq: u64,
        #[prost(uint64, tag = "3")]
        pub(super) time_ms: u64,
        #[prost(uint32, tag = "4")]
        pub(super) operation: u32,
        #[prost(uint32, tag = "5")]
        pub(super) outcome: u32,
        #[prost(bytes = "bytes", tag = "6")]
        pub(super) records: Bytes,
        #[prost(bytes = "bytes", tag = "7")]
        pub(super) request: Bytes,
        #[prost(bytes = "bytes", tag = "8")]
        pub(super) capability: Bytes,
        #[prost(bytes = "bytes", tag = "9")]
        pub(super) institution: Bytes,
        #[prost(bytes = "bytes", tag = "10")]
        pub(super) stub: Bytes,
        #[prost(bytes = "bytes", tag = "11")]
        pub(super) actor: Bytes,
    }
}
