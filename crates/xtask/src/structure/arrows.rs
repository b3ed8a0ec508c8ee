//! The arrows between our crates: architecture.md's rows, written out.

use super::Violation;
use super::graph::{Graph, Kind};

/// What a package may depend on, of ours. A crate that is not in this table is a violation, so that a new one is
/// placed in the architecture before it is used.
const ALLOWED: [(&str, &[&str]); 31] = [
    ("renkei-ids", &[]),
    ("renkei-faults", &[]),
    // pure
    ("renkei-records", &["ids"]),
    ("renkei-access", &["ids"]),
    ("renkei-merkle", &["ids"]),
    ("renkei-pseudonym", &["ids"]),
    ("renkei-envelope", &["ids", "access"]),
    ("renkei-placement", &["ids"]),
    ("renkei-population", &["ids", "records"]),
    ("renkei-shard", &["ids", "access", "merkle", "faults"]),
    // machine
    ("renkei-storage", &["ids", "faults"]),
    ("renkei-consensus", &["ids", "storage", "faults"]),
    // A shard's view and store as `storage` has them: what node and simulation share.
    ("renkei-shard-state", &["shard", "storage"]),
    // boundary
    ("renkei-wire", &["ids", "records", "access", "merkle", "pseudonym", "envelope", "placement", "shard"]),
    ("renkei-runtime", &["ids"]),
    // Raft frames, and how a group begins, so that node, vault and registrar share them without linking each other.
    ("renkei-peers", &["ids", "storage", "consensus", "wire", "runtime"]),
    // How the directory travels, so that vault, registrar and gateway share it without linking each other.
    ("renkei-directory", &["ids", "access", "wire", "runtime"]),
    // Certificates and addresses as `runtime` reads them: one type on both sides. And what the stand-in for the national side
    // mints and serves.
    ("renkei-launch", &["ids", "access", "pseudonym", "envelope", "wire", "runtime"]),
    // services
    (
        "renkei-node",
        &[
            "ids",
            "access",
            "merkle",
            "placement",
            "shard",
            "shard-state",
            "storage",
            "consensus",
            "wire",
            "runtime",
            "peers",
            "faults",
        ],
    ),
    // Of `shard` it reads the content of audit rows.
    (
        "renkei-gateway",
        &["ids", "records", "access", "merkle", "envelope", "placement", "shard", "wire", "runtime", "directory"],
    ),
    (
        "renkei-vault",
        &[
            "ids",
            "access",
            "merkle",
            "pseudonym",
            "envelope",
            "placement",
            "storage",
            "consensus",
            "wire",
            "runtime",
            "peers",
            "directory",
        ],
    ),
    // Of `records` it has numbers of insurance and comparison forms, and of no record anything; of `pseudonym` what blinds:
    // it has no factor, so no pseudonym.
    (
        "renkei-registrar",
        &[
            "ids",
            "records",
            "access",
            "merkle",
            "pseudonym",
            "envelope",
            "storage",
            "consensus",
            "wire",
            "runtime",
            "peers",
            "directory",
        ],
    ),
    ("renkei-keyholder", &["ids", "pseudonym", "envelope", "wire", "runtime"]),
    ("renkei-client", &["ids", "access", "merkle", "envelope", "wire"]),
    // evidence
    ("renkei-fault-disk", &[]),
    ("renkei-blast-radius", &["ids", "placement"]),
    (
        "renkei-sim",
        &["ids", "access", "merkle", "placement", "shard", "shard-state", "storage", "consensus", "faults", "testkit"],
    ),
    (
        "renkei-testkit",
        &["ids", "records", "access", "merkle", "envelope", "placement", "population", "wire", "launch"],
    ),
    // What reads bytes from outside. Nothing depends on it.
    (
        "renkei-fuzz",
        &[
            "ids",
            "records",
            "access",
            "merkle",
            "envelope",
            "placement",
            "population",
            "shard",
            "storage",
            "consensus",
            "wire",
            "runtime",
            "peers",
            "vault",
            "gateway",
        ],
    ),
    // door
    (
        "renkei-cli",
        &[
            "ids",
            "records",
            "access",
            "merkle",
            "envelope",
            "placement",
            "population",
            "storage",
            "wire",
            "runtime",
            "launch",
            "client",
            "blast-radius",
        ],
    ),
    ("renkei-loadtest", &["ids", "access", "population", "wire", "client", "launch"]),
];

