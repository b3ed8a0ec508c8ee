//! What a leadership allows, and what it never does.

use std::time::Duration;

use renkei_consensus::{Fate, Lane, ProposeError};
use renkei_ids::{LeaderTerm, NodeId};

use crate::cluster::{Cluster, GROUP, command, eventually, quiet, read, replica_id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leadership_is_given_up_when_deposed_and_a_proposal_under_it_is_never_applied() {
    let cluster = Cluster::start(3, 1, quiet()).await;
    let (old, old_leader, old_term) = cluster.leader(GROUP, &[]).await;
    let to = (1..=3).find(|node| *node != old).unwrap();
    old_leader.transfer_leader(replica_id(GROUP, to)).await.unwrap();
    let (_, new_leader, new_term) = cluster.leader(GROUP, &[old]).await;
    assert!(new_term.term > old_term.term);
    eventually("the old leader knows", || old_leader.leadership().is_none()).await;

    let refused = old_leader.propose(old_term, command("stale", b"1")).await;
    assert!(matches!(refused, Err(ProposeError::NotLeader { .. })), "{refused:?}");
    // The new leader does not take a proposal made under another leadership either, nor one of its own id and an old term.
    let foreign = new_leader.propose(old_term, command("stale", b"2")).await;
    assert!(matches!(foreign, Err(ProposeError::NotLeader { .. })), "{foreign:?}");
    let earlier = LeaderTerm { term: old_term.term, leader: new_leader.replica() };
    let refused = new_leader.propose(earlier, command("stale", b"3")).await;
    assert!(matches!(refused, Err(ProposeError::NotLeader { .. })), "{refused:?}");

    cluster.put(GROUP, &[], "after", b"1").await;
    for node in 1..=3 {
        let replica = cluster.replica(node, GROUP);
        eventually("everything is applied", || read(&replica, "after").is_some()).await;
        assert_eq!(read(&replica, "stale"), None);
    }
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_leadership_before_the_leaders_own_first_entry_is_applied() {
    let cluster = Cluster::start(3, 1, quiet()).await;
    cluster.put(GROUP, &[], "before", b"1").await;
    let (old, old_leader, _) = cluster.leader(GROUP, &[]).await;
    let next = (1..=3).find(|node| *node != old).unwrap();
    let next_replica = cluster.replica(next, GROUP);

    // Votes and heartbeats pass, entries of the next leader do not: it leads, and cannot commit its blank entry.
    let blocked = NodeId(next);
    cluster.network.set_fates(Some(std::sync::Arc::new(move |from, _, lane, _| {
        if from == blocked && lane == Lane::Append { Fate::Lose } else { Fate::Deliver }
    })));
    old_leader.transfer_leader(replica_id(GROUP, next)).await.unwrap();
    eventually("the next one leads", || next_replica.status().role == renkei_consensus::Role::Leader).await;
    for _ in 0..20 {
        assert_eq!(next_replica.leadership(), None);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cluster.network.set_fates(None);
    let (_, _, term) = cluster.leader(GROUP, &[]).await;
    assert!(term.term > 1);
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_cut_off_never_acknowledges_falsely() {
    let cluster = Cluster::start(3, 1, quiet()).await;
    let (old, old_leader, old_term) = cluster.leader(GROUP, &[]).await;
    for other in (1..=3).filter(|node| *node != old) {
        cluster.network.cut(NodeId(old), NodeId(other));
    }
    let pending: Vec<_> = (0..20)
        .map(|index| {
            let leader = old_leader.clone();
            tokio::runtime::Handle::current()
                .spawn(async move { leader.propose(old_term, command(&format!("cut-{index}"), b"1")).await })
        })
        .collect();
    cluster.put(GROUP, &[old], "new", b"1").await;
    cluster.network.heal();

    let new_leader = cluster.leader(GROUP, &[]).await.1;
    for (index, pending) in pending.into_iter().enumerate() {
        let outcome = pending.await.unwrap();
        let stored = read(&new_leader, &format!("cut-{index}"));
        match outcome {
            Ok(_) => assert!(stored.is_some(), "acknowledged and lost"),
            Err(ProposeError::NotLeader { .. } | ProposeError::Overloaded) => assert_eq!(stored, None),
            Err(ProposeError::OutcomeUnknown) => {}
            Err(error) => panic!("{error}"),
        }
    }
    cluster.put(GROUP, &[], "healed", b"1").await;
    eventually("the old leader follows", || read(&old_leader, "healed").is_some()).await;
    eventually("and has thrown away what was not committed", || {
        (0..20).all(|index| read(&old_leader, &format!("cut-{index}")) == read(&new_leader, &format!("cut-{index}")))
    })
    .await;
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_bytes_on_their_way_are_refused_at_once() {
    let cluster = Cluster::start(3, 1, quiet()).await;
    let (node, leader, term) = cluster.leader(GROUP, &[]).await;
    for other in (1..=3).filter(|other| *other != node) {
        cluster.network.cut(NodeId(node), NodeId(other));
    }
    let big = vec![0; 4 << 20];
    let mut pending = Vec::new();
    let mut overloaded = 0;
    for index in 0..16 {
        let (leader, command) = (leader.clone(), command(&format!("big-{index}"), &big));
        pending.push(tokio::runtime::Handle::current().spawn(async move { leader.propose(term, command).await }));
    }
    for pending in pending {
        overloaded += usize::from(pending.await.unwrap() == Err(ProposeError::Overloaded));
    }
    assert!(overloaded > 0, "64 MiB passed a limit of 6 MiB");
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_index_sees_what_was_acknowledged_and_fails_without_a_majority() {
    let cluster = Cluster::start(3, 1, quiet()).await;
    cluster.put(GROUP, &[], "key", b"1").await;
    let (node, leader, _) = cluster.leader(GROUP, &[]).await;
    leader.read_index().await.unwrap();
    assert_eq!(read(&leader, "key"), Some((1, b"1".to_vec())));
    for other in (1..=3).filter(|other| *other != node) {
        cluster.network.cut(NodeId(node), NodeId(other));
    }
    assert!(leader.read_index().await.is_err());
    cluster.end().await;
}
