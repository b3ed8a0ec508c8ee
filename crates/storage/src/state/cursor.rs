//! Walking over one family of the database.

use std::path::Path;

use bytes::Bytes;
use rocksdb::{ColumnFamily, DB, DBRawIterator, ReadOptions, ReadTier};

use super::family::FamilySpec;
use super::read::{Direction, KeyRange, Tier};
use crate::StorageError;

/// A key and its value.
pub(super) type Pair<'a> = (&'a [u8], &'a [u8]);

/// A fresh iterator for each scan, placed on its first pair. RocksDB below 11.12 can skip keys when an iterator over a
/// prefix is reused for another kind of seek.
pub(super) struct Cursor<'a> {
    pairs: Pairs<'a>,
    direction: Direction,
}

enum Pairs<'a> {
    Rocks(DBRawIterator<'a>),
    Memory(std::vec::IntoIter<(Vec<u8>, Bytes)>),
}

impl<'a> Cursor<'a> {
    /// `options` say what is read; bounds and kind of seek are set here.
    pub(super) fn over(
        db: &'a DB,
        mut options: ReadOptions,
        family: &ColumnFamily,
        spec: &FamilySpec,
        range: &KeyRange,
        direction: Direction,
    ) -> Self {
        options.set_iterate_lower_bound(range.start.clone());
        if let Some(end) = &range.end {
            options.set_iterate_upper_bound(end.clone());
        }
        // The filter holds prefixes. A reverse scan starts at its upper bound, which has another prefix.
        if direction == Direction::Forward && range.stays_in_prefix(spec.prefix_len) {
            options.set_prefix_same_as_start(true);
        } else {
            options.set_total_order_seek(true);
        }
        let mut pairs = db.raw_iterator_cf_opt(family, options);
        match (direction, &range.end) {
            (Direction::Forward, _) => pairs.seek(&range.start),
            (Direction::Reverse, Some(end)) => pairs.seek_for_prev(end),
            (Direction::Reverse, None) => pairs.seek_to_last(),
        }
        Self { pairs: Pairs::Rocks(pairs), direction }
    }

    /// Over pairs that are in the order of the scan.
    pub(super) fn over_pairs(pairs: Vec<(Vec<u8>, Bytes)>, direction: Direction) -> Self {
        Self { pairs: Pairs::Memory(pairs.into_iter()), direction }
    }

    /// The pair it stands on; `None` behind the last one.
    pub(super) fn pair(&self) -> Result<Option<Pair<'_>>, rocksdb::Error> {
        match &self.pairs {
            Pairs::Rocks(pairs) => match pairs.item() {
                Some(pair) => Ok(Some(pair)),
                None => pairs.status().map(|()| None),
            },
            Pairs::Memory(pairs) => Ok(pairs.as_slice().first().map(|(key, value)| (key.as_slice(), value.as_ref()))),
        }
    }

    pub(super) fn advance(&mut self) {
        match (&mut self.pairs, self.direction) {
            (Pairs::Rocks(pairs), Direction::Forward) => pairs.next(),
            (Pairs::Rocks(pairs), Direction::Reverse) => pairs.prev(),
            (Pairs::Memory(pairs), _) => drop(pairs.next()),
        }
    }
}

pub(super) fn read_options(tier: Tier) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_verify_checksums(true);
    if tier == Tier::CacheOnly {
        options.set_read_tier(ReadTier::BlockCache);
    }
    options
}

pub(super) fn scan_failed(path: &Path, source: rocksdb::Error) -> StorageError {
    StorageError::engine("scan", path, source)
}