/// Tests may use these on top of their crate's row.
const FOR_TESTS: [&str; 5] = ["testkit", "sim", "launch", "population", "fault-disk"];
/// And these tests that: to change what a node has stored, as a thief of its disk could; to make whole tickets of what key
/// holders give; to keep a directory that is published.
const FOR_TESTS_OF: [(&str, &str); 3] =
    [("renkei-gateway", "storage"), ("renkei-keyholder", "access"), ("renkei-cli", "directory")];

const PREFIX: &str = "renkei-";

/// Every edge between two of ours that the table does not allow.
pub(crate) fn check(graph: &Graph) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (id, package) in graph.ours().filter(|(_, package)| package.name != "xtask") {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
            violations.push(Violation::new(
                &package.name,
                "unknown crate",
                "place it in architecture.md and in this table",
            ));
            continue;
        };
        for (target, kind) in graph.direct(id).filter(|(target, _)| target.ours && target.name != package.name) {
            let short = target.name.strip_prefix(PREFIX).unwrap_or(&target.name);
            let for_tests = FOR_TESTS.contains(&short) || FOR_TESTS_OF.contains(&(&*package.name, short));
            let allowed = allowed.contains(&short) || (kind == Kind::Development && for_tests);
            if !allowed {
                violations.push(Violation::new(&package.name, "arrow", format!("must not depend on {}", target.name)));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(edges: &[&str]) -> Vec<String> {
        check(&Graph::planted(edges)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_arrow_that_points_up_is_caught_whatever_its_kind() {
        assert_eq!(
            found(&["renkei-storage -> renkei-consensus"]),
            ["renkei-storage: arrow: must not depend on renkei-consensus"]
        );
        assert_eq!(found(&["renkei-ids => renkei-access"]), ["renkei-ids: arrow: must not depend on renkei-access"]);
        assert_eq!(found(&["renkei-shard ~> renkei-node"]), ["renkei-shard: arrow: must not depend on renkei-node"]);
        assert_eq!(
            found(&["renkei-loadtest -> renkei-node"]),
            ["renkei-loadtest: arrow: must not depend on renkei-node"]
        );
    }

    #[test]
    fn a_crate_outside_the_table_is_caught() {
        assert_eq!(
            found(&["renkei-utils -> renkei-ids"]),
            ["renkei-utils: unknown crate: place it in architecture.md and in this table"]
        );
    }

    #[test]
    fn the_test_crates_are_for_tests_only() {
        assert_eq!(found(&["renkei-node ~> renkei-testkit", "renkei-node ~> renkei-launch"]), [""; 0]);
        assert_eq!(
            found(&["renkei-node -> renkei-testkit"]),
            ["renkei-node: arrow: must not depend on renkei-testkit"]
        );
        assert_eq!(found(&["renkei-gateway ~> renkei-storage", "renkei-gateway ~> renkei-population"]), [""; 0]);
        assert_eq!(
            found(&["renkei-gateway -> renkei-storage", "renkei-loadtest ~> renkei-storage"]),
            [
                "renkei-gateway: arrow: must not depend on renkei-storage",
                "renkei-loadtest: arrow: must not depend on renkei-storage"
            ]
        );
    }

    #[test]
    fn no_row_allows_a_cycle() {
        let edges: Vec<String> = ALLOWED
            .iter()
            .flat_map(|(from, allowed)| allowed.iter().map(move |to| format!("{from} -> {PREFIX}{to}")))
            .collect();
        let graph = Graph::planted(&edges.iter().map(String::as_str).collect::<Vec<_>>());
        for (id, package) in graph.ours() {
            for (target, _) in graph.direct(id) {
                assert!(!graph.normal_closure(&target.name).contains(id), "{} and {}", package.name, target.name);
            }
        }
    }
}
