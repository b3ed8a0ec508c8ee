//! Every replica of a process: opened, created, removed, and kept small on disk.

mod options;
mod schedule;
mod watch;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use openraft::{ConfigError, Raft};
use renkei_ids::{GroupId, NodeId, ReplicaId};
use renkei_storage::log::{GroupLog, LogDb};
use renkei_storage::state::StateDb;
use renkei_storage::{DirOwner, StorageError};
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;

use crate::codec::CodecError;
use crate::log_store::LogStore;
use crate::machine::StateMachine;
use crate::network::Network;
use crate::replica::{Parts, Replica};
use crate::snapshot::Receiver;
use crate::state::{State, StateError, StateStore};
use crate::stored::decode_log_id;
use crate::transport::{Lane, PeerTransport, ReceiveError};

pub use options::{EngineOptions, Failure, FatalHook, SnapshotSchedule, Spawner};

/// How long a removal waits for the last handle to a replica's state.
const REMOVE_TRIES: u32 = 100;
const REMOVE_PAUSE: Duration = Duration::from_millis(100);

/// All replicas of this process. Clones share them.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

pub(crate) type WeakEngine = Weak<Shared>;

pub(crate) struct Shared {
    options: EngineOptions,
    log: LogDb,
    transport: Arc<dyn PeerTransport>,
    spawner: Spawner,
    fatal: FatalHook,
    replicas: ArcSwap<HashMap<GroupId, Replica>>,
    /// Opening, creating and removing, one at a time.
    changing: tokio::sync::Mutex<()>,
    stopping: CancellationToken,
    may_lead: AtomicBool,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("node", &self.0.options.node)
            .field("replicas", &self.0.replicas.load().len())
            .finish_non_exhaustive()
    }
}

