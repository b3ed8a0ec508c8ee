//! Nodes that die at every point where it could matter, under load: what was acknowledged is there, and replicas agree.

use renkei_faults::Point;
use renkei_ids::{GroupId, NodeId};
use renkei_wire::admin::ReplicaStatus;

use crate::cloud::{TestCloud, until};
use crate::plans::{Plans, died_at};
use crate::witness::{Witness, Written, digests_agree};

const CLIENTS: u32 = 6;
/// Writes acknowledged between two deaths, at least.
const BETWEEN: usize = 60;

/// How a node comes to a point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By what it does under load, as a leader or as a follower.
    Load,
    /// By voting.
    Vote,
    /// By stopping in order.
    Stop,
    /// By being sent a snapshot.
    Install,
    /// By sending one.
    Send,
    /// By a move of slots: see `t71_slots_crash`.
    MoveSlots,
    /// It is not for dying at.
    Wait,
}

pub(crate) fn way(point: Point) -> Way {
    match point {
        Point::LogQueued
        | Point::LogWrite
        | Point::LogSynced
        | Point::LogTold
        | Point::LogPurged
        | Point::CommittedSaved
        | Point::ApplyCommit
        | Point::ApplyCommitted
        | Point::ApplyAnswered
        | Point::StateFlush
        | Point::CheckpointLinked
        | Point::CheckpointListed
        | Point::CheckpointNamed
        | Point::FileStaged => Way::Load,
        Point::VoteSynced => Way::Vote,
        Point::StateFlushed => Way::Stop,
        Point::GenerationAdopted
        | Point::GenerationOpened
        | Point::GenerationCounts
        | Point::SnapshotBegun
        | Point::SnapshotStored
        | Point::SnapshotWhole => Way::Install,
        Point::SnapshotSent => Way::Send,
        Point::SlotsMoving
        | Point::SlotsAwaited
        | Point::SlotsFrozen
        | Point::SlotsPromised
        | Point::SlotsOwned
        | Point::SlotsGone
        | Point::SlotsPurged
        | Point::RowsSent
        | Point::RowsImported
        | Point::StepDone
        | Point::StepNamed => Way::MoveSlots,
        Point::ReadRecorded => Way::Wait,
    }
}

/// A cloud under load, with snapshots and purges all the time.
pub(crate) struct Scene {
    pub(crate) plans: Plans,
    pub(crate) cloud: TestCloud,
    pub(crate) witness: Witness,
    group: GroupId,
    checked: usize,
}

impl Scene {
    pub(crate) async fn open() -> Self {
        let plans = Plans::new();
        let settings = [plans.setting(), "raft.snapshot_log_mib=1".to_owned(), "raft.keep_log_mib=0".to_owned()];
        let cloud = TestCloud::founded_with(&settings.each_ref().map(String::as_str)).await;
        let witness = Witness::start(&cloud, CLIENTS).await;
        witness.more(BETWEEN).await;
        let group = cloud.map().await.unwrap().groups[0].group;
        Self { plans, cloud, witness, group, checked: 0 }
    }

    /// The leader of one group, and a node that does not lead it.
    pub(crate) async fn leader_and_another(&self) -> (NodeId, NodeId) {
        let leader = self.cloud.leader(self.group).await;
        let other = self.cloud.processes.addresses().into_keys().find(|node| *node != leader).unwrap();
        (leader, other)
    }

    /// Has a node die at a point and come back. `leads` says which one, where either can.
    async fn die(&mut self, point: Point, leads: bool) {
        let crash = format!("crash {}", point.name());
        let (leader, other) = self.leader_and_another().await;
        let dying = match way(point) {
            Way::Load => {
                let dying = if leads { leader } else { other };
                // It may die before it can say that it has the plan.
                self.plans.write(dying, &crash);
                dying
            }
            Way::Vote => {
                self.plans.arm(other, &crash).await;
                self.cloud.processes.node(leader).unwrap().kill().unwrap();
                other
            }
            Way::Stop => {
                self.plans.arm(other, &crash).await;
                self.cloud.processes.node(other).unwrap().terminate().unwrap();
                other
            }
            Way::Install => {
                self.leave_behind(other).await;
                self.plans.write(other, &crash);
                self.cloud.processes.start(other).unwrap();
                other
            }
            Way::Send => {
                self.leave_behind(other).await;
                let leader = self.cloud.leader(self.group).await;
                self.plans.arm(leader, &crash).await;
                self.cloud.processes.start(other).unwrap();
                leader
            }
            Way::MoveSlots | Way::Wait => panic!("{point:?} is not for dying at here"),
        };
        died_at(&mut self.cloud, dying, point).await;
        self.plans.write(dying, "");
        self.come_back().await;
    }

    /// Kills a node, and waits until the others have purged what it would need.
    pub(crate) async fn leave_behind(&mut self, node: NodeId) {
        let last = self.standing(node).await.unwrap().last_log;
        self.cloud.processes.node(node).unwrap().kill().unwrap();
        self.wait_purged(last).await;
    }

    /// Waits until a replica whose log ends here needs a snapshot.
    pub(crate) async fn wait_purged(&self, last: u64) {
        until(async || {
            let leader = self.cloud.leader(self.group).await;
            (self.standing(leader).await?.purged > last + 1).then_some(())
        })
        .await;
    }

    /// How a node's replica of the group stands.
    pub(crate) async fn standing(&self, node: NodeId) -> Option<ReplicaStatus> {
        self.cloud.status(node).await?.replicas.into_iter().find(|replica| replica.group == self.group)
    }

    /// Starts what is down, and asks for everything acknowledged since the last time.
    pub(crate) async fn come_back(&mut self) {
        self.cloud.processes.start_all().unwrap();
        self.witness.more(BETWEEN).await;
        let acknowledged = self.witness.acknowledged();
        let wrong = self.witness.clients().check_all(&acknowledged[self.checked..]).await;
        assert_eq!(wrong, Vec::<String>::new());
        self.checked = acknowledged.len();
    }

    /// Ends the load and asks for everything once more.
    pub(crate) async fn close(self) -> Vec<Written> {
        let (clients, acknowledged) = self.witness.stop().await;
        assert_eq!(clients.check_all(&acknowledged).await, Vec::<String>::new());
        digests_agree(&self.cloud, 3).await;
        acknowledged
    }
}

#[tokio::test]
async fn a_node_that_dies_behind_a_sync_in_a_checkpoint_or_in_an_install_loses_nothing() {
    let mut scene = Scene::open().await;
    let points = [(Point::LogSynced, true), (Point::CheckpointListed, false), (Point::GenerationAdopted, false)];
    for (point, leads) in points {
        scene.die(point, leads).await;
    }
    let acknowledged = scene.close().await;
    assert!(acknowledged.len() > points.len() * BETWEEN);
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_crash_points() {
    let mut scene = Scene::open().await;
    let mut deaths = 0;
    for &point in Point::ALL.iter().filter(|point| !matches!(way(**point), Way::MoveSlots | Way::Wait)) {
        let roles: &[bool] = if way(point) == Way::Load { &[true, false] } else { &[false] };
        for &leads in roles {
            scene.die(point, leads).await;
            deaths += 1;
        }
    }
    let acknowledged = scene.close().await.len();
    println!("crash points: {deaths} deaths, {acknowledged} writes acknowledged, 0 lost, digests agree");
}
