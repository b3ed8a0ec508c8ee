//! Nodes come, go and are replaced, and replicas and leaders move, while clients go on.

use std::time::{Duration, Instant};

use renkei_ids::{GroupId, NodeId};
use renkei_launch::STOP_TIMEOUT;
use renkei_placement::{JobKind, JobStep};
use renkei_wire::admin::{AddNodeRequest, JobsReply, NodeAt, StatusReply, SubmitReply, SubmitRequest};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal};

use crate::cloud::{TestCloud, until};
use crate::load::Load;

/// Longest time that a plan may take on a busy machine.
const PLAN_PATIENCE: Duration = Duration::from_secs(120);
pub(crate) const FOURTH: NodeId = NodeId(4);

/// How much clients do meanwhile.
#[derive(Clone, Copy)]
struct Size {
    clients: u8,
    /// Operations before, between and after what happens.
    between: usize,
}

const SHORT: Size = Size { clients: 4, between: 40 };
const LONG: Size = Size { clients: 8, between: 2_000 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_added_and_replicas_and_leaders_move_while_clients_go_on() {
    add_move_drain(SHORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_controller_that_is_killed_in_the_middle_of_a_plan_is_followed_by_another() {
    kill_the_controller(SHORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_node_is_replaced_by_another_and_removes_what_it_had_when_it_comes_back() {
    replace_the_dead(SHORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_a_wiped_disk_stays_out_until_an_operator_replaces_it() {
    wipe_a_disk(SHORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_hands_its_leaderships_over_first() {
    stop_in_order(SHORT).await;
}

/// What clients see of each scenario, a line each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: proof"]
async fn long_proof_membership() {
    add_move_drain(LONG).await;
    kill_the_controller(LONG).await;
    replace_the_dead(LONG).await;
    wipe_a_disk(LONG).await;
    stop_in_order(LONG).await;
}

/// The answer of whichever node leads the meta group.
pub(crate) async fn at_meta<T>(
    cloud: &TestCloud,
    call: impl AsyncFn(NodeId) -> Result<T, tonic::Status>,
) -> Result<T, Refusal> {
    let mut node = NodeId(1);
    let began = Instant::now();
    loop {
        let refusal = match call(node).await {
            Ok(answer) => return Ok(answer),
            Err(status) => Refusal::from_status(&status).unwrap_or(Refusal::new(ErrorCode::OutcomeUnknown)),
        };
        let passes = matches!(refusal.code, ErrorCode::NotLeader | ErrorCode::OutcomeUnknown | ErrorCode::Unavailable);
        if !passes || began.elapsed() > PLAN_PATIENCE {
            return Err(refusal);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let nodes: Vec<_> = cloud.processes.addresses().into_keys().collect();
        let at = nodes.iter().position(|known| *known == node).unwrap();
        node = refusal.leader_node.unwrap_or(nodes[(at + 1) % nodes.len()]);
    }
}

pub(crate) async fn submit(cloud: &TestCloud, request: SubmitRequest) -> Result<SubmitReply, Refusal> {
    let request = pb::SubmitRequest::from(request);
    let reply = at_meta(cloud, async |node| cloud.admin(node).submit(request).await).await?;
    Ok(reply.into_inner().try_into().unwrap())
}

pub(crate) async fn jobs(cloud: &TestCloud) -> JobsReply {
    let reply = at_meta(cloud, async |node| cloud.admin(node).jobs(pb::JobsRequest {}).await).await.unwrap();
    reply.into_inner().try_into().unwrap()
}

pub(crate) async fn add(cloud: &TestCloud, node: NodeId) {
    let address = cloud.processes.addresses()[&node].to_string().parse().unwrap();
    let request = pb::AddNodeRequest::from(AddNodeRequest { node: NodeAt { node, address } });
    at_meta(cloud, async |at| cloud.admin(at).add_node(request.clone()).await).await.unwrap();
}

/// Waits until every job of the plan is over, and gives how many there were.
pub(crate) async fn carried_out(cloud: &TestCloud) -> usize {
    let began = Instant::now();
    loop {
        let JobsReply { jobs, progress, .. } = jobs(cloud).await;
        if jobs.iter().all(|(_, job)| job.step.is_final()) {
            let done = jobs.iter().filter(|(_, job)| job.step == JobStep::Done).count();
            assert_eq!(done, jobs.len(), "{jobs:?}");
            return done;
        }
        assert!(began.elapsed() < PLAN_PATIENCE, "{jobs:?} {progress:?}\n{}", cloud.logs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Has a plan carried out, and gives how many jobs it took.
pub(crate) async fn done(cloud: &TestCloud, request: SubmitRequest) -> usize {
    submit(cloud, request).await.unwrap();
    carried_out(cloud).await
}

fn groups_on(status: &StatusReply) -> Vec<u32> {
    let mut groups: Vec<u32> = status.replicas.iter().map(|replica| replica.group.0).collect();
    groups.sort_unstable();
    groups
}

async fn add_move_drain(size: Size) {
    let cloud = TestCloud::founded_on_three_of(4, &[]).await;
    let load = Load::start(&cloud, size.clients);
    load.go_on(size.between).await;
    add(&cloud, FOURTH).await;

    // The replica that leads goes, so that its group is led from elsewhere first.
    let group = GroupId(1);
    let leader = cloud.leader(group).await;
    done(&cloud, SubmitRequest::MoveReplica { group, from: leader, to: FOURTH }).await;
    assert_eq!(groups_on(&cloud.status(FOURTH).await.unwrap()), [1]);
    until(async || (!groups_on(&cloud.status(leader).await?).contains(&1)).then_some(())).await;

    let elsewhere = if cloud.leader(group).await == FOURTH { NodeId(3) } else { FOURTH };
    let elsewhere = if elsewhere == leader { NodeId(2) } else { elsewhere };
    done(&cloud, SubmitRequest::MoveLeader { group, to: elsewhere }).await;
    assert_eq!(cloud.leader(group).await, elsewhere);

    let drained = NodeId(2);
    done(&cloud, SubmitRequest::Drain { node: drained }).await;
    assert_eq!(groups_on(&cloud.status(drained).await.unwrap()), [] as [u32; 0]);
    let again = submit(&cloud, SubmitRequest::Drain { node: NodeId(1) }).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::NowhereToGo);

    add(&cloud, drained).await;
    done(&cloud, SubmitRequest::Rebalance).await;
    let mut hosted = Vec::new();
    for node in 1..=4 {
        hosted.push(cloud.status(NodeId(node)).await.unwrap().replicas.len());
    }
    hosted.sort_unstable();
    assert_eq!(hosted, [2, 2, 2, 3], "nine replicas on four nodes");
    load.go_on(size.between).await;
    load.check("add, move, transfer, drain, rebalance").await;
}

async fn kill_the_controller(size: Size) {
    let mut cloud = TestCloud::founded_on_three_of(4, &[]).await;
    add(&cloud, FOURTH).await;
    let load = Load::start(&cloud, size.clients);
    load.go_on(size.between).await;
    let controller = cloud.leader(GroupId::META).await;
    let drained = if controller == NodeId(3) { NodeId(2) } else { NodeId(3) };
    submit(&cloud, SubmitRequest::Drain { node: drained }).await.unwrap();
    until(async || {
        let moving = |job: &renkei_placement::Job| {
            matches!(job.kind, JobKind::MoveReplica { .. }) && job.step == JobStep::PreCopy
        };
        jobs(&cloud).await.jobs.iter().any(|(_, job)| moving(job)).then_some(())
    })
    .await;
    cloud.processes.node(controller).unwrap().kill().unwrap();
    load.go_on(size.between / 2).await;
    cloud.processes.start(controller).unwrap();
    assert_eq!(carried_out(&cloud).await, 4, "closed to replicas, and three moved off");
    assert_eq!(groups_on(&cloud.status(drained).await.unwrap()), [] as [u32; 0]);
    load.check("controller killed in the middle of a drain").await;
}

async fn replace_the_dead(size: Size) {
    let mut cloud = TestCloud::founded_on_three_of(4, &[]).await;
    add(&cloud, FOURTH).await;
    let load = Load::start(&cloud, size.clients);
    load.go_on(size.between).await;
    let dead = cloud.leader(GroupId(2)).await;
    cloud.processes.node(dead).unwrap().kill().unwrap();
    done(&cloud, SubmitRequest::Replace { node: dead, by: Some(FOURTH) }).await;
    assert_eq!(groups_on(&cloud.status(FOURTH).await.unwrap()), [0, 1, 2]);
    load.go_on(size.between).await;
    cloud.processes.start(dead).unwrap();
    until(async || cloud.status(dead).await?.replicas.is_empty().then_some(())).await;
    load.check("dead node replaced by another").await;
}

async fn wipe_a_disk(size: Size) {
    let mut cloud = TestCloud::founded().await;
    let load = Load::start(&cloud, size.clients);
    load.go_on(size.between).await;
    let wiped = NodeId(3);
    // Its claim is in the placement before its disk is lost.
    until(async || (!cloud.status(wiped).await?.replicas.is_empty()).then_some(())).await;
    cloud.processes.node(wiped).unwrap().kill().unwrap();
    let data = cloud.dir().join("cloud/node-3");
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
    }
    cloud.processes.start(wiped).unwrap();
    until(async || cloud.status(wiped).await?.disk_refused.then_some(())).await;
    // It is asked to take part as at the founding, and does not.
    let repeated = cloud.bootstrap(wiped, 2, 3).await;
    assert!(repeated.is_err(), "{repeated:?}");
    load.go_on(2 * size.between).await;
    let status = cloud.status(wiped).await.unwrap();
    assert!(status.disk_refused && status.replicas.is_empty(), "{status:?}");
    assert!(cloud.logs().contains("works on another disk"));

    done(&cloud, SubmitRequest::Replace { node: wiped, by: None }).await;
    let status = cloud.status(wiped).await.unwrap();
    assert_eq!((groups_on(&status), status.disk_refused), (vec![0, 1, 2], false));
    // The cloud can lose another node now, so the new replicas hold everything.
    cloud.processes.node(NodeId(1)).unwrap().kill().unwrap();
    load.go_on(size.between / 2).await;
    load.check("wiped disk replaced").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_move_leaves_everything_as_it_was() {
    let mut cloud = TestCloud::founded_on_three_of(4, &[]).await;
    add(&cloud, FOURTH).await;
    // The move waits for a node that does not answer.
    cloud.processes.node(FOURTH).unwrap().pause().unwrap();
    let group = GroupId(1);
    let members = |status: &StatusReply| {
        let replica = status.replicas.iter().find(|replica| replica.group == group).unwrap();
        (replica.members.clone(), replica.voters.clone())
    };
    let leader = cloud.leader(group).await;
    let before = members(&cloud.status(leader).await.unwrap());
    submit(&cloud, SubmitRequest::MoveReplica { group, from: NodeId(2), to: FOURTH }).await.unwrap();
    let second = submit(&cloud, SubmitRequest::Rebalance).await.unwrap_err();
    assert_eq!(second.code, ErrorCode::JobUnderWay);
    until(async || jobs(&cloud).await.jobs.iter().any(|(_, job)| job.step == JobStep::PreCopy).then_some(())).await;
    at_meta(&cloud, async |node| cloud.admin(node).abandon(pb::AbandonRequest {}).await).await.unwrap();
    until(async || jobs(&cloud).await.jobs.iter().all(|(_, job)| job.step == JobStep::Abandoned).then_some(())).await;
    cloud.processes.node(FOURTH).unwrap().resume().unwrap();
    assert_eq!(members(&cloud.status(leader).await.unwrap()), before);
    until(async || cloud.status(FOURTH).await?.replicas.is_empty().then_some(())).await;
}

async fn stop_in_order(size: Size) {
    let mut cloud = TestCloud::founded().await;
    let load = Load::start(&cloud, size.clients);
    load.go_on(size.between).await;
    let led = |status: &StatusReply| {
        let leads = status.replicas.iter().filter(|replica| replica.leads);
        leads.map(|replica| (replica.group, replica.term)).collect::<Vec<_>>()
    };
    let stopped = cloud.leader(GroupId(1)).await;
    let before = led(&cloud.status(stopped).await.unwrap());
    cloud.processes.node(stopped).unwrap().stop(STOP_TIMEOUT).unwrap();
    // An election would begin a second later at the earliest.
    let mut after = Vec::new();
    for _ in 0..4 {
        after.clear();
        for node in (1..=3).map(NodeId).filter(|node| *node != stopped) {
            after.extend(led(&cloud.status(node).await.unwrap()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (group, term) in before {
        assert!(after.iter().any(|(other, later)| *other == group && *later == term + 1), "group {group}: {after:?}");
    }
    load.go_on(size.between).await;
    load.check("a node stopped in order").await;
}
