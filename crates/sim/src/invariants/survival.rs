//! What was committed is still on a majority's disks after any crash, and no log deletes a committed entry but behind a
//! snapshot (our rule).

use super::Invariant;
use crate::book::Book;
use crate::event::{Change, Event};

pub(crate) struct Survival;

impl Invariant for Survival {
    fn name(&self) -> &'static str {
        "survival"
    }

    fn after(&mut self, event: &Event, book: &Book) -> Result<(), String> {
        match event {
            Event::Started { .. } => {
                let lost = book.committed.values().map(|committed| &committed.entry);
                match lost.into_iter().find(|entry| !book.on_majority(entry.term, entry.index)) {
                    Some(entry) => Err(format!("entry {} of term {} is on no majority", entry.index, entry.term)),
                    None => Ok(()),
                }
            }
            Event::Accepted { replica, change: Change::Truncated { from }, .. } => {
                // Entries of another term than the committed one are what a truncation is for.
                let applied = book.replicas[replica].applied;
                match applied {
                    Some(applied) if applied >= *from => {
                        Err(format!("{replica} deletes entries from {from} on and has applied {applied}"))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
