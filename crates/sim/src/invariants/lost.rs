//! After the faults every member's state holds every committed command, and so everything that was acknowledged.

use crate::book::Book;

/// At the end of a run, when all replicas have agreed: nothing that was committed is missing anywhere.
pub(crate) fn nothing(book: &Book) -> Result<(), String> {
    let Some((&last, _)) = book.committed.last_key_value() else { return Err("nothing was committed".to_owned()) };
    for index in 0..=last {
        let Some(committed) = book.committed.get(&index) else {
            return Err(format!("nobody has applied entry {index}, and {last} is applied"));
        };
        if !book.on_majority(committed.entry.term, index) {
            return Err(format!("entry {index} of term {} is on no majority", committed.entry.term));
        }
    }
    Ok(())
}
