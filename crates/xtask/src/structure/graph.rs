//! The packages of the build and their edges, small enough that a test can plant a wrong one.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, Metadata};

/// Packages by the id that cargo gives them; in tests, by name.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    packages: BTreeMap<String, Package>,
}

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// A member of the workspace.
    pub(crate) ours: bool,
    edges: Vec<Edge>,
}

#[derive(Clone, Debug)]
struct Edge {
    to: String,
    kind: Kind,
}

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Development,
}

impl Graph {
    /// The resolved graph of this platform, features of the whole workspace united.
    pub(crate) fn of(metadata: &Metadata) -> anyhow::Result<Self> {
        let nodes = &metadata.resolve.as_ref().context("cargo's metadata lacks the dependency graph")?.nodes;
        let mut packages = BTreeMap::new();
        for node in nodes {
            let mut edges = Vec::new();
            for dependency in &node.deps {
                edges.extend(dependency.dep_kinds.iter().filter_map(|found| {
                    let kind = match found.kind {
                        DependencyKind::Normal => Kind::Normal,
                        DependencyKind::Build => Kind::Build,
                        DependencyKind::Development => Kind::Development,
                        _ => return None,
                    };
                    Some(Edge { to: dependency.pkg.repr.clone(), kind })
                }));
            }
            let name = metadata[&node.id].name.to_string();
            let ours = metadata.workspace_members.contains(&node.id);
            packages.insert(node.id.repr.clone(), Package { name, ours, edges });
        }
        Ok(Self { packages })
    }

    /// Members of the workspace by id.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (&str, &Package)> {
        self.packages.iter().filter(|(_, package)| package.ours).map(|(id, package)| (id.as_str(), package))
    }

    /// What a package names itself, with the kind.
    pub(crate) fn direct(&self, id: &str) -> impl Iterator<Item = (&Package, Kind)> {
        let edges = self.packages.get(id).map_or(&[][..], |package| &package.edges);
        edges.iter().filter_map(|edge| Some((self.packages.get(&edge.to)?, edge.kind)))
    }

    /// The names of all packages that are linked into this one: it and all that normal dependencies reach.
    pub(crate) fn normal_closure(&self, id: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::from([id]);
        let mut waiting = vec![id];
        while let Some(package) = waiting.pop().and_then(|id| self.packages.get(id)) {
            let normal = package.edges.iter().filter(|edge| edge.kind == Kind::Normal);
            waiting.extend(normal.map(|edge| edge.to.as_str()).filter(|to| seen.insert(to)));
        }
        seen.into_iter().filter_map(|id| Some(self.packages.get(id)?.name.as_str())).collect()
    }

    /// A graph for a test, from `a -> b` (normal), `a => b` (build) and `a ~> b` (development). Names that begin with
    /// `renkei-` are ours.
    #[cfg(test)]
    pub(crate) fn planted(edges: &[&str]) -> Self {
        let mut graph = Self::default();
        for edge in edges {
            let [from, arrow, to] = edge.split(' ').collect::<Vec<_>>()[..] else { panic!("{edge} is no edge") };
            let kind = match arrow {
                "->" => Kind::Normal,
                "=>" => Kind::Build,
                "~>" => Kind::Development,
                _ => panic!("{arrow} is no arrow"),
            };
            for name in [from, to] {
                let package = || Package { name: name.into(), ours: name.starts_with("renkei-"), edges: Vec::new() };
                graph.packages.entry(name.to_owned()).or_insert_with(package);
            }
            graph.packages.get_mut(from).unwrap().edges.push(Edge { to: to.to_owned(), kind });
        }
        graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_follows_normal_edges_only_and_ends_on_a_cycle() {
        let graph = Graph::planted(&["renkei-a -> b", "b -> c", "c -> b", "b => d", "renkei-a ~> e"]);
        assert_eq!(graph.normal_closure("renkei-a"), BTreeSet::from(["renkei-a", "b", "c"]));
    }
}
