use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};
use renkei_storage::{MemoryBudget, StorageError};

use crate::blocking::Blocking;
use crate::timing::Timing;

/// Starts a named background task; the supervisor's part. The tasks end by themselves on
/// [`Engine::shutdown`](crate::Engine::shutdown).
pub type Spawner = Arc<dyn Fn(&'static str, BoxFuture<'static, ()>) + Send + Sync>;

/// Called when a replica cannot go on. Production aborts the process: what is in memory is not to be trusted, and the
/// next start recovers from the disk. May be called more than once.
pub type FatalHook = Arc<dyn Fn(&Failure) + Send + Sync>;

/// Why a replica cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Raft stopped itself: its storage failed, or it found what cannot be.
    #[error("group {group} replica {replica} stopped itself")]
    Raft {
        /// The group.
        group: GroupId,
        /// The replica.
        replica: ReplicaId,
        /// What Raft said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Raft's task ended without a word: it panicked.
    #[error("group {group} replica {replica} ended without a word")]
    Ended {
        /// The group.
        group: GroupId,
        /// The replica.
        replica: ReplicaId,
    },
    /// The state could not be flushed, or not be read for a digest.
    #[error("group {group} replica {replica}: flush or read the state")]
    State {
        /// The group.
        group: GroupId,
        /// The replica.
        replica: ReplicaId,
        /// What failed.
        #[source]
        source: StorageError,
    },
}

/// When snapshots are taken, logs purged and states flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotSchedule {
    /// A snapshot is taken when so many bytes of log lie behind the last one.
    pub log_bytes: u64,
    /// A snapshot is taken when the last one is so old and there are new entries.
    pub interval: Duration,
    /// Bytes of log below the snapshot that are kept, so that a replica that was away catches up without one.
    pub keep_bytes: u64,
    /// Entries that a purge deletes at least, unless they hold a quarter of `log_bytes`; a purge costs a write whatever
    /// its size.
    pub purge_step: u64,
    /// A state is flushed when its oldest unflushed write is so old: an idle group must not pin memory.
    pub flush_age: Duration,
    /// Time between two looks.
    pub tick: Duration,
}

impl Default for SnapshotSchedule {
    /// 256 MiB of log or 15 minutes; 128 MiB kept, purged by 4096 entries; flushed after 5 minutes; looks each second.
    fn default() -> Self {
        Self {
            log_bytes: 256 << 20,
            interval: Duration::from_secs(15 * 60),
            keep_bytes: 128 << 20,
            purge_step: 4096,
            flush_age: Duration::from_secs(5 * 60),
            tick: Duration::from_secs(1),
        }
    }
}

/// How an engine works.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The cloud, written into every directory.
    pub cloud: CloudId,
    /// The node of this process, written into every directory.
    pub node: NodeId,
    /// Directory that holds the directory of each replica.
    pub root: PathBuf,
    /// Shared with the log DB.
    pub budget: MemoryBudget,
    /// Heartbeats and elections.
    pub timing: Timing,
    /// Snapshots, purges and flushes.
    pub schedule: SnapshotSchedule,
    /// Bytes of commands of one group that may be on their way; more is refused as overloaded.
    pub proposal_bytes: u32,
    /// How long a proposal or a read index waits. A leader that is cut off learns nothing by itself.
    pub patience: Duration,
    /// Where work is done that may wait for the disk.
    pub blocking: Blocking,
}

impl EngineOptions {
    /// The LAN profile, the default schedule, an eighth of the budget's work in flight for each group, 10 s of patience.
    pub fn new(cloud: CloudId, node: NodeId, root: PathBuf, budget: MemoryBudget) -> Self {
        let proposal_bytes = u32::try_from(budget.in_flight_bytes() / 8).unwrap_or(u32::MAX).min(MAX_PROPOSAL_BYTES);
        Self {
            cloud,
            node,
            root,
            budget,
            timing: Timing::LAN,
            schedule: SnapshotSchedule::default(),
            proposal_bytes,
            patience: Duration::from_secs(10),
            blocking: Blocking::Threads,
        }
    }
}

/// More would only be a longer queue in front of one log.
const MAX_PROPOSAL_BYTES: u32 = 256 << 20;
