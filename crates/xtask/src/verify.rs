//! `cargo verify`: format, clippy, structure, production binaries, build and tests, and a last line that counts the tests.

use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::production::{self, PRODUCTION};
use crate::setup::{self, PYTHON, SETUP};
use crate::stages::{Running, Stage, Stages, Verdict, print_line, show_log};
use crate::structure::{self, STRUCTURE};
use crate::suite::{self, TestBinary};
use crate::tally::Tally;
use crate::workspace::{DEVELOPMENT, Workspace};

const FORMAT: Stage = Stage { name: "format", first_guess: Duration::from_secs(3) };
const CLIPPY: Stage = Stage { name: "clippy", first_guess: Duration::from_secs(300) };
const BUILD: Stage = Stage { name: "build", first_guess: Duration::from_secs(540) };
const TESTS: Stage = Stage { name: "tests", first_guess: Duration::from_secs(240) };

/// Runs every stage. The checks of the text are all reported before one of them stops the rest; the last line is
/// `N passed, N failed, N skipped` in every case.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let outcome = run_stages();
    if let Err(error) = &outcome {
        crate::complain(&format!("error: {error:#}"));
    }
    let tally = outcome.unwrap_or_default();
    print_line(&tally.to_string())?;
    Ok(if tally.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The tests' tally: empty when an earlier stage failed.
fn run_stages() -> anyhow::Result<Tally> {
    let workspace = Workspace::load()?;
    let mut stages = Stages::open(workspace.log_dir())?;
    stages.run(SETUP, |running| setup::prepare(&workspace, running))?;

    let mut format = workspace.cargo();
    format.args(["fmt", "--all", "--check"]);
    let mut clippy = workspace.cargo();
    clippy
        .args(["clippy", "--release", "--workspace", "--all-targets"])
        .args(DEVELOPMENT)
        .args(["--", "-D", "warnings"]);
    let checks = [
        stages.run(FORMAT, |running| run_command(running, &mut format))?,
        stages.run(CLIPPY, |running| run_command(running, &mut clippy))?,
        stages.run(STRUCTURE, |_| structure::report(&workspace))?,
    ];
    if checks.contains(&Verdict::Failed) {
        return Ok(Tally::default());
    }

    if stages.run(PRODUCTION, |running| production::search(&workspace, running))? == Verdict::Failed {
        return Ok(Tally::default());
    }

    let Some(binaries) = build(&workspace, &mut stages)? else { return Ok(Tally::default()) };

    let mut python = None;
    stages.run(PYTHON, |running| {
        let made = setup::test_python(running);
        let remark = made.as_ref().err().cloned().unwrap_or_default();
        python = made.ok();
        Ok((Verdict::Passed, remark))
    })?;

    let mut tally = Tally::default();
    stages.run(TESTS, |running| {
        let (verdict, counted) = suite::run(&workspace, &binaries, python.as_deref(), running)?;
        tally = counted;
        Ok((verdict, counted.to_string()))
    })?;
    Ok(tally)
}

/// Builds every binary and every test; `None` where that failed, which has been told.
pub(crate) fn build(workspace: &Workspace, stages: &mut Stages) -> anyhow::Result<Option<Vec<TestBinary>>> {
    let mut binaries = None;
    stages.run(BUILD, |running| {
        binaries = suite::build(workspace, running)?;
        match &binaries {
            Some(binaries) => Ok((Verdict::Passed, format!("{} test binaries", binaries.len()))),
            None => {
                show_log(&running.log())?;
                Ok((Verdict::Failed, String::new()))
            }
        }
    })?;
    Ok(binaries)
}

fn run_command(running: &mut Running, command: &mut Command) -> anyhow::Result<(Verdict, String)> {
    let log = running.log();
    if running.watch(command, &log, Duration::MAX)?.success() {
        return Ok((Verdict::Passed, String::new()));
    }
    show_log(&log)?;
    Ok((Verdict::Failed, String::new()))
}
