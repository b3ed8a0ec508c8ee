//! Power cuts under load, on disks that really lose what was not synced: what was acknowledged is there.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use renkei_fault_disk::Loss;
use renkei_faults::Mutation;
use renkei_ids::NodeId;

use crate::disks::Disks;
use crate::plans::Plans;
use crate::witness::{Witness, digests_agree, seed};

const CLIENTS: u32 = 6;
const BETWEEN: usize = 60;
/// Snapshots, purges and installs all the time.
const SMALL_LOG: [&str; 2] = ["raft.snapshot_log_mib=1", "raft.keep_log_mib=0"];

/// Cuts the power of one node, or of all, so many times; gives cuts, acknowledged writes and bytes that the disks lost.
async fn cut_again_and_again(seed: u64, rounds: usize) -> Option<(usize, usize, u64)> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut disks = Disks::founded(&SMALL_LOG).await?;
    let witness = Witness::start(&disks.cloud, CLIENTS).await;
    let (mut checked, mut lost) = (0, 0);
    for round in 0..rounds {
        witness.more(BETWEEN).await;
        let all = disks.nodes();
        let group = disks.cloud.map().await.unwrap().groups[0].group;
        let nodes = match round % 3 {
            0 => all,
            1 => vec![disks.cloud.leader(group).await],
            _ => vec![all[chance.random_range(0..all.len())]],
        };
        let everything = chance.random_ratio(1, 3);
        let loss = || if everything { Loss::Everything } else { Loss::Torn { seed: chance.random() } };
        lost += disks.cut(&nodes, loss).bytes;
        disks.cloud.processes.start_all().unwrap();
        witness.more(BETWEEN).await;
        let acknowledged = witness.acknowledged();
        let wrong = witness.clients().check_all(&acknowledged[checked..]).await;
        assert_eq!(wrong, Vec::<String>::new(), "round {round}, power cut at {nodes:?}");
        checked = acknowledged.len();
    }
    let (clients, acknowledged) = witness.stop().await;
    assert_eq!(clients.check_all(&acknowledged).await, Vec::<String>::new());
    digests_agree(&disks.cloud, 3).await;
    Some((rounds, acknowledged.len(), lost))
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_one_node_or_all_lose_power() {
    if let Some((_, _, lost)) = cut_again_and_again(seed(), 2).await {
        assert!(lost > 0, "the power cuts took nothing: the disks do not bite");
    }
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_power_cuts() {
    let (mut cuts, mut writes, mut bytes) = (0, 0, 0);
    let seed = seed();
    for seed in [seed, seed + 1] {
        let Some((rounds, acknowledged, lost)) = cut_again_and_again(seed, 12).await else {
            return;
        };
        (cuts, writes, bytes) = (cuts + rounds, writes + acknowledged, bytes + lost);
    }
    println!(
        "power cuts: {cuts} cuts, {writes} writes acknowledged, {bytes} unsynced bytes taken, 0 acknowledged lost"
    );
}

/// Runs a load whose syncs bring nothing to the medium, cuts all power, and gives how much of what was acknowledged is
/// found to be lost or refused; `None` where there is no FUSE.
async fn lost_without_syncs(break_syncs: impl AsyncFnOnce(&Disks, &Plans)) -> Option<usize> {
    let plans = Plans::new();
    let mut disks = Disks::founded(&[&plans.setting()]).await?;
    break_syncs(&disks, &plans).await;
    let witness = Witness::start(&disks.cloud, CLIENTS).await;
    witness.more(2 * BETWEEN).await;
    let (clients, acknowledged) = witness.stop().await;
    let all = disks.nodes();
    for node in &all {
        plans.write(*node, "");
        disks.disk(*node).lie(false);
    }
    disks.cut(&all, || Loss::Everything);
    // A node that notices stays down, which is no answer either.
    let _noticed = disks.cloud.processes.start_all();
    let clients = clients.patient_for(Duration::from_secs(10));
    Some(clients.check_all(&acknowledged[..BETWEEN]).await.len())
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_a_log_that_is_not_synced_is_noticed() {
    let lost = lost_without_syncs(async |disks: &Disks, plans: &Plans| {
        for node in disks.nodes() {
            plans.arm(node, &format!("mutate {}", Mutation::SyncSkipped.name())).await;
        }
    });
    if let Some(lost) = lost.await {
        assert!(lost > 0, "syncs were skipped, and nothing that was acknowledged is missing");
        println!("{} caught: {lost} of {BETWEEN} acknowledged writes lost", Mutation::SyncSkipped.name());
    }
}

#[tokio::test]
#[ignore = "long: proof"]
async fn long_proof_a_disk_that_lies_is_noticed() {
    let lost = lost_without_syncs(async |disks: &Disks, _: &Plans| {
        disks.nodes().iter().for_each(|node: &NodeId| disks.disk(*node).lie(true));
    });
    if let Some(lost) = lost.await {
        assert!(lost > 0, "the disks lied, and nothing that was acknowledged is missing");
        println!("a disk that lies: {lost} of {BETWEEN} acknowledged writes lost, as it must be");
    }
}
