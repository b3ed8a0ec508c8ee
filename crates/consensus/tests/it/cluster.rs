//! Engines with their own directories, and a small key-value machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use renkei_consensus::{
    Blocking, ChannelNetwork, Engine, EngineOptions, EntryAt, Failure, OpenError, ProposeError, Replica,
    SnapshotSchedule, StateMachine, Timing,
};
use renkei_ids::{CloudId, GroupId, LeaderTerm, NodeId, ReplicaId};
use renkei_storage::log::{LogDb, LogOptions};
use renkei_storage::state::{Family, FamilySpec, Read, Staged};
use renkei_storage::{DirOwner, MemoryBudget, StorageError};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

pub(crate) const GROUP: GroupId = GroupId(1);
const FAMILIES: &[FamilySpec] = &[FamilySpec { name: "data", prefix_len: 0, blob_min_bytes: None, local: false }];
const DATA: Family = Family::new(0);
const CLOUD: CloudId = CloudId::from_bytes([9; 16]);

/// Longest wait for anything; a machine with two cores shared by many needs a lot.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Commands are `key=value`; the reply is the index at which it was applied. Each key counts its writes, so that a
/// command applied twice shows. `fail` and `panic` do.
pub(crate) struct Kv;

impl StateMachine for Kv {
    fn families(&self) -> &'static [FamilySpec] {
        FAMILIES
    }

    fn apply(&self, staged: &mut Staged<'_>, at: EntryAt, command: &Bytes) -> Result<Bytes, StorageError> {
        match command.as_ref() {
            b"fail" => return Err(StorageError::LogFailed),
            b"panic" => panic!("as commanded"),
            _ => {}
        }
        let split = command.iter().position(|byte| *byte == b'=').unwrap_or(command.len());
        let (key, value) = command.split_at(split);
        let writes = staged.get(DATA, key)?.map_or(0, |stored| stored[0]).wrapping_add(1);
        let mut stored = vec![writes];
        stored.extend_from_slice(value.get(1..).unwrap_or_default());
        staged.put(DATA, key, stored);
        Ok(Bytes::copy_from_slice(&at.index.to_be_bytes()))
    }
}

/// How often a key was written, and its value.
pub(crate) fn read(replica: &Replica, key: &str) -> Option<(u8, Vec<u8>)> {
    let stored = replica.view().get(DATA, key.as_bytes()).unwrap()?;
    Some((stored[0], stored[1..].to_vec()))
}

pub(crate) struct Machine {
    pub(crate) node: NodeId,
    pub(crate) engine: Engine,
    log: LogDb,
}

pub(crate) struct Cluster {
    pub(crate) network: ChannelNetwork,
    pub(crate) machines: BTreeMap<u32, Machine>,
    schedule: SnapshotSchedule,
    blocking: Blocking,
    groups: Vec<GroupId>,
    failures: Failures,
    dir: TempDir,
}

/// What fatal hooks reported; a panic there would only end a background task.
type Failures = Arc<Mutex<Vec<String>>>;

/// Neither snapshots nor purges by themselves.
pub(crate) fn quiet() -> SnapshotSchedule {
    SnapshotSchedule { tick: Duration::from_millis(100), ..SnapshotSchedule::default() }
}

/// A snapshot after each few entries, and nothing of the log kept.
pub(crate) fn eager() -> SnapshotSchedule {
    SnapshotSchedule {
        log_bytes: 64 << 10,
        interval: Duration::from_secs(3600),
        keep_bytes: 0,
        purge_step: 16,
        flush_age: Duration::from_secs(3600),
        tick: Duration::from_millis(50),
    }
}

pub(crate) fn replica_id(group: GroupId, node: u32) -> ReplicaId {
    ReplicaId(u64::from(group.0) * 100 + u64::from(node))
}

