//! Stored data that is damaged, and disks that are full or fail: the node says what is wrong and what to do, and stops; the
//! cloud goes on as long as two of three are whole, and nobody is given wrong data.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use renkei_ids::NodeId;
use renkei_launch::STOP_TIMEOUT;
use renkei_wire::ErrorCode;
use renkei_wire::admin::SubmitRequest;

use crate::cloud::{TestCloud, until};
use crate::disks::Disks;
use crate::plans::{ended, told};
use crate::t60_membership::done;
use crate::witness::{Clients, Witness, Written, digests_agree, seed};

const CLIENTS: u32 = 6;
const WRITES: usize = 200;
const SMALL_LOG: [&str; 2] = ["raft.snapshot_log_mib=1", "raft.keep_log_mib=0"];
const REBUILD: &str = "renkei admin replace-node";

#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Random bytes of the same length, as after somebody encrypted the file.
    Scrambled,
    /// One bit in the middle.
    Flipped,
    /// The second half gone.
    Cut,
}

impl Damage {
    fn inflict(self, file: &Path, chance: &mut StdRng) {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        match self {
            Self::Scrambled => chance.fill(&mut bytes[..]),
            Self::Flipped => bytes[middle] ^= 1,
            Self::Cut => bytes.truncate(middle),
        }
        fs::write(file, bytes).unwrap();
    }
}

/// Files below a directory whose names end so, in a fixed order.
fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.retain(|path| fs::metadata(path).unwrap().len() > 0);
    found.sort();
    found
}

/// A cloud that has stored something, and asks for nothing any more.
struct Scene {
    cloud: TestCloud,
    clients: Clients,
    acknowledged: Vec<Written>,
    chance: StdRng,
}

impl Scene {
    async fn open() -> Self {
        let seed = seed();
        let cloud = TestCloud::founded_with(&SMALL_LOG).await;
        let witness = Witness::start(&cloud, CLIENTS).await;
        witness.more(WRITES).await;
        let (clients, acknowledged) = witness.stop().await;
        Self { cloud, clients, acknowledged, chance: StdRng::seed_from_u64(seed) }
    }

    fn data(&self, node: NodeId) -> PathBuf {
        self.cloud.dir().join(format!("cloud/node-{node}"))
    }

    /// Tables and blob files of a node's states, checkpoints not counted.
    fn tables(&self, node: NodeId) -> Vec<PathBuf> {
        let mut tables = files(&self.data(node).join("groups"), &[".sst", ".blob"]);
        tables.retain(|path| !path.to_string_lossy().contains("checkpoint-"));
        tables
    }

    /// Stops a node in order, so that its states are in files, and damages a share of them; gives how many.
    fn damage_tables(&mut self, node: NodeId, percent: usize, damage: Damage) -> usize {
        self.cloud.processes.node(node).unwrap().stop(STOP_TIMEOUT).unwrap();
        let mut tables = self.tables(node);
        tables.shuffle(&mut self.chance);
        tables.truncate((tables.len() * percent).div_ceil(100));
        for table in &tables {
            damage.inflict(table, &mut self.chance);
        }
        tables.len()
    }

    /// Starts a damaged node, has every replica read all that it has, and waits until the node has ended by itself; gives
    /// what it told meanwhile.
    async fn stops_by_itself(&mut self, node: NodeId) -> String {
        let before = fs::read_to_string(self.cloud.dir().join(format!("cloud/logs/node-{node}.err"))).unwrap().len();
        self.cloud.processes.start(node).unwrap();
        let map = until(async || self.cloud.map().await).await;
        let mut asking = Vec::new();
        for group in map.groups.iter().map(|place| place.group) {
            let leader = self.cloud.leader(group).await;
            asking.push(tokio::runtime::Handle::current().spawn(self.cloud.ask_digest(leader, group)));
        }
        ended(&mut self.cloud, node).await;
        asking.iter().for_each(tokio::task::JoinHandle::abort);
        told(&mut self.cloud, node)[before..].to_owned()
    }

