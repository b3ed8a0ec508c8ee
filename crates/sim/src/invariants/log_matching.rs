//! Two logs that hold an entry of one index and term hold the same entry, and the same ones before it (Ongaro, 3.5): by
//! induction, when every entry of an index and term is the same everywhere and stands behind the same term.

use std::collections::BTreeMap;

use super::Invariant;
use crate::book::Book;
use crate::event::{Change, Event};

#[derive(Default)]
pub(crate) struct LogMatching {
    /// By index and term: hash of the entry, and the term before it where that is known.
    seen: BTreeMap<(u64, u64), (u64, Option<u64>)>,
}

impl Invariant for LogMatching {
    fn name(&self) -> &'static str {
        "log matching"
    }

    fn after(&mut self, event: &Event, book: &Book) -> Result<(), String> {
        let Event::Accepted { replica, change: Change::Appended(entries), .. } = event else { return Ok(()) };
        let log = &book.replicas[replica].accepted;
        for entry in entries {
            let before = entry.index.checked_sub(1).and_then(|before| log.term_of(before));
            let place = (entry.index, entry.term);
            let (hash, first_before) = self.seen.entry(place).or_insert((entry.hash, before));
            if *hash != entry.hash {
                return Err(format!("{replica} has another entry {place:?} than those before"));
            }
            match (*first_before, before) {
                (Some(first), Some(here)) if first != here => {
                    return Err(format!("before entry {place:?} {replica} has term {here}, others {first}"));
                }
                (None, Some(_)) => *first_before = before,
                _ => {}
            }
        }
        Ok(())
    }
}
