//! Histories of clients under faults: made, told and judged.

mod clients;
mod desk;
mod documents;
mod judge;
mod nemesis;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use renkei_ids::NodeId;
use renkei_launch::{Host, Hosts};
use renkei_testkit::Dice;

use crate::cloud::TestCloud;
use clients::{Counts, Load};
use desk::Desk;
use judge::Judged;
use nemesis::{CLIENTS, Nemesis};

pub(crate) use nemesis::Fault;

/// A history to make.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How long clients work and trouble comes.
    pub(crate) load: Duration,
    pub(crate) clients: usize,
    pub(crate) patients: u32,
    /// In the order of their first coming.
    pub(crate) deck: Vec<Fault>,
}

/// What came of it.
pub(crate) struct History {
    pub(crate) judged: Judged,
    pub(crate) counts: Arc<Counts>,
    pub(crate) faults: BTreeMap<Fault, u32>,
}

/// Hosts for three nodes and their clients.
///
/// # Errors
/// Why this machine has none; then trouble comes without that of the network.
pub(crate) fn hosts() -> Result<Hosts, String> {
    let nodes: Vec<String> = (1..=3).map(|node| nemesis::host(NodeId(node))).collect();
    let names: Vec<&str> = nodes.iter().map(String::as_str).chain([CLIENTS]).collect();
    Hosts::make(&names).map_err(|error| renkei_runtime::Chain(&error).to_string())
}

/// Makes a history and judges it. Call it on a thread without a runtime.
///
/// # Panics
/// Where the history is wrong: with its seed, how to repeat it, and where it was kept.
pub(crate) fn make(plan: &Plan, hosts: Option<&Hosts>) -> History {
    let Some(hosts) = hosts else { return make_here(plan, None) };
    let nodes: Vec<Host> = (1..=3).map(|node| hosts.host(&nemesis::host(NodeId(node))).unwrap()).collect();
    // Threads of the runtime are children of this one, and so on the clients' host too.
    hosts.host(CLIENTS).unwrap().within(|| make_here(plan, Some((hosts, &nodes)))).unwrap()
}

fn make_here(plan: &Plan, hosts: Option<(&Hosts, &[Host])>) -> History {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut cloud = runtime.block_on(async {
        let cloud = TestCloud::unfounded_on(hosts.map(|(_, nodes)| nodes), 3, &[]);
        cloud.bootstrap(NodeId(1), 3, 3).await.unwrap();
        cloud.wait_led().await;
        cloud
    });
    let mut dice = Dice::new(plan.seed);
    let desk = Arc::new(runtime.block_on(Desk::open(&cloud, plan.patients)));
    let counts = Arc::new(Counts::default());
    let (done, story) = trouble(plan, &mut cloud, hosts.map(|(hosts, _)| hosts), &desk, &counts, &mut dice, &runtime);
    let judged = runtime.block_on(async {
        cloud.wait_led().await;
        let judged = judge::judge(&desk, &counts).await;
        for group in &desk.groups {
            cloud.same_digests(*group).await;
        }
        judged
    });
    let kept = judge::keep(&desk, plan.seed, &story, &judged);
    assert!(
        judged.violations.is_empty(),
        "seed {}: {} violations; the history is in {}; again by\n  RENKEI_SEED={} cargo test --release -p renkei-node \
         histories -- --include-ignored --nocapture --test-threads=1\n{}",
        plan.seed,
        judged.violations.len(),
        kept.display(),
        plan.seed,
        judged.violations.join("\n")
    );
    History { judged, counts, faults: done }
}

/// Clients and nemesis at once.
fn trouble(
    plan: &Plan,
    cloud: &mut TestCloud,
    hosts: Option<&Hosts>,
    desk: &Arc<Desk>,
    counts: &Arc<Counts>,
    dice: &mut Dice,
    runtime: &tokio::runtime::Runtime,
) -> (BTreeMap<Fault, u32>, Vec<(u64, String)>) {
    let stop = Arc::new(AtomicBool::new(false));
    let until = Instant::now() + plan.load;
    let nemesis_dice = dice.fork();
    let load = Load { clients: plan.clients, hot: 8 };
    std::thread::scope(|scope| {
        let processes = &mut cloud.processes;
        let stopped = Arc::clone(&stop);
        let nemesis = scope.spawn(move || {
            let (done, story) = (BTreeMap::new(), Vec::new());
            let mut nemesis = Nemesis { cloud: processes, hosts, desk, dice: nemesis_dice, done, story };
            nemesis.run(&plan.deck, until, &stopped);
            // Whatever came to its end early, clients work for as long as was planned.
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
            stopped.store(true, Ordering::Relaxed);
            (nemesis.done, nemesis.story)
        });
        runtime.block_on(clients::run(Arc::clone(desk), &load, dice, Arc::clone(&stop), Arc::clone(counts)));
        nemesis.join().unwrap()
    })
}

impl std::fmt::Display for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Judged { operations, rows, steps, kept, violations } = &self.judged;
        let Counts { answered, unknown, left_out, retries } = &*self.counts;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "{operations} operations checked in {steps} steps: {} answered, {} unknown; {} had no effect, {} retries; \
             {rows} audit rows, {kept} versions read again, {} violations; faults: {:?}",
            count(answered),
            count(unknown),
            count(left_out),
            count(retries),
            violations.len(),
            self.faults
        )
    }
}
