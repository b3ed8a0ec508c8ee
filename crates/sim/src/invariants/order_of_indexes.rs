//! Purged at most what is in a snapshot, that at most what is applied, that at most what is committed (our rule; committed
//! is judged by the observer, for a replica says it a moment late).

use super::Invariant;
use crate::book::Book;
use crate::event::{Change, Event};

pub(crate) struct OrderOfIndexes;

impl Invariant for OrderOfIndexes {
    fn name(&self) -> &'static str {
        "order of indexes"
    }

    fn after(&mut self, event: &Event, book: &Book) -> Result<(), String> {
        let committed = book.committed.last_key_value().map(|(index, _)| *index);
        match event {
            Event::Status { replica, status } => {
                let ordered = status.snapshot <= status.applied && status.applied <= committed;
                // Within a log: what a leader knows to be committed it has, and what is purged is in a snapshot.
                let within = status.committed <= status.last_log && status.purged <= status.snapshot;
                if ordered && within { Ok(()) } else { Err(format!("{replica}: {status:?}, committed {committed:?}")) }
            }
            Event::Accepted { replica, change: Change::Committed { term, index }, .. } => {
                match book.committed.get(index) {
                    Some(known) if known.entry.term != *term => {
                        Err(format!("{replica} takes {index} of term {term} for committed, it is {}", known.entry.term))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
