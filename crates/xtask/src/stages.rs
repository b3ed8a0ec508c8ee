//! The stages of a verification: each one line with its time, and while it runs the time that is left.
//!
//! A stage's output goes to a log file; it is shown only when the stage fails.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::progress::{Progress, span};

const POLL: Duration = Duration::from_millis(50);
/// Of a failed stage's log, what is shown; the rest stays in the file.
const SHOWN_LINES: usize = 200;

/// One stage by name, with what it takes on two cores with nothing built, for the first time it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) first_guess: Duration,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
}

/// Runs stages and remembers how long each took.
#[derive(Debug)]
pub(crate) struct Stages {
    directory: PathBuf,
    times: BTreeMap<String, Duration>,
}

/// What a stage in progress works with.
#[derive(Debug)]
pub(crate) struct Running {
    progress: Progress,
    expected: Duration,
    directory: PathBuf,
    name: &'static str,
}

/// How a watched child ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Exited(ExitStatus),
    /// It was killed, because it ran longer than it may.
    TimedOut,
}

impl Ending {
    pub(crate) fn success(&self) -> bool {
        matches!(self, Self::Exited(status) if status.success())
    }
}

impl Stages {
    /// Logs and times are kept in `directory`.
    pub(crate) fn open(directory: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
        // Times are a convenience: without them the first guess serves.
        let times = fs::read_to_string(directory.join("times")).unwrap_or_default();
        let times = times.lines().filter_map(read_time).collect();
        Ok(Self { directory, times })
    }

    /// Runs one stage to its end and prints its line. The work returns its verdict and a remark.
    pub(crate) fn run(
        &mut self,
        stage: Stage,
        work: impl FnOnce(&mut Running) -> anyhow::Result<(Verdict, String)>,
    ) -> anyhow::Result<Verdict> {
        let expected = self.times.get(stage.name).copied().unwrap_or(stage.first_guess);
        let mut running = Running {
            progress: Progress::start(stage.name),
            expected,
            directory: self.directory.clone(),
            name: stage.name,
        };
        let outcome = work(&mut running);
        let took = running.progress.finish();
        let (verdict, remark) = outcome.with_context(|| format!("stage {}", stage.name))?;
        let word = match verdict {
            Verdict::Passed => "ok",
            Verdict::Failed => "FAILED",
        };
        print_line(&format!("{:<10} {:<6} {:>8}  {}", stage.name, word, span(took), remark))?;
        if verdict == Verdict::Passed {
            self.remember(stage.name, took)?;
        }
        Ok(verdict)
    }

    fn remember(&mut self, name: &str, took: Duration) -> anyhow::Result<()> {
        self.times.insert(name.to_owned(), took);
        let text: String = self.times.iter().map(|(name, took)| format!("{name} {}\n", took.as_millis())).collect();
        fs::write(self.directory.join("times"), text).context("keeping the stages' times")
    }
}

impl Running {
    /// The log of this stage.
    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join(format!("{}.log", self.name))
    }

    /// Shows how far work has come that knows its own size; the time left follows from the share that is done.
    pub(crate) fn tick_share(&mut self, done: u64, total: u64, detail: &str) {
        let elapsed = self.progress.elapsed().as_millis();
        let whole = elapsed.saturating_mul(total.into()).checked_div(done.into());
        let whole =
            whole.map_or(self.expected, |whole| Duration::from_millis(u64::try_from(whole).unwrap_or(u64::MAX)));
        self.progress.tick(Some(whole), detail);
    }

    /// Runs a command with all its output in `log`, killing it after `limit`.
    pub(crate) fn watch(&mut self, command: &mut Command, log: &Path, limit: Duration) -> anyhow::Result<Ending> {
        let file = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let output = file.try_clone().context("sharing a log between two streams")?;
        self.wait(command.stdout(output).stderr(file), log, limit)
    }

    /// As [`Self::watch`], with standard output kept apart.
    pub(crate) fn watch_apart(&mut self, command: &mut Command, log: &Path, stdout: &Path) -> anyhow::Result<Ending> {
        let file = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let output = File::create(stdout).with_context(|| format!("creating {}", stdout.display()))?;
        self.wait(command.stdout(output).stderr(file), log, Duration::MAX)
    }

    #[cfg(test)]
    pub(crate) fn for_test(directory: &Path) -> Self {
        let expected = Duration::from_secs(1);
        Self { progress: Progress::start("test"), expected, directory: directory.to_owned(), name: "test" }
    }

    fn wait(&mut self, command: &mut Command, log: &Path, limit: Duration) -> anyhow::Result<Ending> {
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).spawn().with_context(|| format!("starting {command:?}"))?;
        loop {
            if let Some(status) = child.try_wait().context("waiting for a child")? {
                return Ok(Ending::Exited(status));
            }
            if started.elapsed() > limit {
                child.kill().context("killing a child that ran too long")?;
                child.wait().context("waiting for a killed child")?;
                return Ok(Ending::TimedOut);
            }
            self.progress.tick(Some(self.expected), &last_line(log));
            thread::sleep(POLL);
        }
    }
}

