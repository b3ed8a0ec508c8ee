//! `cargo verify --long`: tests that take minutes, part by part, each with its output shown while it runs.
//!
//! There is no list of them: a test belongs to a part by its name, `long_proof_…` or `long_drill_…` (or by a module of that
//! beginning), and is marked `#[ignore = "long: proof"]`, so that plain tests leave it out. The part fuzz is another thing:
//! see [`fuzz`].

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::fuzz;
use crate::progress::span;
use crate::request::{Long, Part};
use crate::setup::{self, SETUP};
use crate::stages::{Stages, print_line};
use crate::suite::TestBinary;
use crate::tally::Tally;
use crate::verify;
use crate::workspace::Workspace;

/// What one part may take.
const BUDGET: Duration = Duration::from_secs(120 * 60);
/// How long output of grandchildren is waited for once a test has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Tells tests which seed to take.
const SEED: &str = "RENKEI_SEED";

/// One long test.
struct LongTest<'a> {
    binary: &'a TestBinary,
    name: String,
}

/// How one long test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Skipped,
    Failed,
    /// It was killed at the end of the part's budget.
    OutOfTime,
}

/// Runs the parts. The last line is `N passed, N failed, N skipped` in every case; a part of which nothing passed has
/// failed.
pub(crate) fn run(wanted: &Long) -> anyhow::Result<ExitCode> {
    let outcome = run_parts(wanted);
    if let Err(error) = &outcome {
        crate::complain(&format!("error: {error:#}"));
    }
    let (tally, good) = outcome.unwrap_or_default();
    print_line(&tally.to_string())?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_parts(wanted: &Long) -> anyhow::Result<(Tally, bool)> {
    let workspace = Workspace::load()?;
    let mut stages = Stages::open(workspace.log_dir())?;
    stages.run(SETUP, |running| setup::prepare(&workspace, running))?;
    let parts = wanted.part.map_or_else(|| Part::ALL.to_vec(), |part| vec![part]);
    let mut binaries = Vec::new();
    if parts != [Part::Fuzz] {
        let Some(built) = verify::build(&workspace, &mut stages)? else { return Ok((Tally::default(), false)) };
        binaries = built;
    }
    let logs = workspace.log_dir().join("long");
    fs::create_dir_all(&logs).with_context(|| format!("creating {}", logs.display()))?;
    let (mut total, mut good) = (Tally::default(), true);
    for part in parts {
        let tally = match part {
            // Its targets are no tests: a binary of its own runs them.
            Part::Fuzz => fuzz::run(&workspace, &mut stages, wanted)?,
            Part::Proof | Part::Drill => run_part(part, wanted, &binaries, &logs)?,
        };
        good &= tally.is_good();
        total += tally;
    }
    Ok((total, good))
}

fn run_part(part: Part, wanted: &Long, binaries: &[TestBinary], logs: &Path) -> anyhow::Result<Tally> {
    let mut tests = Vec::new();
    for binary in binaries {
        let names = ignored(binary)?.into_iter().filter(|name| is_wanted(name, part, wanted));
        tests.extend(names.map(|name| LongTest { binary, name }));
    }
    print_line(&format!("{}: {} long tests, budget {}", part.name(), tests.len(), span(BUDGET)))?;
    if tests.is_empty() {
        crate::complain(&format!("nothing was verified: no long test of the part `{}` is asked for", part.name()));
    }
    let began = Instant::now();
    let mut tally = Tally::default();
    for test in &tests {
        let title = format!("{} {}", test.binary.package(), test.name);
        print_line(&format!("---- {title}, {} left", span(BUDGET.saturating_sub(began.elapsed()))))?;
        let started = Instant::now();
        let outcome = test.run(wanted, logs, BUDGET.saturating_sub(began.elapsed()))?;
        let word = match outcome {
            Outcome::Passed => "ok",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "FAILED",
            Outcome::OutOfTime => "FAILED: the part's budget is used up; `--only` runs tests by name",
        };
        print_line(&format!("---- {title}: {word}, {}", span(started.elapsed())))?;
        tally += Tally {
            passed: usize::from(outcome == Outcome::Passed),
            failed: usize::from(matches!(outcome, Outcome::Failed | Outcome::OutOfTime)),
            skipped: usize::from(outcome == Outcome::Skipped),
        };
    }
    print_line(&format!("{}: {tally}, {}", part.name(), span(began.elapsed())))?;
    Ok(tally)
}

/// The names of a binary's ignored tests.
fn ignored(binary: &TestBinary) -> anyhow::Result<BTreeSet<String>> {
    let output = binary.bare_command().args(["--list", "--ignored", "--format", "terse"]).output();
    let output = output.with_context(|| format!("listing the tests of {}", binary.package()))?;
    ensure!(output.status.success(), "listing the tests of {} failed", binary.package());
    let listed = String::from_utf8_lossy(&output.stdout);
    Ok(listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

fn is_wanted(name: &str, part: Part, wanted: &Long) -> bool {
    behind_part(name, part).is_some() && wanted.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
}

/// What stands in a test's name behind that of the part; `None` where it belongs to another part.
fn behind_part(name: &str, part: Part) -> Option<&str> {
    let beginning = format!("long_{}", part.name());
    let segments = name.match_indices("::").map(|(at, separator)| at + separator.len());
    let mut rests = [0].into_iter().chain(segments).filter_map(|at| name[at..].strip_prefix(&beginning));
    rests.find_map(|rest| rest.strip_prefix('_').or_else(|| rest.strip_prefix("::")))
}

impl LongTest<'_> {
    /// Runs it and shows what it prints, which is kept in a log too.
    fn run(&self, wanted: &Long, logs: &Path, limit: Duration) -> anyhow::Result<Outcome> {
        let log = logs.join(format!("{}.log", self.name.replace("::", ".")));
        let mut log = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let mut command = self.binary.bare_command();
        command.args(["--ignored", "--exact", &self.name, "--nocapture", "--test-threads=1"]);
        tell(&mut command, SEED, wanted.seed.map(|seed| seed.to_string()));
        let (lines, mut child) = start(&mut command)?;
        let deadline = Instant::now() + limit;
        let (mut skipped, mut passed) = (false, false);
        let mut ended: Option<Instant> = None;
        let success = loop {
            match lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => {
                    writeln!(log, "{line}").context("writing a log")?;
                    print_line(&line)?;
                    skipped |= says_skipped(&line, &self.name);
                    passed |= line.starts_with("test result: ok. 1 passed");
                    continue;
                }
                // Both streams are closed.
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    break child.wait().context("waiting for a test")?.success();
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() >= deadline {
                child.kill().context("killing a test that ran too long")?;
                child.wait().context("waiting for a killed test")?;
                return Ok(Outcome::OutOfTime);
            }
            if ended.is_none() && child.try_wait().context("waiting for a test")?.is_some() {
                ended = Some(Instant::now());
            }
            // A process that it has left behind may hold the streams open.
            if ended.is_some_and(|at| at.elapsed() > LAST_WORDS) {
                break child.wait().context("waiting for a test")?.success();
            }
        };
        Ok(match (success && passed, skipped) {
            (true, false) => Outcome::Passed,
            (true, true) => Outcome::Skipped,
            (false, _) => Outcome::Failed,
        })
    }
}

/// Starts a test; gives the lines of both of its streams as they come.
fn start(command: &mut Command) -> anyhow::Result<(mpsc::Receiver<String>, Child)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {command:?}"))?;
    let (send, lines) = mpsc::channel();
    let output = child.stdout.take().context("a test's output is a pipe")?;
    let errors = child.stderr.take().context("a test's errors are a pipe")?;
    let streams: [Box<dyn std::io::Read + Send>; 2] = [Box::new(output), Box::new(errors)];
    for stream in streams {
        let send = send.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                if send.send(text).is_err() {
                    return;
                }
            }
        });
    }
    Ok((lines, child))
}

