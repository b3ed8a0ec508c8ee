//! No two replicas apply different entries at one index, and after the same commands their states say the same (Ongaro,
//! 3.6.3).

use std::collections::BTreeMap;

use super::Invariant;
use crate::book::Book;
use crate::event::Event;

#[derive(Default)]
pub(crate) struct StateMachineSafety {
    /// By index of a command: its term, and the hash over all commands up to it.
    commands: BTreeMap<u64, (u64, u64)>,
}

impl Invariant for StateMachineSafety {
    fn name(&self) -> &'static str {
        "state machine safety"
    }

    fn after(&mut self, event: &Event, book: &Book) -> Result<(), String> {
        for entry in &book.applied_now {
            let first = &book.committed[&entry.index].entry;
            if (first.term, first.hash) != (entry.term, entry.hash) {
                return Err(format!(
                    "entry {} is of term {} for one replica and of term {} for another",
                    entry.index, first.term, entry.term
                ));
            }
        }
        if let Event::Applied { replica, term, index, chain } = event {
            let first = *self.commands.entry(*index).or_insert((*term, *chain));
            if first != (*term, *chain) {
                return Err(format!("{replica} applied {:?} at {index}, another replica {first:?}", (term, chain)));
            }
        }
        Ok(())
    }
}
