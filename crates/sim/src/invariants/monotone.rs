//! Terms never fall, also over crashes; what is committed and applied never falls while a replica runs.

use std::collections::BTreeMap;

use renkei_ids::ReplicaId;

use super::Invariant;
use crate::book::Book;
use crate::event::{Event, Standing};

#[derive(Default)]
pub(crate) struct Monotone {
    last: BTreeMap<ReplicaId, Standing>,
}

impl Invariant for Monotone {
    fn name(&self) -> &'static str {
        "monotone"
    }

    fn after(&mut self, event: &Event, book: &Book) -> Result<(), String> {
        match event {
            Event::Started { node, .. } => {
                // What was not durable is gone; the vote invariant looks after the rest.
                self.last.retain(|replica, _| book.replicas.get(replica).is_some_and(|it| it.node != *node));
                Ok(())
            }
            Event::Status { replica, status } => match self.last.insert(*replica, *status) {
                Some(before) if falls(&before, status) => {
                    Err(format!("{replica} goes back from {before:?} to {status:?}"))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn falls(before: &Standing, after: &Standing) -> bool {
    before.term > after.term
        || before.committed > after.committed
        || before.applied > after.applied
        || before.snapshot > after.snapshot
        || before.purged > after.purged
}
