//! Writes per second of one group: three replicas in one process, RocksDB logs with sync, commands of 1 KiB.
//!
//! `cargo run --release -p renkei-consensus --example throughput [seconds for each row] [groups]`
#![expect(clippy::print_stdout, reason = "an example prints its table")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use renkei_consensus::{
    ChannelNetwork, Engine, EngineOptions, EntryAt, Failure, ProposeError, Replica, StateMachine, Timing,
};
use renkei_ids::{CloudId, GroupId, LeaderTerm, NodeId, ReplicaId};
use renkei_storage::log::{LogDb, LogOptions};
use renkei_storage::state::{Family, FamilySpec, Staged};
use renkei_storage::{DirOwner, MemoryBudget, StorageError};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const CLOUD: CloudId = CloudId::from_bytes([7; 16]);
const KEYS: u64 = 20_000;
const COMMAND_BYTES: usize = 1024;
const FAMILIES: &[FamilySpec] = &[FamilySpec { name: "data", prefix_len: 0, blob_min_bytes: None, local: false }];

/// Stores the command under its first eight bytes.
struct Register;

impl StateMachine for Register {
    fn families(&self) -> &'static [FamilySpec] {
        FAMILIES
    }

    fn apply(&self, staged: &mut Staged<'_>, _: EntryAt, command: &Bytes) -> Result<Bytes, StorageError> {
        let key = command.slice(..8.min(command.len()));
        staged.put(Family::new(0), &key, command.clone());
        Ok(Bytes::new())
    }
}

struct Node {
    engine: Engine,
    log: LogDb,
    _dir: TempDir,
}

fn open(node: NodeId, network: &ChannelNetwork) -> Result<Node, Box<dyn Error>> {
    let dir = TempDir::new()?;
    let budget = MemoryBudget::new(1 << 30);
    let owner = DirOwner { cloud: CLOUD, node, replica: None };
    let fatal = Arc::new(|error: &StorageError| println!("log failed: {error}"));
    let log = LogDb::open(&dir.path().join("log"), &LogOptions::new(owner, budget.clone()), fatal)?;
    let mut options = EngineOptions::new(CLOUD, node, dir.path().join("replicas"), budget);
    options.timing = Timing::DEMO;
    let spawner = Arc::new(|_: &'static str, task| drop(tokio::runtime::Handle::current().spawn(task)));
    let fatal = Arc::new(|failure: &Failure| println!("replica failed: {failure}"));
    let engine = Engine::new(options, log.clone(), network.transport(node), spawner, fatal);
    network.connect(&engine);
    Ok(Node { engine, log, _dir: dir })
}

async fn leader(nodes: &[Node], group: GroupId) -> (Replica, LeaderTerm) {
    loop {
        for node in nodes {
            if let Some(replica) = node.engine.replica(group)
                && let Some(term) = replica.leadership()
            {
                return (replica, term);
            }
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// One client: writes one after another until the time is up, and gives the latencies.
async fn client(leader: Replica, under: LeaderTerm, next: Arc<AtomicU64>, until: Instant) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let mut command = vec![0x5a; COMMAND_BYTES];
        command[..8].copy_from_slice(&(next.fetch_add(1, Ordering::Relaxed) % KEYS).to_be_bytes());
        let began = Instant::now();
        match leader.propose(under, command.into()).await {
            Ok(_) => latencies.push(began.elapsed()),
            Err(ProposeError::NotLeader { .. } | ProposeError::Overloaded) => sleep(Duration::from_millis(1)).await,
            Err(error) => println!("write failed: {error}"),
        }
    }
    latencies
}

async fn measure(nodes: &[Node], groups: u32, clients: usize, seconds: u64) -> Result<(), Box<dyn Error>> {
    let next = Arc::new(AtomicU64::new(0));
    let syncs = |nodes: &[Node]| nodes.iter().map(|node| node.log.stats().syncs).sum::<u64>();
    let mut leaders = Vec::new();
    for group in (1..=groups).map(GroupId) {
        leaders.push(leader(nodes, group).await);
    }
    let (before, began) = (syncs(nodes), Instant::now());
    let until = began + Duration::from_secs(seconds);
    let running = leaders.iter().cycle().take(clients).map(|(leader, under)| {
        tokio::runtime::Handle::current().spawn(client(leader.clone(), *under, Arc::clone(&next), until))
    });
    let mut latencies = Vec::new();
    for client in running.collect::<Vec<_>>() {
        latencies.extend(client.await?);
    }
    let elapsed = began.elapsed();
    latencies.sort_unstable();
    let writes = latencies.len() as u64;
    let percentile = |percent: usize| latencies.get(latencies.len() * percent / 100).map_or(0, Duration::as_micros);
    let rate = u128::from(writes) * 1000 / elapsed.as_millis().max(1);
    let per_sync = writes * 3 / (syncs(nodes) - before).max(1);
    println!("| {clients} | {rate} | {} | {} | {per_sync} |", percentile(50), percentile(99));
    Ok(())
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let groups = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let network = ChannelNetwork::default();
    let nodes = (1..=3).map(|node| open(NodeId(node), &network)).collect::<Result<Vec<_>, _>>()?;
    for group in (1..=groups).map(GroupId) {
        let replica = |node: u32| ReplicaId(u64::from(group.0) * 10 + u64::from(node));
        for node in &nodes {
            node.engine.create(group, replica(node.engine.node().0), Arc::new(Register)).await?;
        }
        let members = (1..=3).map(|node| (replica(node), NodeId(node))).collect();
        let first = nodes[0].engine.replica(group).ok_or("just created")?;
        first.initialize(members).await?;
    }
    println!("{groups} groups, 3 replicas, {COMMAND_BYTES} B commands, {seconds} s each");
    println!("| clients | writes/s | p50 us | p99 us | entries per sync |\n|---|---|---|---|---|");
    for clients in [1, 64, 256] {
        measure(&nodes, groups, clients, seconds).await?;
    }
    for node in &nodes {
        node.engine.shutdown().await;
        node.log.shutdown();
    }
    Ok(())
}
