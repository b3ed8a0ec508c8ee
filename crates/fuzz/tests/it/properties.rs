use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use renkei_fuzz::{Mutator, PLANTED, TARGETS, Target};

use crate::corpus;

/// How many inputs a target gets. They are the same ones each time, so that the verdict on a commit is one.
const MUTATIONS: u64 = 8_000;
/// How long one target is run, on a machine where that many take longer.
const SPAN: Duration = Duration::from_millis(500);
const SEED: u64 = 20_261_129;

/// Memory is counted for the whole process: one target at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs the property; on failure says which input it was, in a form that can go into a file of the corpus.
#[expect(clippy::print_stdout, reason = "what a failed test says")]
fn check(target: &Target, origin: &str, input: &[u8]) {
    if let Err(fault) = catch_unwind(AssertUnwindSafe(|| target.check(input))) {
        let mut hex = String::new();
        input.iter().for_each(|byte| write!(hex, "{byte:02x}").expect("a String takes all text"));
        println!("{}: {origin} fails, {} bytes: {hex}", target.name, input.len());
        println!("to keep it: xxd -r -p > crates/fuzz/corpus/{}/<what it is>", target.name);
        std::panic::resume_unwind(fault);
    }
}

#[expect(clippy::print_stdout, reason = "the figures of a test")]
fn run(name: &str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Target::named(name).expect("a target of the table");
    let corpus = corpus::of(target);
    let mut known = (target.seeds)();
    // Whatever is made once and kept is made by the first input, and counted with it: so it goes ahead of the count.
    if let Some(first) = known.first() {
        let _made = catch_unwind(AssertUnwindSafe(|| target.check(first)));
    }
    known.iter().enumerate().for_each(|(number, seed)| check(target, &format!("seed {number}"), seed));
    corpus.iter().for_each(|(path, input)| check(target, &path.display().to_string(), input));
    known.extend(corpus.into_iter().map(|(_, input)| input));
    let mut mutator = Mutator::new(SEED, known, target.input_max_bytes);
    let (started, mut count) = (Instant::now(), 0_u64);
    while count < MUTATIONS && started.elapsed() < SPAN {
        let input = mutator.input();
        check(target, &format!("mutation {count} of seed {SEED}"), &input);
        count += 1;
    }
    assert!(count > 10, "{count} inputs in {SPAN:?} are no test");
    println!("{name}: {count} mutations");
}

macro_rules! targets {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_target_of_the_table_is_run_here() {
            let here = BTreeSet::from([$(stringify!($name)),*]);
            assert_eq!(here, TARGETS.iter().map(|target| target.name).collect::<BTreeSet<_>>());
        }
    };
}

targets! {
    documents,
    document_edits,
    summaries,
    identifiers,
    wire_node,
    wire_record,
    wire_vault,
    wire_admin,
    bodies,
    peers,
    shard_items,
    shard_apply,
    shard_rows,
    placement,
    access,
    sealed,
    raft,
    snapshots,
    configuration,
    vault_state,
}

#[test]
fn a_fault_is_told() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(catch_unwind(|| PLANTED.check(b"fuzz and more")).is_err());
    assert!(catch_unwind(|| PLANTED.check(b"fuz")).is_ok());
}