fn tell(command: &mut Command, variable: &str, value: Option<String>) {
    match value {
        Some(value) => command.env(variable, value),
        None => command.env_remove(variable),
    };
}

/// Uncaptured output begins behind libtest's `test name ... `.
fn says_skipped(line: &str, name: &str) -> bool {
    let said =
        line.strip_prefix("test ").and_then(|rest| rest.strip_prefix(name)).and_then(|rest| rest.strip_prefix(" ... "));
    said.unwrap_or(line).starts_with("SKIPPED:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_belongs_to_the_part_that_its_name_or_a_module_begins_with() {
        for name in ["long_proof_histories", "t60::long_proof_histories", "t60::long_proof::histories"] {
            assert_eq!(behind_part(name, Part::Proof), Some("histories"), "{name}");
            assert_eq!(behind_part(name, Part::Fuzz), None, "{name}");
        }
        for name in ["long_proofs", "a_long_proof_x", "t60::as_long_proof_says", "long_proof"] {
            assert_eq!(behind_part(name, Part::Proof), None, "{name}");
        }
    }

    #[test]
    fn names_narrow_a_part() {
        let only = Long { only: Some("hist".into()), ..Long::default() };
        assert!(is_wanted("a::long_proof_histories", Part::Proof, &only));
        assert!(!is_wanted("a::long_proof_crashes", Part::Proof, &only));
    }

    #[test]
    fn a_skipped_test_says_so_at_the_beginning_of_a_line() {
        assert!(says_skipped("test a::b ... SKIPPED: no root", "a::b"));
        assert!(says_skipped("SKIPPED: no root", "a::b"));
        assert!(!says_skipped("nothing was SKIPPED: here", "a::b"));
    }

    #[test]
    fn lines_of_both_streams_arrive_and_the_last_needs_no_end() {
        let mut shell = Command::new("sh");
        let (lines, mut child) = start(shell.args(["-c", "echo one; echo two >&2; printf three"])).unwrap();
        let all: BTreeSet<String> = lines.iter().collect();
        assert!(child.wait().unwrap().success());
        assert_eq!(all, ["one", "two", "three"].map(str::to_owned).into());
    }
}