/// Why a replica was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    Stopping,
    /// The engine hosts another replica of the group.
    #[error("group {group} has replica {hosted} here already")]
    Occupied {
        /// The group.
        group: GroupId,
        /// The replica that is open.
        hosted: ReplicaId,
    },
    /// The directory of all replicas cannot be listed.
    #[error("list the replicas in {}", path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Log or state cannot be opened.
    #[error("open group {group} replica {replica}")]
    Storage {
        /// The group.
        group: GroupId,
        /// The replica.
        replica: ReplicaId,
        /// What failed.
        #[source]
        source: StorageError,
    },
    /// The marker of the state, or that of the purged log, does not decode.
    #[error("read the markers of group {group} replica {replica}")]
    Marker {
        /// The group.
        group: GroupId,
        /// The replica.
        replica: ReplicaId,
        /// What is wrong with it.
        #[source]
        source: CodecError,
    },
    /// Entries that the state does not hold are gone from the log: the files are of different times. The replica
    /// must be removed, and replaced by one with a new id.
    #[error("group {group} replica {replica}: the log begins after entry {purged}, the state ends at {applied:?}")]
    Gap {
        /// The group.
        group: GroupId,
        /// The replica.
        replica: ReplicaId,
        /// Last entry purged from the log.
        purged: u64,
        /// Last entry in the state.
        applied: Option<u64>,
    },
    /// The state holds entries, and the log has no vote: the log was lost. The replica may have voted, and does not know
    /// for whom; it must be removed, and replaced by one with a new id.
    #[error("group {group} replica {replica}: the state ends at {applied}, and the log has no vote")]
    VoteLost {
        /// The group.
        group: GroupId,
        /// The replica.
        replica: ReplicaId,
        /// Last entry in the state.
        applied: u64,
    },
    /// Raft refuses its configuration.
    #[error("configure group {group}")]
    Config {
        /// The group.
        group: GroupId,
        /// What it refuses.
        #[source]
        source: ConfigError,
    },
    /// Raft does not start, for instance since log and state contradict each other.
    #[error("start group {group} replica {replica}")]
    Start {
        /// The group.
        group: GroupId,
        /// The replica.
        replica: ReplicaId,
        /// What Raft said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The blocking thread ended early.
    #[error("open a replica on a blocking thread")]
    Thread(#[from] JoinError),
}

/// Why a replica was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// Log or state cannot be deleted; the removal can be tried again.
    #[error("remove group {group} replica {replica}")]
    Storage {
        /// The group.
        group: GroupId,
        /// The replica.
        replica: ReplicaId,
        /// What failed.
        #[source]
        source: StorageError,
    },
    /// The blocking thread ended early.
    #[error("remove a replica on a blocking thread")]
    Thread(#[from] JoinError),
}

impl Engine {
    /// An engine without replicas. Call from within the runtime that it is to run on: it starts the task that takes
    /// snapshots.
    pub fn new(
        options: EngineOptions,
        log: LogDb,
        transport: Arc<dyn PeerTransport>,
        spawner: Spawner,
        fatal: FatalHook,
    ) -> Self {
        let engine = Self(Arc::new(Shared {
            options,
            log,
            transport,
            spawner,
            fatal,
            replicas: ArcSwap::default(),
            changing: tokio::sync::Mutex::new(()),
            stopping: CancellationToken::new(),
            may_lead: AtomicBool::new(true),
        }));
        (engine.0.spawner)("snapshot schedule", schedule::run(engine.downgrade(), engine.0.stopping.clone()).boxed());
        engine
    }

    pub(crate) fn downgrade(&self) -> WeakEngine {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// The node of this process.
    pub fn node(&self) -> NodeId {
        self.0.options.node
    }

    /// The replica of a group, if one is open here.
    pub fn replica(&self, group: GroupId) -> Option<Replica> {
        self.0.replicas.load().get(&group).cloned()
    }

    /// Every open replica.
    pub fn replicas(&self) -> Vec<Replica> {
        self.0.replicas.load().values().cloned().collect()
    }

    /// Opens every replica whose directory is here. `machine` makes the state machine of a group; where it gives
    /// `None` the replica stays closed.
    ///
    /// # Errors
    ///
    /// The first [`OpenError`]; replicas opened before it stay open.
    pub async fn open_existing<F>(&self, mut machine: F) -> Result<Vec<Replica>, OpenError>
    where
        F: FnMut(GroupId, ReplicaId) -> Option<Arc<dyn StateMachine>> + Send,
    {
        let root = self.0.options.root.clone();
        let found = self.0.options.blocking.run(move || existing(&root)).await??;
        let mut opened = Vec::with_capacity(found.len());
        for (group, replica) in found {
            if let Some(machine) = machine(group, replica) {
                opened.push(self.create(group, replica, machine).await?);
            }
        }
        Ok(opened)
    }

    /// Opens a replica, making it if it is not there. A new replica waits to be [initialized](Replica::initialize) or
    /// to be added to a group.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; nothing is left running.
    pub async fn create(
        &self,
        group: GroupId,
        replica: ReplicaId,
        machine: Arc<dyn StateMachine>,
    ) -> Result<Replica, OpenError> {
        let _one_change_at_a_time = self.0.changing.lock().await;
        if self.0.stopping.is_cancelled() {
            return Err(OpenError::Stopping);
        }
        if let Some(open) = self.replica(group) {
            let hosted = open.replica();
            return if hosted == replica { Ok(open) } else { Err(OpenError::Occupied { group, hosted }) };
        }
        let opened = self.open(group, replica, machine).await?;
        self.0.replicas.rcu(|replicas| {
            let mut replicas = HashMap::clone(replicas);
            replicas.insert(group, opened.clone());
            replicas
        });
        Ok(opened)
    }

    async fn open(
        &self,
        group: GroupId,
        replica: ReplicaId,
        machine: Arc<dyn StateMachine>,
    ) -> Result<Replica, OpenError> {
        let shared = Arc::clone(&self.0);
        let options = &self.0.options;
        let opened = options.blocking.run(move || shared.open_storage(group, replica, machine)).await??;
        let (log, state) = opened;
        let config = options.timing.config(format!("group {group}"));
        let config = config.map_err(|source| OpenError::Config { group, source })?;
        let transport = Arc::clone(&self.0.transport);
        let network = Network { transport, group, replica, timing: options.timing, blocking: options.blocking.clone() };
        let (log_store, state_store) =
            (LogStore::new(log.clone(), options.blocking.clone()), StateStore(Arc::clone(&state)));
        let raft = Raft::new(replica.0, Arc::new(config), network, log_store, state_store).await;
        let raft = raft.map_err(|source| OpenError::Start { group, replica, source: Box::new(source) })?;

        raft.runtime_config().elect(self.0.may_lead.load(Ordering::Relaxed));

        let stopping = self.0.stopping.child_token();
        let watch = watch::run(group, replica, raft.metrics(), stopping.clone(), Arc::clone(&self.0.fatal));
        (self.0.spawner)("replica watch", watch.boxed());
        Ok(Replica::new(Parts {
            group,
            replica,
            server: raft.server_metrics(),
            raft,
            receiver: Receiver::new(Arc::clone(&state)),
            state,
            log,
            admission: Arc::new(Semaphore::new(options.proposal_bytes as usize)),
            admission_bytes: options.proposal_bytes,
            patience: options.patience,
            changing: tokio::sync::Mutex::new(()),
            looked_after: tokio::sync::Mutex::new(()),
            stopping,
        }))
    }

    /// Whether replicas here stand for election; at first they do. It does not end a leadership: see
    /// [`give_away`](Self::give_away). Call it again after a replica was created at the same time.
    pub fn may_lead(&self, may: bool) {
        self.0.may_lead.store(may, Ordering::Relaxed);
        for replica in self.replicas() {
            replica.parts().raft.runtime_config().elect(may);
        }
    }

    /// Gives every leadership away to the voter that has most of the log among those that have just answered; a group
    /// without one keeps its leader. Returns the groups that were given away: from then on their leader here proposes
    /// nothing and is silent, so that they elect another one even where the chosen voter does not answer any more.
    pub async fn give_away(&self) -> Vec<GroupId> {
        let mut given = Vec::new();
        for replica in self.replicas() {
            if let Some(to) = replica.successor()
                && replica.transfer_leader(to).await.is_ok()
            {
                given.push(replica.group());
            }
        }
        given
    }

    /// Hands a frame from a peer's node to its replica.
    ///
    /// The message is registered with Raft when this returns, so frames are to be handed over in the order of their
    /// arrival; the future only waits for the answer. The caller has checked the cloud, and that `from` lives on the
    /// node that sent the frame. Call from within a runtime.
    pub fn receive(
        &self,
        group: GroupId,
        to: ReplicaId,
        from: ReplicaId,
        lane: Lane,
        body: Bytes,
    ) -> BoxFuture<'static, Result<Bytes, ReceiveError>> {
        if from == to {
            return ready(Err(ReceiveError::FromItself(to))).boxed();
        }
        match self.0.replicas.load().get(&group) {
            Some(replica) if replica.replica() == to => replica.handle(from, lane, body),
            _ => ready(Err(ReceiveError::UnknownReplica { group, to })).boxed(),
        }
    }

    /// Stops a replica and deletes its state, then its log. Also finishes a removal that a crash interrupted, so the
    /// replica need not be open. Its id must never be used again.
    ///
    /// # Errors
    ///
    /// [`RemoveError`]; the replica is stopped then, and the removal can be tried again.
    pub async fn remove(&self, group: GroupId, replica: ReplicaId) -> Result<(), RemoveError> {
        let _one_change_at_a_time = self.0.changing.lock().await;
        if let Some(open) = self.replica(group).filter(|open| open.replica() == replica) {
            self.0.replicas.rcu(|replicas| {
                let mut replicas = HashMap::clone(replicas);
                replicas.remove(&group);
                replicas
            });
            stop(&open).await;
            // A flush or a checkpoint that finds its directory gone would end the process.
            let _nobody_else = open.parts().looked_after.lock().await;
            let state = Arc::clone(&open.parts().state);
            self.0.options.blocking.run(move || state.retire()).await?;
        }
        let failed = |source| RemoveError::Storage { group, replica, source };
        let mut tries = 1;
        loop {
            let shared = Arc::clone(&self.0);
            match self.0.options.blocking.run(move || shared.destroy_state(group, replica)).await? {
                Ok(()) => break,
                // Views and tasks that have just been stopped let go of the state one after another.
                Err(_) if tries < REMOVE_TRIES => tries += 1,
                Err(source) => return Err(failed(source)),
            }
            sleep(REMOVE_PAUSE).await;
        }
        let log = self.0.log.clone();
        self.0.options.blocking.run(move || log.drop_group(group, replica)).await?.map_err(failed)
    }

    /// Stops every replica and makes their states durable, so that the next start has little to replay. The log stays
    /// open: it belongs to the caller. Later calls of [`create`](Self::create) are refused.
    pub async fn shutdown(&self) {
        let _one_change_at_a_time = self.0.changing.lock().await;
        self.0.stopping.cancel();
        let replicas = self.replicas();
        futures::future::join_all(replicas.iter().map(stop)).await;
        self.0.replicas.store(Arc::default());
        for replica in replicas {
            let db = replica.parts().state.db();
            if let Ok(Err(error)) = self.0.options.blocking.run(move || db.flush()).await {
                tracing::warn!(group = %replica.group(), %error, "state not flushed; the next start replays the log");
            }
        }
    }
}

async fn stop(replica: &Replica) {
    replica.parts().stopping.cancel();
    if let Err(error) = replica.parts().raft.shutdown().await {
        tracing::warn!(group = %replica.group(), replica = %replica.replica(), %error, "replica did not stop cleanly");
    }
}

impl Shared {
    fn owner(&self, group: GroupId, replica: ReplicaId) -> DirOwner {
        DirOwner { cloud: self.options.cloud, node: self.options.node, replica: Some((group, replica)) }
    }

    fn dir(&self, group: GroupId, replica: ReplicaId) -> PathBuf {
        self.options.root.join(dir_name(group, replica))
    }

    fn open_storage(
        &self,
        group: GroupId,
        replica: ReplicaId,
        machine: Arc<dyn StateMachine>,
    ) -> Result<(GroupLog, Arc<State>), OpenError> {
        let storage = |source| OpenError::Storage { group, replica, source };
        let marker = |source| OpenError::Marker { group, replica, source };
        let log = self.log.group(group, replica).map_err(storage)?;
        let (dir, owner) = (self.dir(group, replica), self.owner(group, replica));
        let db = StateDb::open(&dir, &owner, machine.families(), &self.options.budget).map_err(storage)?;
        let fatal = Arc::clone(&self.fatal);
        let failed = Box::new(move |source| fatal(&Failure::State { group, replica, source }));
        let state = match State::new(machine, db, failed, self.options.blocking.clone()) {
            Ok(state) => state,
            Err(StateError::Storage(source)) => return Err(storage(source)),
            Err(StateError::Marker(source)) => return Err(marker(source)),
            Err(StateError::Thread(source)) => return Err(source.into()),
            Err(error @ StateError::NotAsAnnounced) => {
                return Err(OpenError::Start { group, replica, source: Box::new(error) });
            }
        };
        let purged = log.purge_marker().map(decode_log_id).transpose().map_err(marker)?;
        let applied = state.applied().map(|id| id.index);
        if let Some(applied) = applied.filter(|_| log.vote().is_none()) {
            return Err(OpenError::VoteLost { group, replica, applied });
        }
        match purged {
            Some(purged) if applied.is_none_or(|applied| applied < purged.index) => {
                Err(OpenError::Gap { group, replica, purged: purged.index, applied })
            }
            _ => Ok((log, Arc::new(state))),
        }
    }

    fn destroy_state(&self, group: GroupId, replica: ReplicaId) -> Result<(), StorageError> {
        let dir = self.dir(group, replica);
        if dir.exists() { StateDb::destroy(&dir, &self.owner(group, replica)) } else { Ok(()) }
    }

    pub(crate) fn fail(&self, failure: &Failure) {
        (self.fatal)(failure);
    }
}

fn dir_name(group: GroupId, replica: ReplicaId) -> String {
    format!("group-{group}-replica-{replica}")
}

fn parse_dir_name(name: &str) -> Option<(GroupId, ReplicaId)> {
    let (group, replica) = name.strip_prefix("group-")?.split_once("-replica-")?;
    let (group, replica) = (group.parse().ok()?, replica.parse().ok()?);
    (dir_name(group, replica) == name).then_some((group, replica))
}

fn existing(root: &Path) -> Result<Vec<(GroupId, ReplicaId)>, OpenError> {
    let failed = |source| OpenError::List { path: root.to_owned(), source };
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        found.extend(entry.file_name().to_str().and_then(parse_dir_name));
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_names_read_back_and_nothing_else_is_taken_for_one() {
        let name = dir_name(GroupId(7), ReplicaId(u64::MAX));
        assert_eq!(parse_dir_name(&name), Some((GroupId(7), ReplicaId(u64::MAX))));
        for other in
            ["", "group-7", "group-7-replica-", "group-07-replica-1", "group-+7-replica-1", "group-7-replica-1.old"]
        {
            assert_eq!(parse_dir_name(other), None, "{other}");
        }
    }
}
