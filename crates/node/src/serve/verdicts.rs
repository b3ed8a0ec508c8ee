//! What a verdict, or its absence, is to the caller.

use std::time::Duration;

use renkei_access::{CapabilityRefusal, InvalidCapability};
use renkei_consensus::ProposeError;
use renkei_ids::LogId;
use renkei_shard::{Recorded as Row, Verdict};
use renkei_storage::StorageError;
use renkei_wire::{AuditRef, ErrorCode, NodeReply, Outcome, Refusal, Stored};

use super::Server;
use crate::fatal;
use crate::proposer::{NotRecorded, Recorded};

/// First wait of a caller whose patient's slot is on its way to another group.
const PASSING_WAIT: Duration = Duration::from_millis(25);

/// What a decided item leads to.
pub(super) enum Decision {
    /// Its row is written: the answer may leave, with this reference.
    Answer(AuditRef, Verdict),
    /// The patient's rules changed since the view was taken.
    ReadAgain,
}

impl Server {
    /// Sorts what became of an item.
    pub(super) fn judge(&self, recorded: Recorded) -> Result<Decision, Refusal> {
        let (verdict, log) = recorded.map_err(|reason| self.not_recorded(reason))?;
        let answer = |row| Ok(Decision::Answer(reference(log, row), verdict));
        match verdict {
            Verdict::Recorded(row)
            | Verdict::Stored { row, .. }
            | Verdict::Done { row, .. }
            | Verdict::VersionConflict { row, .. }
            | Verdict::Nothing(row) => answer(row),
            Verdict::RulesChanged => Ok(Decision::ReadAgain),
            Verdict::Deleted(_) => Err(Refusal::new(ErrorCode::Deleted)),
            Verdict::IdempotencyConflict(_) => Err(Refusal::new(ErrorCode::IdempotencyConflict)),
            Verdict::LimitReached(_) => Err(Refusal::new(ErrorCode::LimitReached)),
            Verdict::Revoked(_) => Err(Refusal::new(ErrorCode::CapabilityRevoked)),
            Verdict::Expired(_) => Err(Refusal::new(ErrorCode::CapabilityExpired)),
            Verdict::OutOfScope(_) => Err(Refusal::new(ErrorCode::CapabilityScope)),
            Verdict::WrongOwner { epoch, passing } => Err(self.wrong_owner(epoch, passing)),
            Verdict::NotFounded => Err(Refusal::new(ErrorCode::Unavailable)),
            Verdict::Malformed | Verdict::Changed | Verdict::Fenced | Verdict::OutOfOrder | Verdict::Purged { .. } => {
                Err(Refusal::new(ErrorCode::InvalidArgument))
            }
        }
    }

    /// What the caller of a write is told.
    pub(super) fn written(&self, recorded: Recorded, conflict: ErrorCode) -> Result<NodeReply, Refusal> {
        match self.judge(recorded)? {
            Decision::Answer(row, Verdict::Stored { record, version, replayed, .. }) => {
                Ok(NodeReply { row, outcome: Outcome::Stored(Stored { record, version, replayed }) })
            }
            Decision::Answer(row, Verdict::Done { .. }) => Ok(NodeReply { row, outcome: Outcome::Done }),
            Decision::Answer(row, Verdict::Nothing(_)) => Ok(NodeReply { row, outcome: Outcome::Nothing }),
            Decision::Answer(_, Verdict::VersionConflict { current, .. }) => {
                Err(Refusal::new(conflict).with_current(u64::from(current)))
            }
            Decision::Answer(..) | Decision::ReadAgain => Err(Refusal::new(ErrorCode::InternalIo)),
        }
    }

    /// A slot that is on its way is worth a short wait: it is frozen for a second at most.
    pub(super) fn wrong_owner(&self, epoch: renkei_ids::SlotEpoch, passing: bool) -> Refusal {
        let refusal = match passing {
            true => Refusal::new(ErrorCode::Busy).after(PASSING_WAIT),
            false => Refusal::new(ErrorCode::WrongShard),
        };
        refusal.at_epoch(self.routes.epoch().max(epoch))
    }

    pub(crate) fn not_recorded(&self, reason: NotRecorded) -> Refusal {
        match reason {
            NotRecorded::Full | NotRecorded::Engine(ProposeError::Overloaded) => Refusal::new(ErrorCode::Busy),
            NotRecorded::Engine(ProposeError::NotLeader { hint }) => self.not_leader(hint.map(|(_, node)| node)),
            NotRecorded::ClockOff => Refusal::new(ErrorCode::ClockOff),
            NotRecorded::NotFounded => Refusal::new(ErrorCode::Unavailable),
            NotRecorded::Engine(ProposeError::OutcomeUnknown) => Refusal::new(ErrorCode::OutcomeUnknown),
            NotRecorded::Engine(ProposeError::Stopped) | NotRecorded::Gone => Refusal::new(ErrorCode::ShuttingDown),
        }
    }
}

fn reference(log: LogId, row: Row) -> AuditRef {
    AuditRef { log, leaf: row.leaf, seq: row.seq }
}

pub(super) fn invalid_capability(_: InvalidCapability) -> Refusal {
    // One answer whatever is wrong with it: a forger learns nothing.
    Refusal::new(ErrorCode::CapabilityInvalid)
}

pub(super) fn not_admitted(refusal: CapabilityRefusal) -> Refusal {
    Refusal::new(match refusal {
        CapabilityRefusal::OtherGateway => ErrorCode::CapabilityOtherGateway,
        CapabilityRefusal::Expired => ErrorCode::CapabilityExpired,
        CapabilityRefusal::NotYetValid => ErrorCode::CapabilityNotYetValid,
        CapabilityRefusal::Scope => ErrorCode::CapabilityScope,
    })
}

/// What a failed read is to the caller. Damage stops the process, for a replica that cannot read its rows must not lead.
pub(crate) fn read_failed(error: StorageError) -> Refusal {
    if error.is_corruption() {
        fatal::on_damaged_row(&error);
    }
    tracing::error!(error = %renkei_runtime::Chain(&error), "read failed");
    Refusal::new(ErrorCode::InternalIo)
}

/// Refuses what the disk has no room for.
pub(crate) fn disk_low(_: StorageError) -> Refusal {
    Refusal::new(ErrorCode::DiskLow)
}
