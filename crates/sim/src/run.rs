//! One run: a world is built, lives through its faults, heals, and is judged.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, anyhow};
use renkei_consensus::inspect;
use renkei_ids::{NodeId, ReplicaId};
use renkei_shard_state::ShardState;
use turmoil::{Builder, Sim};

use crate::event::{Event, Standing};
use crate::faults::Faults;
use crate::invariants::{history, lost, rows};
use crate::node::Host;
use crate::patients;
use crate::plan::Plan;
use crate::report::Report;
use crate::world::{Phase, SharedWorld};
use crate::{client, host_name, machine, operator};

/// How long a world without faults may take until all its replicas agree.
const HEALING: Duration = Duration::from_secs(60);
/// How long the last reads may take.
const READING: Duration = Duration::from_secs(60);
/// Steps between two looks at what states hold.
const LOOK_EVERY: u64 = 200;
/// Steps of the search for an order that explains a patient's history.
const CHECK_STEPS: u64 = 50_000_000;
/// A day in 2026; the machines' clocks begin there.
pub(crate) const EPOCH: Duration = Duration::from_secs(1_780_000_000);

/// Runs a plan to its end, or to the first violation.
///
/// # Errors
/// When the simulation itself fails: no directory, or a simulated machine that panicked.
pub fn run(plan: Plan) -> anyhow::Result<Report> {
    let dir = dir_in_memory().context("make a directory for the states")?;
    let world = SharedWorld::new(plan.clone());
    let mut sim = builder(&plan).build();
    let hosts: BTreeMap<NodeId, Host> = (1..=plan.nodes)
        .map(NodeId)
        .map(|node| (node, Host::new(node, dir.path().join(node.to_string()), world.clone())))
        .collect();
    let founders: Vec<_> = (1..=plan.voters).map(|node| (ReplicaId(node.into()), NodeId(node))).collect();
    for host in hosts.values().cloned() {
        std::fs::create_dir_all(&host.dir).context("make the directory of a node")?;
        let founders = founders.clone();
        sim.host(host_name(host.node), move || host.clone().run(founders.clone()));
    }
    for number in 0..plan.clients {
        sim.client(format!("client-{number}"), client::run(number, plan.nodes, world.clone()));
    }
    sim.client("operator", operator::run(plan.nodes, plan.voters, world.clone()));

    let mut faults = Faults::new(plan.clone(), hosts, world.clone());
    let mut live = Live { sim: &mut sim, world: world.clone(), steps: 0, standings: BTreeMap::new() };
    live.through(&plan, &mut faults)?;
    Ok(judge(&plan, &world))
}

/// Where the machine has a file system in memory, syncs of real files cost a run no time.
fn dir_in_memory() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

fn builder(plan: &Plan) -> Builder {
    let mut builder = Builder::new();
    builder
        .rng_seed(plan.seed)
        .epoch(UNIX_EPOCH + EPOCH)
        .simulation_duration(Duration::from_secs(3_600))
        .tick_duration(Duration::from_millis(1))
        .min_message_latency(Duration::ZERO)
        .max_message_latency(plan.latency_max)
        .tcp_capacity(1 << 16)
        .enable_random_order();
    builder
}

/// A world while it lives.
struct Live<'a, 'b> {
    sim: &'a mut Sim<'b>,
    world: SharedWorld,
    steps: u64,
    standings: BTreeMap<ReplicaId, Standing>,
}

impl Live<'_, '_> {
    fn through(&mut self, plan: &Plan, faults: &mut Faults) -> anyhow::Result<()> {
        let end = Duration::from_millis(plan.chaos_millis);
        while self.sim.elapsed() < end && self.goes_on() {
            faults.step(self.sim);
            self.step()?;
        }
        faults.end_all(self.sim);
        self.enter(Phase::Healing);
        let limit = self.sim.elapsed() + HEALING;
        while self.goes_on() && !self.agreed() {
            if self.sim.elapsed() > limit {
                let standing = format!("{:?}", self.standings);
                self.world.lock().violated("healing", format!("no agreement without faults: {standing}"));
            }
            self.step()?;
        }
        self.enter(Phase::Reading);
        let limit = self.sim.elapsed() + READING;
        while self.goes_on() && !self.step()? {
            if self.sim.elapsed() > limit {
                self.world.lock().violated("healing", "no answers without faults".to_owned());
            }
        }
        self.look();
        self.look_at_rows(plan.patients);
        self.enter(Phase::Over);
        Ok(())
    }

