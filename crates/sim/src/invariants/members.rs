//! Members change so that any two majorities that follow each other meet (Ongaro, 4.3): from one set of voters to it
//! and the next together, and from both to the next one alone.

use std::collections::BTreeSet;

use renkei_ids::ReplicaId;

use super::Invariant;
use crate::book::Book;
use crate::event::{Change, Entry, Event};

pub(crate) struct MembersChange;

impl Invariant for MembersChange {
    fn name(&self) -> &'static str {
        "change of members"
    }

    fn after(&mut self, event: &Event, book: &Book) -> Result<(), String> {
        let Event::Accepted { replica, change: Change::Appended(entries), .. } = event else { return Ok(()) };
        let log = &book.replicas[replica].accepted;
        for entry in entries {
            let Some(next) = voters(entry) else { continue };
            let earlier = log.entries.range(..entry.index).rev().find_map(|(_, entry)| voters(entry));
            let earlier = earlier.or_else(|| {
                let committed = book.committed.range(..entry.index).rev();
                committed.map(|(_, committed)| &committed.entry).find_map(voters)
            });
            // Nothing is known before the first one.
            let Some(before) = earlier else { continue };
            if !meet(before, next) {
                return Err(format!("{replica} goes from {before:?} to {next:?} at {}", entry.index));
            }
        }
        Ok(())
    }
}

fn voters(entry: &Entry) -> Option<&Vec<BTreeSet<ReplicaId>>> {
    entry.members().map(|configuration| &configuration.voters)
}

/// Majorities of all sets of either side decide, so one set that both sides have is enough.
fn meet(before: &[BTreeSet<ReplicaId>], next: &[BTreeSet<ReplicaId>]) -> bool {
    before.iter().any(|voters| next.contains(voters))
}
