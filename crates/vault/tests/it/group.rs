//! Three vaults: killed, wiped and left behind.

use std::fs;
use std::time::{Duration, Instant};

use renkei_wire::ErrorCode;
use renkei_wire::admin::ReplicaDigest;
use renkei_wire::vault::InsecureOpening;

use crate::openings::constant;
use crate::world::{World, asking, until};

/// Longest time that a gateway may go without an opening when the leader is killed.
const GAP_MAX: Duration = Duration::from_secs(5);

const WIDE: [&str; 3] = [
    "budgets.open_asker={minute=1000000,day=1000000}",
    "budgets.open_cell={minute=1000000,day=1000000}",
    "budgets.open_slot={minute=1000000,day=1000000}",
];

/// Every replica's digest at one index is the same.
async fn same_digests(world: &World) {
    let digests = world.digest(world.leader().await).await.digests;
    assert_eq!(digests.len(), 3, "every replica computed one: {digests:?}");
    let same = |digest: &ReplicaDigest| (digest.index, digest.digest) == (digests[0].index, digests[0].digest);
    assert!(digests.iter().all(same), "{digests:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openings_go_on_without_the_leader_and_every_patient_stays_the_same() {
    let mut world = World::of_three(&[]);
    let mut opened = Vec::new();
    let (mut gap, mut last) = (Duration::ZERO, Instant::now());
    let mut killed = None;
    for patient in 0..60 {
        if patient == 20 {
            let leader = world.leader().await;
            world.processes.vault_replica(leader).unwrap().kill().unwrap();
            (killed, last) = (Some(leader), Instant::now());
        }
        opened.push(world.open(asking(patient, 7)).await.unwrap());
        gap = gap.max(last.elapsed());
        last = Instant::now();
    }
    assert!(gap < GAP_MAX, "no opening for {gap:?}");
    let killed = killed.unwrap();
    assert_ne!(world.leader().await, killed);
    world.processes.start_vault_replica(killed).unwrap();
    world.processes.start_vault().unwrap();
    for (patient, before) in (0..).zip(&opened) {
        let again = world.open(asking(patient, 7)).await.unwrap();
        assert!(constant(&again) == constant(before), "patient {patient}");
    }
    same_digests(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_whose_clock_is_off_opens_nothing_and_leads_nothing_until_it_is_right_again() {
    let mut world = World::of_three(&[]);
    world.open(asking(0, 7)).await.unwrap();
    let off = world.leader().await;
    world.processes.vault_replica(off).unwrap().set_clock_offset(-3_600_000).unwrap();
    // At once where it has compared clocks before, for its own is looked at each time.
    until(async || world.open_at(off, asking(1, 7)).await.err().filter(|refused| refused.code == ErrorCode::ClockOff))
        .await;
    let leader = until(async || Some(world.leader().await).filter(|leader| *leader != off)).await;
    assert!(world.open_at(leader, asking(2, 7)).await.is_ok(), "two of three go on");
    world.processes.vault_replica(off).unwrap().set_clock_offset(0).unwrap();
    until(async || {
        let refused = world.open_at(off, asking(3, 7)).await.err();
        refused.is_none_or(|refused| refused.code == ErrorCode::NotLeader).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_vaults_killed_at_once_come_back_with_everything() {
    let mut world = World::of_three(&[]);
    let mut opened = Vec::new();
    for patient in 0..10 {
        opened.push(world.open(asking(patient, 7)).await.unwrap());
    }
    for vault in 1..=3 {
        world.processes.vault_replica(vault).unwrap().kill().unwrap();
    }
    world.processes.start_vault().unwrap();
    for (patient, before) in (0..).zip(&opened) {
        assert!(constant(&world.open(asking(patient, 7)).await.unwrap()) == constant(before), "patient {patient}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_that_is_used_up_stays_so_when_the_leader_dies() {
    let mut world = World::of_three(&["budgets.open_asker={minute=1000,day=3}"]);
    let leader = world.leader().await;
    for patient in 0..3 {
        world.open(asking(patient, 7)).await.unwrap();
    }
    assert_eq!(world.open(asking(3, 7)).await.unwrap_err().code, ErrorCode::BudgetExhausted);
    world.processes.vault_replica(leader).unwrap().kill().unwrap();
    assert_eq!(world.open(asking(3, 7)).await.unwrap_err().code, ErrorCode::BudgetExhausted);
    assert_ne!(world.leader().await, leader, "another one refused");
    assert!(world.open(asking(3, 8)).await.is_ok(), "another institution has its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_opens_nobody_and_names_the_leader() {
    let world = World::of_three(&[]);
    let leader = world.leader().await;
    let opened = world.open(asking(1, 7)).await.unwrap();
    let follower = 1 + leader % 3;
    // It knows the leader with the next heartbeat.
    let refusal = until(async || {
        let refusal = world.open_at(follower, asking(1, 7)).await.unwrap_err();
        refusal.leader_node.is_some().then_some(refusal)
    })
    .await;
    assert_eq!(refusal.code, ErrorCode::NotLeader);
    assert_eq!(refusal.leader_node.unwrap().0, leader);
    assert!(world.open_at(leader, asking(1, 7)).await.unwrap().pid == opened.pid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_replica_takes_no_part_and_is_not_brought_back_by_another_founding() {
    let mut world = World::of_three(&[]);
    let opened = world.open(asking(1, 7)).await.unwrap();
    let leader = world.leader().await;
    let (wiped, other) = (1 + leader % 3, 1 + (leader + 1) % 3);
    world.processes.vault_replica(wiped).unwrap().kill().unwrap();
    for entry in fs::read_dir(world.data(wiped)).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    world.processes.start_vault().unwrap();
    let said = world.processes.found_vault(wiped).unwrap_err();
    let said = renkei_runtime::Chain(&said).to_string();
    assert!(said.contains("already_bootstrapped"), "{said}");
    world.processes.found_vault(leader).unwrap();
    let status = world.status(wiped).await.unwrap();
    assert_eq!((status.replica, status.begun, status.founded), (None, false, false));
    assert_eq!(world.open_at(wiped, asking(1, 7)).await.unwrap_err().code, ErrorCode::NotBootstrapped);
    assert!(world.open(asking(1, 7)).await.unwrap().pid == opened.pid, "two of three go on");

    // The wiped one does not make up a majority.
    world.processes.vault_replica(other).unwrap().kill().unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let refused = world.open_at(leader, asking(1, 7)).await.unwrap_err().code;
    assert!(matches!(refused, ErrorCode::NotLeader | ErrorCode::OutcomeUnknown | ErrorCode::Unavailable), "{refused}");
    world.processes.start_vault_replica(other).unwrap();
    assert!(world.open(asking(1, 7)).await.unwrap().pid == opened.pid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_whose_log_was_lost_does_not_start_on_its_state() {
    let mut world = World::of_three(&[]);
    world.open(asking(1, 7)).await.unwrap();
    let lost = 1 + world.leader().await % 3;
    assert!(world.processes.vault_replica(lost).unwrap().stop(renkei_launch::STOP_TIMEOUT).unwrap().success());
    fs::remove_dir_all(world.data(lost).join("log")).unwrap();
    world.processes.start_vault_replica(lost).unwrap();
    assert!(world.processes.vault_replica(lost).unwrap().wait_ready(renkei_launch::READY_TIMEOUT).is_err());
    let log = fs::read_to_string(world.log(lost)).unwrap();
    assert!(log.contains("the log has no vote"), "{log}");
    assert!(world.open(asking(1, 7)).await.is_ok(), "two of three go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_was_away_too_long_catches_up_by_snapshot() {
    let mut set = WIDE.to_vec();
    set.extend(["raft.snapshot_log_mib=1", "raft.keep_log_mib=0"]);
    let mut world = World::of_three(&set);
    let first = world.open(asking(0, 7)).await.unwrap();
    let leader = world.leader().await;
    let away = 1 + leader % 3;
    world.processes.vault_replica(away).unwrap().kill().unwrap();
    // New patients, 64 in a call: some 50 KiB of log each.
    for institution in 1..=40 {
        let strangers = (0..64).map(|patient| InsecureOpening {
            pseudonym: renkei_envelope::Pseudonym::from_bytes(core::array::from_fn(|at| match at {
                0 => patient,
                1 => institution,
                _ => 0xEE,
            })),
            ..asking(0, institution)
        });
        let opened = world.open_as(&world.gateway, strangers.collect()).await.unwrap();
        assert!(opened.iter().all(Result::is_ok));
    }
    // The log that the replica would need is gone.
    until(async || {
        let replica = world.status(world.leader().await).await?.replica?;
        (replica.purged > 10).then_some(())
    })
    .await;
    world.processes.start_vault().unwrap();
    assert!(world.open(asking(0, 7)).await.unwrap().pid == first.pid);
    same_digests(&world).await;
    let replica = world.status(away).await.unwrap().replica.unwrap();
    assert!(replica.snapshot > 0, "it came by snapshot: {replica:?}");
}
