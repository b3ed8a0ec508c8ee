//! Starts runs and reads their reports.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Output;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use renkei_sim::entropy::{Entropy, NoEntropy};

/// Runs side by side: each is one thread.
const SIDE_BY_SIDE: usize = 2;

/// What a run said.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) trace: String,
    pub(crate) figures: BTreeMap<String, u64>,
    /// What was violated, and how to see it again.
    pub(crate) violated: Option<String>,
}

/// The library that makes runs repeatable; `None`, with its reason printed, where it cannot be compiled.
pub(crate) fn entropy() -> Option<&'static Entropy> {
    static ENTROPY: OnceLock<Option<Entropy>> = OnceLock::new();
    let compiled = ENTROPY.get_or_init(|| match Entropy::compile() {
        Ok(entropy) => Some(entropy),
        Err(NoEntropy::Compiler(error)) => {
            println!("SKIPPED: no C compiler: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    });
    compiled.as_ref()
}

/// One run in a process of its own.
pub(crate) fn run(entropy: &Entropy, seed: u64, seconds: u64, more: &[&str]) -> Run {
    let mut command = entropy.command(Path::new(env!("CARGO_BIN_EXE_renkei-sim")), seed);
    command.args(["--seeded", "--seed", &seed.to_string(), "--seconds", &seconds.to_string()]);
    command.args(more);
    let Output { stdout, stderr, .. } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    let mut lines = stdout.lines();
    let words: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    let pairs: BTreeMap<&str, &str> = words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let again = format!("again: cargo run --release -p renkei-sim -- --seed {seed} --seconds {seconds}");
    let trace = pairs.get("trace").unwrap_or_else(|| panic!("no report from seed {seed}; {again}\n{stderr}"));
    let figures = pairs.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.parse().ok()?))).collect();
    let rest: Vec<&str> = lines.collect();
    let violated = (pairs["violations"] != "0").then(|| rest.join("\n"));
    Run { seed, trace: (*trace).to_owned(), figures, violated }
}

/// Runs of all these seeds.
pub(crate) fn runs(entropy: &Entropy, seeds: RangeInclusive<u64>, seconds: u64) -> Vec<Run> {
    let next = AtomicU64::new(*seeds.start());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > *seeds.end() {
                        return;
                    }
                    let run = run(entropy, seed, seconds, &[]);
                    done.lock().unwrap().push(run);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|run| run.seed);
    done
}

/// Prints what all runs counted together; panics with what was violated.
pub(crate) fn conclude(runs: &[Run]) -> BTreeMap<String, u64> {
    let mut total: BTreeMap<String, u64> = BTreeMap::new();
    for (name, count) in runs.iter().flat_map(|run| &run.figures).filter(|(name, _)| *name != "seed") {
        *total.entry(name.clone()).or_default() += count;
    }
    let figures: Vec<String> = total.iter().map(|(name, count)| format!("{name} {count}")).collect();
    println!("simulation: {} seeds, {}", runs.len(), figures.join(", "));
    let violated: Vec<&str> = runs.iter().filter_map(|run| run.violated.as_deref()).collect();
    assert!(violated.is_empty(), "{}", violated.join("\n"));
    total
}
