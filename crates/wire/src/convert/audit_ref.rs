use renkei_ids::{AuditSeq, LeafIndex, LogId};

use super::copied;
use crate::AuditRef;
use crate::pb::node::v1 as pb;

/// A reference that names no audit row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuditRef {
    /// The log's id does not have 16 bytes.
    #[error("log id of an audit row takes 16 bytes, got {0}")]
    LogId(usize),
    /// The sequence number is missing or 0.
    #[error("sequence number of an audit row is 0")]
    Seq,
}

impl TryFrom<pb::AuditRef> for AuditRef {
    type Error = InvalidAuditRef;

    fn try_from(message: pb::AuditRef) -> Result<Self, InvalidAuditRef> {
        let pb::AuditRef { log_id, leaf_index, seq } = message;
        if seq == 0 {
            return Err(InvalidAuditRef::Seq);
        }
        Ok(Self {
            log: LogId::try_from(&log_id[..]).map_err(|_| InvalidAuditRef::LogId(log_id.len()))?,
            leaf: LeafIndex(leaf_index),
            seq: AuditSeq(seq),
        })
    }
}

impl From<AuditRef> for pb::AuditRef {
    fn from(row: AuditRef) -> Self {
        let AuditRef { log, leaf, seq } = row;
        Self { log_id: copied(log.as_bytes()), leaf_index: leaf.0, seq: seq.0 }
    }
}
