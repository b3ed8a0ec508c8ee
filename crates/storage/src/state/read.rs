use std::cmp::Ordering;
use std::fmt;
use std::ops::ControlFlow;

use bytes::Bytes;

use super::Family;
use crate::StorageError;

/// How far a read may go for its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// To the disk; may block.
    #[default]
    Disk,
    /// Memory only: [`StorageError::WouldBlock`] when that does not hold the answer.
    CacheOnly,
}

/// Order of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Ascending keys.
    Forward,
    /// Descending keys.
    Reverse,
}

impl Direction {
    /// Which of two keys comes first in this direction.
    pub(crate) fn compare(self, left: &[u8], right: &[u8]) -> Ordering {
        match self {
            Self::Forward => left.cmp(right),
            Self::Reverse => right.cmp(left),
        }
    }
}

/// The keys from `start` on and below `end`.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRange {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> Self {
        Self { start: Vec::new(), end: None }
    }

    /// Keys from `start` (included) to `end` (excluded).
    pub fn between(start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        Self { start: start.into(), end: Some(end.into()) }
    }

    /// Keys from `start` on.
    pub fn from(start: impl Into<Vec<u8>>) -> Self {
        Self { start: start.into(), end: None }
    }

    /// Keys that begin with `prefix`.
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let start = prefix.into();
        Self { end: successor_of_prefix(&start), start }
    }

    /// Whether `key` lies in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.start.as_slice() && self.end.as_deref().is_none_or(|end| key < end)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// Whether all keys of the range share their first `prefix_len` bytes; never for 0.
    pub(crate) fn stays_in_prefix(&self, prefix_len: usize) -> bool {
        let Some(prefix) = self.start.get(..prefix_len).filter(|prefix| !prefix.is_empty()) else { return false };
        match (&self.end, successor_of_prefix(prefix)) {
            (Some(end), Some(successor)) => *end <= successor,
            (_, None) => true,
            (None, Some(_)) => false,
        }
    }
}

/// Keys may hold a pid, so only the lengths are shown.
impl fmt::Debug for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRange")
            .field("start_len", &self.start.len())
            .field("end_len", &self.end.as_ref().map(Vec::len))
            .finish()
    }
}

/// The smallest key above all that begin with `prefix`; `None` when there is none.
fn successor_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut successor = prefix[..=last].to_vec();
    successor[last] += 1;
    Some(successor)
}

/// What a scan calls with each key and value; it breaks to end the scan.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// Reading: what a [`View`](super::View) and a [`Staged`](super::Staged) share.
pub trait Read {
    /// The value of `key`.
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StorageError>;

    /// Calls `visit` with the pairs of `range` in order until it breaks. A forward scan whose keys share the family's
    /// prefix skips files by the filter; a reverse one, and one across prefixes, does not.
    fn scan(
        &self,
        family: Family,
        range: &KeyRange,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_range_holds_exactly_the_keys_that_begin_with_it() {
        assert_eq!(KeyRange::prefix(b"a\xff".as_slice()), KeyRange::between(b"a\xff".as_slice(), b"b".as_slice()));
        assert_eq!(KeyRange::prefix(b"\xff\xff".as_slice()), KeyRange::from(b"\xff\xff".as_slice()));
        assert_eq!(KeyRange::prefix(b"".as_slice()), KeyRange::all());
    }

    #[test]
    fn a_range_stays_in_a_prefix_only_when_all_its_keys_do() {
        let between = |start: &str, end: &str| KeyRange::between(start, end);
        assert!(between("ab1", "ab9").stays_in_prefix(2));
        assert!(between("ab", "ac").stays_in_prefix(2));
        assert!(!between("ab", "ac0").stays_in_prefix(2));
        assert!(!between("a", "b").stays_in_prefix(2));
        assert!(!between("ab", "ac").stays_in_prefix(0));
        assert!(!KeyRange::from("ab").stays_in_prefix(2));
        assert!(KeyRange::from(vec![0xFF, 0xFF, 3]).stays_in_prefix(2));
    }
}