/// Prints one line of the report on standard output.
pub(crate) fn print_line(line: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", line.trim_end()).and_then(|()| output.flush()).context("printing the report")
}

/// Shows the end of a failed stage's log on standard error.
pub(crate) fn show_log(log: &Path) -> anyhow::Result<()> {
    let text = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.len().saturating_sub(SHOWN_LINES);
    let mut output = std::io::stderr().lock();
    if shown > 0 {
        writeln!(output, "({shown} lines before these are in {})", log.display())?;
    }
    for line in &lines[shown..] {
        writeln!(output, "{line}")?;
    }
    Ok(())
}

/// The last line of a growing file; empty when there is none.
fn last_line(path: &Path) -> String {
    const TAIL: u64 = 400;
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned())
    };
    // Only for show.
    read().unwrap_or_default()
}

fn read_time(line: &str) -> Option<(String, Duration)> {
    let (name, milliseconds) = line.rsplit_once(' ')?;
    Some((name.to_owned(), Duration::from_millis(milliseconds.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: Stage = Stage { name: "stage", first_guess: Duration::from_secs(1) };

    #[test]
    fn output_goes_to_the_log_and_the_exit_code_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut running = Running::for_test(folder.path());
        let mut shell = |script: &str| {
            let mut command = Command::new("sh");
            running.watch(command.args(["-c", script]), &log, Duration::from_secs(60)).unwrap().success()
        };
        assert!(shell("echo one; echo two >&2"));
        assert_eq!(fs::read_to_string(&log).unwrap(), "one\ntwo\n");
        assert_eq!(last_line(&log), "two");
        assert!(!shell("exit 3"));
        assert!(!shell("kill -9 $$"));
    }

    #[test]
    fn a_child_that_runs_too_long_is_killed_and_is_no_success() {
        let folder = tempfile::tempdir().unwrap();
        let mut running = Running::for_test(folder.path());
        let started = Instant::now();
        let ending = running
            .watch(Command::new("sleep").arg("600"), &folder.path().join("log"), Duration::from_millis(1))
            .unwrap();
        assert!(matches!(ending, Ending::TimedOut));
        assert!(!ending.success());
        assert!(started.elapsed() < Duration::from_secs(300));
    }

    #[test]
    fn only_the_time_of_a_stage_that_passed_is_expected_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut stages = Stages::open(folder.path().to_owned()).unwrap();
        stages.run(STAGE, |_| Ok((Verdict::Failed, String::new()))).unwrap();
        assert!(Stages::open(folder.path().to_owned()).unwrap().times.is_empty());
        stages.run(STAGE, |_| Ok((Verdict::Passed, String::new()))).unwrap();
        assert!(Stages::open(folder.path().to_owned()).unwrap().times.contains_key(STAGE.name));
    }

    #[test]
    fn a_broken_file_of_times_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("times"), "build\nclippy many\ntests 5\n").unwrap();
        let stages = Stages::open(folder.path().to_owned()).unwrap();
        assert_eq!(stages.times, BTreeMap::from([("tests".to_owned(), Duration::from_millis(5))]));
    }
}
