//! What can be asked of the meta group, and how it answers.

use bytes::Bytes;
use renkei_ids::{GroupId, NodeId, SlotEpoch};

use crate::format::{self, pb};
use crate::founding::Founding;
use crate::job::{JobId, JobKind, JobStep};
use crate::refused::Refused;
use crate::slot_map::SlotRange;

/// One change of the placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Founds the cloud.
    Found(Founding),
    /// Adds a node, or changes its address.
    RegisterNode {
        /// The node.
        node: NodeId,
        /// host:port.
        address: String,
    },
    /// Raises the version of commands that may be proposed.
    RaiseMinVersion(u32),
    /// Queues a job.
    SubmitJob(JobKind),
    /// Takes a job from one step to the next; refused if it is not at the step named.
    AdvanceJob {
        /// The job.
        job: JobId,
        /// Where it is believed to be.
        from: JobStep,
        /// Where it goes.
        to: JobStep,
    },
}

/// The answer of the meta group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaReply {
    /// Done, or was done before by the same change.
    Done {
        /// The slot map's epoch now.
        epoch: SlotEpoch,
        /// The job that was queued, if one was.
        job: Option<JobId>,
    },
    /// Refused.
    Refused(Refused),
}

/// Bytes that are no change or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("placement command does not read")]
pub struct InvalidChange;

impl Change {
    /// The command's bytes.
    pub fn encode(&self) -> Bytes {
        let empty = pb::Change::default();
        format::encode(&match self {
            Self::Found(founding) => pb::Change { found: Some(founding.into()), ..empty },
            Self::RegisterNode { node, address } => {
                pb::Change { register: Some(pb::Node { id: node.0, address: address.clone() }), ..empty }
            }
            Self::RaiseMinVersion(version) => pb::Change { min_version: Some(*version), ..empty },
            Self::SubmitJob(kind) => pb::Change { submit: Some(kind.into()), ..empty },
            Self::AdvanceJob { job, from, to } => pb::Change {
                advance: Some(pb::Advance { job: job.0, from: u32::from(*from as u8), to: u32::from(*to as u8) }),
                ..empty
            },
        })
    }

    /// Reads a command.
    ///
    /// # Errors
    /// [`InvalidChange`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidChange> {
        let pb::Change { found, register, min_version, submit, advance } =
            format::decode(bytes).map_err(|_| InvalidChange)?;
        let step = |raw| JobStep::from_raw(raw).ok_or(InvalidChange);
        match (found, register, min_version, submit, advance) {
            (Some(found), None, None, None, None) => Ok(Self::Found(found.into())),
            (None, Some(pb::Node { id, address }), None, None, None) => {
                Ok(Self::RegisterNode { node: NodeId(id), address })
            }
            (None, None, Some(version), None, None) => Ok(Self::RaiseMinVersion(version)),
            (None, None, None, Some(kind), None) => Ok(Self::SubmitJob(kind.try_into().map_err(|_| InvalidChange)?)),
            (None, None, None, None, Some(pb::Advance { job, from, to })) => {
                Ok(Self::AdvanceJob { job: JobId(job), from: step(from)?, to: step(to)? })
            }
            _ => Err(InvalidChange),
        }
    }
}

const REFUSALS: [Refused; 11] = [
    Refused::AlreadyFounded,
    Refused::NotFounded,
    Refused::InvalidFounding,
    Refused::VersionGoesBack,
    Refused::UnknownNode,
    Refused::UnknownSubject,
    Refused::UnknownJob,
    Refused::WrongStep,
    Refused::JobUnderWay,
    Refused::LimitReached,
    Refused::Malformed,
];

impl MetaReply {
    /// The reply's bytes.
    pub fn encode(&self) -> Bytes {
        format::encode(&match self {
            Self::Done { epoch, job } => pb::Reply { epoch: epoch.0, job: job.map(|job| job.0), refused: None },
            Self::Refused(refused) => {
                let place = REFUSALS.iter().position(|known| known == refused).expect("REFUSALS lists every refusal");
                pb::Reply { epoch: 0, job: None, refused: Some(u32::try_from(place).expect("eleven fit")) }
            }
        })
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// [`InvalidChange`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidChange> {
        let pb::Reply { epoch, job, refused } = format::decode(bytes).map_err(|_| InvalidChange)?;
        match refused {
            None => Ok(Self::Done { epoch: SlotEpoch(epoch), job: job.map(JobId) }),
            Some(place) => usize::try_from(place)
                .ok()
                .and_then(|place| REFUSALS.get(place).copied())
                .map(Self::Refused)
                .ok_or(InvalidChange),
        }
    }
}

impl From<&JobKind> for pb::Job {
    fn from(kind: &JobKind) -> Self {
        let empty = Self::default();
        match kind {
            JobKind::MoveSlots { from, to } => Self {
                slots: Some(pb::Range {
                    first: u32::from(to.first.get()),
                    last: u32::from(to.last.get()),
                    group: to.group.0,
                }),
                group: from.0,
                ..empty
            },
            JobKind::MoveReplica { group, from, to } => {
                Self { group: group.0, replica: Some(from.0), node: Some(to.0), ..empty }
            }
        }
    }
}

impl TryFrom<pb::Job> for JobKind {
    type Error = format::Unreadable;

    fn try_from(job: pb::Job) -> Result<Self, format::Unreadable> {
        let pb::Job { id: _, step: _, slots, group, replica, node } = job;
        match (slots, replica, node) {
            (Some(range), None, None) => Ok(Self::MoveSlots { from: GroupId(group), to: SlotRange::try_from(range)? }),
            (None, Some(replica), Some(node)) => {
                Ok(Self::MoveReplica { group: GroupId(group), from: renkei_ids::ReplicaId(replica), to: NodeId(node) })
            }
            _ => Err(format::Unreadable),
        }
    }
}
