//! Rules that are broken on purpose, each in a process of its own: the test that defends a rule must fail without it.

use std::process::Command;

use renkei_faults::{Mutation, arm};

/// Tells a test process which rule to break.
const BROKEN_RULE: &str = "RENKEI_TEST_BROKEN_RULE";

const DEFENDED: [(Mutation, &str); 4] = [
    (Mutation::OwnerCheckedAtProposal, "moves::a_slot_is_served_by_one_group_at_a_time"),
    (Mutation::LapsedFreezePromised, "moves::a_freeze_lapses_by_itself_and_what_lapsed_is_not_promised"),
    (Mutation::LapsedFreezePromised, "moves::patients_who_move_live_as_if_they_never_had"),
    (Mutation::StaleEpochServed, "reads::nothing_is_read_of_a_slot_that_is_frozen_or_has_gone"),
];

/// Breaks the rule that this process was told to break, if any.
pub(crate) fn break_as_told() {
    #[expect(clippy::disallowed_methods, reason = "a test is told by the test that started it")]
    let rule = std::env::var(BROKEN_RULE);
    if let Ok(rule) = rule {
        arm(&format!("mutate {rule}")).unwrap();
    }
}

#[test]
fn every_rule_of_ownership_is_defended_by_a_test() {
    for (rule, test) in DEFENDED {
        let mut process = Command::new(std::env::current_exe().unwrap());
        let output = process.args(["--exact", test]).env(BROKEN_RULE, rule.name()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.contains("running 1 test"), "there is no test {test}");
        let failed = told.contains("test result: FAILED. 0 passed; 1 failed");
        assert!(failed && !output.status.success(), "{test} passes with {}:\n{told}", rule.name());
        println!("{} caught by {test}", rule.name());
    }
}
