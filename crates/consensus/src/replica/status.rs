use std::collections::{BTreeMap, BTreeSet};

use openraft::ServerState;
use openraft::async_runtime::watch::WatchReceiver;
use renkei_ids::{GroupId, NodeId, ReplicaId};

use super::{Placed, Replica};

/// What a replica does in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Receives the log, does not vote.
    Learner,
    /// Votes and follows.
    Follower,
    /// Asks for votes.
    Candidate,
    /// Leads.
    Leader,
    /// Has stopped, by itself or on demand.
    Stopped,
}

/// Who belongs to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Voters; during a change those of either side.
    pub voters: BTreeSet<ReplicaId>,
    /// Voters and learners, and the node that hosts each.
    pub nodes: BTreeMap<ReplicaId, NodeId>,
    /// A change is under way.
    pub changing: bool,
    /// Log index of the entry that says so; `None` before the group has started.
    pub index: Option<u64>,
}

/// Where a replica stands. All indexes are of log entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// The group.
    pub group: GroupId,
    /// The replica.
    pub replica: ReplicaId,
    /// What it does.
    pub role: Role,
    /// Current Raft term.
    pub term: u64,
    /// Who leads, as far as is known here.
    pub leader: Option<Placed>,
    /// Last entry in the log.
    pub last_log: Option<u64>,
    /// Last entry known here to be committed.
    pub committed: Option<u64>,
    /// Last entry in the state.
    pub applied: Option<u64>,
    /// Last entry in the newest snapshot.
    pub snapshot: Option<u64>,
    /// Last entry purged from the log.
    pub purged: Option<u64>,
    /// On the leader: last entry known to be in each follower's log.
    pub followers: BTreeMap<ReplicaId, Option<u64>>,
    /// Who belongs to the group.
    pub members: Members,
}

impl Replica {
    /// Where the replica stands now.
    pub fn status(&self) -> ReplicaStatus {
        let metrics = self.0.raft.metrics();
        let metrics = metrics.borrow_watched();
        let membership = metrics.membership_config.membership();
        let running = metrics.running_state.is_ok() && !self.0.stopping.is_cancelled();
        let role = match metrics.state {
            _ if !running => Role::Stopped,
            ServerState::Learner => Role::Learner,
            ServerState::Follower => Role::Follower,
            ServerState::Candidate => Role::Candidate,
            ServerState::Leader => Role::Leader,
            ServerState::Shutdown => Role::Stopped,
        };
        let index = |id: Option<crate::raft::LogId>| id.map(|id| id.index);
        let leader =
            metrics.current_leader.and_then(|leader| Some((ReplicaId(leader), *membership.get_node(&leader)?)));
        let followers = metrics.replication.iter().flatten();
        ReplicaStatus {
            group: self.0.group,
            replica: self.0.replica,
            role,
            term: metrics.current_term,
            leader,
            last_log: metrics.last_log_index,
            committed: index(metrics.local_committed),
            // Ahead of the metrics, which follow.
            applied: index(self.0.state.applied()),
            snapshot: index(metrics.snapshot),
            purged: index(metrics.purged),
            followers: followers.map(|(&replica, &matched)| (ReplicaId(replica), index(matched))).collect(),
            members: Members {
                voters: membership.voter_ids().map(ReplicaId).collect(),
                nodes: membership.nodes().map(|(&replica, &node)| (ReplicaId(replica), node)).collect(),
                changing: membership.get_joint_config().len() > 1,
                index: metrics.membership_config.log_id().as_ref().map(|id| id.index),
            },
        }
    }
}
