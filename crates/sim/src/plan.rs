use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use renkei_consensus::{SnapshotSchedule, Timing};
use std::time::Duration;

/// Everything that is decided before a run begins.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Decides the rest.
    pub seed: u64,
    /// Simulated milliseconds with faults.
    pub chaos_millis: u64,
    /// A rule to break.
    pub mutation: Option<String>,
    /// Whether every event is written to standard error.
    pub trace: bool,
    pub(crate) only: Option<&'static str>,
    pub(crate) nodes: u32,
    pub(crate) voters: u32,
    pub(crate) clients: u32,
    pub(crate) patients: u32,
    pub(crate) latency_max: Duration,
    /// Share of messages that are lost, in bursts.
    pub(crate) loss: f64,
    /// Longest time of an ordinary sync.
    pub(crate) sync_max: Duration,
    /// Longest time of ordinary work on a state.
    pub(crate) work_max: Duration,
    /// Mean time between two faults.
    pub(crate) fault_every: Duration,
    pub(crate) schedule: SnapshotSchedule,
    pub(crate) timing: Timing,
    /// Whether replicas are added and replaced.
    pub(crate) membership: bool,
    /// What kinds of faults there are, a share of a hundred each, in the order of [`FAULTS`].
    pub(crate) weights: [u32; 8],
    /// One request in so many finds a machine that stands still for a while.
    pub(crate) still_one_in: u32,
    /// Longest pause of the operator.
    pub(crate) operator_pause: Duration,
}

/// A mutation that no build knows, or that this build cannot make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this build cannot break the rule `{0}`")]
pub struct UnknownMutation(String);

#[cfg(feature = "faults")]
fn break_rule(name: &str) -> Result<(), UnknownMutation> {
    renkei_faults::arm(&format!("mutate {name}")).map_err(|_| UnknownMutation(name.to_owned()))
}

#[cfg(not(feature = "faults"))]
fn break_rule(name: &str) -> Result<(), UnknownMutation> {
    Err(UnknownMutation(name.to_owned()))
}

/// The kinds of faults, in the order of `faults::Kind`.
pub(crate) const FAULTS: [&str; 8] =
    ["crash", "leader-crash", "crash-all", "cut", "one-way", "hold", "slow", "slow-disk"];
/// Mean time between two faults where there is one kind of them.
const OFTEN: Duration = Duration::from_millis(600);

/// A kind of faults that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of faults `{0}`")]
pub struct UnknownFault(String);

impl Plan {
    /// The plan of a seed.
    ///
    /// # Errors
    /// [`UnknownMutation`].
    pub fn new(seed: u64, seconds: u64, mutation: Option<String>, trace: bool) -> Result<Self, UnknownMutation> {
        if let Some(name) = &mutation {
            break_rule(name)?;
        }
        let mut rng = SmallRng::seed_from_u64(seed);
        let voters = if rng.random_ratio(1, 4) { 5 } else { 3 };
        let membership = rng.random_ratio(1, 2);
        let millis =
            |rng: &mut SmallRng, range: std::ops::RangeInclusive<u64>| Duration::from_millis(rng.random_range(range));
        // States are flushed at every look or never: how old unflushed data is, is told by a clock that is not ours.
        let flushed = rng.random_ratio(1, 2);
        let schedule = SnapshotSchedule {
            log_bytes: rng.random_range(300..12_000),
            interval: millis(&mut rng, 2_000..=20_000),
            keep_bytes: if rng.random_ratio(1, 2) { 0 } else { rng.random_range(0..4_000) },
            purge_step: rng.random_range(1..32),
            flush_age: if flushed { Duration::ZERO } else { Duration::from_secs(1 << 30) },
            tick: millis(&mut rng, 50..=1_000),
        };
        let mut weights = [0; 8];
        for weight in &mut weights {
            // Most runs lack some kinds of faults, so that the others have their way.
            *weight = if rng.random_ratio(1, 4) { 0 } else { rng.random_range(1..100) };
        }
        Ok(Self {
            seed,
            chaos_millis: seconds * 1000,
            mutation,
            trace,
            only: None,
            nodes: voters + u32::from(membership),
            voters,
            clients: rng.random_range(3..=6),
            patients: rng.random_range(2..=6),
            latency_max: millis(&mut rng, 2..=40),
            loss: if rng.random_ratio(1, 2) { rng.random_range(0.0..0.03) } else { 0.0 },
            sync_max: millis(&mut rng, 1..=30),
            work_max: millis(&mut rng, 0..=10),
            fault_every: millis(&mut rng, 300..=2_500),
            schedule,
            timing: if rng.random_ratio(1, 5) { Timing::DEMO } else { Timing::LAN },
            membership,
            weights,
            still_one_in: rng.random_range(8..=80),
            operator_pause: millis(&mut rng, 300..=4_000),
        })
    }

    /// The same with one kind of faults alone, often: to look at what that kind can show.
    ///
    /// # Errors
    /// [`UnknownFault`].
    pub fn only(mut self, kind: &str) -> Result<Self, UnknownFault> {
        let place = FAULTS.iter().position(|name| *name == kind).ok_or_else(|| UnknownFault(kind.to_owned()))?;
        self.weights = [0; FAULTS.len()];
        self.weights[place] = 1;
        self.fault_every = OFTEN;
        self.only = Some(FAULTS[place]);
        Ok(self)
    }
}
