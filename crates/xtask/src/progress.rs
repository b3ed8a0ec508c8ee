//! What a person sees while something long runs: one line that is repainted, or a line now and then in a log.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Between two lines where nothing can be repainted.
const LOG_INTERVAL: Duration = Duration::from_secs(30);
const REPAINT_INTERVAL: Duration = Duration::from_millis(500);
const WIDTH: usize = 110;

/// The progress of one piece of work, on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    label: String,
    started: Instant,
    painted: Instant,
    terminal: bool,
}

impl Progress {
    pub(crate) fn start(label: &str) -> Self {
        let now = Instant::now();
        Self { label: label.to_owned(), started: now, painted: now, terminal: std::io::stderr().is_terminal() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows where the work is, when it is time to. `expected` is the whole duration, where anybody knows it.
    pub(crate) fn tick(&mut self, expected: Option<Duration>, detail: &str) {
        let interval = if self.terminal { REPAINT_INTERVAL } else { LOG_INTERVAL };
        if self.painted.elapsed() < interval {
            return;
        }
        self.painted = Instant::now();
        let elapsed = self.elapsed();
        let line =
            format!("{:<10} {:>7}, {}  {}", self.label, span(elapsed), time_left(elapsed, expected), detail.trim());
        let line: String = line.chars().filter(|character| !character.is_control()).take(WIDTH).collect();
        let painted = if self.terminal {
            write!(std::io::stderr(), "\r\x1b[2K{line}")
        } else {
            writeln!(std::io::stderr(), "{line}")
        };
        // Progress nobody can see is no reason to stop the work.
        let _ = painted.and_then(|()| std::io::stderr().flush());
    }

    /// Wipes the repainted line and returns how long the work took.
    pub(crate) fn finish(self) -> Duration {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
        self.elapsed()
    }
}

fn time_left(elapsed: Duration, expected: Option<Duration>) -> String {
    match expected {
        None => String::from("time left unknown"),
        Some(expected) => match expected.checked_sub(elapsed) {
            Some(left) => format!("about {} left", span(left)),
            None => String::from("longer than expected"),
        },
    }
}

/// A duration for people: `0.4s`, `41s`, `3m 05s`.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=9 => format!("{:.1}s", duration.as_secs_f64()),
        10..=59 => format!("{seconds}s"),
        _ => format!("{}m {:02}s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well_at_every_scale() {
        let shown: Vec<String> =
            [400, 41_000, 185_000, 3_600_000].into_iter().map(|ms| span(Duration::from_millis(ms))).collect();
        assert_eq!(shown, ["0.4s", "41s", "3m 05s", "60m 00s"]);
    }

    #[test]
    fn an_overrun_is_said_and_never_negative() {
        let minute = Duration::from_secs(60);
        assert_eq!(time_left(minute, Some(2 * minute)), "about 1m 00s left");
        assert_eq!(time_left(2 * minute, Some(minute)), "longer than expected");
        assert_eq!(time_left(minute, None), "time left unknown");
    }
}
