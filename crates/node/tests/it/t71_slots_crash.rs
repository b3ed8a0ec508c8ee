//! Nodes that die at each step of a move of slots, under load: the source's leader, the target's or the controller.
//! Everything acknowledged is there, replicas agree, the move ends, and no freeze outlasts a dead controller.

use std::time::{Duration, Instant};

use renkei_faults::Point;
use renkei_ids::{GroupId, NodeId};
use renkei_wire::pb::node::v1 as pb;

use crate::checked_load::Load;
use crate::cloud::{TestCloud, until};
use crate::patient;
use crate::plans::{Plans, died_at, ended};
use crate::t60_membership::{jobs, submit};
use crate::t65_slots::{all_done, judge, move_slots, patients, same_digests};

/// Moves that may pass without the death that was planned for them, because leaders changed before.
const TRIES: usize = 5;
/// Steps of a move that needs one round.
const STEPS: u32 = 6;
/// A node that is about to die has died by then.
const SOON: Duration = Duration::from_millis(300);
/// Longest time that a freeze may cost.
const FREEZE_MAX: Duration = Duration::from_secs(1);

/// Who comes by a point of a move of slots.
#[derive(Clone, Copy)]
enum Role {
    Source,
    Target,
    Controller,
}

/// `None` for points that have nothing to do with moves of slots.
fn role(point: Point) -> Option<Role> {
    match point {
        Point::SlotsMoving
        | Point::SlotsFrozen
        | Point::SlotsPromised
        | Point::SlotsGone
        | Point::SlotsPurged
        | Point::RowsSent => Some(Role::Source),
        Point::SlotsAwaited | Point::SlotsOwned | Point::RowsImported => Some(Role::Target),
        Point::StepDone | Point::StepNamed => Some(Role::Controller),
        _ => None,
    }
}

/// A cloud under load whose slots go to and fro.
struct Scene {
    plans: Plans,
    cloud: TestCloud,
    load: Load,
    from: u32,
    to: u32,
}

impl Scene {
    async fn open(seed: u64) -> Self {
        println!("seed {seed:#x}");
        let plans = Plans::new();
        let cloud = TestCloud::founded_with(&[&plans.setting()]).await;
        let load = Load::start(&cloud, patients(16), 4, seed).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        Self { plans, cloud, load, from: 1, to: 2 }
    }

    /// Has a node die when it comes by a point for the `pass`th time in a move, come back, and the move be carried out.
    async fn die(&mut self, point: Point, pass: u32) {
        for _ in 0..TRIES {
            let group = match role(point).unwrap() {
                Role::Source => GroupId(self.from),
                Role::Target => GroupId(self.to),
                Role::Controller => GroupId::META,
            };
            let dying = self.cloud.leader(group).await;
            self.plans.arm(dying, &format!("crash {} {pass}", point.name())).await;
            submit(&self.cloud, move_slots(self.from, self.to, 0, 2_047)).await.unwrap();
            let died = self.dies(dying).await;
            if died {
                died_at(&mut self.cloud, dying, point).await;
            }
            self.plans.write(dying, "");
            self.cloud.processes.start_all().unwrap();
            self.cloud.processes.wait_ready(dying).unwrap();
            all_done(&self.cloud).await;
            (self.from, self.to) = (self.to, self.from);
            if died {
                return;
            }
        }
        panic!("nobody came by {point:?} for the {pass}. time");
    }

    /// Whether a node has died before the move was over.
    async fn dies(&mut self, node: NodeId) -> bool {
        let cloud = &mut self.cloud;
        until(async || {
            if cloud.processes.node(node).unwrap().ended().unwrap().is_some() {
                return Some(true);
            }
            let over = jobs(cloud).await.jobs.iter().all(|(_, job)| job.step.is_final());
            if !over {
                return None;
            }
            tokio::time::sleep(SOON).await;
            Some(cloud.processes.node(node).unwrap().ended().unwrap().is_some())
        })
        .await
    }

    async fn close(self, name: &str) {
        judge(name, &self.cloud, self.load).await;
        for group in [GroupId(1), GroupId(2)] {
            same_digests(&self.cloud, group).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn slots_move_although_the_source_dies_behind_its_promise_and_the_controller_before_the_map_changes() {
    let mut scene = Scene::open(0x7101).await;
    scene.die(Point::SlotsPromised, 1).await;
    // Cleared, copied, frozen, promised.
    scene.die(Point::StepDone, 4).await;
    scene.close("deaths around the promise").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "long: proof"]
async fn long_proof_crash_points_of_slot_moves() {
    let mut scene = Scene::open(0x7102).await;
    let mut deaths = 0;
    for &point in Point::ALL.iter().filter(|point| role(**point).is_some()) {
        let passes = if matches!(role(point), Some(Role::Controller)) { STEPS } else { 1 };
        for pass in 1..=passes {
            scene.die(point, pass).await;
            deaths += 1;
        }
    }
    println!("crash points of slot moves: {deaths} deaths");
    scene.close("crash points of slot moves").await;
}

/// How long a patient goes without an answer of the source's leader, from now until `for_long` has passed.
async fn longest_gap(cloud: &TestCloud, node: NodeId, for_long: Duration) -> Duration {
    let patient = patients(2)[1];
    let capability = patient::sign(cloud, &patient.capability(cloud));
    let request = pb::Request::from(patient::request(capability, patient::timeline()));
    let mut client = cloud.client(node);
    let (began, mut last, mut gap) = (Instant::now(), Instant::now(), Duration::ZERO);
    while began.elapsed() < for_long {
        if client.execute(request.clone()).await.is_ok() {
            gap = gap.max(last.elapsed());
            last = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    gap.max(last.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "long: proof"]
async fn long_proof_a_freeze_ends_by_itself_when_the_controller_dies_in_it() {
    let plans = Plans::new();
    let mut cloud = TestCloud::founded_with(&[&plans.setting()]).await;
    let (controller, source) = (cloud.leader(GroupId::META).await, cloud.leader(GroupId(2)).await);
    assert_ne!(controller, source, "a founding spreads leaders");
    // Cleared, copied, frozen: the placement says so, and nobody copies what is left.
    plans.arm(controller, &format!("crash {} 3", Point::StepNamed.name())).await;
    submit(&cloud, move_slots(2, 1, 2_048, 4_095)).await.unwrap();
    ended(&mut cloud, controller).await;
    // No other node may go on with the move for a while: the slots are thawed by time alone.
    let gap = longest_gap(&cloud, source, FREEZE_MAX).await;
    println!("controller dead in a freeze: longest gap {gap:.0?}");
    assert!(gap < FREEZE_MAX, "no answer for {gap:?}");
    died_at(&mut cloud, controller, Point::StepNamed).await;
    plans.write(controller, "");
    cloud.processes.start(controller).unwrap();
    all_done(&cloud).await;
}
