//! A replica gives way to another: the new one is opened, follows the log without a vote, and then takes the old one's
//! place among the voters in one change.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::FutureExt;
use renkei_ids::{GroupId, NodeId, ReplicaId};
use renkei_placement::{Change, JobStep, Refused};
use renkei_wire::admin::{ChangeMembersRequest, Member, ReplicaStatus};
use renkei_wire::pb::admin::v1 as pb;
use tokio::time::{sleep, timeout};

use super::{Lead, StepError, Work};
use crate::remote::{Client, RemoteError};

/// A replica this close to its leader, in entries, follows the log.
const CLOSE_ENTRIES: u64 = 200;
/// Pause between two looks at a replica that catches up.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A replica that gets no nearer within this time makes the step begin anew, so that what is wrong is told.
const STALLED_AFTER: Duration = Duration::from_secs(30);
/// Longest time for a change of members, both of its entries.
const CHANGE_WITHIN: Duration = Duration::from_secs(15);
/// Longest time that the old replica's node is waited for: it may be dead, and removes it when it comes back.
const REMOVE_WITHIN: Duration = Duration::from_secs(15);

pub(super) async fn step(
    work: &Work,
    lead: &Lead,
    step: JobStep,
    group: GroupId,
    from: ReplicaId,
    to: NodeId,
) -> Result<JobStep, StepError> {
    match step {
        JobStep::Queued => Ok(JobStep::PreCopy),
        JobStep::PreCopy => {
            let incoming = incoming(work)?;
            open(work, group, incoming, to).await?;
            let members = after(work, group, from, Member { replica: incoming, node: to })?;
            catch_up(work, group, incoming, to).await?;
            lead_from_elsewhere(work, group, from).await?;
            set_members(work, group, members, Vec::new()).await?;
            Ok(JobStep::Activate)
        }
        JobStep::Activate => {
            lead_from_first(work, group).await;
            Ok(JobStep::Purge)
        }
        JobStep::Purge => {
            removed(work, lead, from).await?;
            Ok(JobStep::Done)
        }
        JobStep::Undo => {
            set_members(work, group, now(work, group)?, Vec::new()).await?;
            Ok(JobStep::Abandoned)
        }
        _ => Err(StepError::Contradiction(Refused::WrongStep)),
    }
}

fn incoming(work: &Work) -> Result<ReplicaId, StepError> {
    work.job.incoming.ok_or(StepError::Contradiction(Refused::WrongStep))
}

/// The members that the placement names.
fn now(work: &Work, group: GroupId) -> Result<Vec<Member>, StepError> {
    let group = work.placement.group(group).ok_or(StepError::Contradiction(Refused::UnknownSubject))?;
    Ok(group.replicas.iter().map(|replica| Member { replica: replica.id, node: replica.node }).collect())
}

/// The members that it will name.
fn after(work: &Work, group: GroupId, from: ReplicaId, incoming: Member) -> Result<Vec<Member>, StepError> {
    let members = now(work, group)?.into_iter();
    Ok(members.map(|member| if member.replica == from { incoming } else { member }).collect())
}

/// Has the node open the replica. It waits there, empty, for its leader.
async fn open(work: &Work, group: GroupId, replica: ReplicaId, node: NodeId) -> Result<(), StepError> {
    let reply = work.follow(node).await?;
    match reply.replicas.iter().any(|open| open.group == group && open.replica == replica) {
        true => Ok(()),
        false => Err(StepError::NotOpen { group, replica, node }),
    }
}

/// Makes the replica a learner and waits until it follows.
async fn catch_up(work: &Work, group: GroupId, replica: ReplicaId, node: NodeId) -> Result<(), StepError> {
    let (_, status) = work.leader_of(group).await?;
    if status.voters.contains(&replica) {
        return Ok(());
    }
    if status.members.iter().all(|member| member.replica != replica) {
        set_members(work, group, now(work, group)?, vec![Member { replica, node }]).await?;
    }
    let mut best = u64::MAX;
    let mut nearer = tokio::time::Instant::now();
    loop {
        let (_, leader) = work.leader_of(group).await?;
        let there = work.status(node).await?.replicas.into_iter().find(|open| open.replica == replica);
        let there = there.ok_or(StepError::NotOpen { group, replica, node })?;
        let behind = leader.last_log.saturating_sub(there.applied);
        work.progress.set(there.applied, leader.last_log);
        if there.applied > 0 && behind <= CLOSE_ENTRIES {
            return Ok(());
        }
        if behind < best {
            (best, nearer) = (behind, tokio::time::Instant::now());
        } else if nearer.elapsed() > STALLED_AFTER {
            return Err(StepError::Behind { group, replica, behind });
        }
        sleep(LOOK_EVERY).await;
    }
}

