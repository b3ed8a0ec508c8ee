//! A group is led from another of its nodes.

use renkei_ids::{GroupId, NodeId};
use renkei_placement::{JobStep, Refused};

use super::{StepError, Work};

pub(super) async fn step(work: &Work, step: JobStep, group: GroupId, to: NodeId) -> Result<JobStep, StepError> {
    match step {
        JobStep::Queued => Ok(JobStep::PreCopy),
        // First it leads, then the placement says that it should: a transfer that fails leaves nothing to take back.
        JobStep::PreCopy => {
            let replica = work.placement.group(group).and_then(|group| group.on(to));
            let replica = replica.ok_or(StepError::Contradiction(Refused::UnknownSubject))?;
            work.transfer(group, replica.id, to).await?;
            Ok(JobStep::Activate)
        }
        JobStep::Activate => Ok(JobStep::Done),
        JobStep::Undo => Ok(JobStep::Abandoned),
        _ => Err(StepError::Contradiction(Refused::WrongStep)),
    }
}
