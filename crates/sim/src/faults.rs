//! Crashes, cuts, delays, losses and slow disks, at drawn times.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use renkei_ids::NodeId;
use turmoil::Sim;

use crate::event::Event;
use crate::node::Host;
use crate::plan::Plan;
use crate::world::SharedWorld;
use crate::{disk, host_name};

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One node loses power.
    Crash,
    /// The node that leads loses power, and is back at once.
    LeaderCrash,
    /// All nodes lose power.
    CrashAll,
    /// One node is cut off.
    Cut,
    /// One direction between two nodes is cut.
    OneWay,
    /// Messages between two nodes wait.
    Hold,
    /// Messages are slow everywhere.
    Slow,
    /// A disk is slow.
    SlowDisk,
}

const KINDS: [Kind; 8] =
    [Kind::Crash, Kind::LeaderCrash, Kind::CrashAll, Kind::Cut, Kind::OneWay, Kind::Hold, Kind::Slow, Kind::SlowDisk];

/// Most faults last less than this.
const SHORT_MILLIS: u64 = 3_000;
/// Some last longer, so that a replica misses what others purge.
const LONG_MILLIS: u64 = 12_000;
const SLOW_DISK_FACTOR: u32 = 20;
const SLOW_LATENCY: Duration = Duration::from_millis(400);

/// What ends a fault.
#[derive(Clone, Copy, Debug)]
enum End {
    Start(NodeId),
    Mend(NodeId, NodeId),
    Release(NodeId, NodeId),
    Latency,
    Disk(NodeId),
    Loss,
}

pub(crate) struct Faults {
    rng: SmallRng,
    plan: Plan,
    hosts: BTreeMap<NodeId, Host>,
    world: SharedWorld,
    next: Duration,
    /// By when; the number keeps equal times apart.
    ends: BTreeMap<(Duration, u64), End>,
    begun: u64,
}

impl Faults {
    pub(crate) fn new(plan: Plan, hosts: BTreeMap<NodeId, Host>, world: SharedWorld) -> Self {
        let rng = SmallRng::seed_from_u64(plan.seed ^ 0xfa_017);
        // The group is founded first.
        Self { rng, plan, hosts, world, next: Duration::from_secs(2), ends: BTreeMap::new(), begun: 0 }
    }

    /// Begins and ends what is due.
    pub(crate) fn step(&mut self, sim: &mut Sim<'_>) {
        let now = sim.elapsed();
        while let Some(entry) = self.ends.first_entry().filter(|entry| entry.key().0 <= now) {
            let end = entry.remove();
            self.end(sim, end);
        }
        if now >= self.next {
            let mean = u64::try_from(self.plan.fault_every.as_millis()).unwrap_or(u64::MAX);
            self.next = now + Duration::from_millis(self.rng.random_range(0..=mean * 2));
            self.begin(sim, now);
        }
    }

    /// Ends every fault, now.
    pub(crate) fn end_all(&mut self, sim: &mut Sim<'_>) {
        for end in std::mem::take(&mut self.ends).into_values() {
            self.end(sim, end);
        }
        sim.set_fail_rate(0.0);
        sim.set_max_message_latency(self.plan.latency_max);
    }

    fn begin(&mut self, sim: &mut Sim<'_>, now: Duration) {
        let total: u32 = self.plan.weights.iter().sum();
        if total == 0 {
            return;
        }
        let mut at = self.rng.random_range(0..total);
        let kinds = KINDS.iter().zip(self.plan.weights);
        let drawn = kinds.map(|(kind, weight)| (*kind, weight)).find(|(_, weight)| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        let Some((kind, _)) = drawn else { return };
        let nodes: Vec<NodeId> = self.hosts.keys().copied().collect();
        let node = *nodes.choose(&mut self.rng).expect("there are nodes");
        let other = *nodes.choose(&mut self.rng).expect("there are nodes");
        let longest = if self.rng.random_ratio(1, 5) { LONG_MILLIS } else { SHORT_MILLIS };
        let lasts = Duration::from_millis(self.rng.random_range(20..longest));
        self.world.record(Event::Fault(format!("{kind:?} of {node} (and {other}) for {lasts:?}")));
        self.world.lock().counts.fault(kind as usize);
        let until = now + lasts;
        match kind {
            Kind::Crash => self.crash(sim, node, until),
            Kind::LeaderCrash => {
                let leader = self.leader().unwrap_or(node);
                let back = now + Duration::from_millis(self.rng.random_range(1..300));
                self.crash(sim, leader, back);
            }
            Kind::CrashAll => {
                for node in nodes {
                    let back = now + Duration::from_millis(self.rng.random_range(1..1_500));
                    self.crash(sim, node, back);
                }
            }
            Kind::Cut => {
                for &other in nodes.iter().filter(|other| **other != node) {
                    sim.partition(host_name(node), host_name(other));
                    self.until(until, End::Mend(node, other));
                }
            }
            Kind::OneWay if node != other => {
                sim.partition_oneway(host_name(node), host_name(other));
                self.until(until, End::Mend(node, other));
            }
            Kind::Hold if node != other => {
                sim.hold(host_name(node), host_name(other));
                self.until(until, End::Release(node, other));
            }
            Kind::Slow => {
                sim.set_max_message_latency(SLOW_LATENCY);
                self.until(until, End::Latency);
            }
            Kind::SlowDisk => {
                self.world.lock().slow_disks.insert(node, SLOW_DISK_FACTOR);
                self.until(until, End::Disk(node));
            }
            Kind::OneWay | Kind::Hold => {}
        }
        if self.plan.loss > 0.0 {
            sim.set_fail_rate(self.plan.loss);
            self.until(until, End::Loss);
        }
    }

    /// The node whose replica says that it leads in the highest term.
    fn leader(&self) -> Option<NodeId> {
        let world = self.world.lock();
        let leading = world.replicas.iter().filter_map(|(node, replica)| Some((replica.leadership()?.term, *node)));
        leading.max().map(|(_, node)| node)
    }

    fn crash(&mut self, sim: &mut Sim<'_>, node: NodeId, back: Duration) {
        let name = host_name(node);
        if !sim.is_host_running(name.as_str()) {
            return;
        }
        self.world.lock().replicas.remove(&node);
        sim.crash(name.as_str());
        let host = &self.hosts[&node];
        disk::interrupted(host, self.rng.random_ratio(1, 2));
        let kept = self.rng.random_range(0..=host.disk.unsynced());
        host.disk.power_cut(kept);
        self.world.record(Event::Crashed { node });
        self.until(back, End::Start(node));
    }

    fn until(&mut self, when: Duration, end: End) {
        self.begun += 1;
        self.ends.insert((when, self.begun), end);
    }

    fn end(&mut self, sim: &mut Sim<'_>, end: End) {
        self.world.record(Event::Fault(format!("{end:?}")));
        match end {
            End::Start(node) => sim.bounce(host_name(node)),
            End::Mend(a, b) => sim.repair(host_name(a), host_name(b)),
            End::Release(a, b) => sim.release(host_name(a), host_name(b)),
            End::Latency => sim.set_max_message_latency(self.plan.latency_max),
            End::Disk(node) => drop(self.world.lock().slow_disks.remove(&node)),
            End::Loss => sim.set_fail_rate(0.0),
        }
    }
}
