//! What is purged and what is in a snapshot is applied, and what is applied is committed (our rule; committed is judged by
//! the observer, for a replica says it a moment late). A log may be purged beyond the last snapshot: where a crash left a
//! state that is ahead of its log, the log begins behind the state.

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
                let within = status.committed <= status.last_log && status.purged <= status.applied;
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
