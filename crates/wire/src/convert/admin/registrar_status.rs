use renkei_ids::NodeId;

use super::InvalidReplicaStatus;
use crate::admin::{RegistrarStatus, ReplicaStatus};
use crate::bounds::{InvalidSize, OutOfRange, at_most, u16_within};
use crate::convert::copied;
use crate::limits::ADMIN_MAX_NODES;
use crate::pb::admin::v1 as pb;

/// A status that no registrar has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRegistrarStatus {
    /// The number is missing or 0.
    #[error("number of a registrar is 0")]
    Registrar,
    /// There are no members, or more than a message takes.
    #[error("members of a registrar's group")]
    Size(#[source] InvalidSize),
    /// The members do not ascend from 1, or the registrar is none of them.
    #[error("members of a registrar's group are not in order, or do not hold it")]
    Members,
    /// The replica.
    #[error("replica of a registrar")]
    Replica(#[from] InvalidReplicaStatus),
    /// The check of the keys does not have 32 bytes.
    #[error("check of a registrar's keys takes 32 bytes, got {0}")]
    KeysCheck(usize),
    /// The free share of the disk.
    #[error("free share of a registrar's disk")]
    DiskFree(#[source] OutOfRange),
}

impl TryFrom<pb::RegistrarStatusReply> for RegistrarStatus {
    type Error = InvalidRegistrarStatus;

    fn try_from(message: pb::RegistrarStatusReply) -> Result<Self, InvalidRegistrarStatus> {
        let pb::RegistrarStatusReply { registrar, members, replica, begun, founded, keys_check, disk_free_permille } =
            message;
        if registrar == 0 {
            return Err(InvalidRegistrarStatus::Registrar);
        }
        if members.is_empty() {
            return Err(InvalidRegistrarStatus::Size(InvalidSize::Empty));
        }
        at_most(members.len(), ADMIN_MAX_NODES).map_err(InvalidRegistrarStatus::Size)?;
        let ascending = members[0] > 0 && members.is_sorted_by(|left, right| left < right);
        if !ascending || !members.contains(&registrar) {
            return Err(InvalidRegistrarStatus::Members);
        }
        Ok(Self {
            registrar: NodeId(registrar),
            members: members.into_iter().map(NodeId).collect(),
            replica: replica.map(ReplicaStatus::try_from).transpose()?,
            begun,
            founded,
            keys_check: keys_check[..].try_into().map_err(|_| InvalidRegistrarStatus::KeysCheck(keys_check.len()))?,
            disk_free_permille: u16_within(disk_free_permille, 0, 1_000).map_err(InvalidRegistrarStatus::DiskFree)?,
        })
    }
}

impl From<RegistrarStatus> for pb::RegistrarStatusReply {
    fn from(status: RegistrarStatus) -> Self {
        let RegistrarStatus { registrar, members, replica, begun, founded, keys_check, disk_free_permille } = status;
        Self {
            registrar: registrar.0,
            members: members.into_iter().map(|member| member.0).collect(),
            replica: replica.map(Into::into),
            begun,
            founded,
            keys_check: copied(&keys_check),
            disk_free_permille: u32::from(disk_free_permille),
        }
    }
}
