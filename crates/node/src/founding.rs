//! How a cloud begins, and how replicas come to where the placement wants them.
//!
//! The placement is the meta group's state. Each node follows it: opens the replicas that it names here, founds those
//! groups that are still as they were founded, and has each group that it leads take its first slots.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use renkei_consensus::{Engine, OpenError, Replica, StateMachine};
use renkei_ids::{GroupId, LogId, NodeId, ReplicaId};
use renkei_peers::AddressBook;
use renkei_placement::{Change, Group, MetaReply, Placement, Refused};
use renkei_runtime::{Address, Chain, Shell};
use renkei_shard::{Command, Fence, Item, SlotChange, SlotHold, read};
use renkei_storage::StorageError;
use renkei_wire::admin::NodeAt;
use tokio::sync::Notify;

use crate::machine::{MetaMachine, ShardMachine, ShardState, placement, storage_error};
use crate::metrics::Metrics;
use crate::proposer::Proposer;
use crate::routes::Routes;

mod bootstrap;

pub(crate) use bootstrap::{BootstrapError, Founder};

/// Time between two looks at the placement when nothing wakes the follower.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The proposers of the groups hosted here. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosted(Arc<ArcSwap<HashMap<GroupId, (ReplicaId, Proposer)>>>);

impl Hosted {
    pub(crate) fn proposer(&self, group: GroupId) -> Option<Proposer> {
        self.0.load().get(&group).map(|(_, proposer)| proposer.clone())
    }

    fn set(&self, proposers: HashMap<GroupId, (ReplicaId, Proposer)>) {
        self.0.store(Arc::new(proposers));
    }
}

/// Keeps a node as the placement wants it.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    pub(crate) shell: Shell,
    pub(crate) engine: Engine,
    pub(crate) routes: Routes,
    pub(crate) hosted: Hosted,
    pub(crate) book: AddressBook,
    pub(crate) metrics: Metrics,
    pub(crate) changed: Arc<Notify>,
}

/// Why a look at the placement was cut short; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error("reading the placement")]
    Placement {
        #[source]
        source: StorageError,
    },
    #[error("opening a replica")]
    Open {
        #[source]
        source: OpenError,
    },
    #[error("reading group {group}")]
    Group {
        group: GroupId,
        #[source]
        source: StorageError,
    },
    #[error("founding group {group}")]
    Found {
        group: GroupId,
        #[source]
        source: renkei_consensus::InitializeGroupError,
    },
    #[error("drawing the name of a log")]
    Randomness,
}

impl Follower {
    /// The state machine of a group.
    pub(crate) fn machine(&self, group: GroupId) -> Arc<dyn StateMachine> {
        match group {
            GroupId::META => Arc::new(MetaMachine::new(Arc::clone(&self.changed))),
            _ => Arc::new(ShardMachine),
        }
    }

    /// Follows until the process stops.
    pub(crate) async fn run(self) {
        let mut told = None;
        loop {
            let outcome = self.look().await;
            // A failure that lasts is told once.
            let failure = outcome.err().map(|error| Chain(&error).to_string());
            if let Some(failure) = failure.as_ref().filter(|failure| told.as_ref() != Some(*failure)) {
                tracing::warn!(%failure, "following the placement");
            }
            told = failure;
            let _woken = tokio::time::timeout(LOOK_EVERY, self.changed.notified()).await;
        }
    }

    async fn look(&self) -> Result<(), FollowError> {
        if let Some(newest) = self.newest_placement()?
            && *self.routes.current() != newest
        {
            self.note_addresses(&newest);
            self.routes.publish(newest);
        }
        let placement = self.routes.current();
        self.open_replicas(&placement).await?;
        self.host_proposers();
        self.take_first_slots(&placement).await
    }

    fn newest_placement(&self) -> Result<Option<Placement>, FollowError> {
        match self.engine.replica(GroupId::META) {
            Some(meta) => placement(&meta.view()).map(Some).map_err(|source| FollowError::Placement { source }),
            None => Ok(None),
        }
    }

