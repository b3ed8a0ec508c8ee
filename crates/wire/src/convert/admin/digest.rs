use renkei_ids::{GroupId, ReplicaId};

use crate::admin::{DigestReply, DigestRequest, ReplicaDigest};
use crate::bounds::{InvalidSize, at_most};
use crate::convert::copied;
use crate::limits::ADMIN_MAX_REPLICAS;
use crate::pb::admin::v1 as pb;

/// A digest that no replica computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReplicaDigest {
    /// The replica is missing or 0.
    #[error("replica of a digest is 0")]
    Replica,
    /// The digest does not have 32 bytes.
    #[error("digest of a replica takes 32 bytes, got {0}")]
    Digest(usize),
}

/// Digests that do not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDigestReply {
    /// More digests than a message takes.
    #[error("digests of a group")]
    Size(#[source] InvalidSize),
    /// One of the digests.
    #[error("digest of a group")]
    Digest(#[from] InvalidReplicaDigest),
}

// Every number is a group, 0 the meta group, so there is nothing to refuse.
impl From<pb::DigestRequest> for DigestRequest {
    fn from(message: pb::DigestRequest) -> Self {
        let pb::DigestRequest { group } = message;
        Self { group: GroupId(group) }
    }
}

impl From<DigestRequest> for pb::DigestRequest {
    fn from(request: DigestRequest) -> Self {
        let DigestRequest { group } = request;
        Self { group: group.0 }
    }
}

impl TryFrom<pb::ReplicaDigest> for ReplicaDigest {
    type Error = InvalidReplicaDigest;

    fn try_from(message: pb::ReplicaDigest) -> Result<Self, InvalidReplicaDigest> {
        let pb::ReplicaDigest { group, replica, index, digest } = message;
        if replica == 0 {
            return Err(InvalidReplicaDigest::Replica);
        }
        Ok(Self {
            group: GroupId(group),
            replica: ReplicaId(replica),
            index,
            digest: digest[..].try_into().map_err(|_| InvalidReplicaDigest::Digest(digest.len()))?,
        })
    }
}

impl From<ReplicaDigest> for pb::ReplicaDigest {
    fn from(of_replica: ReplicaDigest) -> Self {
        let ReplicaDigest { group, replica, index, digest } = of_replica;
        Self { group: group.0, replica: replica.0, index, digest: copied(&digest) }
    }
}

impl TryFrom<pb::DigestReply> for DigestReply {
    type Error = InvalidDigestReply;

    fn try_from(message: pb::DigestReply) -> Result<Self, InvalidDigestReply> {
        let pb::DigestReply { digests } = message;
        at_most(digests.len(), ADMIN_MAX_REPLICAS).map_err(InvalidDigestReply::Size)?;
        Ok(Self { digests: digests.into_iter().map(ReplicaDigest::try_from).collect::<Result<_, _>>()? })
    }
}

impl From<DigestReply> for pb::DigestReply {
    fn from(reply: DigestReply) -> Self {
        let DigestReply { digests } = reply;
        Self { digests: digests.into_iter().map(Into::into).collect() }
    }
}
