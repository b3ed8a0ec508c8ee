//! What a plan says, and what follows from it.

use std::io::Write as _;
use std::str::SplitWhitespace;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crate::{Mutation, Point};

/// Stands in binaries that can be told to have faults, and in no other.
pub const MARKER: &str = "renkei-faults armed: this build can be told to have faults";

/// A plan that makes no sense; nothing of it took effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of a plan of faults makes no sense")]
pub struct InvalidPlan {
    /// Which line, from 1.
    pub line: usize,
}

/// What is planned for one point.
struct Planned {
    /// Passes until the process dies; 0 for never.
    crash_in: AtomicU32,
    /// Passes until the thread panics; 0 for never.
    panic_in: AtomicU32,
    /// Milliseconds to wait each time.
    stall: AtomicU32,
}

impl Planned {
    const fn nothing() -> Self {
        Self { crash_in: AtomicU32::new(0), panic_in: AtomicU32::new(0), stall: AtomicU32::new(0) }
    }
}

static POINTS: [Planned; Point::ALL.len()] = [const { Planned::nothing() }; Point::ALL.len()];
static MUTATIONS: [AtomicBool; Mutation::ALL.len()] = [const { AtomicBool::new(false) }; Mutation::ALL.len()];

enum Line {
    Crash(Point, u32),
    Panic(Point, u32),
    Stall(Point, u32),
    Mutate(Mutation),
}

/// Puts a plan in the place of the one before, whole; an empty text ends all faults.
///
/// # Errors
/// [`InvalidPlan`].
pub fn arm(plan: &str) -> Result<(), InvalidPlan> {
    let lines = plan.lines().enumerate().filter(|(_, text)| !text.trim().is_empty());
    let lines: Vec<Line> = lines
        .map(|(number, text)| read(text.split_whitespace()).ok_or(InvalidPlan { line: number + 1 }))
        .collect::<Result<_, _>>()?;
    for planned in &POINTS {
        planned.crash_in.store(0, Ordering::Relaxed);
        planned.panic_in.store(0, Ordering::Relaxed);
        planned.stall.store(0, Ordering::Relaxed);
    }
    for mutation in &MUTATIONS {
        mutation.store(false, Ordering::Relaxed);
    }
    for line in lines {
        match line {
            Line::Crash(point, passes) => POINTS[point as usize].crash_in.store(passes, Ordering::Relaxed),
            Line::Panic(point, passes) => POINTS[point as usize].panic_in.store(passes, Ordering::Relaxed),
            Line::Stall(point, millis) => POINTS[point as usize].stall.store(millis, Ordering::Relaxed),
            Line::Mutate(mutation) => MUTATIONS[mutation as usize].store(true, Ordering::Relaxed),
        }
    }
    Ok(())
}

fn read(mut words: SplitWhitespace<'_>) -> Option<Line> {
    let (what, name, number) = (words.next()?, words.next()?, words.next());
    let number: Option<u32> = match number {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    if words.next().is_some() {
        return None;
    }
    match what {
        "crash" => Some(Line::Crash(Point::named(name)?, number.unwrap_or(1).max(1))),
        "panic" => Some(Line::Panic(Point::named(name)?, number.unwrap_or(1).max(1))),
        "stall" => Some(Line::Stall(Point::named(name)?, number?)),
        "mutate" if number.is_none() => Some(Line::Mutate(Mutation::named(name)?)),
        _ => None,
    }
}

pub(crate) fn reached(point: Point) {
    let stall = delay(point);
    if !stall.is_zero() {
        std::thread::sleep(stall);
    }
}

pub(crate) fn delay(point: Point) -> Duration {
    let planned = &POINTS[point as usize];
    if is_due(&planned.crash_in) {
        die(point);
    }
    if is_due(&planned.panic_in) {
        tell("panics", point);
        panic!("as planned");
    }
    Duration::from_millis(planned.stall.load(Ordering::Relaxed).into())
}

/// Counts one pass. Many threads pass, and only one of them is the one.
fn is_due(passes: &AtomicU32) -> bool {
    passes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) == Ok(1)
}

pub(crate) fn mutated(mutation: Mutation) -> bool {
    MUTATIONS[mutation as usize].load(Ordering::Relaxed)
}

/// As by `kill -9`: nothing is written back, no destructor runs.
fn die(point: Point) -> ! {
    tell("dies", point);
    std::process::abort()
}

/// So that a test knows that the point was reached, and which it was.
fn tell(what: &str, point: Point) {
    // Where nobody reads standard error there is nobody to tell.
    let _unread = writeln!(std::io::stderr(), "{MARKER}: {what} at {}", point.name());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, for the plan is the process's.
    #[test]
    fn a_plan_holds_whole_until_the_next_one_and_a_senseless_one_changes_nothing() {
        arm("stall log-queued 30\n\nmutate sync-skipped\n crash log-write 3").unwrap();
        assert!(mutated(Mutation::SyncSkipped) && !mutated(Mutation::TwoViews));
        assert_eq!(delay(Point::LogQueued), Duration::from_millis(30));
        assert_eq!(POINTS[Point::LogWrite as usize].crash_in.load(Ordering::Relaxed), 3);
        reached(Point::LogWrite);
        assert_eq!(POINTS[Point::LogWrite as usize].crash_in.load(Ordering::Relaxed), 2, "it is counted down");
        for (plan, line) in [
            ("mutate sync", 1),
            ("\ncrash", 2),
            ("crash log-write x", 1),
            ("stall log-write", 1),
            ("mutate sync-skipped 1", 1),
            ("crash log-write 1 1", 1),
            ("die log-write", 1),
        ] {
            assert_eq!(arm(plan), Err(InvalidPlan { line }), "{plan}");
            assert!(mutated(Mutation::SyncSkipped));
        }
        arm("mutate two-views").unwrap();
        assert!(mutated(Mutation::TwoViews) && !mutated(Mutation::SyncSkipped));
        assert_eq!(delay(Point::LogQueued), Duration::ZERO);
        arm("").unwrap();
        assert!(!mutated(Mutation::TwoViews));
    }

    #[test]
    fn every_name_reads_back_and_none_is_there_twice() {
        let names: Vec<_> =
            Point::ALL.iter().map(|it| it.name()).chain(Mutation::ALL.iter().map(|it| it.name())).collect();
        assert!(Point::ALL.iter().all(|point| Point::named(point.name()) == Some(*point)));
        assert!(Mutation::ALL.iter().all(|mutation| Mutation::named(mutation.name()) == Some(*mutation)));
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }
}
