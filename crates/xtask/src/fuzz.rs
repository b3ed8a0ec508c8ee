//! Fuzz targets under libFuzzer: built with coverage counters in our crates, run one at a time, each for the same time.
//!
//! It needs no nightly compiler: the counters are a pass of LLVM that stable rustc takes by name. They go into our crates
//! only, by way of a wrapper around rustc that is this very binary, so that all dependencies are those of any other build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::request::Long;
use crate::stages::{Running, Stage, Stages, Verdict, print_line, show_log};
use crate::tally::Tally;
use crate::workspace::{DEVELOPMENT, Workspace, variable};

const BUILD: Stage = Stage { name: "fuzz-build", first_guess: Duration::from_secs(300) };
const FUZZ: Stage = Stage { name: "fuzz", first_guess: Duration::from_secs(1_200) };
/// Seconds for each target where none are asked for.
const SECONDS: u32 = 60;
/// The example of crate `fuzz` that libFuzzer drives.
const DRIVER: &str = "renkei-fuzz";
/// Set for cargo, so that this binary knows that it is called as rustc's wrapper.
const INSTRUMENT: &str = "RENKEI_INSTRUMENT";
/// The target that has to fail: a driver that does not find its fault finds nothing.
const PLANTED: &str = "planted";
/// In seconds: the planted fault is found in one.
const PLANTED_SECONDS: u32 = 30;
/// What libFuzzer may take over the time that it was given, for its start and one slow input.
const GRACE: Duration = Duration::from_secs(60);
/// Memory of a run with everything that libFuzzer keeps, in MiB; what an input may take is the target's own bound.
const RSS_MIB: u64 = 2_048;

/// What rustc is told beside what cargo tells it: counters at every edge, and comparisons told to the driver.
const COUNTERS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Cdebug-assertions=on",
];

/// Whether this process was started as rustc's wrapper.
pub(crate) fn is_wrapper() -> bool {
    variable(INSTRUMENT).is_some()
}

