//! Many groups in one engine, changes of members, digests, and faults of the network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use renkei_consensus::{Fate, Lane, MembersError, OpenError, ProposeError, ReceiveError};
use renkei_ids::{GroupId, NodeId, ReplicaId};

use crate::cluster::{Cluster, GROUP, Kv, LONG, command, eventually, quiet, read, replica_id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_groups_share_engines_and_do_not_mix() {
    let cluster = Cluster::start(3, 16, quiet()).await;
    for group in 1..=16 {
        cluster.put(GroupId(group), &[], "key", format!("of-{group}").as_bytes()).await;
    }
    for group in 1..=16 {
        for node in 1..=3 {
            let replica = cluster.replica(node, GroupId(group));
            eventually("applied everywhere", || read(&replica, "key").is_some()).await;
            assert_eq!(read(&replica, "key"), Some((1, format!("of-{group}").into_bytes())));
        }
    }
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_have_equal_digests_at_the_same_index_while_writes_go_on() {
    let cluster = Cluster::start(3, 1, quiet()).await;
    let (_, leader, term) = cluster.leader(GROUP, &[]).await;
    let mut last = 0;
    for round in 0..3 {
        let writes = (0..20).map(|index| leader.propose(term, command(&format!("key-{index}"), &[round])));
        let (writes, digest) = tokio::join!(futures::future::join_all(writes), leader.digest(term));
        assert!(writes.iter().all(Result::is_ok), "{writes:?}");
        let digest = digest.unwrap();
        assert!(digest.index > last);
        last = digest.index;
        for node in 1..=3 {
            let replica = cluster.replica(node, GROUP);
            eventually("the digest of each replica", || replica.last_digest() == Some(digest)).await;
        }
    }
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_replica_takes_the_place_of_an_old_one() {
    let mut cluster = Cluster::start(3, 1, quiet()).await;
    for index in 0..20 {
        cluster.put(GROUP, &[], &format!("key-{index}"), b"1").await;
    }
    let (node, leader, _) = cluster.leader(GROUP, &[]).await;
    let gone = (1..=3).find(|other| *other != node).unwrap();
    cluster.open(4).await;
    let newcomer = replica_id(GROUP, 4);
    cluster.machines[&4].engine.create(GROUP, newcomer, Arc::new(Kv)).await.unwrap();
    leader.add_learner(newcomer, NodeId(4), LONG).await.unwrap();
    let voters: BTreeSet<ReplicaId> = (1..=4).filter(|n| *n != gone).map(|n| replica_id(GROUP, n)).collect();
    leader.change_members(voters.clone(), LONG).await.unwrap();
    assert_eq!(leader.status().members.voters, voters);
    assert_eq!(leader.status().members.nodes.len(), 3);

    let engine = &cluster.machines[&gone].engine;
    engine.remove(GROUP, replica_id(GROUP, gone)).await.unwrap();
    assert!(engine.replica(GROUP).is_none());
    assert!(!cluster.replica_dir(gone, GROUP).exists());
    engine.remove(GROUP, replica_id(GROUP, gone)).await.unwrap();

    let newcomer = cluster.replica(4, GROUP);
    cluster.put(GROUP, &[gone], "after", b"1").await;
    eventually("the newcomer follows", || read(&newcomer, "after").is_some()).await;
    assert_eq!(read(&newcomer, "key-0"), Some((1, b"1".to_vec())));
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_about_members_that_have_changed_since_changes_nothing() {
    let mut cluster = Cluster::start(3, 1, quiet()).await;
    let (node, leader, _) = cluster.leader(GROUP, &[]).await;
    let gone = (1..=3).find(|other| *other != node).unwrap();
    cluster.open(4).await;
    let newcomer = replica_id(GROUP, 4);
    cluster.machines[&4].engine.create(GROUP, newcomer, Arc::new(Kv)).await.unwrap();
    let places = |nodes: &[u32]| -> BTreeMap<ReplicaId, NodeId> {
        nodes.iter().map(|node| (replica_id(GROUP, *node), NodeId(*node))).collect()
    };
    let kept: Vec<u32> = (1..=4).filter(|node| *node != gone).collect();
    let (all, kept) = (places(&[1, 2, 3]), places(&kept));

    let first = leader.status().members.index.unwrap();
    leader.set_members(first, all.clone(), places(&[4]), LONG).await.unwrap();
    let second = leader.status().members.index.unwrap();
    assert!(second > first && !leader.status().members.voters.contains(&newcomer));
    leader.set_members(second, kept.clone(), BTreeMap::new(), LONG).await.unwrap();
    let members = leader.status().members;
    assert_eq!((members.voters.len(), members.nodes, members.changing), (3, kept.clone(), false));

    // Whoever still believes in the members of before, at whichever moment, is refused.
    for overtaken in [first, second] {
        let refused = leader.set_members(overtaken, all.clone(), BTreeMap::new(), LONG).await;
        assert!(matches!(refused, Err(MembersError::Overtaken)), "{refused:?}");
    }
    assert_eq!(leader.status().members.nodes, kept);

    // A learner that is not wanted after all leaves again.
    let third = leader.status().members.index.unwrap();
    leader.set_members(third, kept.clone(), places(&[gone]), LONG).await.unwrap();
    assert_eq!(leader.status().members.nodes.len(), 4);
    let fourth = leader.status().members.index.unwrap();
    leader.set_members(fourth, kept.clone(), BTreeMap::new(), LONG).await.unwrap();
    assert_eq!(leader.status().members.nodes, kept);
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leadership_is_handed_over_to_a_voter_that_answers() {
    let cluster = Cluster::start(3, 1, quiet()).await;
    let (node, leader, before) = cluster.leader(GROUP, &[]).await;
    let down = (1..=3).find(|other| *other != node).unwrap();
    for other in (1..=3).filter(|other| *other != down) {
        cluster.network.cut(NodeId(down), NodeId(other));
    }
    // Longer than an answer counts as recent.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(leader.hand_over(Duration::from_secs(1)).await.unwrap());
    let (next, _, after) = cluster.leader(GROUP, &[node]).await;
    assert_eq!((next != down, after.term), (true, before.term + 1));
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_astray_or_malformed_is_refused() {
    let cluster = Cluster::start(3, 1, quiet()).await;
    let engine = &cluster.machines[&1].engine;
    let (me, peer) = (replica_id(GROUP, 1), replica_id(GROUP, 2));
    let send = |group, to, from, body| engine.receive(group, to, from, Lane::Append, Bytes::from_static(body));
    assert!(matches!(send(GroupId(9), me, peer, b"").await, Err(ReceiveError::UnknownReplica { .. })));
    assert!(matches!(send(GROUP, ReplicaId(999), peer, b"").await, Err(ReceiveError::UnknownReplica { .. })));
    assert!(matches!(send(GROUP, me, me, b"").await, Err(ReceiveError::FromItself(_))));
    for body in [&b""[..], b"\x01", b"\x02\x00", b"\x01\xff\xff", b"not a message"] {
        assert!(matches!(send(GROUP, me, peer, body).await, Err(ReceiveError::Malformed { .. })), "{body:?}");
    }
    let occupied = engine.create(GROUP, ReplicaId(999), Arc::new(Kv)).await;
    assert!(matches!(occupied, Err(OpenError::Occupied { .. })), "{occupied:?}");
    cluster.end().await;
}

/// A small generator, so that a failing run can be repeated from the seed that it prints.
fn random(seed: &AtomicU64) -> u64 {
    let mut value = seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_lost_delayed_and_unanswered_messages() {
    let seed = 20_261_120;
    println!("seed {seed}");
    let cluster = Cluster::start(3, 1, quiet()).await;
    let state = AtomicU64::new(seed);
    cluster.network.set_fates(Some(Arc::new(move |_, _, _, _| match random(&state) % 100 {
        0..5 => Fate::Lose,
        5..10 => Fate::LoseAnswer,
        10..40 => Fate::Delay(Duration::from_millis(random(&state) % 20)),
        _ => Fate::Deliver,
    })));
    let mut acknowledged = Vec::new();
    for index in 0..100 {
        let key = format!("key-{index}");
        let (_, leader, term) = cluster.leader(GROUP, &[]).await;
        match leader.propose(term, command(&key, b"1")).await {
            Ok(_) => acknowledged.push(key),
            Err(ProposeError::NotLeader { .. } | ProposeError::OutcomeUnknown | ProposeError::Overloaded) => {}
            Err(error) => panic!("{error}"),
        }
    }
    cluster.network.set_fates(None);
    cluster.put(GROUP, &[], "end", b"1").await;
    println!("{} of 100 acknowledged", acknowledged.len());
    assert!(acknowledged.len() > 25);
    for node in 1..=3 {
        let replica = cluster.replica(node, GROUP);
        eventually("everything is applied", || read(&replica, "end").is_some()).await;
        for key in &acknowledged {
            assert_eq!(read(&replica, key), Some((1, b"1".to_vec())), "{key} on node {node}");
        }
    }
    cluster.end().await;
}