    async fn everything_is_there(&self) {
        assert_eq!(self.clients.check_all(&self.acknowledged).await, Vec::<String>::new());
    }

    /// With these nodes damaged no read is answered, and each of them has ended and says why; gives how many were refused.
    async fn nothing_is_served(&mut self, damaged: &[NodeId]) -> usize {
        let few = self.acknowledged[..32].to_vec();
        let answers = self.clients.clone().patient_for(Duration::from_secs(4)).check_all(&few).await;
        let refused = answers.iter().filter(|answer| answer.contains("Err(")).count();
        assert_eq!(refused, few.len(), "{answers:?}");
        for node in damaged {
            ended(&mut self.cloud, *node).await;
            assert!(told(&mut self.cloud, *node).contains(REBUILD), "node {node} says nothing");
        }
        refused
    }

    /// A node that damage was done to does not come up for good, says why and what to do, and nobody misses it.
    async fn one_of_three(&mut self, node: NodeId, what: &str) {
        for _ in 0..2 {
            let told = self.stops_by_itself(node).await;
            assert!(told.contains(REBUILD), "{what}: no advice:\n{told}");
            assert!(told.contains(&format!("node-{node}/")), "{what}: no file named:\n{told}");
            self.everything_is_there().await;
        }
    }
}

#[tokio::test]
async fn one_damaged_replica_stops_and_nobody_misses_it_and_two_stop_everything() {
    let mut scene = Scene::open().await;
    let told = with_damaged_log(&mut scene, NodeId(3), Damage::Cut).await;
    assert!(told.contains("it was cut or damaged") && told.contains(REBUILD), "{told}");
    scene.everything_is_there().await;
    assert!(scene.damage_tables(NodeId(2), 100, Damage::Scrambled) > 0);
    scene.cloud.processes.start(NodeId(2)).unwrap();
    scene.nothing_is_served(&[NodeId(2), NodeId(3)]).await;
}