/// Runs rustc as cargo asks, with counters in everything but build scripts.
pub(crate) fn wrap(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<ExitCode> {
    let rustc = arguments.next().context("a wrapper gets the compiler's path")?;
    let arguments: Vec<String> = arguments.collect();
    let crate_name = arguments.iter().skip_while(|argument| *argument != "--crate-name").nth(1);
    let counted = crate_name.is_some_and(|name| name != "___" && name != "build_script_build");
    let mut command = Command::new(rustc);
    command.args(&arguments);
    if counted {
        command.args(COUNTERS);
    }
    let status = command.status().context("starting rustc")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds, shows that the driver finds the planted fault, and runs the targets. A crash is a failed target, and its input
/// stays beside the logs.
pub(crate) fn run(workspace: &Workspace, stages: &mut Stages, wanted: &Long) -> anyhow::Result<Tally> {
    let names = targets(workspace)?;
    let is_wanted = |name: &&String| {
        wanted.fuzz_target.as_ref().is_none_or(|target| target == *name)
            && wanted.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    };
    let chosen: Vec<&String> = names.iter().filter(is_wanted).collect();
    let seconds = wanted.fuzz_seconds.unwrap_or(SECONDS);
    if chosen.is_empty() {
        bail!("there is no fuzz target of this name; there are: {}", names.join(", "));
    }
    let mut driver = None;
    stages.run(BUILD, |running| {
        driver = build(workspace, running)?;
        let verdict = if driver.is_some() { Verdict::Passed } else { Verdict::Failed };
        Ok((verdict, String::new()))
    })?;
    let Some(driver) = driver else { return Ok(Tally::default()) };
    let mut tally = Tally::default();
    stages.run(FUZZ, |running| {
        let found = Run::of(workspace, &driver, PLANTED, PLANTED_SECONDS, running)?;
        if found.crash.is_none() {
            return Ok((Verdict::Failed, "the driver does not find the planted fault: no coverage".into()));
        }
        print_line(&format!("{PLANTED:<16} found after {} inputs", found.executed))?;
        for name in chosen {
            let run = Run::of(workspace, &driver, name, seconds, running)?;
            print_line(&run.line(name))?;
            if run.crash.is_some() { tally.failed += 1 } else { tally.passed += 1 }
        }
        let verdict = if tally.is_good() { Verdict::Passed } else { Verdict::Failed };
        Ok((verdict, tally.to_string()))
    })?;
    Ok(tally)
}

/// The names in the table of targets, as the source says them.
fn targets(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let path = workspace.root().join("crates/fuzz/src/targets.rs");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(names_in(&text))
}

fn names_in(table: &str) -> Vec<String> {
    let table = table.split("pub const TARGETS").nth(1).unwrap_or_default();
    let table = table.split("];").next().unwrap_or_default();
    table.split("target(").skip(1).filter_map(|call| Some(call.split('"').nth(1)?.to_owned())).collect()
}

fn build(workspace: &Workspace, running: &mut Running) -> anyhow::Result<Option<PathBuf>> {
    let wrapper = std::env::current_exe().context("finding this binary")?;
    let mut command = workspace.cargo();
    // An example: its dependencies then have the features that they have for tests, and are not compiled again.
    command.args(["build", "--release", "--workspace", "--example", DRIVER, "--features", "renkei-fuzz/coverage"]);
    command.args(DEVELOPMENT);
    command.env("RUSTC_WORKSPACE_WRAPPER", wrapper).env(INSTRUMENT, "1");
    let log = running.log();
    if running.watch(&mut command, &log, Duration::MAX)?.success() {
        return Ok(Some(workspace.target_dir().join("release/examples").join(DRIVER)));
    }
    show_log(&log)?;
    Ok(None)
}

/// What became of one target.
#[derive(Debug)]
struct Run {
    seconds: u32,
    executed: u64,
    covered: u64,
    corpus: u64,
    crash: Option<PathBuf>,
}

impl Run {
    fn of(
        workspace: &Workspace,
        driver: &Path,
        name: &str,
        seconds: u32,
        running: &mut Running,
    ) -> anyhow::Result<Self> {
        let folder = workspace.target_dir().join("fuzz").join(name);
        let (corpus, artifacts) = (folder.join("corpus"), folder.join("crashes"));
        for folder in [&corpus, &artifacts] {
            fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        let before = files(&artifacts)?;
        let mut command = Command::new(driver);
        command.current_dir(workspace.root()).arg(&corpus);
        let kept = workspace.root().join("crates/fuzz/corpus").join(name);
        if kept.is_dir() {
            command.arg(kept);
        }
        command.arg(format!("--target={name}")).arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-artifact_prefix={}/", artifacts.display())).arg(format!("-rss_limit_mb={RSS_MIB}"));
        command.args(["-print_final_stats=1", "-timeout=20", "-use_value_profile=1", "-len_control=20"]);
        command.env("RUST_BACKTRACE", "1");
        let log = folder.join("log");
        let ending = running.watch(&mut command, &log, Duration::from_secs(seconds.into()) + GRACE)?;
        let text = String::from_utf8_lossy(&fs::read(&log).context("reading the log of a target")?).into_owned();
        let new = files(&artifacts)?.into_iter().find(|file| !before.contains(file));
        let crash = if ending.success() { None } else { Some(new.unwrap_or(log)) };
        let (covered, corpus) = coverage(&text);
        Ok(Self { seconds, executed: executed(&text), covered, corpus, crash })
    }

    fn line(&self, name: &str) -> String {
        let Self { seconds, executed, covered, corpus, crash } = self;
        let crash = crash.as_ref().map_or_else(|| "no crash".to_owned(), |path| format!("CRASH {}", path.display()));
        format!("{name:<16} {seconds:>5} s {executed:>11} inputs {covered:>6} edges {corpus:>6} kept  {crash}")
    }
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// The last count of inputs, also of a run that ended in a crash and has no statistics.
fn executed(log: &str) -> u64 {
    let told =
        log.lines().rev().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok());
    let number = |line: &str| line.strip_prefix('#')?.split_whitespace().next()?.parse().ok();
    told.or_else(|| log.lines().rev().find_map(number)).unwrap_or(0)
}

/// Edges that were reached, and inputs that are kept for having reached one first.
fn coverage(log: &str) -> (u64, u64) {
    let after = |line: &str, word: &str| -> Option<u64> {
        let value = line.split(word).nth(1)?.trim_start();
        value.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
    };
    let both = |line: &str| Some((after(line, " cov: ")?, after(line, " corp: ")?));
    log.lines().rev().find_map(both).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: Seed: 1\n#2\tINITED cov: 12 ft: 20 corp: 3/40b exec/s: 0 rss: 40Mb\n\
        #1048576\tpulse  cov: 456 ft: 900 corp: 78/9kb lim: 80 exec/s: 99 rss: 60Mb\n";

    #[test]
    fn a_log_tells_inputs_edges_and_corpus_with_statistics_and_without() {
        assert_eq!((executed(LOG), coverage(LOG)), (1_048_576, (456, 78)));
        let ended = format!("{LOG}stat::number_of_executed_units: 1048999\nstat::peak_rss_mb: 60\n");
        assert_eq!((executed(&ended), coverage(&ended)), (1_048_999, (456, 78)));
        assert_eq!((executed(""), coverage("")), (0, (0, 0)));
    }

    #[test]
    fn targets_are_read_from_their_table() {
        let table = "fn target(name) {}\npub const TARGETS: [Target; 2] = [\n    Target { memory, ..target(\"one\", a::run, a::seeds) },\n\
            target(\n        \"two\", b::run, b::seeds),\n];\npub const PLANTED: Target = target(\"planted\", p, s);\n";
        assert_eq!(names_in(table), ["one", "two"]);
        let ours = include_str!("../../fuzz/src/targets.rs");
        assert!((1..=20).contains(&names_in(ours).len()), "{:?}", names_in(ours));
    }
}
