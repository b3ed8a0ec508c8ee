use crate::simulate::{conclude, entropy, run, runs};

#[test]
fn the_same_seed_gives_the_same_run_event_by_event() {
    let Some(entropy) = entropy() else { return };
    let [first, second, other] = [11, 11, 12].map(|seed| run(entropy, seed, 6, &[]));
    assert_eq!((&first.trace, &first.figures), (&second.trace, &second.figures), "seed 11 gave two different runs");
    assert_ne!(first.trace, other.trace);
}

#[test]
fn no_invariant_is_violated_in_a_few_short_runs() {
    let Some(entropy) = entropy() else { return };
    let total = conclude(&runs(entropy, 1..=6, 15));
    for figure in ["faults", "crashes", "elections", "snapshots", "truncations", "answered"] {
        assert!(total[figure] > 0, "no {figure} in any run");
    }
}

#[test]
#[ignore = "long: proof"]
fn long_proof_simulated_consensus_keeps_its_invariants_over_fifty_seeds() {
    let Some(entropy) = entropy() else { return };
    #[expect(clippy::disallowed_methods, reason = "a test is told by whoever repeats it")]
    let told = std::env::var("RENKEI_SEED").ok().and_then(|seed| seed.parse().ok());
    let total = conclude(&runs(entropy, told.map_or(1001..=1050, |seed| seed..=seed), 60));
    assert!(told.is_some() || total["checked"] > 10_000, "too few operations");
}
