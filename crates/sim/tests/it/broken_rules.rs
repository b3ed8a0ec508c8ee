//! Rules that are broken on purpose: runs must notice, each within a number of seeds.

use crate::simulate::{entropy, run};

const SECONDS: u64 = 40;

struct Broken {
    rule: &'static str,
    /// So many seeds may be needed.
    seeds: u64,
    /// The kind of faults that shows it soonest; all of them where there is none.
    only: Option<&'static str>,
    /// Which invariants may notice first.
    noticed_by: &'static [&'static str],
}

const BROKEN: [Broken; 3] = [
    Broken { rule: "any-leadership", seeds: 20, only: Some("cut"), noticed_by: &["leadership of answers"] },
    // A leader that comes back in its old term proposes other entries where it lost what it had proposed.
    Broken {
        rule: "leader-restored",
        seeds: 10,
        only: Some("leader-crash"),
        noticed_by: &["log matching", "linearizable"],
    },
    Broken { rule: "sync-skipped", seeds: 10, only: Some("crash-all"), noticed_by: &["one vote a term", "survival"] },
];

#[test]
fn every_broken_rule_is_noticed() {
    let Some(entropy) = entropy() else { return };
    for Broken { rule, seeds, only, noticed_by } in BROKEN {
        let mut more = vec!["--mutate", rule];
        more.extend(only.iter().flat_map(|kind| ["--only", *kind]));
        let found = (1..=seeds).find_map(|seed| Some((seed, run(entropy, seed, SECONDS, &more).violated?)));
        let (seed, violated) = found.unwrap_or_else(|| panic!("{rule}: nothing noticed in {seeds} seeds"));
        let named = noticed_by.iter().any(|name| violated.starts_with(&format!("violated: {name} ")));
        assert!(named, "{rule} was noticed by another invariant than those it breaks: {violated}");
        println!("{rule}: noticed with seed {seed} of {seeds}: {}", violated.lines().next().unwrap_or_default());
    }
}
