//! An entry is applied nowhere before it is on the disks of a majority of voters (our rule: acknowledged means on a
//! majority's disk).

use super::Invariant;
use crate::book::Book;
use crate::event::Event;

#[derive(Default)]
pub(crate) struct CommittedOnMajority {
    /// Entries up to here are known to be.
    through: Option<u64>,
}

impl Invariant for CommittedOnMajority {
    fn name(&self) -> &'static str {
        "committed on a majority"
    }

    fn after(&mut self, _: &Event, book: &Book) -> Result<(), String> {
        for entry in &book.applied_now {
            if self.through.is_none_or(|through| entry.index > through) {
                if !book.on_majority(entry.term, entry.index) {
                    return Err(format!("entry {} of term {} is applied too early", entry.index, entry.term));
                }
                self.through = Some(entry.index);
            }
        }
        Ok(())
    }
}
