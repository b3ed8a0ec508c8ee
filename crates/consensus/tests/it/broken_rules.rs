//! Rules that are broken on purpose, each in a process of its own: the test that defends a rule must fail without it.

use std::process::Command;

use renkei_faults::{Mutation, arm};

/// Tells a test process which rule to break.
const BROKEN_RULE: &str = "RENKEI_TEST_BROKEN_RULE";

const DEFENDED: [(Mutation, &str); 3] = [
    (
        Mutation::AnyLeadership,
        "leadership::a_leadership_is_given_up_when_deposed_and_a_proposal_under_it_is_never_applied",
    ),
    (
        Mutation::ServesBeforeOwnEntry,
        "leadership::there_is_no_leadership_before_the_leaders_own_first_entry_is_applied",
    ),
    (Mutation::LeaderRestored, "failover::a_leader_that_comes_back_leads_in_a_new_term_and_with_its_whole_state"),
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
fn every_rule_of_leadership_is_defended_by_a_test() {
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
