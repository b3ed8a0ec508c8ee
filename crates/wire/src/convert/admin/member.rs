use renkei_ids::{NodeId, ReplicaId};

use crate::admin::Member;
use crate::pb::admin::v1 as pb;

/// A member that no group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMember {
    /// The replica is missing or 0.
    #[error("replica of a member is 0")]
    Replica,
    /// The node is missing or 0.
    #[error("node of a member is 0")]
    Node,
}

impl TryFrom<pb::Member> for Member {
    type Error = InvalidMember;

    fn try_from(message: pb::Member) -> Result<Self, InvalidMember> {
        let pb::Member { replica, node } = message;
        if replica == 0 {
            return Err(InvalidMember::Replica);
        }
        if node == 0 {
            return Err(InvalidMember::Node);
        }
        Ok(Self { replica: ReplicaId(replica), node: NodeId(node) })
    }
}

impl From<Member> for pb::Member {
    fn from(member: Member) -> Self {
        let Member { replica, node } = member;
        Self { replica: replica.0, node: node.0 }
    }
}
