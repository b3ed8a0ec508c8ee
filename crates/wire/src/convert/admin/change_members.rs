use renkei_ids::GroupId;

use super::InvalidMember;
use crate::Refusal;
use crate::admin::{ChangeMembersRequest, Member};
use crate::bounds::{InvalidSize, at_most};
use crate::limits::ADMIN_MAX_NODES;
use crate::pb::admin::v1 as pb;

/// Members that no group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChangeMembersRequest {
    /// There is no voter, or there are more than a message takes.
    #[error("members that a group is to have")]
    Size(#[source] InvalidSize),
    /// One of the members.
    #[error("members that a group is to have")]
    Member(#[from] InvalidMember),
}

impl TryFrom<pb::ChangeMembersRequest> for ChangeMembersRequest {
    type Error = InvalidChangeMembersRequest;

    fn try_from(message: pb::ChangeMembersRequest) -> Result<Self, InvalidChangeMembersRequest> {
        let pb::ChangeMembersRequest { group, stamp, membership, voters, learners } = message;
        if voters.is_empty() {
            return Err(InvalidChangeMembersRequest::Size(InvalidSize::Empty));
        }
        for members in [&voters, &learners] {
            at_most(members.len(), ADMIN_MAX_NODES).map_err(InvalidChangeMembersRequest::Size)?;
        }
        let members =
            |members: Vec<pb::Member>| members.into_iter().map(Member::try_from).collect::<Result<Vec<_>, _>>();
        Ok(Self { group: GroupId(group), stamp, membership, voters: members(voters)?, learners: members(learners)? })
    }
}

impl From<ChangeMembersRequest> for pb::ChangeMembersRequest {
    fn from(request: ChangeMembersRequest) -> Self {
        let ChangeMembersRequest { group, stamp, membership, voters, learners } = request;
        let members = |members: Vec<Member>| members.into_iter().map(Into::into).collect();
        Self { group: group.0, stamp, membership, voters: members(voters), learners: members(learners) }
    }
}

impl From<InvalidChangeMembersRequest> for Refusal {
    fn from(_: InvalidChangeMembersRequest) -> Self {
        Self::invalid("members")
    }
}
