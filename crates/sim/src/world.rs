//! What all simulated machines share: the order of events, the dice, and the observer.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use renkei_consensus::Replica;
use renkei_ids::NodeId;
use renkei_testkit::{Operation, PatientAnswer, PatientOperation};

use crate::book::Book;
use crate::event::{Event, hash_of};
use crate::invariants::{self, Invariant, Violation};
use crate::patients::Row;
use crate::plan::Plan;
use crate::report::Counts;

/// Operations of each patient, as clients saw them. Times are positions in the trace.
pub(crate) type Histories = BTreeMap<u32, Vec<Operation<PatientOperation, PatientAnswer>>>;

/// Clocks are so wrong at most.
const SKEW_MAX_MILLIS: u64 = 2_000;

/// Clones share one world.
#[derive(Clone)]
pub(crate) struct SharedWorld(Arc<Mutex<World>>);

pub(crate) struct World {
    plan: Plan,
    rng: SmallRng,
    trace: DefaultHasher,
    events: u64,
    book: Book,
    invariants: Vec<Box<dyn Invariant>>,
    /// The first one.
    violation: Option<Violation>,
    pub(crate) counts: Counts,
    pub(crate) histories: Histories,
    /// Replicas of running nodes.
    pub(crate) replicas: BTreeMap<NodeId, Replica>,
    pub(crate) phase: Phase,
    /// Factor on the time of syncs, by node.
    pub(crate) slow_disks: BTreeMap<NodeId, u32>,
    pub(crate) last_content: u64,
    /// Audit rows of answers that left.
    pub(crate) rows: Vec<Row>,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Faults, clients and the operator.
    Chaos,
    /// No more faults; everything is to come together.
    Healing,
    /// Clients read everything once more.
    Reading,
    Over,
}

impl SharedWorld {
    pub(crate) fn new(plan: Plan) -> Self {
        Self(Arc::new(Mutex::new(World {
            rng: SmallRng::seed_from_u64(plan.seed ^ 0x5eed),
            plan,
            trace: DefaultHasher::new(),
            events: 0,
            book: Book::default(),
            invariants: invariants::all(),
            violation: None,
            counts: Counts::default(),
            histories: Histories::new(),
            replicas: BTreeMap::new(),
            phase: Phase::Chaos,
            slow_disks: BTreeMap::new(),
            last_content: 0,
            rows: Vec::new(),
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        // After a panic of a simulated machine the run is over anyway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next event; gives its position in the trace.
    pub(crate) fn record(&self, event: Event) -> u64 {
        self.lock().record(event)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// A drawn time of up to `max`.
    pub(crate) fn up_to(&self, max: Duration) -> Duration {
        let max = u64::try_from(max.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.lock().rng.random_range(0..=max))
    }

    /// Whether a chance of `one in of` is met.
    pub(crate) fn one_in(&self, of: u32) -> bool {
        self.lock().rng.random_ratio(1, of)
    }

    pub(crate) fn below(&self, end: u64) -> u64 {
        self.lock().rng.random_range(0..end.max(1))
    }

    /// How long a sync takes on a node.
    pub(crate) fn sync_time(&self, node: NodeId) -> Duration {
        let mut world = self.lock();
        let factor = world.slow_disks.get(&node).copied().unwrap_or(1);
        let max = u64::try_from(world.plan.sync_max.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(world.rng.random_range(0..=max)) * factor
    }

    /// How long work on a state takes: rarely, very long.
    pub(crate) fn work_time(&self) -> Duration {
        let mut world = self.lock();
        let max = u64::try_from(world.plan.work_max.as_micros()).unwrap_or(u64::MAX);
        let factor = if world.rng.random_ratio(1, 500) { 50 } else { 1 };
        Duration::from_micros(world.rng.random_range(0..=max)) * factor
    }
}

impl World {
    pub(crate) fn record(&mut self, event: Event) -> u64 {
        self.events += 1;
        let text = format!("{event:?}");
        text.hash(&mut self.trace);
        if self.plan.trace {
            crate::report::complain(&format!("{} {text}", self.events));
        }
        self.counts.count(&event);
        self.book.note(&event);
        if self.violation.is_none() {
            let found = self.invariants.iter_mut().find_map(|invariant| {
                let broken = invariant.after(&event, &self.book).err()?;
                Some(Violation { invariant: invariant.name(), detail: broken, at: self.events })
            });
            self.violation = found;
        }
        self.events
    }

    /// Reports what was found out at the end of a run.
    pub(crate) fn violated(&mut self, invariant: &'static str, detail: String) {
        let at = self.events;
        self.violation.get_or_insert(Violation { invariant, detail, at });
    }

    pub(crate) fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// By how much a node's clock is wrong, milliseconds.
    pub(crate) fn skew(&self, node: NodeId) -> i64 {
        let drawn = hash_of(&(self.plan.seed, node.0)) % (2 * SKEW_MAX_MILLIS + 1);
        i64::try_from(drawn).unwrap_or(0) - SKEW_MAX_MILLIS.cast_signed()
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// A hash of everything that happened, in order.
    pub(crate) fn trace(&self) -> u64 {
        self.trace.finish()
    }
}
