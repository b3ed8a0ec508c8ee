//! Keys of the log database.
//!
//! | family | key | value |
//! |---|---|---|
//! | `log` | group u32 BE, replica u64 BE, index u64 BE | the entry, opaque |
//! | `meta` | group u32 BE, replica u64 BE, kind u8 | kind 1 vote, 2 committed: opaque; 3 purge: see [`PurgeRecord`] |
//! | `meta` | `format` | version of all of this, u8 |

use bytes::{BufMut, Bytes, BytesMut};
use renkei_ids::{GroupId, ReplicaId};

pub(super) const PREFIX_LEN: usize = 12;
const ENTRY_LEN: usize = 20;
const META_LEN: usize = 13;

pub(super) const FORMAT_KEY: &[u8] = b"format";
pub(super) const FORMAT: u8 = 1;

/// What all keys of one replica's log begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LogPrefix {
    pub(super) group: GroupId,
    pub(super) replica: ReplicaId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum MetaKind {
    Vote = 1,
    Committed = 2,
    Purge = 3,
}

impl MetaKind {
    pub(super) const ALL: [Self; 3] = [Self::Vote, Self::Committed, Self::Purge];
}

impl LogPrefix {
    /// Key of an entry. Index `u64::MAX` is the end of the log and holds no entry.
    pub(super) fn entry(self, index: u64) -> [u8; ENTRY_LEN] {
        let mut key = [0; ENTRY_LEN];
        key[..PREFIX_LEN].copy_from_slice(&self.bytes());
        key[PREFIX_LEN..].copy_from_slice(&index.to_be_bytes());
        key
    }

    /// Index of the entry that `key` names, `None` for a key of another log.
    pub(super) fn index_of(self, key: &[u8]) -> Option<u64> {
        let index = key.strip_prefix(&self.bytes())?;
        index.try_into().ok().map(u64::from_be_bytes)
    }

    pub(super) fn meta(self, kind: MetaKind) -> [u8; META_LEN] {
        let mut key = [0; META_LEN];
        key[..PREFIX_LEN].copy_from_slice(&self.bytes());
        key[PREFIX_LEN] = kind as u8;
        key
    }

    fn bytes(self) -> [u8; PREFIX_LEN] {
        let mut bytes = [0; PREFIX_LEN];
        bytes[..4].copy_from_slice(&self.group.0.to_be_bytes());
        bytes[4..].copy_from_slice(&self.replica.0.to_be_bytes());
        bytes
    }
}

/// How far a log was purged, and the caller's marker: version u8, through u64 BE, marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PurgeRecord {
    pub(super) through: u64,
    pub(super) marker: Bytes,
}

impl PurgeRecord {
    const VERSION: u8 = 1;

    pub(super) fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(9 + self.marker.len());
        bytes.put_u8(Self::VERSION);
        bytes.put_u64(self.through);
        bytes.put_slice(&self.marker);
        bytes.freeze()
    }

    pub(super) fn decode(bytes: &Bytes) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        let (through, _) = rest.split_first_chunk()?;
        (version == Self::VERSION).then(|| Self { through: u64::from_be_bytes(*through), marker: bytes.slice(9..) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: LogPrefix = LogPrefix { group: GroupId(0x0102_0304), replica: ReplicaId(5) };

    #[test]
    fn the_stored_formats_are_the_fixtures() {
        assert_eq!(PREFIX.entry(0x0607), [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 6, 7]);
        assert_eq!(PREFIX.meta(MetaKind::Vote), [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 5, 1]);
        let record = PurgeRecord { through: 9, marker: Bytes::from_static(b"m") };
        assert_eq!(record.encode().as_ref(), [1, 0, 0, 0, 0, 0, 0, 0, 9, b'm']);
        assert_eq!(PurgeRecord::decode(&record.encode()), Some(record));
    }

    #[test]
    fn malformed_records_are_refused() {
        for bytes in [&[][..], &[1], &[1, 0, 0, 0, 0, 0, 0, 0], &[2, 0, 0, 0, 0, 0, 0, 0, 9]] {
            assert_eq!(PurgeRecord::decode(&Bytes::copy_from_slice(bytes)), None);
        }
        assert_eq!(PREFIX.index_of(&PREFIX.meta(MetaKind::Vote)), None);
        assert_eq!(PREFIX.index_of(&LogPrefix { replica: ReplicaId(6), ..PREFIX }.entry(1)), None);
        assert_eq!(PREFIX.index_of(&PREFIX.entry(77)), Some(77));
    }
}
