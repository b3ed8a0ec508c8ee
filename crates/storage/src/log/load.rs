//! What a log is, read back from the database when it is opened.

use std::sync::Arc;

use bytes::Bytes;
use rocksdb::{DBRawIterator, Range, ReadOptions, WriteOptions};

use super::group::LogState;
use super::keys::{FORMAT, FORMAT_KEY, LogPrefix, MetaKind, PurgeRecord};
use super::marks::ByteMarks;
use super::tail::Tail;
use super::{Disk, Shared};
use crate::StorageError;

/// Writes the format into a new database and refuses one that is newer.
pub(super) fn check_format(shared: &Shared) -> Result<(), StorageError> {
    let meta = shared.meta_family();
    let stored =
        shared.rocks().get_cf(meta, FORMAT_KEY).map_err(|source| shared.failed("read the format of", source))?;
    match stored.as_deref() {
        Some([FORMAT]) => Ok(()),
        Some([found]) => Err(StorageError::UnknownFormat {
            path: shared.path.clone(),
            found: u32::from(*found),
            newest: u32::from(FORMAT),
        }),
        Some(_) => Err(shared.malformed("the format")),
        None => {
            let mut options = WriteOptions::default();
            options.set_sync(true);
            let written = shared.rocks().put_cf_opt(meta, FORMAT_KEY, [FORMAT], &options);
            written.map_err(|source| shared.failed("write the format of", source))
        }
    }
}

pub(super) fn load(shared: &Shared, prefix: LogPrefix) -> Result<LogState, StorageError> {
    if let Disk::Simulated(disk) = &shared.disk {
        return Ok(disk.load(prefix, &shared.tail_bytes));
    }
    let purge = match meta(shared, prefix, MetaKind::Purge)? {
        Some(bytes) => Some(PurgeRecord::decode(&bytes).ok_or_else(|| shared.malformed("a purge record"))?),
        None => None,
    };
    let floor = purge.as_ref().map_or(0, |purge| purge.through.saturating_add(1));
    let (first, next) = match (edge(shared, prefix, floor, Edge::First)?, edge(shared, prefix, floor, Edge::Last)?) {
        (Some(first), Some(last)) => (first, last.saturating_add(1)),
        _ => (floor, floor),
    };
    let stored = stored_bytes(shared, prefix, first, next)?;
    Ok(LogState {
        first,
        next,
        begun: purge.is_some() || first < next,
        purge,
        vote: meta(shared, prefix, MetaKind::Vote)?,
        committed: meta(shared, prefix, MetaKind::Committed)?,
        tail: Tail::new(next, Arc::clone(&shared.tail_bytes)),
        marks: ByteMarks::new(first, next, stored),
        removals: 0,
        dropped: false,
    })
}

fn meta(shared: &Shared, prefix: LogPrefix, kind: MetaKind) -> Result<Option<Bytes>, StorageError> {
    let read = shared.rocks().get_cf(shared.meta_family(), prefix.meta(kind));
    Ok(read.map_err(|source| shared.failed("read a marker from", source))?.map(Bytes::from))
}

#[derive(Clone, Copy)]
enum Edge {
    First,
    Last,
}

/// Index of the first or last entry from `floor` on. The bounds keep the iterator out of what was purged and out of
/// other logs, so it never walks over tombstones that are not this log's own.
fn edge(shared: &Shared, prefix: LogPrefix, floor: u64, edge: Edge) -> Result<Option<u64>, StorageError> {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(prefix.entry(floor));
    options.set_iterate_upper_bound(prefix.entry(u64::MAX));
    options.set_total_order_seek(true);
    let mut cursor: DBRawIterator<'_> = shared.rocks().raw_iterator_cf_opt(shared.log_family(), options);
    match edge {
        Edge::First => cursor.seek(prefix.entry(floor)),
        Edge::Last => cursor.seek_for_prev(prefix.entry(u64::MAX)),
    }
    cursor.status().map_err(|source| shared.failed("find the bounds of a log in", source))?;
    match cursor.key() {
        Some(key) => prefix.index_of(key).map(Some).ok_or_else(|| shared.malformed("a log key")),
        None => Ok(None),
    }
}

/// Approximate size on disk, compressed, so rather too low.
fn stored_bytes(shared: &Shared, prefix: LogPrefix, first: u64, next: u64) -> Result<u64, StorageError> {
    if first >= next {
        return Ok(0);
    }
    let (from, to) = (prefix.entry(first), prefix.entry(next));
    let sizes = shared.rocks().get_approximate_sizes_cf(shared.log_family(), &[Range::new(&from, &to)]);
    Ok(sizes.into_iter().sum())
}
