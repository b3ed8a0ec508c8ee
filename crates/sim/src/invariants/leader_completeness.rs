//! A new leader has every entry that was committed before it was elected (Ongaro, 3.6.3).

use super::Invariant;
use crate::book::Book;
use crate::event::{Change, Event};

pub(crate) struct LeaderCompleteness;

impl Invariant for LeaderCompleteness {
    fn name(&self) -> &'static str {
        "leader completeness"
    }

    fn after(&mut self, event: &Event, book: &Book) -> Result<(), String> {
        let Event::Accepted { replica, change: Change::Voted(vote), .. } = event else { return Ok(()) };
        if !vote.leads || vote.voted_for != *replica {
            return Ok(());
        }
        let log = &book.replicas[replica].accepted;
        // One that was elected, and learns so only now, need not have what later leaders committed.
        let earlier = book.committed.values().filter(|committed| committed.top_term < vote.term);
        match earlier.map(|committed| &committed.entry).find(|entry| !log.holds(entry.term, entry.index)) {
            Some(entry) => Err(format!(
                "{replica} leads in term {} without entry {} of term {}",
                vote.term, entry.index, entry.term
            )),
            None => Ok(()),
        }
    }
}