    fn goes_on(&self) -> bool {
        self.world.lock().violation().is_none()
    }

    fn enter(&self, phase: Phase) {
        self.world.record(Event::Fault(format!("{phase:?}")));
        self.world.lock().phase = phase;
    }

    /// One simulated millisecond, and a look at every replica behind it. Whether all clients have ended.
    fn step(&mut self) -> anyhow::Result<bool> {
        let ended = self.sim.step().map_err(|error| anyhow!("a simulated machine failed: {error}"))?;
        self.steps += 1;
        let replicas: Vec<_> = self.world.lock().replicas.values().cloned().collect();
        for replica in replicas {
            let (id, standing) = (replica.replica(), Standing::of(&replica.status()));
            if self.standings.insert(id, standing) != Some(standing) {
                self.world.record(Event::Status { replica: id, status: standing });
            }
        }
        if self.steps.is_multiple_of(LOOK_EVERY) {
            self.look();
        }
        Ok(ended)
    }

    /// Looks at what every state holds.
    fn look(&self) {
        let replicas: Vec<_> = self.world.lock().replicas.values().cloned().collect();
        for replica in replicas {
            let view = replica.view();
            let read = || {
                let applied = inspect::applied(view.applied()?)?.last;
                Ok::<_, Box<dyn std::error::Error>>((applied, machine::chain(&view)?, machine::content(&view)?))
            };
            match read() {
                Ok((applied, chain, content)) => {
                    self.world.record(Event::Seen { replica: replica.replica(), applied, chain, content });
                }
                Err(error) => self.world.lock().violated("no failure", format!("a state cannot be read: {error}")),
            }
        }
    }

    /// Compares the audit rows of a leader's state with the answers that left.
    fn look_at_rows(&self, patients: u32) {
        let mut world = self.world.lock();
        let Some(leader) = world.replicas.values().find(|replica| replica.leadership().is_some()).cloned() else {
            return;
        };
        let view = leader.view();
        for patient in 0..patients {
            let answered: Vec<_> = world.rows.iter().filter(|row| row.patient == patient).copied().collect();
            let stored = patients::rows(&ShardState(&view), patient).map_err(|error| format!("{error:?}"));
            world.counts.rows += stored.as_ref().map_or(0, |rows| rows.len() as u64);
            if let Err(detail) = stored.and_then(|stored| rows::of_answers(&answered, &stored)) {
                world.violated("rows of answers", format!("patient {patient}: {detail}"));
            }
        }
    }

    /// Whether one replica leads, and all members have applied the same.
    fn agreed(&self) -> bool {
        let world = self.world.lock();
        let leader = world.replicas.values().find(|replica| replica.leadership().is_some());
        let Some(status) = leader.map(|leader| leader.status()) else { return false };
        let nodes: Vec<_> = status.members.nodes.iter().collect();
        !status.members.changing
            && nodes.into_iter().all(|(id, node)| {
                let replica = world.replicas.get(node).filter(|replica| replica.replica() == *id);
                let standing = replica.map(|replica| replica.status());
                standing.is_some_and(|it| it.applied == status.last_log && it.term == status.term)
            })
    }
}

fn judge(plan: &Plan, world: &SharedWorld) -> Report {
    let mut world = world.lock();
    let mut checked = 0;
    if world.violation().is_none() {
        if let Err(detail) = lost::nothing(world.book()) {
            world.violated("nothing lost", detail);
        }
        let histories = std::mem::take(&mut world.histories);
        for (patient, history) in &histories {
            match history::linearizable(history, CHECK_STEPS) {
                Ok(operations) => checked += operations,
                Err(detail) => world.violated("linearizable", format!("patient {patient}: {detail}")),
            }
        }
    }
    Report {
        seed: plan.seed,
        mutation: plan.mutation.clone(),
        seconds: plan.chaos_millis / 1000,
        only: plan.only,
        trace: world.trace(),
        events: world.events(),
        violation: world.violation().cloned(),
        counts: world.counts.clone(),
        elections: world.book().leaders.len() as u64,
        committed: world.book().committed.len() as u64,
        checked,
    }
}
