//! Snapshots: taken, sent, interrupted, and what is purged behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use renkei_consensus::{Fate, Lane, OpenError};
use renkei_ids::NodeId;

use crate::cluster::{Cluster, GROUP, Kv, command, eager, eventually, quiet, read, replica_id};

const VALUE: [u8; 4096] = [7; 4096];

async fn fill(cluster: &Cluster, name: &str, count: usize, excluded: &[u32]) {
    for batch in 0..count.div_ceil(32) {
        let (_, leader, term) = cluster.leader(GROUP, excluded).await;
        let writes = (0..32).map(|index| leader.propose(term, command(&format!("{name}-{batch}-{index}"), &VALUE)));
        for outcome in futures::future::join_all(writes).await {
            outcome.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_let_the_log_be_purged_so_it_stays_small() {
    let cluster = Cluster::start(3, 1, eager()).await;
    fill(&cluster, "key", 320, &[]).await;
    for node in 1..=3 {
        let replica = cluster.replica(node, GROUP);
        eventually("the log is purged", || replica.status().purged.is_some_and(|purged| purged > 200)).await;
        let status = replica.status();
        assert!(status.purged <= status.snapshot, "{status:?}");
        assert!(status.snapshot <= status.applied, "{status:?}");
    }
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_missed_what_was_purged_gets_a_snapshot_under_load_even_when_it_is_interrupted() {
    let mut cluster = Cluster::start(3, 1, eager()).await;
    fill(&cluster, "early", 64, &[]).await;
    let (leader, ..) = cluster.leader(GROUP, &[]).await;
    let away = (1..=3).find(|node| *node != leader).unwrap();
    cluster.stop(away).await;
    fill(&cluster, "missed", 320, &[away]).await;
    let present = cluster.leader(GROUP, &[away]).await.1;
    eventually("what it missed is purged", || present.status().purged.is_some_and(|purged| purged > 300)).await;

    // The first transfer loses everything after its third piece.
    let pieces = Arc::new(AtomicUsize::new(0));
    let interrupted = Arc::new(AtomicBool::new(false));
    let (count, flag) = (Arc::clone(&pieces), Arc::clone(&interrupted));
    cluster.network.set_fates(Some(Arc::new(move |_, _, lane, _| {
        if lane == Lane::Snapshot && (3..6).contains(&count.fetch_add(1, Ordering::Relaxed)) {
            flag.store(true, Ordering::Relaxed);
            return Fate::Lose;
        }
        Fate::Deliver
    })));
    cluster.open(away).await;
    let back = cluster.replica(away, GROUP);
    let load = async {
        for index in 0..100 {
            cluster.put(GROUP, &[away], &format!("load-{index}"), b"1").await;
        }
    };
    load.await;
    eventually("it has caught up", || read(&back, "load-99").is_some()).await;
    assert!(interrupted.load(Ordering::Relaxed), "no transfer was interrupted");
    assert!(back.status().snapshot.is_some(), "by a snapshot");
    assert_eq!(read(&back, "early-0-0"), Some((1, VALUE.to_vec())));
    assert_eq!(read(&back, "missed-9-31"), Some((1, VALUE.to_vec())));

    let (_, leader, term) = cluster.leader(GROUP, &[]).await;
    let digest = leader.digest(term).await.unwrap();
    eventually("equal states", || back.last_digest() == Some(digest)).await;

    // What it installed survives a crash of everything.
    cluster.network.set_fates(None);
    cluster.crash_all().await;
    let (_, leader, _) = cluster.leader(GROUP, &[]).await;
    assert_eq!(read(&leader, "missed-9-31"), Some((1, VALUE.to_vec())));
    let back = cluster.replica(away, GROUP);
    eventually("it is back", || read(&back, "load-99").is_some()).await;
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_follower_that_keeps_getting_snapshots_stops_nobody() {
    // What openraft issue 2116 needs: a follower far behind, snapshots, purges, and writes all the time.
    let cluster = Cluster::start(3, 1, eager()).await;
    let (leader, ..) = cluster.leader(GROUP, &[]).await;
    let slow = (1..=3).find(|node| *node != leader).unwrap();
    for round in 0..3 {
        for other in (1..=3).filter(|node| *node != slow) {
            cluster.network.cut(NodeId(slow), NodeId(other));
        }
        fill(&cluster, &format!("round-{round}"), 128, &[slow]).await;
        cluster.network.heal();
        fill(&cluster, &format!("healed-{round}"), 128, &[slow]).await;
    }
    let replica = cluster.replica(slow, GROUP);
    eventually("it has caught up", || read(&replica, "healed-2-3-31").is_some()).await;
    assert_eq!(read(&replica, "round-0-0-0"), Some((1, VALUE.to_vec())));
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_begins_after_the_state_ends_is_refused_with_the_reason() {
    let mut cluster = Cluster::start(3, 1, eager()).await;
    fill(&cluster, "key", 320, &[]).await;
    let replica = cluster.replica(1, GROUP);
    eventually("the log is purged", || replica.status().purged.is_some()).await;
    drop(replica);
    cluster.stop(1).await;
    std::fs::remove_dir_all(cluster.replica_dir(1, GROUP)).unwrap();

    cluster.open(1).await;
    let refused = cluster.machines[&1].engine.create(GROUP, replica_id(GROUP, 1), Arc::new(Kv)).await;
    assert!(matches!(refused, Err(OpenError::Gap { applied: None, .. })), "{refused:?}");
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_whose_log_was_lost_is_not_opened_for_it_may_have_voted() {
    let mut cluster = Cluster::start(3, 1, quiet()).await;
    fill(&cluster, "key", 8, &[]).await;
    let empty = tempfile::TempDir::new().unwrap();
    let replica = cluster.replica(1, GROUP);
    eventually("something is applied", || replica.status().applied.is_some()).await;
    drop(replica);
    cluster.stop(1).await;
    cluster.restore_log(1, &empty);

    let lost = cluster.try_open(1).await.unwrap_err();
    assert!(matches!(lost, OpenError::VoteLost { .. }), "{lost:?}");
    fill(&cluster, "later", 8, &[1]).await;
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_moment_of_snapshots_and_purges_is_recovered_from() {
    let mut cluster = Cluster::start(3, 1, eager()).await;
    for round in 0..4_u64 {
        fill(&cluster, &format!("round-{round}"), 96, &[]).await;
        tokio::time::sleep(Duration::from_millis(17 * round)).await;
        cluster.crash_all().await;
        let (_, leader, _) = cluster.leader(GROUP, &[]).await;
        for earlier in 0..=round {
            assert_eq!(read(&leader, &format!("round-{earlier}-2-31")), Some((1, VALUE.to_vec())));
        }
    }
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_snapshotted_before_it_is_due() {
    let cluster = Cluster::start(3, 1, quiet()).await;
    fill(&cluster, "key", 64, &[]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(cluster.leader(GROUP, &[]).await.1.status().snapshot, None);
    cluster.end().await;
}
