use renkei_ids::{LeafIndex, LogId};

use super::copied;
use crate::AuditRow;
use crate::bounds::{InvalidSize, filled};
use crate::limits::AUDIT_CONTENT_MAX_BYTES;
use crate::pb::node::v1 as pb;

/// A row that no audit log has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuditRow {
    /// The log's id does not have 16 bytes.
    #[error("log id of an audit row takes 16 bytes, got {0}")]
    LogId(usize),
    /// The leaf's hash does not have 32 bytes.
    #[error("leaf hash of an audit row takes 32 bytes, got {0}")]
    LeafHash(usize),
    /// The salt does not have 16 bytes.
    #[error("salt of an audit row takes 16 bytes, got {0}")]
    Salt(usize),
    /// The hashed content.
    #[error("content of an audit row")]
    Content(#[source] InvalidSize),
}

impl TryFrom<pb::AuditRow> for AuditRow {
    type Error = InvalidAuditRow;

    fn try_from(message: pb::AuditRow) -> Result<Self, InvalidAuditRow> {
        let pb::AuditRow { log_id, leaf_index, leaf_hash, salt, content } = message;
        Ok(Self {
            log: LogId::try_from(&log_id[..]).map_err(|_| InvalidAuditRow::LogId(log_id.len()))?,
            leaf: LeafIndex(leaf_index),
            leaf_hash: leaf_hash[..].try_into().map_err(|_| InvalidAuditRow::LeafHash(leaf_hash.len()))?,
            salt: salt[..].try_into().map_err(|_| InvalidAuditRow::Salt(salt.len()))?,
            content: filled(content, AUDIT_CONTENT_MAX_BYTES).map_err(InvalidAuditRow::Content)?,
        })
    }
}

impl From<AuditRow> for pb::AuditRow {
    fn from(row: AuditRow) -> Self {
        let AuditRow { log, leaf, leaf_hash, salt, content } = row;
        Self {
            log_id: copied(log.as_bytes()),
            leaf_index: leaf.0,
            leaf_hash: copied(&leaf_hash),
            salt: copied(&salt),
            content,
        }
    }
}