/// What the advice says, carried out.
async fn rebuild(scene: &mut Scene, node: NodeId) {
    for entry in fs::read_dir(scene.data(node)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    scene.cloud.processes.start(node).unwrap();
    until(async || scene.cloud.status(node).await?.disk_refused.then_some(())).await;
    done(&scene.cloud, SubmitRequest::Replace { node, by: None }).await;
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_a_damaged_node_is_rebuilt_from_its_peers() {
    let mut scene = Scene::open().await;
    let node = NodeId(2);
    let damaged = scene.damage_tables(node, 30, Damage::Scrambled);
    scene.one_of_three(node, "before it is rebuilt").await;
    rebuild(&mut scene, node).await;
    // It counts again: the cloud can lose another one.
    scene.cloud.processes.node(NodeId(1)).unwrap().kill().unwrap();
    scene.everything_is_there().await;
    scene.cloud.processes.start_all().unwrap();
    digests_agree(&scene.cloud, 3).await;
    let acknowledged = scene.acknowledged.len();
    println!("rebuild: {damaged} damaged tables, {acknowledged} acknowledged writes, 0 lost, digests agree");
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_two_damaged_replicas_of_three() {
    let mut scene = Scene::open().await;
    let damaged = [NodeId(1), NodeId(2)];
    for node in damaged {
        assert!(scene.damage_tables(node, 100, Damage::Scrambled) > 0);
    }
    for node in damaged {
        scene.cloud.processes.start(node).unwrap();
    }
    let refused = scene.nothing_is_served(&damaged).await;
    println!("damage: 2 of 3 replicas, {refused} reads of acknowledged writes, 0 served");
}

/// Damages the newest file of a node's log that is written to, while the node is down; gives what it tells at its start.
async fn with_damaged_log(scene: &mut Scene, node: NodeId, damage: Damage) -> String {
    scene.cloud.processes.node(node).unwrap().kill().unwrap();
    let wals = files(&scene.data(node).join("log"), &[".log"]);
    damage.inflict(wals.last().unwrap(), &mut scene.chance);
    scene.cloud.processes.start(node).unwrap();
    ended(&mut scene.cloud, node).await;
    told(&mut scene.cloud, node)
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_damage() {
    let (mut cases, mut reads) = (0, 0);
    for damage in [Damage::Scrambled, Damage::Flipped, Damage::Cut] {
        for percent in [1, 30, 100] {
            let mut scene = Scene::open().await;
            let what = format!("{damage:?} {percent} %");
            let node = NodeId(scene.chance.random_range(1..=3));
            let damaged = scene.damage_tables(node, percent, damage);
            assert!(damaged > 0, "{what}");
            scene.one_of_three(node, &what).await;
            (cases, reads) = (cases + 1, reads + 2 * scene.acknowledged.len());
        }
        let mut scene = Scene::open().await;
        let told = with_damaged_log(&mut scene, NodeId(1), damage).await;
        assert!(told.contains(REBUILD), "{damage:?} log:\n{told}");
        scene.everything_is_there().await;
        (cases, reads) = (cases + 1, reads + scene.acknowledged.len());
    }
    println!("damage: {cases} cases on one replica of three, {reads} reads of acknowledged writes, 0 wrong, 0 missing");
}

/// What a node refuses with when asked for a write, and for a read.
async fn refusals(clients: &Clients, node: NodeId, written: Written) -> (Option<ErrorCode>, Option<ErrorCode>) {
    (clients.put_at(node, written).await.err(), clients.get_at(node, written).await.err())
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_full_disk_and_failed_sync() {
    let Some(mut disks) = Disks::founded(&[]).await else { return };
    let witness = Witness::start(&disks.cloud, CLIENTS).await;
    witness.more(WRITES).await;
    let (clients, earlier) = witness.stop().await;
    let written = earlier[0];
    let low = Some(ErrorCode::DiskLow);
    for (free_percent, expected) in [(50, (None, None)), (10, (low, None)), (3, (low, low))] {
        for node in disks.nodes() {
            disks.disk(node).set_capacity(disks.disk(node).used() * 100 / (100 - free_percent));
        }
        // Nodes look once a second; whichever leads is asked.
        until(async || {
            let leader = clients.leader_of(&disks.cloud, written).await;
            (refusals(&clients, leader, written).await == expected).then_some(())
        })
        .await;
    }
    for node in disks.nodes() {
        disks.disk(node).set_capacity(1 << 40);
    }
    // A leader whose disk is low takes nothing. A follower is sent what others take, and has no room for it.
    let node = clients.leader_of(&disks.cloud, written).await;
    disks.cloud.processes.node(node).unwrap().kill().unwrap();
    disks.cloud.processes.start_all().unwrap();
    let witness = Witness::start_from(&disks.cloud, CLIENTS, CLIENTS).await;
    witness.more(1).await;
    disks.disk(node).set_capacity(0);
    ended(&mut disks.cloud, node).await;
    let said = told(&mut disks.cloud, node);
    assert!(said.contains("No space left") && said.contains("has room and works"), "{said}");
    disks.disk(node).set_capacity(1 << 40);
    disks.cloud.processes.start_all().unwrap();

    witness.more(WRITES / 2).await;
    let other = disks.nodes().into_iter().find(|other| *other != node).unwrap();
    disks.disk(other).fail_syncs(Some(".log"));
    ended(&mut disks.cloud, other).await;
    let said = told(&mut disks.cloud, other);
    assert!(said.contains("Input/output error") && said.contains("has room and works"), "{said}");
    disks.disk(other).fail_syncs(None);
    disks.cloud.processes.start_all().unwrap();
    witness.more(WRITES / 2).await;
    let (clients, mut acknowledged) = witness.stop().await;
    acknowledged.extend(earlier);
    assert_eq!(clients.check_all(&acknowledged).await, Vec::<String>::new());
    digests_agree(&disks.cloud, 3).await;
    println!("full disk and failed sync: {} writes acknowledged, 0 lost, digests agree", acknowledged.len());
}
