//! The structure that architecture.md draws, checked: who may depend on whom, and what the text of the tree must not say.
//!
//! Every check is a pure function over a small graph or a text, and has a planted violation in its tests.

mod arrows;
mod closures;
mod graph;
mod manifests;
mod sources;
mod text;

use std::fmt;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::stages::{Stage, Verdict, print_line};
use crate::workspace::Workspace;
use graph::Graph;
use sources::Source;

pub(crate) const STRUCTURE: Stage = Stage { name: "structure", first_guess: Duration::from_secs(1) };

/// One place where the tree is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// A package or a file, with a line where there is one.
    place: String,
    rule: &'static str,
    detail: String,
}

impl Violation {
    fn new(place: impl Into<String>, rule: &'static str, detail: impl Into<String>) -> Self {
        Self { place: place.into(), rule, detail: detail.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.rule, self.detail)
    }
}

/// `cargo xtask structure`.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    let (verdict, remark) = report(&workspace)?;
    print_line(&format!("structure: {remark}"))?;
    Ok(if verdict == Verdict::Passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs every check and shows what it finds.
pub(crate) fn report(workspace: &Workspace) -> anyhow::Result<(Verdict, String)> {
    let sources = tracked(workspace)?;
    let mut violations = check(workspace, &sources)?;
    violations.sort();
    for violation in &violations {
        crate::complain(&violation.to_string());
    }
    let verdict = if violations.is_empty() { Verdict::Passed } else { Verdict::Failed };
    Ok((verdict, format!("{} files, {} violations", sources.len(), violations.len())))
}

fn check(workspace: &Workspace, sources: &[Source]) -> anyhow::Result<Vec<Violation>> {
    let graph = Graph::of(workspace.metadata())?;
    let mut violations = arrows::check(&graph);
    violations.extend(closures::check(&graph));
    violations.extend(manifests::check(&manifests::Manifest::all_of(workspace.metadata())?));
    violations.extend(sources.iter().flat_map(text::check));
    violations.extend(sources::check_markdown_share(sources));
    Ok(violations)
}

/// The files that git tracks or would, which are text.
fn tracked(workspace: &Workspace) -> anyhow::Result<Vec<Source>> {
    let mut git = Command::new("git");
    git.current_dir(workspace.root()).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().context("starting git")?;
    ensure!(output.status.success(), "`git ls-files` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let mut sources = Vec::new();
    for path in String::from_utf8(output.stdout).context("a tracked path is not text")?.split_terminator('\0') {
        // A file deleted and not yet committed is listed and not there; a binary one has no lines.
        let Ok(bytes) = fs::read(workspace.root().join(path)) else { continue };
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path: path.to_owned(), text });
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources.dedup_by(|a, b| a.path == b.path);
    Ok(sources)
}
