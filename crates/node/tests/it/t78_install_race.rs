//! openraft issue 2116: a snapshot that is installed while committed entries wait to be applied makes Raft's task panic. What
//! can be asked of us: the replica ends at once, starts again and rejoins, quorum is kept, and nothing acknowledged is lost.

use std::time::Duration;

use renkei_faults::{Mutation, Point};
use renkei_ids::NodeId;

use crate::cloud::until;
use crate::plans::{ended, told};
use crate::t70_crash::Scene;

/// Writes acknowledged while a replica is down, at least.
const WITHOUT_IT: usize = 100;

/// Whether the node has installed a snapshot since it started.
async fn has_installed(scene: &Scene, node: NodeId, before: u64) -> Option<()> {
    let replica = scene.standing(node).await?;
    (replica.snapshot > before).then_some(())
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_a_replica_whose_raft_panics_after_a_snapshot() {
    let mut scene = Scene::open().await;
    let (_, node) = scene.leader_and_another().await;
    let before = scene.standing(node).await.unwrap().snapshot;
    scene.leave_behind(node).await;
    // Slow, so that entries wait to be applied behind the snapshot.
    let slow = format!("stall {} 50", Point::ApplyCommit.name());
    scene.plans.write(node, &slow);
    scene.cloud.processes.start(node).unwrap();
    until(async || has_installed(&scene, node, before).await).await;
    scene.plans.write(node, &format!("{slow}\npanic {}", Point::CommittedSaved.name()));
    ended(&mut scene.cloud, node).await;
    let said = told(&mut scene.cloud, node);
    assert!(said.contains("panics at committed-saved") && said.contains("ended without a word"), "{said}");
    scene.plans.write(node, "");
    scene.witness.more(WITHOUT_IT).await;
    scene.come_back().await;
    let acknowledged = scene.close().await.len();
    println!(
        "Raft's task panics behind a snapshot: 1 abort, {acknowledged} writes acknowledged, 0 lost, digests agree"
    );
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_slow_follower_under_snapshots() {
    const ROUNDS: usize = 6;
    let mut scene = Scene::open().await;
    let (_, node) = scene.leader_and_another().await;
    let mut deaths = 0;
    for _ in 0..ROUNDS {
        // It stands still until what it needs is purged, and then applies slowly, while snapshots come and none of them
        // waits for what is committed to be applied.
        let last = scene.standing(node).await.map_or(0, |replica| replica.last_log);
        scene.cloud.processes.node(node).unwrap().pause().unwrap();
        scene.wait_purged(last).await;
        let slow = format!("stall {} 400\nmutate {}", Point::ApplyCommit.name(), Mutation::InstallUnsettled.name());
        scene.plans.write(node, &slow);
        scene.cloud.processes.node(node).unwrap().resume().unwrap();
        tokio::time::sleep(Duration::from_secs(6)).await;
        scene.plans.write(node, "");
        if scene.cloud.processes.node(node).unwrap().ended().unwrap().is_some() {
            deaths += 1;
        }
        scene.come_back().await;
    }
    let acknowledged = scene.close().await.len();
    println!(
        "slow follower: {ROUNDS} rounds of snapshots into unapplied entries, {deaths} aborts, {acknowledged} writes \
         acknowledged, 0 lost, digests agree"
    );
}
