//! How a cloud begins, and how replicas come to where the placement wants them.
//!
//! The placement is the meta group's state. Each node follows it: opens the replicas that it names here, founds those
//! groups that are still as they were founded, and has each group that it leads take its first slots.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use renkei_consensus::{Engine, OpenError, RemoveError, Replica, StateMachine};
use renkei_ids::{GroupId, LogId, NodeId, ReplicaId};
use renkei_peers::{AddressBook, Clocks};
use renkei_placement::{COMMANDS_VERSION, Change, Group, MetaReply, Placement, Refused};
use renkei_runtime::{Address, Chain, Check, Shell};
use renkei_shard::{Command, Fence, Item, SlotChange, SlotHold, read};
use renkei_shard_state::{ShardState, storage_error};
use renkei_storage::StorageError;
use renkei_wire::admin::{ClaimDiskRequest, FollowReply, NodeAt, PlacementReply, PlacementRequest};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal};
use tokio::sync::{Notify, watch};

use crate::machine::{MetaMachine, ShardMachine, placement};
use crate::metrics::Metrics;
use crate::proposer::Proposer;
use crate::remote::{Remote, RemoteError};
use crate::routes::Routes;

mod bootstrap;
mod known;

pub(crate) use bootstrap::{BootstrapError, Founder};
pub use known::KnownError;
pub(crate) use known::{DiskStanding, Known};

/// Time between two looks at the placement when nothing wakes the follower.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Longest time for another node to give its placement, or to take a claim.
const ASK_WITHIN: Duration = Duration::from_secs(1);
/// Longest time for a placement to be carried out here: a replica that is removed may be read for ten seconds yet.
const FOLLOW_WITHIN: Duration = Duration::from_secs(15);

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
    pub(crate) clocks: Clocks,
    pub(crate) engine: Engine,
    pub(crate) routes: Routes,
    pub(crate) hosted: Hosted,
    pub(crate) book: AddressBook,
    pub(crate) metrics: Metrics,
    pub(crate) changed: Arc<Notify>,
    pub(crate) known: Known,
    pub(crate) remote: Remote,
    pub(crate) looks: Looks,
    pub(crate) disk: Check,
}

/// Counts looks at the placement, so that one that began after a moment can be waited for. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Looks {
    asked: Arc<AtomicU64>,
    done: watch::Sender<u64>,
    /// Whom to ask next for a placement.
    peer: Arc<AtomicUsize>,
    /// Replicas that were removed since the start.
    removed: Arc<std::sync::Mutex<BTreeSet<ReplicaId>>>,
}

impl Looks {
    pub(crate) fn new() -> Self {
        Self { asked: Arc::default(), done: watch::Sender::new(0), peer: Arc::default(), removed: Arc::default() }
    }
}

/// The disk of this node was replaced, and replicas on it are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the placement names another disk for this node: what is on this one is out of date for good")]
pub(crate) struct DiskReplaced;

