//! A state holds exactly the commands up to its own marker, also one that came as a snapshot or that a crash left (our
//! rule).

use std::collections::BTreeMap;

use super::Invariant;
use crate::book::Book;
use crate::event::Event;

#[derive(Default)]
pub(crate) struct SnapshotContent {
    /// By index of a command: the hash over all commands up to it.
    chains: BTreeMap<u64, u64>,
    /// By that hash: the hash of the records.
    contents: BTreeMap<u64, u64>,
}

impl Invariant for SnapshotContent {
    fn name(&self) -> &'static str {
        "content of a snapshot"
    }

    fn after(&mut self, event: &Event, _: &Book) -> Result<(), String> {
        match event {
            Event::Applied { index, chain, .. } => {
                self.chains.entry(*index).or_insert(*chain);
                Ok(())
            }
            Event::Seen { replica, applied, chain, content } => {
                let through = applied.map_or(0, |(_, index)| index);
                let expected = self.chains.range(..=through).next_back().map_or(0, |(_, chain)| *chain);
                if expected != *chain {
                    return Err(format!("{replica} is at {applied:?} and holds {chain:x}, not {expected:x}"));
                }
                let first = *self.contents.entry(*chain).or_insert(*content);
                if first == *content { Ok(()) } else { Err(format!("{replica} holds other records at {applied:?}")) }
            }
            _ => Ok(()),
        }
    }
}
