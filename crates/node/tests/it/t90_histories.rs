//! Histories of three real nodes under kills, pauses, partitions and clock jumps are linearizable, each answer has its
//! row, and nothing acknowledged is lost.

use std::time::{Duration, Instant};

use renkei_testkit::Dice;

use crate::histories::{self, Fault, Plan};

/// Seeds of the long proof.
const SEEDS: u64 = 20;

/// The one seed that was asked for.
#[expect(clippy::disallowed_methods, reason = "the house tells its tests which seed to take")]
fn asked_seed() -> Option<u64> {
    std::env::var("RENKEI_SEED").ok().map(|seed| seed.parse().expect("RENKEI_SEED is a number"))
}

#[test]
fn a_history_under_faults_is_linearizable_and_complete() {
    let hosts = histories::hosts().inspect_err(|reason| println!("without partitions: {reason}")).ok();
    let plan = Plan {
        seed: asked_seed().unwrap_or(1),
        load: Duration::from_secs(14),
        clients: 24,
        patients: 40,
        deck: vec![Fault::LeaderAlone, Fault::KillLeader, Fault::LeaderAhead, Fault::PauseLeader],
    };
    let history = histories::make(&plan, hosts.as_ref());
    println!("seed {}: {history}", plan.seed);
    assert!(history.judged.operations > 500, "too little was tried to prove anything");
}

#[test]
#[ignore = "long: proof"]
fn long_proof_histories() {
    let hosts = match histories::hosts() {
        Ok(hosts) => hosts,
        Err(reason) => {
            println!("SKIPPED: no partitions without network namespaces: {reason}");
            return;
        }
    };
    let began = Instant::now();
    let seeds = asked_seed().map_or_else(|| (1..=SEEDS).collect(), |seed| vec![seed]);
    let (mut operations, mut rows, mut steps, mut faults) = (0, 0, 0, 0);
    for seed in &seeds {
        let mut deck = Fault::ALL.to_vec();
        Dice::new(*seed).shuffle(&mut deck);
        let plan = Plan { seed: *seed, load: Duration::from_secs(60), clients: 64, patients: 200, deck };
        let history = histories::make(&plan, Some(&hosts));
        println!("seed {seed}: {history}");
        operations += history.judged.operations;
        rows += history.judged.rows;
        steps += history.judged.steps;
        faults += history.faults.values().sum::<u32>();
    }
    println!(
        "{} seeds, {operations} operations checked in {steps} steps, {rows} audit rows, {faults} faults, 0 violations, {:?}",
        seeds.len(),
        began.elapsed()
    );
}
