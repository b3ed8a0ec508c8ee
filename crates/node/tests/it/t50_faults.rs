//! Nodes killed and brought back: nothing acknowledged is lost.

use std::time::{Duration, Instant};

use renkei_ids::NodeId;
use renkei_launch::STOP_TIMEOUT;
use renkei_wire::{EntryBody, ErrorCode, NodeReply, NodeRequest, Operation, Outcome, Refusal};

use crate::cloud::{TestCloud, until};
use crate::patient::{self, Patient, record};

/// Longest time that a client may go without a success when a leader is killed: the requirement of the demo.
const GAP_MAX: Duration = Duration::from_secs(5);

/// What a stopping process gives to calls in flight, by default.
const GRACE: Duration = Duration::from_secs(10);

async fn put(cloud: &TestCloud, patient: Patient, n: u32, body: &str) -> Result<NodeReply, Refusal> {
    let capability = patient.writing(cloud, &[(record(n), 1)]);
    let operation = Operation::Put(patient::put(record(n), 1, 24_000, &format!("summary {n}"), patient::whole(body)));
    cloud.ask(&patient::request(patient::sign(cloud, &capability), operation), patient.slot()).await
}

async fn body(cloud: &TestCloud, patient: Patient, n: u32) -> Option<String> {
    let asked = patient::request(patient::sign(cloud, &patient.capability(cloud)), patient::get(record(n)));
    match cloud.ask(&asked, patient.slot()).await.unwrap().outcome {
        Outcome::Record(entry) => match entry.body {
            EntryBody::Whole(body) => Some(String::from_utf8(body.to_vec()).unwrap()),
            other => panic!("{other:?}"),
        },
        Outcome::Nothing => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_killed_leader_costs_seconds_and_loses_nothing() {
    let mut cloud = TestCloud::founded().await;
    let patient = Patient::new(4);
    let group = cloud.group_of(patient.slot()).await;
    for n in 0..20 {
        put(&cloud, patient, n, &format!("before {n}")).await.unwrap();
    }
    let leader = cloud.leader(group).await;
    cloud.processes.node(leader).unwrap().kill().unwrap();
    let (mut gap, mut last) = (Duration::ZERO, Instant::now());
    for n in 20..60 {
        put(&cloud, patient, n, &format!("after {n}")).await.unwrap();
        gap = gap.max(last.elapsed());
        last = Instant::now();
    }
    assert!(gap < GAP_MAX, "no success for {gap:?}");
    assert_ne!(cloud.leader(group).await, leader);
    cloud.processes.start(leader).unwrap();
    cloud.processes.wait_ready(leader).unwrap();
    for n in 0..60 {
        let when = if n < 20 { "before" } else { "after" };
        assert_eq!(body(&cloud, patient, n).await, Some(format!("{when} {n}")));
    }
    cloud.same_digests(group).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_stops_in_order_without_using_up_its_grace_while_its_peers_go_on() {
    let mut cloud = TestCloud::founded().await;
    let patient = Patient::new(6);
    let leader = cloud.leader(cloud.group_of(patient.slot()).await).await;
    put(&cloud, patient, 1, "before").await.unwrap();
    let began = Instant::now();
    let status = cloud.processes.node(leader).unwrap().stop(STOP_TIMEOUT).unwrap();
    assert!(status.success() && began.elapsed() < GRACE / 2, "{status} after {:?}", began.elapsed());
    put(&cloud, patient, 2, "after").await.unwrap();
}

#[tokio::test]
async fn a_put_that_was_proposed_is_not_said_to_have_had_no_effect_when_its_deadline_passes() {
    let mut cloud = TestCloud::founded().await;
    let patient = Patient::new(4);
    put(&cloud, patient, 1, "before").await.unwrap();
    let leader = cloud.leader(cloud.group_of(patient.slot()).await).await;
    let followers: Vec<_> = cloud.processes.addresses().into_keys().filter(|node| *node != leader).collect();
    let capability = patient.writing(&cloud, &[(record(2), 1)]);
    let operation = Operation::Put(patient::put(record(2), 1, 24_000, "summary 2", patient::whole("late")));
    let signed = patient::sign(&cloud, &capability);
    let request = NodeRequest { deadline: Duration::from_millis(700), ..patient::request(signed, operation) };
    for node in &followers {
        cloud.processes.node(*node).unwrap().pause().unwrap();
    }
    let refused = cloud.ask_at(leader, request).await.unwrap_err();
    for node in &followers {
        cloud.processes.node(*node).unwrap().resume().unwrap();
    }
    assert_eq!(refused.code, ErrorCode::OutcomeUnknown, "its entry is in the leader's log, and may be committed yet");
}

#[tokio::test]
async fn all_nodes_killed_at_once_come_back_with_everything() {
    let mut cloud = TestCloud::founded().await;
    let patients = [Patient::new(1), Patient::new(200)];
    for n in 0..30 {
        for patient in patients {
            put(&cloud, patient, n, &format!("kept {n}")).await.unwrap();
        }
    }
    let nodes: Vec<_> = cloud.processes.addresses().into_keys().collect();
    for node in &nodes {
        cloud.processes.node(*node).unwrap().kill().unwrap();
    }
    cloud.processes.start_all().unwrap();
    for n in 0..30 {
        for patient in patients {
            assert_eq!(body(&cloud, patient, n).await, Some(format!("kept {n}")));
        }
    }
}

#[tokio::test]
async fn a_node_that_was_away_too_long_catches_up_by_snapshot() {
    let mut cloud = TestCloud::founded_with(&["raft.snapshot_log_mib=1", "raft.keep_log_mib=0"]).await;
    let patient = Patient::new(4);
    let group = cloud.group_of(patient.slot()).await;
    let leader = cloud.leader(group).await;
    let away = if leader == NodeId(3) { NodeId(2) } else { NodeId(3) };
    cloud.processes.node(away).unwrap().kill().unwrap();
    let large = "x".repeat(100_000);
    for n in 0..40 {
        put(&cloud, patient, n, &format!("{n} {large}")).await.unwrap();
    }
    // The log that the node would need is gone.
    until(async || {
        let leader = cloud.leader(group).await;
        let status = cloud.status(leader).await?;
        let replica = status.replicas.into_iter().find(|replica| replica.group == group)?;
        (replica.purged > 10).then_some(())
    })
    .await;
    cloud.processes.start(away).unwrap();
    cloud.processes.wait_ready(away).unwrap();
    for n in 40..50 {
        put(&cloud, patient, n, "later").await.unwrap();
    }
    cloud.same_digests(group).await;
    let status = cloud.status(away).await.unwrap();
    let replica = status.replicas.iter().find(|replica| replica.group == group).unwrap();
    assert!(replica.snapshot > 0, "it came by snapshot: {replica:?}");
}
