//! Slots move between groups under load: nothing acknowledged is lost, and nobody waits for longer than a freeze.

use std::time::{Duration, Instant};

use renkei_ids::{GroupId, NodeId, Pid, Slot};
use renkei_placement::{JobStep, SlotRange};
use renkei_wire::ErrorCode;
use renkei_wire::admin::SubmitRequest;
use renkei_wire::pb::admin::v1 as pb;

use crate::checked_load::{Load, Random, Seen};
use crate::cloud::{TestCloud, until};
use crate::patient::Patient;
use crate::t60_membership::{at_meta, jobs, submit};

/// Longest time without service that a move may cost a slot.
const FREEZE_MAX: Duration = Duration::from_secs(1);
/// Longest time that a plan may take on a busy machine.
const PLAN_PATIENCE: Duration = Duration::from_secs(300);

/// Patients in so many slots, evenly apart from each other, from slot 0 on.
pub(crate) fn patients(count: u16) -> Vec<Patient> {
    let patient = |nth: u16| {
        let slot = u32::from(nth) * 4_096 / u32::from(count);
        let mut bytes = [0x77; 16];
        bytes[..2].copy_from_slice(&u16::try_from(slot << 4).unwrap().to_be_bytes());
        Patient(Pid::from_bytes(bytes))
    };
    (0..count).map(patient).collect()
}

pub(crate) fn move_slots(from: u32, to: u32, first: u32, last: u32) -> SubmitRequest {
    let slot = |raw| Slot::try_from(raw).unwrap();
    let to = SlotRange { first: slot(first), last: slot(last), group: GroupId(to) };
    SubmitRequest::MoveSlots { from: GroupId(from), to }
}

