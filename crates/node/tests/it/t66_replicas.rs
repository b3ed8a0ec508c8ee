//! Replicas that move while the log is purged behind them: the new one is sent a snapshot, and may die over it.

use renkei_faults::Point;
use renkei_ids::{GroupId, NodeId};
use renkei_wire::admin::{ReplicaStatus, SubmitRequest};

use crate::cloud::{TestCloud, until};
use crate::plans::{Plans, died_at};
use crate::t60_membership::{FOURTH, add, carried_out, submit};
use crate::witness::{Witness, digests_agree};

const CLIENTS: u32 = 6;
const GROUP: GroupId = GroupId(1);
/// Writes acknowledged behind each event, at least.
const BETWEEN: usize = 60;

async fn standing(cloud: &TestCloud, node: NodeId) -> Option<ReplicaStatus> {
    cloud.status(node).await?.replicas.into_iter().find(|replica| replica.group == GROUP)
}

#[tokio::test]
async fn a_target_that_dies_over_its_snapshot_comes_back_and_the_move_goes_on_under_load() {
    let plans = Plans::new();
    let settings = [plans.setting(), "raft.snapshot_log_mib=1".to_owned(), "raft.keep_log_mib=0".to_owned()];
    let mut cloud = TestCloud::founded_on_three_of(4, &settings.each_ref().map(String::as_str)).await;
    add(&cloud, FOURTH).await;
    let witness = Witness::start(&cloud, CLIENTS).await;
    let leader = cloud.leader(GROUP).await;
    // What a new replica would need of the log is gone.
    until(async || (standing(&cloud, leader).await?.purged > 0).then_some(())).await;

    plans.arm(FOURTH, &format!("crash {}", Point::SnapshotStored.name())).await;
    let from = cloud.processes.addresses().into_keys().find(|node| *node != leader && *node != FOURTH).unwrap();
    submit(&cloud, SubmitRequest::MoveReplica { group: GROUP, from, to: FOURTH }).await.unwrap();
    died_at(&mut cloud, FOURTH, Point::SnapshotStored).await;
    witness.more(BETWEEN).await;
    plans.write(FOURTH, "");
    cloud.processes.start(FOURTH).unwrap();
    assert_eq!(carried_out(&cloud).await, 1);
    assert!(standing(&cloud, FOURTH).await.unwrap().snapshot > 0, "it came by a snapshot");
    assert!(standing(&cloud, from).await.is_none(), "the old replica is removed");

    witness.more(BETWEEN).await;
    let (clients, acknowledged) = witness.stop().await;
    assert_eq!(clients.check_all(&acknowledged).await, Vec::<String>::new());
    digests_agree(&cloud, 3).await;
    println!("replica moved by a snapshot: 1 death, {} writes acknowledged, 0 lost, digests agree", acknowledged.len());
}