    fn note_addresses(&self, placement: &Placement) {
        let places: Vec<(NodeId, Address)> =
            placement.nodes().filter_map(|(id, node)| Some((id, node.address.parse().ok()?))).collect();
        self.book.note(&places);
    }

    async fn open_replicas(&self, placement: &Placement) -> Result<(), FollowError> {
        for (id, group) in placement.groups() {
            let Some(here) = group.replicas.iter().find(|replica| replica.node == self.engine.node()) else { continue };
            let open = self.engine.replica(id).filter(|open| open.replica() == here.id);
            let replica = match open {
                Some(open) => open,
                None => {
                    let opened = self.engine.create(id, here.id, self.machine(id)).await;
                    tracing::info!(group = %id, replica = %here.id, opened = opened.is_ok(), "replica opened");
                    opened.map_err(|source| FollowError::Open { source })?
                }
            };
            let first = group.replicas.first().is_some_and(|first| first.id == here.id);
            // Also after a crash between opening and starting: a replica without a log has not started its group.
            if first && placement.is_as_founded(group) && replica.status().last_log.is_none() {
                let members = members(group);
                replica.initialize(members).await.map_err(|source| FollowError::Found { group: id, source })?;
            }
        }
        Ok(())
    }

    /// A proposer for each replica that is open, and none for those that are gone.
    fn host_proposers(&self) {
        let hosted = self.hosted.0.load();
        let replicas: Vec<Replica> =
            self.engine.replicas().into_iter().filter(|replica| replica.group() != GroupId::META).collect();
        let same =
            |replica: &Replica| hosted.get(&replica.group()).is_some_and(|(hosted, _)| *hosted == replica.replica());
        if hosted.len() == replicas.len() && replicas.iter().all(same) {
            return;
        }
        let proposers = replicas.into_iter().map(|replica| {
            let (group, id) = (replica.group(), replica.replica());
            let kept = hosted.get(&group).filter(|(kept, _)| *kept == id).cloned();
            (group, kept.unwrap_or_else(|| (id, self.start_proposer(replica))))
        });
        self.hosted.set(proposers.collect());
    }

    fn start_proposer(&self, replica: Replica) -> Proposer {
        let (proposer, work) = Proposer::new(replica, self.shell.clock(), self.metrics.clone());
        (self.shell.tasks().spawner())("proposer", Box::pin(work));
        proposer
    }

    /// Each group that is led from here and has no log yet gets one, and the slots that the map gives it.
    async fn take_first_slots(&self, placement: &Placement) -> Result<(), FollowError> {
        let Some((epoch, map)) = placement.slots() else { return Ok(()) };
        let mut led = 0;
        for (id, group) in placement.groups().filter(|(id, _)| *id != GroupId::META) {
            let Some(replica) = self.engine.replica(id) else { continue };
            let Some(under) = replica.leadership() else { continue };
            led += 1;
            let head = read::group_head(&ShardState(&replica.view()))
                .map_err(|error| FollowError::Group { group: id, source: storage_error(error) })?;
            if head.is_some() || !placement.is_as_founded(group) {
                continue;
            }
            let slots =
                SlotChange { fence: Fence { epoch, stamp: 0 }, hold: SlotHold::Owned, ranges: map.ranges_of(id) };
            let item = Item::Found { log: random_log()?, slots };
            let command = Command { time: self.shell.clock().now(), items: vec![item.encode()] };
            // Lost in an election, it is proposed again by whoever leads then; a second one is refused in apply.
            let founded = replica.propose(under, command.encode()).await.is_ok();
            tracing::info!(group = %id, founded, "group takes its slots");
        }
        self.metrics.groups_led.set(led);
        Ok(())
    }
}

fn members(group: &Group) -> BTreeMap<ReplicaId, NodeId> {
    group.replicas.iter().map(|replica| (replica.id, replica.node)).collect()
}

fn random_log() -> Result<LogId, FollowError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| FollowError::Randomness)?;
    Ok(LogId::from_bytes(bytes))
}
