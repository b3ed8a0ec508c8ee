//! The names of the objects that are open, to find one that stands twice.

use core::hash::{Hash as _, Hasher as _};
use std::hash::DefaultHasher;

use crate::refusal::RefusalCode;

/// Most names of one object. No element of FHIR has a third of it; it bounds the search for duplicates.
pub const MEMBERS_MAX: usize = 256;

/// Names of all open objects, one after another. A hash beside each keeps the search from reading text.
#[derive(Default)]
pub(crate) struct Names {
    text: String,
    hashes: Vec<u64>,
    ends: Vec<usize>,
    starts: Vec<Start>,
}

/// Where the names of an object begin.
#[derive(Clone, Copy, Debug, Default)]
struct Start {
    text: usize,
    name: usize,
}

impl Names {
    pub(crate) fn open(&mut self) {
        self.starts.push(Start { text: self.text.len(), name: self.hashes.len() });
    }

    /// Adds a name to the object opened last.
    pub(crate) fn add(&mut self, name: &str) -> Result<(), RefusalCode> {
        let start = self.starts.last().copied().unwrap_or_default();
        if self.hashes.len() - start.name >= MEMBERS_MAX {
            return Err(RefusalCode::TooManyMembers);
        }
        // Without a random key: equal hashes are settled by the text, and at most MEMBERS_MAX can be equal.
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let hash = hasher.finish();
        let twice = (start.name..self.hashes.len()).any(|at| self.hashes[at] == hash && self.name(start, at) == name);
        if twice {
            return Err(RefusalCode::DuplicateName);
        }
        self.text.push_str(name);
        self.hashes.push(hash);
        self.ends.push(self.text.len());
        Ok(())
    }

    pub(crate) fn close(&mut self) {
        let start = self.starts.pop().unwrap_or_default();
        self.text.truncate(start.text);
        self.hashes.truncate(start.name);
        self.ends.truncate(start.name);
    }

    fn name(&self, start: Start, at: usize) -> &str {
        let begin = if at == start.name { start.text } else { self.ends[at - 1] };
        &self.text[begin..self.ends[at]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_return_in_another_object() {
        let mut names = Names::default();
        names.open();
        assert_eq!(names.add("a"), Ok(()));
        names.open();
        assert_eq!(names.add("a"), Ok(()));
        assert_eq!(names.add("b"), Ok(()));
        assert_eq!(names.add("a"), Err(RefusalCode::DuplicateName));
        names.close();
        assert_eq!(names.add("b"), Ok(()));
        assert_eq!(names.add("a"), Err(RefusalCode::DuplicateName));
        assert_eq!(names.add(""), Ok(()));
        assert_eq!(names.add(""), Err(RefusalCode::DuplicateName));
    }

    #[test]
    fn the_count_of_names_ends_at_its_limit() {
        let mut names = Names::default();
        names.open();
        for number in 0..MEMBERS_MAX {
            assert_eq!(names.add(&number.to_string()), Ok(()));
        }
        assert_eq!(names.add("one more"), Err(RefusalCode::TooManyMembers));
    }
}
