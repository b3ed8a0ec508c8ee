//! What can be asked of the meta group, and how it answers.

use bytes::Bytes;
use renkei_ids::{DiskId, NodeId, ReplicaId, SlotEpoch};

use crate::format::{self, pb};
use crate::founding::Founding;
use crate::job::{JobId, JobKind, JobStep};
use crate::refused::Refused;

/// One change of the placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Founds the cloud.
    Found(Founding),
    /// Adds a node, or changes its address. It takes replicas from here on.
    RegisterNode {
        /// The node.
        node: NodeId,
        /// host:port.
        address: String,
    },
    /// Raises the version of commands that may be proposed.
    RaiseMinVersion(u32),
    /// Queues the jobs of a plan, which are done in this order.
    Submit {
        /// Stamp of the placement that the plan was made for; refused if it has changed since. `None` for any.
        planned_at: Option<u64>,
        /// 1 to [`JOBS_MAX`](crate::JOBS_MAX).
        jobs: Vec<JobKind>,
    },
    /// Takes the job under way from one step to the next; refused if it is not at the step named.
    Advance {
        /// The job.
        job: JobId,
        /// Where it is believed to be.
        from: JobStep,
        /// In which round of copying; `None` where that does not matter.
        round: Option<u32>,
        /// Where it goes.
        to: JobStep,
    },
    /// Gives up every job that is not past its point of no return.
    Abandon,
    /// A node names the disk that it works on; refused if it has claimed another one.
    ClaimDisk {
        /// The node.
        node: NodeId,
        /// Its disk.
        disk: DiskId,
    },
    /// A node has removed a replica that left its group.
    Removed(ReplicaId),
}

/// The answer of the meta group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaReply {
    /// Done, or was done before by the same change.
    Done {
        /// The slot map's epoch now.
        epoch: SlotEpoch,
        /// The placement's stamp now.
        stamp: u64,
        /// The first job that was queued, if one was.
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
                let node = pb::Node { id: node.0, address: address.clone(), ..pb::Node::default() };
                pb::Change { register: Some(node), ..empty }
            }
            Self::RaiseMinVersion(version) => pb::Change { min_version: Some(*version), ..empty },
            Self::Submit { planned_at, jobs } => {
                pb::Change { submit: jobs.iter().map(pb::Job::from).collect(), planned_at: *planned_at, ..empty }
            }
            Self::Advance { job, from, round, to } => {
                let (from, to) = (u32::from(*from as u8), u32::from(*to as u8));
                pb::Change { advance: Some(pb::Advance { job: job.0, from, to, round: *round }), ..empty }
            }
            Self::Abandon => pb::Change { abandon: Some(true), ..empty },
            Self::ClaimDisk { node, disk } => {
                pb::Change { claim: Some(pb::Claim { node: node.0, disk: disk.as_bytes().to_vec() }), ..empty }
            }
            Self::Removed(replica) => pb::Change { removed: Some(replica.0), ..empty },
        })
    }

    /// Reads a command.
    ///
    /// # Errors
    /// [`InvalidChange`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidChange> {
        let pb::Change { found, register, min_version, submit, advance, planned_at, abandon, claim, removed } =
            format::decode(bytes).map_err(|_| InvalidChange)?;
        let step = |raw| JobStep::from_raw(raw).ok_or(InvalidChange);
        let mut named = Vec::new();
        named.extend(found.map(|found| Ok(Self::Found(found.into()))));
        named.extend(register.map(|node| Ok(Self::RegisterNode { node: NodeId(node.id), address: node.address })));
        named.extend(min_version.map(|version| Ok(Self::RaiseMinVersion(version))));
        if !submit.is_empty() {
            let jobs: Result<_, _> = submit.into_iter().map(JobKind::try_from).collect();
            named.push(jobs.map(|jobs| Self::Submit { planned_at, jobs }).map_err(|_| InvalidChange));
        }
        named.extend(advance.map(|pb::Advance { job, from, to, round }| {
            Ok(Self::Advance { job: JobId(job), from: step(from)?, round, to: step(to)? })
        }));
        named.extend(abandon.map(|_| Ok(Self::Abandon)));
        named.extend(claim.map(|pb::Claim { node, disk }| {
            let disk = DiskId::try_from(&disk[..]).map_err(|_| InvalidChange)?;
            Ok(Self::ClaimDisk { node: NodeId(node), disk })
        }));
        named.extend(removed.map(|replica| Ok(Self::Removed(ReplicaId(replica)))));
        // One change in each command.
        match named.len() {
            1 => named.remove(0),
            _ => Err(InvalidChange),
        }
    }
}

/// By the number that travels: new ones come last.
const REFUSALS: [Refused; 14] = [
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
    Refused::PlanOutdated,
    Refused::NowhereToGo,
    Refused::OtherDisk,
];

impl MetaReply {
    /// The reply's bytes.
    pub fn encode(&self) -> Bytes {
        format::encode(&match self {
            Self::Done { epoch, stamp, job } => {
                pb::Reply { epoch: epoch.0, job: job.map(|job| job.0), refused: None, stamp: *stamp }
            }
            Self::Refused(refused) => {
                let place = REFUSALS.iter().position(|known| known == refused).expect("REFUSALS lists every refusal");
                pb::Reply { refused: Some(u32::try_from(place).expect("fourteen fit")), ..pb::Reply::default() }
            }
        })
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// [`InvalidChange`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidChange> {
        let pb::Reply { epoch, job, refused, stamp } = format::decode(bytes).map_err(|_| InvalidChange)?;
        match refused {
            None => Ok(Self::Done { epoch: SlotEpoch(epoch), stamp, job: job.map(JobId) }),
            Some(place) => usize::try_from(place)
                .ok()
                .and_then(|place| REFUSALS.get(place).copied())
                .map(Self::Refused)
                .ok_or(InvalidChange),
        }
    }
}
