//! What the demo is doing, on standard error: a bar at a terminal, and a line for each act that has ended.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

const BAR: &str = "  {prefix:11} {bar:32} {human_pos}/{human_len}  {msg}";
const SPINNER: &str = "  {prefix:11} {spinner} {msg}";
const REDRAW: Duration = Duration::from_millis(120);
const OUR_TEMPLATE: &str = "the template is ours and reads";

/// An act that is going on. Dropping it ends its bar.
#[derive(Debug)]
pub(super) struct Act {
    name: &'static str,
    bar: ProgressBar,
    began: Instant,
}

impl Act {
    /// One of known length, counted in steps.
    pub(super) fn of_steps(name: &'static str, steps: usize) -> Self {
        let style = ProgressStyle::with_template(BAR).expect(OUR_TEMPLATE);
        Self::begin(name, ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr()), style)
    }

    /// One whose length nobody knows.
    pub(super) fn open_ended(name: &'static str, doing: &'static str) -> Self {
        let style = ProgressStyle::with_template(SPINNER).expect(OUR_TEMPLATE);
        let act = Self::begin(name, ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()), style);
        act.bar.set_message(doing);
        act
    }

    fn begin(name: &'static str, bar: ProgressBar, style: ProgressStyle) -> Self {
        bar.set_style(style.progress_chars("━╸ "));
        bar.set_prefix(name);
        bar.enable_steady_tick(REDRAW);
        Self { name, bar, began: Instant::now() }
    }

    /// One step is done.
    pub(super) fn step(&self) {
        self.bar.inc(1);
    }

    /// So many steps are done.
    pub(super) fn at(&self, steps: u64) {
        self.bar.set_position(steps);
    }

    /// What is going on right now.
    pub(super) fn say(&self, doing: impl Display) {
        self.bar.set_message(doing.to_string());
    }

    /// The act is over, and this came of it.
    pub(super) fn done(self, came: impl Display) {
        self.bar.finish_and_clear();
        let took = self.began.elapsed();
        let took = if took < Duration::from_secs(60) {
            format!("{:.1} s", took.as_secs_f64())
        } else {
            HumanDuration(took).to_string()
        };
        note(format_args!("  {:11} {came} ({took})", self.name));
    }
}

impl Drop for Act {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line for whoever watches. Where standard error is closed nobody does.
pub(super) fn note(line: impl Display) {
    let _unread = writeln!(io::stderr(), "{line}");
}
