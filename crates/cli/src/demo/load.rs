//! Clients that write and read while a leader is killed.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::try_join_all;
use renkei_envelope::Reference;
use renkei_ids::NodeId;
use renkei_population::{DocumentKind, PersonIndex, Population};

use super::acts::Act;
use super::check_in::{Desk, Who};
use super::cloud::DemoCloud;
use super::corpus::{self, Stored};
use super::institution::Institution;
use crate::failure::Failure;

/// Clients, each in a loop of its own.
pub(super) const CLIENTS: u32 = 16;
/// Patients of one client: their slots lie in most groups.
const PATIENTS: u32 = 8;
/// Operations acknowledged before the kill.
pub(super) const BEFORE: u64 = 500;
/// Operations acknowledged between the kill and the restart, at least.
pub(super) const WHILE_DEAD: u64 = 2_000;
/// Longest time for those, and for the node to be back.
const LONGEST: Duration = Duration::from_secs(120);
/// Pause between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(20);

/// Numbers of the [people](corpus::person) whom the clients write about.
pub(super) fn people() -> impl Iterator<Item = u32> {
    0..CLIENTS * PATIENTS
}

/// What came of the load.
pub(super) struct Loaded {
    pub(super) killed: NodeId,
    /// Shard groups that it led.
    pub(super) led: usize,
    /// Writes and reads that were acknowledged, and of those, the ones while the node was dead.
    pub(super) acknowledged: u64,
    pub(super) while_dead: u64,
    pub(super) reads: u64,
    /// Reads that gave other bytes than were written.
    pub(super) misread: u64,
    /// Longest time between two successes of one client.
    pub(super) longest_gap: Duration,
    /// From the kill until the node had applied all that was committed when it was started again.
    pub(super) back_after: Duration,
    /// Every document of an acknowledged write.
    pub(super) written: Vec<Stored>,
}

/// What all clients count together: they take turns on one thread.
#[derive(Default)]
struct Counts {
    acknowledged: Cell<u64>,
    reads: Cell<u64>,
    misread: Cell<u64>,
    longest_gap: Cell<Duration>,
    over: Cell<bool>,
    written: RefCell<Vec<Stored>>,
}

/// Runs the clients; meanwhile kills the node that leads most, and starts it again.
pub(super) async fn run(
    cloud: &mut DemoCloud,
    (institution, desk): (&Institution<'_>, &Desk),
    act: &Act,
) -> Result<Loaded, Failure> {
    let counts = Counts::default();
    let population = corpus::population();
    let clients = (0..CLIENTS).map(|number| client(number, (institution, desk), &population, &counts));
    let clients = async { try_join_all(clients).await.map(|_| ()) };
    let drill = async {
        let drilled = drill(cloud, &counts, act).await;
        counts.over.set(true);
        drilled
    };
    let ((), Drilled { killed, led, while_dead, back_after }) = tokio::try_join!(clients, drill)?;
    Ok(Loaded {
        killed,
        led,
        while_dead,
        back_after,
        acknowledged: counts.acknowledged.get(),
        reads: counts.reads.get(),
        misread: counts.misread.get(),
        longest_gap: counts.longest_gap.get(),
        written: counts.written.into_inner(),
    })
}

struct Drilled {
    killed: NodeId,
    led: usize,
    while_dead: u64,
    back_after: Duration,
}

async fn drill(cloud: &mut DemoCloud, counts: &Counts, act: &Act) -> Result<Drilled, Failure> {
    reach(counts, BEFORE, act).await?;
    let (killed, led) = cloud.busiest_leader().await.ok_or(Failure::NoLeader)?;
    cloud.kill(killed)?;
    let (dead_at, at) = (Instant::now(), counts.acknowledged.get());
    act.say(format_args!("node {killed}, which led {led} groups, is killed"));
    reach(counts, at + WHILE_DEAD, act).await?;
    let while_dead = counts.acknowledged.get() - at;
    let least = cloud.committed().await;
    cloud.restart(killed)?;
    act.say(format_args!("node {killed} is started again"));
    while !cloud.has_applied(killed, &least).await {
        if dead_at.elapsed() > LONGEST {
            return Err(Failure::NotBack { node: killed, after: LONGEST });
        }
        act.at(counts.acknowledged.get());
        tokio::time::sleep(LOOK).await;
    }
    Ok(Drilled { killed, led, while_dead, back_after: dead_at.elapsed() })
}

/// Waits until so many operations are acknowledged.
async fn reach(counts: &Counts, goal: u64, act: &Act) -> Result<(), Failure> {
    let began = Instant::now();
    while counts.acknowledged.get() < goal {
        if began.elapsed() > LONGEST {
            return Err(Failure::Stalled { acknowledged: counts.acknowledged.get(), goal, after: LONGEST });
        }
        act.at(counts.acknowledged.get());
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// A patient of one client, and what was written last.
struct Own {
    index: PersonIndex,
    patient: Who,
    last: Option<(Bytes, Reference)>,
}

/// Writes a document, reads it, and goes on to the next patient, until it is over.
async fn client(
    number: u32,
    (institution, desk): (&Institution<'_>, &Desk),
    population: &Population,
    counts: &Counts,
) -> Result<(), Failure> {
    let mut own: Vec<Own> = (0..PATIENTS)
        .map(|place| corpus::person(number * PATIENTS + place))
        .map(|index| Own { index, patient: desk.resident(index), last: None })
        .collect();
    let mut last_success = Instant::now();
    let mut succeeded = || {
        counts.acknowledged.set(counts.acknowledged.get() + 1);
        counts.longest_gap.set(counts.longest_gap.get().max(last_success.elapsed()));
        last_success = Instant::now();
    };
    for turn in 0_u32.. {
        let place = turn % PATIENTS;
        let Own { index, patient, last } = &mut own[place as usize];
        if counts.over.get() {
            break;
        }
        let document = Bytes::from(population.document(*index, DocumentKind::Vaccination, 1 + turn / PATIENTS));
        let reply = institution.put(*patient, &corpus::key(turn as usize), &document).await?;
        succeeded();
        counts.written.borrow_mut().push(Stored {
            document: document.clone(),
            patient: *patient,
            reference: reply.reference.clone(),
        });
        // Half of the reads are of what was written just now, half of what was written a round ago.
        let (expected, reference) = match last.replace((document.clone(), reply.reference.clone())) {
            Some(before) if turn % 2 == 0 => before,
            _ => (document, reply.reference),
        };
        let read = institution.get(*patient, &reference).await?;
        succeeded();
        counts.reads.set(counts.reads.get() + 1);
        if read != expected {
            counts.misread.set(counts.misread.get() + 1);
        }
    }
    Ok(())
}
