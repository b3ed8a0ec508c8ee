use std::fmt;
use std::io::Write as _;

use renkei_consensus::Role;

use crate::event::{Change, Event};
use crate::invariants::Violation;

/// What a run counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) faults: u64,
    pub(crate) by_kind: [u64; 8],
    pub(crate) crashes: u64,
    pub(crate) transfers: u64,
    pub(crate) replaced: u64,
    pub(crate) installed: u64,
    pub(crate) messages: u64,
    pub(crate) operations: u64,
    pub(crate) answered: u64,
    pub(crate) unknown: u64,
    /// Audit rows in the end.
    pub(crate) rows: u64,
    pub(crate) purges: u64,
    pub(crate) truncations: u64,
}

impl Counts {
    pub(crate) fn count(&mut self, event: &Event) {
        match event {
            Event::Crashed { .. } => self.crashes += 1,
            Event::Replaced { .. } => self.installed += 1,
            Event::Sent { .. } => self.messages += 1,
            Event::Accepted { change: Change::Purged { .. }, .. } => self.purges += 1,
            Event::Accepted { change: Change::Truncated { .. }, .. } => self.truncations += 1,
            _ => {}
        }
    }

    pub(crate) fn fault(&mut self, kind: usize) {
        self.faults += 1;
        self.by_kind[kind] += 1;
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the run was made from.
    pub seed: u64,
    /// The broken rule, if one was.
    pub mutation: Option<String>,
    /// Simulated seconds with faults.
    pub seconds: u64,
    /// The one kind of faults, if there was one.
    pub only: Option<&'static str>,
    /// A hash of everything that happened, in order.
    pub trace: u64,
    /// How much happened.
    pub events: u64,
    /// The first invariant that did not hold.
    pub violation: Option<Violation>,
    pub(crate) counts: Counts,
    pub(crate) elections: u64,
    pub(crate) committed: u64,
    pub(crate) checked: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, trace, events, counts, elections, committed, checked, .. } = self;
        write!(f, "seed {seed} trace {trace:016x} events {events} messages {} ", counts.messages)?;
        write!(f, "faults {} crashes {} transfers {} ", counts.faults, counts.crashes, counts.transfers)?;
        write!(f, "replaced {} snapshots {} purges {} ", counts.replaced, counts.installed, counts.purges)?;
        write!(f, "truncations {} elections {elections} entries {committed} ", counts.truncations)?;
        write!(f, "operations {} answered {} unknown {} ", counts.operations, counts.answered, counts.unknown)?;
        write!(f, "rows {} checked {checked} ", counts.rows)?;
        match &self.violation {
            None => write!(f, "violations 0"),
            Some(Violation { invariant, detail, at }) => {
                let only = self.only.map(|kind| format!(" --only {kind}")).unwrap_or_default();
                let mutation = self.mutation.as_ref().map(|name| format!(" --mutate {name}")).unwrap_or_default();
                writeln!(f, "violations 1")?;
                writeln!(f, "violated: {invariant} at event {at}: {detail}")?;
                let seconds = self.seconds;
                write!(
                    f,
                    "again: cargo run --release -p renkei-sim -- --seed {seed} --seconds {seconds}{only}{mutation}"
                )
            }
        }
    }
}

/// Writes a line to standard error.
pub(crate) fn complain(line: &str) {
    // Where nobody reads it there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Whether a role leads.
pub(crate) fn leads(role: Role) -> bool {
    role == Role::Leader
}