/// A leader that is about to leave hands over first, to another member that answers.
async fn lead_from_elsewhere(work: &Work, group: GroupId, from: ReplicaId) -> Result<(), StepError> {
    let (_, leader) = work.leader_of(group).await?;
    if leader.replica != from {
        return Ok(());
    }
    let mut failure = None;
    for member in now(work, group)?.into_iter().filter(|member| member.replica != from) {
        if work.status(member.node).await.is_err() {
            continue;
        }
        match work.transfer(group, member.replica, member.node).await {
            Ok(()) => return Ok(()),
            Err(error) => failure = Some(error),
        }
    }
    // A lone replica has nobody to hand over to: its group is led by the new one as soon as that votes.
    failure.map_or(Ok(()), Err)
}

/// Gives the group these members, once they are what it has not.
async fn set_members(work: &Work, group: GroupId, voters: Vec<Member>, learners: Vec<Member>) -> Result<(), StepError> {
    let (_, status) = work.leader_of(group).await?;
    if has(&status, &voters, &learners) {
        return Ok(());
    }
    // Whoever may lead knows the newest placement first, and so refuses orders that are older.
    for member in &voters {
        let _down = work.follow(member.node).await;
    }
    let changed = work.at_leader(group, |leader| order(work, group, leader, voters.clone(), learners.clone()).boxed());
    changed.await?;
    let (_, status) = work.leader_of(group).await?;
    if has(&status, &voters, &learners) { Ok(()) } else { Err(StepError::OtherMembers(group)) }
}

/// Has the leader change the members that it has now.
async fn order(
    work: &Work,
    group: GroupId,
    leader: NodeId,
    voters: Vec<Member>,
    learners: Vec<Member>,
) -> Result<(), RemoteError> {
    let status = work.status(leader).await?;
    let membership = status.replicas.iter().find(|replica| replica.group == group).map(|replica| replica.membership);
    let stamp = work.stamp();
    let order = ChangeMembersRequest { group, stamp, membership: membership.unwrap_or(0), voters, learners };
    let call = |mut client: Client| async move { client.change_members(pb::ChangeMembersRequest::from(order)).await };
    let pb::ChangeMembersReply {} = work.remote.ask(leader, CHANGE_WITHIN, call).await?;
    Ok(())
}

fn has(status: &ReplicaStatus, voters: &[Member], learners: &[Member]) -> bool {
    let ids = |members: &[Member]| members.iter().map(|member| member.replica).collect::<BTreeSet<_>>();
    let votes: BTreeSet<_> = status.voters.iter().copied().collect();
    let members = ids(&status.members);
    !status.changing && votes == ids(voters) && members == ids(voters).union(&ids(learners)).copied().collect()
}

/// Every node concerned learns where the group is now; and where the replica that left should have led, the new one
/// does. A group that is led from elsewhere works as well, so a failure is not waited for.
async fn lead_from_first(work: &Work, group: GroupId) {
    let Ok(members) = now(work, group) else { return };
    for member in &members {
        let _down = work.follow(member.node).await;
    }
    if let Some(first) = members.first().filter(|first| Some(first.replica) == work.job.incoming) {
        let led = work.transfer(group, first.replica, first.node).await;
        tracing::info!(job = work.id.0, %group, replica = %first.replica, led = led.is_ok(), "new replica is to lead");
    }
}

/// Waits until the old replica's node has removed it.
async fn removed(work: &Work, lead: &Lead, from: ReplicaId) -> Result<(), StepError> {
    let Some(left) = work.placement.retired().iter().find(|left| left.replica.id == from) else { return Ok(()) };
    match timeout(REMOVE_WITHIN, work.follow(left.replica.node)).await {
        Ok(Ok(reply)) if reply.replicas.iter().all(|open| open.replica != from) => {
            lead.propose(&Change::Removed(from)).await?;
        }
        // Remembered as retired: the node is asked again between plans.
        _ => tracing::warn!(replica = %from, node = %left.replica.node, "old replica not removed yet"),
    }
    Ok(())
}
