//! `cargo demo`: builds every binary of the workspace and hands over to `renkei demo`.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::setup::{self, SETUP};
use crate::stages::{Stage, Stages, Verdict, show_log};
use crate::workspace::{DEVELOPMENT, Workspace};

const BUILD: Stage = Stage { name: "binaries", first_guess: Duration::from_secs(480) };

/// Starts `renkei demo` with `arguments`; its exit code is ours.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut stages = Stages::open(workspace.log_dir())?;
    stages.run(SETUP, |running| setup::prepare(&workspace, running))?;
    let mut build = workspace.cargo();
    build.args(["build", "--release", "--workspace", "--bins"]).args(DEVELOPMENT);
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
    ensure!(
        renkei.exists(),
        "everything is built, but there is no `renkei` among it: the demo comes with the command line"
    );
    let status = Command::new(&renkei).arg("demo").args(arguments).status();
    let status = status.with_context(|| format!("starting {}", renkei.display()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
