//! Nodes that stop and come back.

use bytes::Bytes;
use renkei_consensus::{ProposeError, Role};

use crate::cluster::{Cluster, GROUP, eventually, quiet, read};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_goes_on_without_its_leader_which_catches_up_from_the_log() {
    let mut cluster = Cluster::start(3, 1, quiet()).await;
    cluster.put(GROUP, &[], "before", b"1").await;
    let (leader, ..) = cluster.leader(GROUP, &[]).await;
    cluster.stop(leader).await;

    for index in 0..50 {
        cluster.put(GROUP, &[], &format!("without-{index}"), b"2").await;
    }
    let (_, new_leader, _) = cluster.leader(GROUP, &[]).await;
    assert_eq!(read(&new_leader, "before"), Some((1, b"1".to_vec())));

    cluster.open(leader).await;
    let back = cluster.replica(leader, GROUP);
    eventually("the old leader has what it missed", || read(&back, "without-49").is_some()).await;
    assert_eq!(read(&back, "before"), Some((1, b"1".to_vec())), "applied once, before and after the restart");
    assert_eq!(back.status().snapshot, None, "by the log, not by a snapshot");
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_when_every_state_loses_what_was_not_flushed() {
    let mut cluster = Cluster::start(3, 1, quiet()).await;
    for index in 0..100 {
        cluster.put(GROUP, &[], &format!("key-{index}"), b"v").await;
    }
    // Copies of the directories as they are while everything runs: a crash of all three machines, with what RocksDB
    // had not flushed of the states gone.
    cluster.crash_all().await;

    let (_, leader, _) = cluster.leader(GROUP, &[]).await;
    for index in 0..100 {
        assert_eq!(read(&leader, &format!("key-{index}")), Some((1, b"v".to_vec())), "key-{index}");
    }
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_ahead_of_the_log_on_disk_is_no_error() {
    let mut cluster = Cluster::start(3, 1, quiet()).await;
    cluster.put(GROUP, &[], "early", b"1").await;
    let early = cluster.replica(1, GROUP);
    eventually("applied", || read(&early, "early").is_some()).await;
    drop(early);
    cluster.stop(1).await;
    let old_log = cluster.save_log(1);
    cluster.open(1).await;
    cluster.put(GROUP, &[], "late", b"1").await;
    let replica = cluster.replica(1, GROUP);
    eventually("applied", || read(&replica, "late").is_some()).await;
    drop(replica);
    // The state was flushed; the log lost what it had not synced.
    cluster.stop(1).await;
    cluster.restore_log(1, &old_log);

    cluster.open(1).await;
    cluster.put(GROUP, &[], "later", b"1").await;
    let replica = cluster.replica(1, GROUP);
    eventually("it goes on", || read(&replica, "later").is_some()).await;
    assert_eq!(read(&replica, "late"), Some((1, b"1".to_vec())), "applied once");
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_machine_that_fails_or_panics_reaches_the_fatal_hook_and_acknowledges_nothing() {
    for command in ["fail", "panic"] {
        let cluster = Cluster::start(1, 1, quiet()).await;
        let (_, leader, term) = cluster.leader(GROUP, &[]).await;
        let outcome = leader.propose(term, Bytes::from_static(command.as_bytes())).await;
        assert_eq!(outcome, Err(ProposeError::OutcomeUnknown), "{command}");
        eventually("the hook is called", || !cluster.failures().is_empty()).await;
        assert!(cluster.failures()[0].starts_with("Raft"), "{:?}", cluster.failures());
        assert_eq!(leader.status().role, Role::Stopped);
        let after = leader.propose(term, Bytes::from_static(b"key=1")).await;
        assert_eq!(after, Err(ProposeError::Stopped));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_comes_back_leads_in_a_new_term_and_with_its_whole_state() {
    let mut cluster = Cluster::start(1, 1, quiet()).await;
    for index in 0..50 {
        cluster.put(GROUP, &[], &format!("key-{index}"), b"v").await;
    }
    let (_, _, before) = cluster.leader(GROUP, &[]).await;
    // The state is gone from memory, and has never been on the disk.
    cluster.crash_all().await;

    let (_, leader, after) = cluster.leader(GROUP, &[]).await;
    assert!(after.term > before.term, "{after:?} goes on where {before:?} was");
    for index in 0..50 {
        assert_eq!(read(&leader, &format!("key-{index}")), Some((1, b"v".to_vec())), "key-{index}");
    }
    cluster.end().await;
}
