//! What every member's manifest and crate roots must have.

use std::fs;

use anyhow::Context as _;
use cargo_metadata::Metadata;

use super::Violation;

/// The only package that may have a build script.
const MAY_BUILD: &str = "renkei-wire";
/// One integration-test binary per crate: each one more links everything once more.
const TEST_BINARIES: usize = 1;
/// A `main.rs` is a table of contents.
const MAIN_LINES: usize = 60;

/// A member of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    name: String,
    text: String,
    has_build_script: bool,
    test_binaries: usize,
    /// Path and text of the library's and the binaries' first files.
    roots: Vec<(String, String)>,
}

impl Manifest {
    pub(crate) fn all_of(metadata: &Metadata) -> anyhow::Result<Vec<Self>> {
        let read = |path: &cargo_metadata::camino::Utf8Path| {
            let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
            let short = path.strip_prefix(&metadata.workspace_root).unwrap_or(path);
            Ok::<_, anyhow::Error>((short.to_string(), text))
        };
        let mut manifests = Vec::new();
        for package in metadata.workspace_packages() {
            let targets = &package.targets;
            let roots = targets.iter().filter(|target| target.is_lib() || target.is_bin());
            manifests.push(Self {
                name: package.name.to_string(),
                text: read(&package.manifest_path)?.1,
                has_build_script: targets.iter().any(|target| target.is_custom_build()),
                test_binaries: targets.iter().filter(|target| target.is_test()).count(),
                roots: roots.map(|target| read(&target.src_path)).collect::<anyhow::Result<_>>()?,
            });
        }
        Ok(manifests)
    }
}

/// Every member that differs from the house's ways.
pub(crate) fn check(manifests: &[Manifest]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for manifest in manifests {
        let mut violate = |rule, detail: String| violations.push(Violation::new(&manifest.name, rule, detail));
        if !manifest.text.contains("[lints]\nworkspace = true") {
            violate("lints", "does not take the workspace's lints".into());
        }
        if manifest.has_build_script && manifest.name != MAY_BUILD {
            violate("build script", format!("only {MAY_BUILD} has one"));
        }
        if manifest.test_binaries > TEST_BINARIES {
            violate("test binaries", format!("{} of them, where one is enough", manifest.test_binaries));
        }
        for (path, text) in &manifest.roots {
            if !text.lines().any(|line| line.starts_with("//!")) {
                violations.push(Violation::new(path, "crate root", "does not say in `//!` what the crate is"));
            }
            let lines = text.lines().count();
            if path.ends_with("main.rs") && lines > MAIN_LINES {
                violations.push(Violation::new(path, "main", format!("{lines} lines, at most {MAIN_LINES}")));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Manifest {
        Manifest {
            name: "renkei-node".into(),
            text: "[package]\n\n[lints]\nworkspace = true\n".into(),
            has_build_script: false,
            test_binaries: 1,
            roots: vec![("crates/node/src/main.rs".into(), "//! A node.\n\nfn main() {}\n".into())],
        }
    }

    fn rules(manifest: Manifest) -> Vec<&'static str> {
        check(&[manifest]).into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn each_departure_is_caught_by_its_rule_alone() {
        assert_eq!(rules(good()), [""; 0]);
        assert_eq!(rules(Manifest { text: "[package]\n".into(), ..good() }), ["lints"]);
        assert_eq!(rules(Manifest { has_build_script: true, ..good() }), ["build script"]);
        assert_eq!(rules(Manifest { test_binaries: 2, ..good() }), ["test binaries"]);
        let silent = vec![("crates/node/src/lib.rs".into(), "pub fn node() {}\n".into())];
        assert_eq!(rules(Manifest { roots: silent, ..good() }), ["crate root"]);
        let long = vec![("crates/node/src/main.rs".into(), format!("//! A node.\n{}", "\n".repeat(MAIN_LINES)))];
        assert_eq!(rules(Manifest { roots: long, ..good() }), ["main"]);
    }

    #[test]
    fn the_build_script_of_wire_is_the_one() {
        assert_eq!(rules(Manifest { name: MAY_BUILD.into(), has_build_script: true, ..good() }), [""; 0]);
    }
}
