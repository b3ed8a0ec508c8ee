use renkei_ids::{AuditSeq, LeafIndex, LogId, UnixMillis};

use super::super::copied;
use super::InvalidRecordMessage as Invalid;
use super::actor::actor;
use super::put_head::reference;
use super::words::{evidence, evidence_word, purpose, purpose_word};
use crate::bounds::at_most;
use crate::limits::TIMELINE_MAX_ENTRIES;
use crate::pb::record::v1 as pb;
use crate::record::{Actor, AuditEntry};

impl TryFrom<pb::AuditEntry> for AuditEntry {
    type Error = Invalid;

    fn try_from(message: pb::AuditEntry) -> Result<Self, Invalid> {
        let pb::AuditEntry {
            seq,
            time_ms,
            operation,
            outcome,
            references,
            actor_id,
            actor_role,
            purpose: purpose_given,
            evidence: evidence_given,
            log_id,
            leaf_index,
            leaf_hash,
        } = message;
        at_most(references.len(), usize::from(TIMELINE_MAX_ENTRIES)).map_err(Invalid::size("references"))?;
        Ok(Self {
            seq: AuditSeq(seq),
            time: UnixMillis(time_ms),
            operation: operation.parse().map_err(|_| Invalid::Malformed("operation"))?,
            outcome: outcome.parse().map_err(|_| Invalid::Malformed("outcome"))?,
            references: references.into_iter().map(reference).collect::<Result<_, _>>()?,
            actor: actor(actor_id, actor_role)?,
            purpose: purpose(&purpose_given)?,
            evidence: evidence(&evidence_given)?,
            log: LogId::try_from(&log_id[..]).map_err(|_| Invalid::Malformed("log_id"))?,
            leaf: LeafIndex(leaf_index),
            leaf_hash: leaf_hash[..].try_into().map_err(|_| Invalid::Malformed("leaf_hash"))?,
        })
    }
}

impl From<AuditEntry> for pb::AuditEntry {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry {
            seq,
            time,
            operation,
            outcome,
            references,
            actor: Actor { id, role },
            purpose,
            evidence,
            log,
            leaf,
            leaf_hash,
        } = entry;
        Self {
            seq: seq.0,
            time_ms: time.0,
            operation: operation.as_str().to_owned(),
            outcome: outcome.as_str().to_owned(),
            references: references.into_iter().map(|reference| reference.as_bytes().clone()).collect(),
            actor_id: id,
            actor_role: role,
            purpose: purpose_word(purpose).to_owned(),
            evidence: evidence_word(evidence).to_owned(),
            log_id: copied(log.as_bytes()),
            leaf_index: leaf.0,
            leaf_hash: copied(&leaf_hash),
        }
    }
}
