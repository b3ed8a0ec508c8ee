//! `cargo demo`: builds every binary of the workspace and hands over to `renkei demo`.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Context as _;

use crate::setup::{self, SETUP};
use crate::stages::{Stage, Stages, Verdict, show_log};
use crate::workspace::{DEVELOPMENT, Workspace};

const BUILD: Stage = Stage { name: "binaries", first_guess: Duration::from_secs(480) };

/// Becomes `renkei demo` with `arguments`; returns where that cannot be.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut stages = Stages::open(workspace.log_dir())?;
    stages.run(SETUP, |running| setup::prepare(&workspace, running))?;
    let mut build = workspace.cargo();
    // With an example among its targets cargo resolves features as it does for tests, and neither a demo after a
    // verification nor a verification after a demo compiles a dependency twice.
    build.args(["build", "--release", "--workspace", "--bins", "--example", "throughput"]).args(DEVELOPMENT);
    let verdict = stages.run(BUILD, |running| {
        let log = running.log();
        if running.watch(&mut build, &log, Duration::MAX)?.success() {
            return Ok((Verdict::Passed, String::new()));
        }
        show_log(&log)?;
        Ok((Verdict::Failed, String::new()))
    })?;
    if verdict == Verdict::Failed {
        return Ok(ExitCode::FAILURE);
    }
    let renkei = workspace.target_dir().join("release").join("renkei");
    // In our place, so that Ctrl-C is its alone and its exit code is what the caller sees.
    let refused = Command::new(&renkei).arg("demo").args(arguments).exec();
    Err(refused).with_context(|| format!("starting {}", renkei.display()))
}
