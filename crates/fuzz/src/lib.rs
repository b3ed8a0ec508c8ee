//! Properties of whatever reads bytes from outside: what a target says must hold for every input.
//!
//! Invariant: a target is deterministic, ends on every input, and panics where a property does not hold. None says only
//! "does not panic": what is read and written again means the same, what is refused changes nothing, and what an input
//! costs in memory is bounded by its length.
//!
//! One table of targets has two drivers. `cargo verify` runs each for half a second: its seeds, the corpus in the tree,
//! and mutations of both from a fixed seed (`tests/it`). `cargo verify --long fuzz` builds the example of this crate with
//! coverage counters in our crates and hands it to libFuzzer, which keeps what reaches new code. An input that failed
//! once stays in `corpus/<target>/`, so that both run it for good.
//!
//! Parsers of others (JSON, protobuf, TOML) are linked as they are, without counters.

mod input;
mod mutate;
mod targets;

use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;

pub use mutate::{Mutator, Rng};
pub use targets::{PLANTED, TARGETS};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Longest time that one input may take. No property needs a hundredth of it; it is wide for machines that are busy.
pub const INPUT_LIMIT: Duration = Duration::from_secs(10);

/// One property and what leads to it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// A stable name, also that of its folder in the corpus.
    pub name: &'static str,
    /// Panics where the property does not hold.
    run: fn(&[u8]),
    /// Inputs to start from: valid ones, that mutations stay near to.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Most bytes of an input.
    pub input_max_bytes: usize,
    memory: Memory,
}

/// What an input may cost: so many bytes for each of its own, on top of a fixed amount.
#[derive(Clone, Copy, Debug)]
struct Memory {
    factor: usize,
    base: usize,
}

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().chain([&PLANTED]).find(|target| target.name == name)
    }

    /// Runs the property on one input and holds memory and time against their bounds. The allocator counts for the whole
    /// process: nothing else may run beside it.
    ///
    /// # Panics
    /// Where the property does not hold or a bound is broken.
    pub fn check(&self, input: &[u8]) {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let started = Instant::now();
        (self.run)(input);
        let took = started.elapsed();
        let peak = ALLOCATOR.peak_usage().saturating_sub(before);
        let allowed = self.memory.base + self.memory.factor * input.len();
        assert!(peak <= allowed, "{} bytes of input took {peak} bytes of memory, {allowed} are allowed", input.len());
        assert!(took <= INPUT_LIMIT, "{} bytes of input took {took:?}", input.len());
    }
}
