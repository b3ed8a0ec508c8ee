//! `renkei-sim`: one simulated run, by its seed.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use renkei_sim::entropy::Entropy;
use renkei_sim::{Plan, run};

/// Runs one simulation and says what came of it; fails when an invariant was violated.
#[derive(Parser)]
struct Arguments {
    /// Decides everything.
    #[arg(long)]
    seed: u64,
    /// Simulated seconds with faults.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// A rule to break, as `renkei-faults` names it, to see that the simulation notices.
    #[arg(long)]
    mutate: Option<String>,
    /// One kind of faults alone, such as `leader-crash`.
    #[arg(long)]
    only: Option<String>,
    /// Writes every event to standard error.
    #[arg(long)]
    trace: bool,
    /// Set by this program for the process in which the simulation runs.
    #[arg(long, hide = true)]
    seeded: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if !arguments.seeded {
        let program: PathBuf = std::env::current_exe().context("find this program")?;
        let entropy = Entropy::compile()?;
        let mut command = entropy.command(&program, arguments.seed);
        command.args(std::env::args_os().skip(1)).arg("--seeded");
        let status = command.status().context("run the simulation in a process of its own")?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let plan = Plan::new(arguments.seed, arguments.seconds, arguments.mutate, arguments.trace)?;
    let plan = match &arguments.only {
        Some(kind) => plan.only(kind)?,
        None => plan,
    };
    let report = run(plan)?;
    writeln!(std::io::stdout().lock(), "{report}").context("print the report")?;
    Ok(if report.violation.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
