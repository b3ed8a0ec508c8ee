//! What may be linked: who and key and data never in one program, and the pure crates without machinery.

use super::Violation;
use super::graph::Graph;

/// No program links two of these.
const APART: [&str; 4] = ["renkei-registrar", "renkei-keyholder", "renkei-vault", "renkei-node"];

/// Crates that decide without I/O.
const PURE: [&str; 9] = [
    "renkei-ids",
    "renkei-shard",
    "renkei-records",
    "renkei-access",
    "renkei-merkle",
    "renkei-pseudonym",
    "renkei-envelope",
    "renkei-placement",
    "renkei-population",
];

/// What brings a clock, a network, a disk or a scheduler.
const MACHINERY: [&str; 6] = ["tokio", "tonic", "hyper", "rocksdb", "openraft", "opentelemetry"];

/// A package from outside and the only ones of ours that may name it, in any kind of dependency.
const WRAPPED: [(&str, &[&str]); 2] = [("rocksdb", &["renkei-storage"]), ("openraft", &["renkei-consensus"])];

/// Every package of ours that names or links what it must not.
pub(crate) fn check(graph: &Graph) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (id, package) in graph.ours() {
        for (target, _) in graph.direct(id) {
            let wrapped = WRAPPED.iter().find(|(name, _)| is_of_family(&target.name, name));
            if let Some((name, wrappers)) = wrapped.filter(|(_, wrappers)| !wrappers.contains(&package.name.as_str())) {
                let detail = format!("names {}, which only {} may ({name})", target.name, wrappers.join(", "));
                violations.push(Violation::new(&package.name, "wrapper", detail));
            }
        }
        let closure = graph.normal_closure(id);
        let together: Vec<&str> = APART.into_iter().filter(|name| closure.contains(name)).collect();
        if together.len() > 1 {
            violations.push(Violation::new(
                &package.name,
                "apart",
                format!("links {} together", together.join(" and ")),
            ));
        }
        if PURE.contains(&package.name.as_str()) {
            let linked = MACHINERY.into_iter().filter(|name| closure.contains(name));
            violations.extend(linked.map(|name| Violation::new(&package.name, "pure", format!("links {name}"))));
        }
    }
    violations
}

/// `rocksdb` is also librocksdb-sys and rust-rocksdb; `openraft` is also openraft-multi.
fn is_of_family(package: &str, family: &str) -> bool {
    package.split('-').any(|part| part == family || part.strip_prefix("lib") == Some(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(edges: &[&str]) -> Vec<String> {
        check(&Graph::planted(edges)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn naming_rocksdb_or_openraft_is_caught_in_every_kind_of_dependency() {
        for arrow in ["->", "=>", "~>"] {
            let rocksdb = found(&[&format!("renkei-node {arrow} rocksdb")]);
            assert_eq!(rocksdb, ["renkei-node: wrapper: names rocksdb, which only renkei-storage may (rocksdb)"]);
            let openraft = found(&[&format!("renkei-storage {arrow} openraft")]);
            assert_eq!(
                openraft,
                ["renkei-storage: wrapper: names openraft, which only renkei-consensus may (openraft)"]
            );
        }
        assert_eq!(found(&["renkei-node -> librocksdb-sys"]).len(), 1);
        assert_eq!(found(&["renkei-node -> openraft-multi"]).len(), 1);
    }

    #[test]
    fn the_wrappers_themselves_and_those_above_them_are_free() {
        let edges = ["renkei-storage -> rocksdb", "renkei-consensus -> openraft", "renkei-consensus -> renkei-storage"];
        assert_eq!(found(&edges), [""; 0]);
    }

    #[test]
    fn two_that_must_stay_apart_are_caught_through_any_path() {
        let linked = found(&["renkei-cli -> renkei-vault", "renkei-cli -> glue", "glue -> renkei-node"]);
        assert_eq!(linked, ["renkei-cli: apart: links renkei-vault and renkei-node together"]);
        assert_eq!(found(&["renkei-vault -> renkei-registrar"]).len(), 1);
        assert_eq!(found(&["renkei-vault ~> renkei-node"]), [""; 0]);
    }

    #[test]
    fn machinery_below_a_pure_crate_is_caught_through_any_path() {
        assert_eq!(found(&["renkei-shard -> renkei-access", "renkei-access -> web", "web -> tokio"]).len(), 2);
        for name in MACHINERY.into_iter().filter(|name| !["rocksdb", "openraft"].contains(name)) {
            let edge = format!("renkei-ids -> {name}");
            assert_eq!(found(&[&edge]), [format!("renkei-ids: pure: links {name}")]);
        }
        assert_eq!(found(&["renkei-ids ~> tokio"]), [""; 0]);
    }
}