/// Why a look at the placement was cut short; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error("reading the placement")]
    Placement {
        #[source]
        source: StorageError,
    },
    #[error("keeping the placement")]
    Keep {
        #[source]
        source: KnownError,
    },
    #[error("claiming the disk for this node")]
    Claim {
        #[source]
        source: RemoteError,
    },
    #[error("this node works on another disk than the placement names for it: an operator has to replace the node")]
    OtherDisk,
    #[error("the cloud's commands are of version {cloud}, and this build applies {COMMANDS_VERSION}: it is too old")]
    Outdated { cloud: u32 },
    #[error("no node that hosts the meta group is known")]
    NoMeta,
    #[error("group {group} has not taken its slots")]
    NoSlots {
        group: GroupId,
        #[source]
        source: renkei_consensus::ProposeError,
    },
    #[error("removing a replica that left its group")]
    Remove {
        #[source]
        source: RemoveError,
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
    ///
    /// # Errors
    /// [`DiskReplaced`]: nothing that is open here may go on.
    pub(crate) async fn run(self) -> Result<(), DiskReplaced> {
        let mut told = None;
        loop {
            let asked = self.looks.asked.load(Ordering::Acquire);
            let outcome = self.look().await;
            match &outcome {
                Ok(()) => {
                    self.looks.done.send_replace(asked);
                }
                Err(FollowError::OtherDisk) if !self.engine.replicas().is_empty() => return Err(DiskReplaced),
                Err(_) => {}
            }
            // A failure that lasts is told once.
            let failure = outcome.err().map(|error| Chain(&error).to_string());
            if let Some(failure) = failure.as_ref().filter(|failure| told.as_ref() != Some(*failure)) {
                tracing::warn!(%failure, "following the placement");
            }
            told = failure;
            let _woken = tokio::time::timeout(LOOK_EVERY, self.changed.notified()).await;
        }
    }

    /// Takes over a placement that another node sends, and says what is open here once it is carried out.
    pub(crate) async fn follow(&self, placement: Placement) -> Result<FollowReply, Refusal> {
        let failed = |error| {
            tracing::error!(error = %Chain(&error), "keeping the placement");
            Refusal::new(ErrorCode::InternalIo)
        };
        self.known.take(placement).await.map_err(failed)?;
        if self.known.standing() == DiskStanding::Other {
            return Err(Refusal::new(ErrorCode::OtherDisk));
        }
        let ticket = self.looks.asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.changed.notify_one();
        let mut done = self.looks.done.subscribe();
        let carried_out = tokio::time::timeout(FOLLOW_WITHIN, done.wait_for(|done| *done >= ticket)).await;
        if !matches!(carried_out, Ok(Ok(_))) {
            return Err(Refusal::new(ErrorCode::Unavailable));
        }
        let replicas = self.engine.replicas().iter().map(renkei_peers::standing).collect();
        Ok(FollowReply { stamp: self.routes.current().stamp(), disk: self.known.disk(), replicas })
    }

    async fn look(&self) -> Result<(), FollowError> {
        self.learn().await?;
        let placement = self.routes.current();
        self.note_addresses(&placement);
        if !placement.may_be_held_by(COMMANDS_VERSION) {
            return Err(FollowError::Outdated { cloud: placement.min_version() });
        }
        match self.known.standing() {
            DiskStanding::Other => {
                self.disk.fail("the placement names another disk for this node");
                return Err(FollowError::OtherDisk);
            }
            DiskStanding::Unclaimed => return self.claim(&placement).await,
            DiskStanding::Stranger | DiskStanding::Claimed => self.disk.pass(),
        }
        self.open_replicas(&placement).await?;
        self.host_proposers(&placement);
        self.take_first_slots(&placement).await?;
        self.remove_retired(&placement).await
    }

    /// Finds out what the newest placement is: from the replica of the meta group here, and from peers where there is
    /// none, or where it hears of no leader, as one that has left the group does.
    async fn learn(&self) -> Result<(), FollowError> {
        let keep = |source| FollowError::Keep { source };
        let meta = self.engine.replica(GroupId::META);
        if let Some(meta) = &meta {
            let newest = placement(&meta.view()).map_err(|source| FollowError::Placement { source })?;
            self.known.take(newest).await.map_err(keep)?;
        }
        if meta.is_none_or(|meta| meta.leader_hint().is_none())
            && let Some(newest) = self.ask_a_peer().await
        {
            self.known.take(newest).await.map_err(keep)?;
        }
        Ok(())
    }

    /// One peer in turn: the look is repeated soon, and one that is down costs one look only.
    async fn ask_a_peer(&self) -> Option<Placement> {
        let peers: Vec<_> = self.book.peers().into_iter().filter(|node| *node != self.engine.node()).collect();
        let turn = self.looks.peer.fetch_add(1, Ordering::Relaxed);
        let peer = *peers.get(turn % peers.len().max(1))?;
        self.placement_of(peer).await.ok().flatten()
    }

    /// The placement that another node knows, where it is newer.
    pub(crate) async fn placement_of(&self, node: NodeId) -> Result<Option<Placement>, RemoteError> {
        let current = self.routes.current();
        let request = PlacementRequest { stamp: current.stamp(), epoch: self.routes.epoch() };
        let call = |mut client: crate::remote::Client| async move {
            client.placement(pb::PlacementRequest::from(request)).await
        };
        let reply: PlacementReply = self.remote.ask(node, ASK_WITHIN, call).await?;
        Ok(reply.placement)
    }

    /// Names this disk as the node's own. Nothing is opened before the claim shows in the placement.
    async fn claim(&self, placement: &Placement) -> Result<(), FollowError> {
        let members = placement.group(GroupId::META).into_iter().flat_map(|group| &group.replicas);
        let hint = self.engine.replica(GroupId::META).and_then(|meta| meta.leader_hint()).map(|(_, node)| node);
        let request = ClaimDiskRequest { node: self.engine.node(), disk: self.known.disk() };
        let mut failure = FollowError::NoMeta;
        for node in hint.into_iter().chain(members.map(|replica| replica.node)) {
            let call = |mut client: crate::remote::Client| async move {
                client.claim_disk(pb::ClaimDiskRequest::from(request)).await
            };
            match self.remote.ask::<_, pb::ClaimDiskReply, _>(node, ASK_WITHIN, call).await {
                Ok(pb::ClaimDiskReply {}) => {
                    tracing::info!(disk = %self.known.disk(), "disk claimed");
                    self.changed.notify_one();
                    return Ok(());
                }
                Err(source) => failure = FollowError::Claim { source },
            }
        }
        Err(failure)
    }

    fn note_addresses(&self, placement: &Placement) {
        let places: Vec<(NodeId, Address)> =
            placement.nodes().filter_map(|(id, node)| Some((id, node.address.parse().ok()?))).collect();
        self.book.note(&places);
    }

    async fn open_replicas(&self, placement: &Placement) -> Result<(), FollowError> {
        for (id, here) in placement.hosted_on(self.engine.node()) {
            let open = self.engine.replica(id).filter(|open| open.replica() == here.id);
            let replica = match open {
                Some(open) => open,
                None => {
                    let opened = self.engine.create(id, here.id, self.machine(id)).await;
                    tracing::info!(group = %id, replica = %here.id, opened = opened.is_ok(), "replica opened");
                    opened.map_err(|source| FollowError::Open { source })?
                }
            };
            let founded_from_here = placement.group(id).filter(|group| {
                let first = group.replicas.first().is_some_and(|first| first.id == here.id);
                first && placement.is_as_founded(group)
            });
            // Also after a crash between opening and starting: a replica without a log has not started its group.
            if let Some(group) = founded_from_here.filter(|_| replica.status().last_log.is_none()) {
                let members = members(group);
                replica.initialize(members).await.map_err(|source| FollowError::Found { group: id, source })?;
            }
        }
        Ok(())
    }

    /// A proposer for each replica that is open, and none for those that are gone or about to go.
    fn host_proposers(&self, placement: &Placement) {
        let hosted = self.hosted.0.load();
        let left = |replica: &Replica| placement.retired().iter().any(|left| left.replica.id == replica.replica());
        let stays = |replica: &Replica| replica.group() != GroupId::META && !left(replica);
        let replicas: Vec<Replica> = self.engine.replicas().into_iter().filter(stays).collect();
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
        let (proposer, work) = Proposer::new(replica, self.clocks.clone(), self.metrics.clone());
        (self.shell.tasks().spawner())("proposer", Box::pin(work));
        proposer
    }

    /// Each group that is led from here and has no log yet gets one, and the slots that the map gives it.
    async fn take_first_slots(&self, placement: &Placement) -> Result<(), FollowError> {
        let Some((epoch, map)) = placement.slots() else { return Ok(()) };
        let mut led = 0;
        for (id, _) in placement.groups().filter(|(id, _)| *id != GroupId::META) {
            let Some(replica) = self.engine.replica(id) else { continue };
            let Some(under) = replica.leadership() else { continue };
            led += 1;
            let head = read::group_head(&ShardState(&replica.view()))
                .map_err(|error| FollowError::Group { group: id, source: storage_error(error) })?;
            if head.is_some() {
                continue;
            }
            let slots =
                SlotChange { fence: Fence { epoch, stamp: 0 }, hold: SlotHold::Owned, ranges: map.ranges_of(id) };
            let item = Item::Found { log: random_log()?, slots };
            let Some(time) = self.clocks.stamp() else { return Ok(()) };
            let command = Command { time, items: vec![item.encode()] };
            // Lost in an election, it is proposed again by whoever leads then; a second one is refused in apply.
            let founded = replica.propose(under, command.encode()).await;
            founded.map_err(|source| FollowError::NoSlots { group: id, source })?;
            tracing::info!(group = %id, "group takes its slots");
        }
        self.metrics.groups_led.set(led);
        Ok(())
    }

    /// Removes what left its group. That a replica left is said once and for all, so an old placement does no harm here.
    async fn remove_retired(&self, placement: &Placement) -> Result<(), FollowError> {
        let here = placement.retired().iter().filter(|left| left.replica.node == self.engine.node());
        for left in here {
            let id = left.replica.id;
            if self.removed().contains(&id) {
                continue;
            }
            self.engine.remove(left.group, id).await.map_err(|source| FollowError::Remove { source })?;
            tracing::info!(group = %left.group, replica = %id, "replica removed");
            self.removed().insert(id);
        }
        Ok(())
    }

    fn removed(&self) -> std::sync::MutexGuard<'_, BTreeSet<ReplicaId>> {
        self.looks.removed.lock().expect("nothing panics while it holds the set")
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
