//! What an institution sees of processes that die.

use std::time::{Duration, Instant};

use bytes::Bytes;
use renkei_runtime::Role;
use renkei_wire::{ErrorCode, Refusal};

use crate::world::{Client, GROUP, World, chunks, get, head, put, put_once, query, timeline, until, vaccination};

/// Longest time that a client may go without a success when a leader is killed: the requirement of the demo.
const GAP_MAX: Duration = Duration::from_secs(5);
/// How long the client goes on with the leader dead, and then with it back.
const DEAD: Duration = Duration::from_secs(8);
const BACK: Duration = Duration::from_secs(3);
/// Between a read and the next put: one slot may take 600 writes a minute.
const PAUSE: Duration = Duration::from_millis(30);

/// What one client got done.
#[derive(Default)]
struct Done {
    acknowledged: Vec<(Bytes, String)>,
    reads: usize,
    gap: Duration,
    refused: Vec<Refusal>,
}

impl Done {
    /// Puts documents numbered from `first` and reads each back, one after the other, until `end`.
    async fn collect(client: &mut Client, first: usize, mut end: impl FnMut() -> bool) -> Self {
        let mut done = Self::default();
        let mut last = Instant::now();
        for n in first.. {
            let document = vaccination("2026-03-05", &format!("document {n}"));
            let key = format!("k{n}");
            let reference = loop {
                match put_once(client, head(1, &key, &document), chunks(&document)).await {
                    Ok(stored) => break stored.reference,
                    // Nobody knows whether it took effect: the same again, by the same key.
                    Err(refusal) => done.refused.push(retried(refusal).await),
                }
            };
            done.gap = done.gap.max(last.elapsed());
            last = Instant::now();
            done.acknowledged.push((reference.clone(), document));
            match get(client, 1, &reference, 0).await {
                Ok(read) => {
                    assert!(read == done.acknowledged[n - first].1.as_bytes(), "document {n} while the leader is dead");
                    done.reads += 1;
                    done.gap = done.gap.max(last.elapsed());
                    last = Instant::now();
                }
                Err(refusal) => done.refused.push(retried(refusal).await),
            }
            if end() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        done
    }
}

/// Waits as a refusal says, which must be one that may be tried again.
async fn retried(refusal: Refusal) -> Refusal {
    let Some(wait) = refusal.retry_after else { panic!("{refusal:?} is no answer to a dead node") };
    tokio::time::sleep(wait).await;
    refusal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_killed_leader_costs_an_institution_seconds_and_no_document() {
    let mut world = World::of(3, &[]).await;
    let mut client = world.client(Role::Institution, "hospital-a");
    put(&mut client, 1, "first", vaccination("2026-03-05", "first")).await.unwrap();
    let leader = world.leader().await;
    let mut left = 20;
    let counted = || {
        left -= 1;
        left == 0
    };
    let before = Done::collect(&mut client, 0, counted).await;

    world.processes.node(leader).unwrap().kill().unwrap();
    let died = Instant::now();
    let dead = Done::collect(&mut client, 1_000, || died.elapsed() > DEAD).await;
    let other = world.leader().await;
    assert_ne!(other, leader);
    world.processes.start(leader).unwrap();
    let returned = Instant::now();
    let back = Done::collect(&mut client, 2_000, || returned.elapsed() > BACK).await;

    for (when, done) in [("dead", &dead), ("back", &back)] {
        let Done { acknowledged, reads, gap, refused } = done;
        println!("{when}: {} puts, {reads} reads, {} refusals, longest gap {gap:?}", acknowledged.len(), refused.len());
        assert!(*gap <= GAP_MAX, "{when}: no success for {gap:?}");
        assert!(*reads > 10 && acknowledged.len() > 10, "{when}: {reads} reads of {}", acknowledged.len());
    }
    let mut acknowledged = 0;
    for (reference, document) in before.acknowledged.iter().chain(&dead.acknowledged).chain(&back.acknowledged) {
        assert!(get(&mut client, 1, reference, 0).await.unwrap() == document.as_bytes());
        acknowledged += 1;
    }
    let (listed, _) = timeline(&mut client, query(1, vec![])).await.unwrap();
    assert_eq!(listed.len(), acknowledged + 1, "each once, however often it was tried, and the very first");

    // The node that was killed has everything that was committed when it was asked for.
    let committed = world.replica(other).await.unwrap().committed;
    until(async || world.replica(leader).await.filter(|replica| replica.applied >= committed)).await;
    assert_eq!(world.replica(leader).await.unwrap().group, GROUP);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_its_vault_a_gateway_refuses_by_code_and_serves_again_when_it_is_back() {
    let mut world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let document = vaccination("2026-03-05", "kept");
    let stored = put(&mut client, 1, "first", &document).await.unwrap();
    // The first read opens the patient anew, for the year's key is younger than the opening of the put.
    get(&mut client, 1, &stored.reference, 0).await.unwrap();
    world.processes.vault().unwrap().kill().unwrap();

    // Patient 1 is open, so that reading goes on; a put needs the vault, and so does a patient who is not open.
    assert_eq!(get(&mut client, 1, &stored.reference, 0).await.unwrap(), document.as_bytes());
    let began = Instant::now();
    let (mut other, mut third) = (client.clone(), client.clone());
    let (put_refused, open_refused) = tokio::join!(
        put_once(&mut other, head(1, "second", &document), chunks(&document)),
        timeline(&mut third, query(2, vec![])),
    );
    for refused in [put_refused.unwrap_err(), open_refused.unwrap_err()] {
        assert_eq!(refused.code, ErrorCode::Unavailable, "{refused:?}");
        assert!(refused.retry_after.is_some(), "it may be tried again: {refused:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());

    world.processes.start_vault().unwrap();
    put(&mut client, 1, "second", &document).await.unwrap();
    let (nothing, _) = timeline(&mut client, query(2, vec![])).await.unwrap();
    assert!(nothing.is_empty());
}