/// Waits until no job of the plan is under way, and gives how each of them ended.
async fn over(cloud: &TestCloud) -> Vec<JobStep> {
    let began = Instant::now();
    loop {
        let steps: Vec<_> = jobs(cloud).await.jobs.iter().map(|(_, job)| job.step).collect();
        if steps.iter().all(|step| step.is_final()) {
            return steps;
        }
        assert!(began.elapsed() < PLAN_PATIENCE, "{steps:?}\n{}", cloud.logs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn done(cloud: &TestCloud, request: SubmitRequest) {
    submit(cloud, request).await.unwrap();
    all_done(cloud).await;
}

pub(crate) async fn all_done(cloud: &TestCloud) {
    let steps = over(cloud).await;
    assert!(steps.iter().all(|step| *step == JobStep::Done), "{steps:?}");
}

/// How long slots were frozen, each time, as the controllers logged it.
fn freezes(cloud: &TestCloud) -> Vec<Duration> {
    let logs = cloud.logs();
    let behind = logs.split("frozen_micros").skip(1);
    let digits = |text: &str| text.trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned();
    behind
        .map(|text| {
            let text: String = digits(text).chars().take_while(char::is_ascii_digit).collect();
            Duration::from_micros(text.parse().unwrap())
        })
        .collect()
}

/// Ends the load, tells what its clients saw, and holds the claims.
pub(crate) async fn judge(name: &str, cloud: &TestCloud, load: Load) -> Seen {
    let seen = load.finish().await;
    let freezes = freezes(cloud);
    let longest = freezes.iter().max().copied().unwrap_or_default();
    println!("{name}: {seen}, freezes {}, longest {longest:.0?}", freezes.len());
    assert!(seen.failed.is_empty(), "{name}: {:?}", seen.failed);
    assert!(seen.lost.is_empty(), "{name}: {:?}", seen.lost);
    assert!(!freezes.is_empty(), "a move freezes its slots");
    seen
}

pub(crate) async fn same_digests(cloud: &TestCloud, group: GroupId) {
    until(async || {
        let digests = cloud.digest(cloud.leader(group).await, group).await.digests;
        let first = digests.first()?;
        let same = digests.iter().all(|digest| (digest.index, digest.digest) == (first.index, first.digest));
        assert!(same || digests.iter().any(|digest| digest.index != first.index), "{digests:?}");
        (same && digests.len() == 3).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn slots_move_there_and_back_under_load() {
    let seed = 0x6501;
    println!("seed {seed:#x}");
    let cloud = TestCloud::founded().await;
    let load = Load::start(&cloud, patients(16), 4, seed).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    done(&cloud, move_slots(1, 2, 0, 1_023)).await;
    assert_eq!(cloud.group_of(Slot::try_from(1_023).unwrap()).await, GroupId(2));
    assert_eq!(cloud.group_of(Slot::try_from(1_024).unwrap()).await, GroupId(1));
    tokio::time::sleep(Duration::from_secs(1)).await;
    done(&cloud, move_slots(2, 1, 0, 1_023)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    judge("slots there and back", &cloud, load).await;
    assert!(freezes(&cloud).iter().all(|freeze| *freeze < FREEZE_MAX));
    for group in [GroupId(1), GroupId(2)] {
        same_digests(&cloud, group).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_move_that_is_abandoned_leaves_everything_where_it_was() {
    let cloud = TestCloud::founded().await;
    let load = Load::start(&cloud, patients(8), 2, 0x6502).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    submit(&cloud, move_slots(1, 2, 0, 2_047)).await.unwrap();
    at_meta(&cloud, async |node| cloud.admin(node).abandon(pb::AbandonRequest {}).await).await.unwrap();
    let abandoned = over(&cloud).await == [JobStep::Abandoned];
    tokio::time::sleep(Duration::from_secs(1)).await;
    let owner = cloud.group_of(Slot::try_from(0).unwrap()).await;
    assert_eq!(owner, if abandoned { GroupId(1) } else { GroupId(2) });
    // The same slots can be moved after all: nothing is in the way.
    let back = if abandoned { move_slots(1, 2, 0, 2_047) } else { move_slots(2, 1, 0, 2_047) };
    done(&cloud, back).await;
    judge("abandoned, and moved after all", &cloud, load).await;
}

/// Orders that not every node's build can be known to follow are not given.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn slots_move_once_every_node_has_told_that_it_follows_such_orders() {
    let mut cloud = TestCloud::founded().await;
    let down = cloud.processes.addresses().into_keys().find(|node| *node != NodeId(1)).unwrap();
    cloud.processes.node(down).unwrap().kill().unwrap();
    let refused = submit(&cloud, move_slots(1, 2, 0, 99)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NodeOutdated);
    assert!(jobs(&cloud).await.jobs.is_empty(), "nothing is queued");
    cloud.processes.start(down).unwrap();
    cloud.processes.wait_ready(down).unwrap();
    done(&cloud, move_slots(1, 2, 0, 99)).await;
    // It is told once and for all.
    cloud.processes.node(down).unwrap().kill().unwrap();
    done(&cloud, move_slots(2, 1, 0, 99)).await;
}

/// Whom a proof kills while slots move.
#[derive(Clone, Copy)]
enum Victim {
    Controller,
    Source,
    Target,
}

async fn kill_while_moving(name: &str, victim: Victim, seed: u64) {
    let mut random = Random(seed);
    println!("{name}: seed {seed:#x}");
    let mut cloud = TestCloud::founded().await;
    let load = Load::start(&cloud, patients(32), 4, seed).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let (mut from, mut to) = (1, 2);
    for _ in 0..4 {
        submit(&cloud, move_slots(from, to, 0, 2_047)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(random.below(1_500))).await;
        let group = match victim {
            Victim::Controller => GroupId::META,
            Victim::Source => GroupId(from),
            Victim::Target => GroupId(to),
        };
        let node: NodeId = cloud.leader(group).await;
        cloud.processes.node(node).unwrap().kill().unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        cloud.processes.start(node).unwrap();
        cloud.processes.wait_ready(node).unwrap();
        all_done(&cloud).await;
        (from, to) = (to, from);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let seen = judge(name, &cloud, load).await;
    assert!(seen.gap < Duration::from_secs(8), "no success for {:?}", seen.gap);
    for group in [GroupId(1), GroupId(2)] {
        same_digests(&cloud, group).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "long: proof"]
async fn long_proof_the_controller_is_killed_while_slots_move() {
    kill_while_moving("controller killed", Victim::Controller, 0x6511).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "long: proof"]
async fn long_proof_the_sources_leader_is_killed_while_slots_move() {
    kill_while_moving("source's leader killed", Victim::Source, 0x6512).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "long: proof"]
async fn long_proof_the_targets_leader_is_killed_while_slots_move() {
    kill_while_moving("target's leader killed", Victim::Target, 0x6513).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "long: proof"]
async fn long_proof_a_cloud_grows_from_four_to_sixteen_groups() {
    let seed = 0x6520;
    println!("seed {seed:#x}");
    let cloud = TestCloud::unfounded(3, &[]);
    cloud.bootstrap(NodeId(1), 4, 3).await.unwrap();
    cloud.wait_led().await;
    let load = Load::start(&cloud, patients(64), 4, seed).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let began = Instant::now();
    done(&cloud, SubmitRequest::Grow { groups: 16 }).await;
    let took = began.elapsed();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let map = cloud.map().await.unwrap();
    let sizes: Vec<_> = map
        .groups
        .iter()
        .map(|place| Slot::all().filter(|slot| map.slots.group_of(*slot) == place.group).count())
        .collect();
    assert_eq!(sizes, [256; 16], "each group has its share");
    println!("grew from 4 to 16 groups in {took:.0?}");
    judge("grown from 4 to 16 groups", &cloud, load).await;
    assert!(freezes(&cloud).iter().all(|freeze| *freeze < FREEZE_MAX), "{:?}", freezes(&cloud));
    for group in 1..=16 {
        same_digests(&cloud, GroupId(group)).await;
    }
}
