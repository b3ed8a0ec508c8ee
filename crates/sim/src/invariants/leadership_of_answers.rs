//! An answer leaves only when its entry was committed in the very leadership under which it was read or decided (our rule;
//! it makes a read linearizable without a round of its own).

use super::Invariant;
use crate::book::Book;
use crate::event::Event;

pub(crate) struct LeadershipOfAnswers;

impl Invariant for LeadershipOfAnswers {
    fn name(&self) -> &'static str {
        "leadership of answers"
    }

    fn after(&mut self, event: &Event, book: &Book) -> Result<(), String> {
        let Event::Answered { node, under, term, index } = event else { return Ok(()) };
        if under != term {
            return Err(format!("node {node} read under term {under}, and entry {index} is of term {term}"));
        }
        match book.committed.get(index) {
            Some(committed) if committed.entry.term == *term => Ok(()),
            _ => Err(format!("node {node} answers, and entry {index} of term {term} is not committed")),
        }
    }
}
