use renkei_ids::NodeId;

use super::InvalidReplicaStatus;
use crate::admin::{ReplicaStatus, VaultStatus};
use crate::bounds::{InvalidSize, OutOfRange, at_most, u16_within};
use crate::convert::copied;
use crate::limits::ADMIN_MAX_NODES;
use crate::pb::admin::v1 as pb;

/// A status that no vault has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVaultStatus {
    /// The vault is missing or 0.
    #[error("number of a vault is 0")]
    Vault,
    /// There are no members, or more than a message takes.
    #[error("members of a vault's group")]
    Size(#[source] InvalidSize),
    /// The members do not ascend from 1, or the vault is none of them.
    #[error("members of a vault's group are not in order, or do not hold it")]
    Members,
    /// The replica.
    #[error("replica of a vault")]
    Replica(#[from] InvalidReplicaStatus),
    /// The signing key does not have 32 bytes.
    #[error("signing key of a vault takes 32 bytes, got {0}")]
    SigningKey(usize),
    /// The epoch is missing or 0.
    #[error("key epoch of a vault is 0")]
    KeyEpoch,
    /// The free share of the disk.
    #[error("free share of a vault's disk")]
    DiskFree(#[source] OutOfRange),
}

impl TryFrom<pb::VaultStatusReply> for VaultStatus {
    type Error = InvalidVaultStatus;

    fn try_from(message: pb::VaultStatusReply) -> Result<Self, InvalidVaultStatus> {
        let pb::VaultStatusReply {
            vault,
            members,
            replica,
            begun,
            founded,
            signing_key,
            key_epoch,
            disk_free_permille,
        } = message;
        if vault == 0 {
            return Err(InvalidVaultStatus::Vault);
        }
        if members.is_empty() {
            return Err(InvalidVaultStatus::Size(InvalidSize::Empty));
        }
        at_most(members.len(), ADMIN_MAX_NODES).map_err(InvalidVaultStatus::Size)?;
        let ascending = members[0] > 0 && members.is_sorted_by(|left, right| left < right);
        if !ascending || !members.contains(&vault) {
            return Err(InvalidVaultStatus::Members);
        }
        if key_epoch == 0 {
            return Err(InvalidVaultStatus::KeyEpoch);
        }
        Ok(Self {
            vault: NodeId(vault),
            members: members.into_iter().map(NodeId).collect(),
            replica: replica.map(ReplicaStatus::try_from).transpose()?,
            begun,
            founded,
            signing_key: signing_key[..].try_into().map_err(|_| InvalidVaultStatus::SigningKey(signing_key.len()))?,
            key_epoch,
            disk_free_permille: u16_within(disk_free_permille, 0, 1_000).map_err(InvalidVaultStatus::DiskFree)?,
        })
    }
}

impl From<VaultStatus> for pb::VaultStatusReply {
    fn from(status: VaultStatus) -> Self {
        let VaultStatus { vault, members, replica, begun, founded, signing_key, key_epoch, disk_free_permille } =
            status;
        Self {
            vault: vault.0,
            members: members.into_iter().map(|member| member.0).collect(),
            replica: replica.map(Into::into),
            begun,
            founded,
            signing_key: copied(&signing_key),
            key_epoch,
            disk_free_permille: u32::from(disk_free_permille),
        }
    }
}
