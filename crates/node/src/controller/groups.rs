//! A group is added: the placement names it, and its nodes open and found it as they did those of the cloud's founding.

use renkei_ids::GroupId;
use renkei_placement::{JobStep, Refused};

use super::{StepError, Work};

pub(super) async fn step(work: &Work, step: JobStep) -> Result<JobStep, StepError> {
    match step {
        JobStep::Queued => Ok(JobStep::Activate),
        JobStep::Activate => {
            let newest: Option<GroupId> = work.placement.groups().map(|(id, _)| id).max();
            founded(work, newest.ok_or(StepError::Contradiction(Refused::UnknownSubject))?).await?;
            Ok(JobStep::Done)
        }
        _ => Err(StepError::Contradiction(Refused::WrongStep)),
    }
}

/// Waits until every node of the group has opened its replica, one leads, and the group has begun its log of rows.
async fn founded(work: &Work, id: GroupId) -> Result<(), StepError> {
    let group = work.placement.group(id).ok_or(StepError::Contradiction(Refused::UnknownSubject))?;
    // The first one founds the group as soon as it is open, so the others are there before.
    for replica in group.replicas.iter().rev() {
        let reply = work.follow(replica.node).await?;
        if !reply.replicas.iter().any(|open| open.replica == replica.id) {
            return Err(StepError::NotOpen { group: id, replica: replica.id, node: replica.node });
        }
    }
    let (leader, _) = work.leader_of(id).await?;
    // A look that begins when the leader leads ends with the group's log begun.
    work.follow(leader).await?;
    Ok(())
}
