//! The rule of clocks: a node that is more than 2 s from its peers' median leads nothing, and serves again when it is back.

use std::time::{Duration, Instant};

use renkei_ids::{GroupId, NodeId};
use renkei_launch::READY_TIMEOUT;
use renkei_wire::{ErrorCode, NodeReply, Operation, Refusal};

use crate::cloud::{TestCloud, until};
use crate::patient::{self, Patient, record};

/// Within the rule, however slow the answers of a busy machine are.
const ALLOWED_MILLIS: i64 = 1_900;

async fn put(cloud: &TestCloud, patient: Patient, n: u32) -> Result<NodeReply, Refusal> {
    let capability = patient.writing(cloud, &[(record(n), 1)]);
    let operation = Operation::Put(patient::put(record(n), 1, 24_000, "summary", patient::whole("body")));
    cloud.ask(&patient::request(patient::sign(cloud, &capability), operation), patient.slot()).await
}

/// What a node answers to a read, asked once.
async fn read_at(cloud: &TestCloud, node: NodeId, patient: Patient) -> Result<NodeReply, Refusal> {
    let signed = patient::sign(cloud, &patient.capability(cloud));
    cloud.ask_at(node, patient::request(signed, patient::timeline())).await
}

fn set_clock(cloud: &mut TestCloud, node: NodeId, millis: i64) {
    cloud.processes.node(node).unwrap().set_clock_offset(millis).unwrap();
}

/// Groups that a node leads.
async fn led(cloud: &TestCloud, node: NodeId) -> Vec<GroupId> {
    let status = cloud.status(node).await.unwrap();
    status.replicas.iter().filter(|replica| replica.leads).map(|replica| replica.group).collect()
}

#[tokio::test]
async fn a_node_whose_clock_is_off_gives_its_leaderships_away_and_leads_again_only_in_line() {
    let mut cloud = TestCloud::founded().await;
    let patient = Patient::new(4);
    let group = cloud.group_of(patient.slot()).await;
    for (n, off) in [(0, 3_600_000), (10, -3_600_000)] {
        let node = cloud.leader(group).await;
        put(&cloud, patient, n).await.unwrap();
        set_clock(&mut cloud, node, off);
        let refused = read_at(&cloud, node, patient).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::ClockOff, "at once, for its own clock is looked at each time");
        until(async || led(&cloud, node).await.is_empty().then_some(())).await;
        put(&cloud, patient, n + 1).await.unwrap();
        assert_ne!(cloud.leader(group).await, node, "two of three go on");
        let health = cloud.processes.node(node).unwrap().wait_ready(Duration::from_millis(500));
        assert!(health.is_err(), "readiness says so");

        set_clock(&mut cloud, node, 0);
        cloud.processes.node(node).unwrap().wait_ready(READY_TIMEOUT).unwrap();
        let code = read_at(&cloud, node, patient).await.map_err(|refusal| refusal.code);
        assert!(matches!(code, Ok(_) | Err(ErrorCode::NotLeader)), "{code:?}");
    }
    cloud.same_digests(group).await;
}

#[tokio::test]
async fn clocks_within_two_seconds_and_clocks_that_jump_together_change_nothing() {
    let mut cloud = TestCloud::founded().await;
    let patient = Patient::new(4);
    let group = cloud.group_of(patient.slot()).await;
    let leader = cloud.leader(group).await;
    for off in [ALLOWED_MILLIS, -ALLOWED_MILLIS, 0] {
        set_clock(&mut cloud, leader, off);
        stays(&cloud, leader, patient).await;
    }
    let nodes: Vec<_> = cloud.processes.addresses().into_keys().collect();
    // Forward, so that what capabilities of this test say stays true.
    for node in &nodes {
        set_clock(&mut cloud, *node, 600_000);
    }
    // For as long as the jumps were not all done, there was disagreement.
    until(async || put(&cloud, patient, 1).await.ok()).await;
    let leader = cloud.leader(group).await;
    stays(&cloud, leader, patient).await;
}

/// A leader stays one for longer than a clock that is off goes unnoticed.
async fn stays(cloud: &TestCloud, leader: NodeId, patient: Patient) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1_500) {
        read_at(cloud, leader, patient).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
