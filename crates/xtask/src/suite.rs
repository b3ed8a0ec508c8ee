//! Every test of the workspace: builds the binaries once, then runs one after the other.
//!
//! xtask runs the binaries itself rather than through `cargo test`, because only so is a crash told from a failure, a
//! binary that hangs is stopped, and the tests that start real processes run one at a time within theirs.

use std::env;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use cargo_metadata::{Artifact, Message};

use crate::setup::TEST_PYTHON;
use crate::stages::{Ending, Running, Verdict, show_log};
use crate::tally::Tally;
use crate::workspace::{DEVELOPMENT, Workspace};

/// Packages whose tests start real processes.
const ONE_AT_A_TIME: [&str; 8] = [
    "renkei-launch",
    "renkei-node",
    "renkei-gateway",
    "renkei-vault",
    "renkei-registrar",
    "renkei-keyholder",
    "renkei-cli",
    "renkei-loadtest",
];

/// Property tests draw from this seed, unless the caller's environment names another: the verdict on a commit is the same
/// each time. Other seeds are for whoever looks for faults, not for whoever lands a change.
const PROPERTY_SEED: (&str, &str) = ("PROPTEST_RNG_SEED", "4096");

/// One binary may take this long.
const BINARY_LIMIT: Duration = Duration::from_secs(15 * 60);
const DOC_TESTS_LIMIT: Duration = Duration::from_secs(15 * 60);

/// A compiled test binary.
#[derive(Debug)]
pub(crate) struct TestBinary {
    package: String,
    target: String,
    executable: PathBuf,
    package_root: PathBuf,
}

/// Builds all binaries of the workspace and all test binaries; the latter are returned in a fixed order.
pub(crate) fn build(workspace: &Workspace, running: &mut Running) -> anyhow::Result<Option<Vec<TestBinary>>> {
    let messages = workspace.log_dir().join("build.json");
    let mut command = workspace.cargo();
    command.args(["build", "--release", "--workspace", "--bins", "--tests"]).args(DEVELOPMENT);
    command.arg("--message-format=json-render-diagnostics");
    let log = running.log();
    let ending = running.watch_apart(&mut command, &log, &messages)?;
    if !ending.success() {
        return Ok(None);
    }
    let file = File::open(&messages).with_context(|| format!("reading {}", messages.display()))?;
    let mut binaries = Vec::new();
    for message in Message::parse_stream(BufReader::new(file)) {
        if let Message::CompilerArtifact(artifact) = message.context("reading cargo's messages")? {
            binaries.extend(TestBinary::of(workspace, artifact));
        }
    }
    binaries.sort_by(|a, b| (&a.package, &a.target, &a.executable).cmp(&(&b.package, &b.target, &b.executable)));
    Ok(Some(binaries))
}

/// Runs the binaries one after the other, and the doc tests. Shows the output of each that failed. `python` is told to
/// the tests that need one.
pub(crate) fn run(
    workspace: &Workspace,
    binaries: &[TestBinary],
    python: Option<&Path>,
    running: &mut Running,
) -> anyhow::Result<(Verdict, Tally)> {
    let directory = workspace.log_dir().join("tests");
    fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    let mut total = Tally::default();
    for binary in binaries {
        let log = directory.join(format!("{}-{}.log", binary.package, binary.target));
        let mut command = binary.command();
        match python {
            Some(python) => command.env(TEST_PYTHON, python),
            None => command.env_remove(TEST_PYTHON),
        };
        let ending = running.watch(&mut command, &log, BINARY_LIMIT)?;
        total += judge(&ending, &log)?;
    }
    if workspace.metadata().workspace_packages().iter().any(|package| package.targets.iter().any(|it| it.doctest)) {
        let log = directory.join("doc-tests.log");
        let mut command = workspace.cargo();
        command.args(["test", "--doc", "--release", "--workspace"]).args(DEVELOPMENT);
        command.args(["--no-fail-fast", "--", "--show-output"]);
        let ending = running.watch(&mut command, &log, DOC_TESTS_LIMIT)?;
        total += judge(&ending, &log)?;
    }
    let verdict = if total.is_good() { Verdict::Passed } else { Verdict::Failed };
    Ok((verdict, total))
}

impl TestBinary {
    fn of(workspace: &Workspace, artifact: Artifact) -> Option<Self> {
        let executable = artifact.executable.filter(|_| artifact.profile.test)?;
        let package = &workspace.metadata()[&artifact.package_id];
        Some(Self {
            package: package.name.to_string(),
            target: artifact.target.name,
            executable: executable.into(),
            package_root: artifact.manifest_path.parent()?.into(),
        })
    }

    /// The package that it tests.
    pub(crate) fn package(&self) -> &str {
        &self.package
    }

    /// As cargo would start it: in the package's directory, which its manifest variable names.
    pub(crate) fn bare_command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.package_root).env("CARGO_MANIFEST_DIR", &self.package_root);
        command
    }

    fn command(&self) -> Command {
        let mut command = self.bare_command();
        command.arg("--show-output");
        if env::var_os(PROPERTY_SEED.0).is_none() {
            command.env(PROPERTY_SEED.0, PROPERTY_SEED.1);
        }
        if ONE_AT_A_TIME.contains(&self.package.as_str()) {
            command.arg("--test-threads=1");
        }
        command
    }
}

fn judge(ending: &Ending, log: &Path) -> anyhow::Result<Tally> {
    let output = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let tally = Tally::read(&String::from_utf8_lossy(&output), ending.success());
    if tally.failed > 0 {
        crate::complain(&format!("{}: {tally} ({ending:?})", log.display()));
        show_log(log)?;
    }
    Ok(tally)
}