fn open_engine(
    dir: &Path,
    node: u32,
    network: &ChannelNetwork,
    (schedule, blocking): (SnapshotSchedule, Blocking),
    failures: &Failures,
) -> (Engine, LogDb) {
    let dir = dir.join(node.to_string());
    std::fs::create_dir_all(&dir).unwrap();
    let node = NodeId(node);
    let budget = MemoryBudget::new(256 << 20);
    let owner = DirOwner { cloud: CLOUD, node, replica: None };
    let (of_log, of_engine) = (Arc::clone(failures), Arc::clone(failures));
    let fatal = Arc::new(move |error: &StorageError| of_log.lock().unwrap().push(format!("{error:?}")));
    let log = LogDb::open(&dir.join("log"), &LogOptions::new(owner, budget.clone()), fatal).unwrap();
    let mut options = EngineOptions::new(CLOUD, node, dir.join("replicas"), budget);
    options.timing = Timing::DEMO;
    options.schedule = schedule;
    options.blocking = blocking;
    options.patience = Duration::from_secs(5);
    let spawner = Arc::new(|_: &'static str, task| drop(tokio::runtime::Handle::current().spawn(task)));
    let fatal = Arc::new(move |failure: &Failure| of_engine.lock().unwrap().push(format!("{failure:?}")));
    let engine = Engine::new(options, log.clone(), network.transport(node), spawner, fatal);
    network.connect(&engine);
    (engine, log)
}

impl Cluster {
    pub(crate) async fn start(nodes: u32, groups: u32, schedule: SnapshotSchedule) -> Self {
        Self::start_with(nodes, groups, schedule, Blocking::Threads).await
    }

    pub(crate) async fn start_with(nodes: u32, groups: u32, schedule: SnapshotSchedule, blocking: Blocking) -> Self {
        #[cfg(feature = "faults")]
        crate::broken_rules::break_as_told();
        let mut cluster = Self {
            network: ChannelNetwork::default(),
            machines: BTreeMap::new(),
            schedule,
            blocking,
            groups: (1..=groups).map(GroupId).collect(),
            failures: Failures::default(),
            dir: TempDir::new().unwrap(),
        };
        for node in 1..=nodes {
            cluster.open(node).await;
            for group in cluster.groups.clone() {
                let engine = &cluster.machines[&node].engine;
                engine.create(group, replica_id(group, node), Arc::new(Kv)).await.unwrap();
            }
        }
        for group in cluster.groups.clone() {
            let members = (1..=nodes).map(|node| (replica_id(group, node), NodeId(node))).collect();
            cluster.replica(1, group).initialize(members).await.unwrap();
        }
        cluster
    }

    /// Starts a node on whatever is in its directory.
    pub(crate) async fn open(&mut self, node: u32) {
        self.try_open(node).await.unwrap();
    }

    /// The same, where what is there may not be opened; the node runs without replicas then.
    pub(crate) async fn try_open(&mut self, node: u32) -> Result<(), OpenError> {
        let how = (self.schedule, self.blocking.clone());
        let (engine, log) = open_engine(self.dir.path(), node, &self.network, how, &self.failures);
        let opened = engine.open_existing(|_, _| Some(Arc::new(Kv))).await;
        self.machines.insert(node, Machine { node: NodeId(node), engine, log });
        opened.map(|_| ())
    }

    /// Stops a node in order.
    pub(crate) async fn stop(&mut self, node: u32) {
        let Machine { node, engine, log } = self.machines.remove(&node).unwrap();
        self.network.disconnect(node);
        engine.shutdown().await;
        log.shutdown();
    }

    pub(crate) fn replica(&self, node: u32, group: GroupId) -> Replica {
        self.machines[&node].engine.replica(group).unwrap()
    }

    /// What the fatal hooks reported.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap().clone()
    }

    /// Stops everything; no replica may have failed on the way. The last line of each test.
    pub(crate) async fn end(mut self) {
        for node in self.machines.keys().copied().collect::<Vec<_>>() {
            self.stop(node).await;
        }
        assert_eq!(*self.failures.lock().unwrap(), Vec::<String>::new());
    }

    /// All machines lose power at once: what stays is what is on disk at this moment. Copies of the directories, taken
    /// while everything runs, take their place; whatever RocksDB holds in memory only is gone.
    pub(crate) async fn crash_all(&mut self) {
        let copy = TempDir::new().unwrap();
        copy_at_one_moment(self.dir.path(), copy.path());
        let nodes: Vec<u32> = self.machines.keys().copied().collect();
        for &node in &nodes {
            self.stop(node).await;
        }
        self.dir = copy;
        for node in nodes {
            self.open(node).await;
        }
    }

    /// A copy of a stopped node's log.
    pub(crate) fn save_log(&self, node: u32) -> TempDir {
        let copy = TempDir::new().unwrap();
        copy_at_one_moment(&self.dir.path().join(node.to_string()).join("log"), copy.path());
        copy
    }

    /// Puts a copy back.
    pub(crate) fn restore_log(&self, node: u32, copy: &TempDir) {
        let log = self.dir.path().join(node.to_string()).join("log");
        std::fs::remove_dir_all(&log).unwrap();
        copy_at_one_moment(copy.path(), &log);
    }

    /// Where a node keeps a replica.
    pub(crate) fn replica_dir(&self, node: u32, group: GroupId) -> PathBuf {
        let replica = replica_id(group, node);
        self.dir.path().join(node.to_string()).join("replicas").join(format!("group-{group}-replica-{replica}"))
    }

    /// Waits for a leader that is not on one of the excluded nodes.
    pub(crate) async fn leader(&self, group: GroupId, excluded: &[u32]) -> (u32, Replica, LeaderTerm) {
        let until = Instant::now() + LONG;
        while Instant::now() < until {
            for (&node, machine) in &self.machines {
                if let Some(replica) = machine.engine.replica(group).filter(|_| !excluded.contains(&node))
                    && let Some(term) = replica.leadership()
                {
                    return (node, replica, term);
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("group {group} has no leader");
    }

    /// Writes through whoever leads, again after each refusal that left nothing behind.
    pub(crate) async fn put(&self, group: GroupId, excluded: &[u32], key: &str, value: &[u8]) {
        let until = Instant::now() + LONG;
        while Instant::now() < until {
            let (_, leader, term) = self.leader(group, excluded).await;
            match leader.propose(term, command(key, value)).await {
                Ok(_) => return,
                Err(ProposeError::NotLeader { .. } | ProposeError::Overloaded) => {
                    sleep(Duration::from_millis(20)).await;
                }
                Err(error) => panic!("put {key}: {error}"),
            }
        }
        panic!("put {key} was refused for too long");
    }
}

/// Copies a tree at one moment: again when a file appeared, went away or changed meanwhile. Only write-ahead logs may
/// have grown, by a torn record at worst, which is what a crash leaves too.
fn copy_at_one_moment(from: &Path, to: &Path) {
    for _ in 0..200 {
        let before = listing(from);
        let copied = before.keys().all(|file| {
            let target = to.join(file);
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(from.join(file), target).is_ok()
        });
        if copied && listing(from) == before {
            return;
        }
        std::fs::remove_dir_all(to).unwrap();
        std::fs::create_dir_all(to).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the files never stood still");
}

fn listing(dir: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let grows = path.extension().is_some_and(|ext| ext == "log") || path.ends_with("LOG");
                let len = if grows { 0 } else { entry.metadata().map_or(0, |metadata| metadata.len()) };
                found.insert(path.strip_prefix(dir).unwrap().to_owned(), len);
            }
        }
    }
    found
}

pub(crate) fn command(key: &str, value: &[u8]) -> Bytes {
    [key.as_bytes(), b"=", value].concat().into()
}

/// Waits until something holds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < until, "not in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
