//! What apply says about each item of a command.

use bytes::Bytes;
use renkei_ids::{AuditSeq, LeafIndex, LogId, RecordId, RecordVersion, Slot, SlotEpoch};

use crate::format::{self, copied};

/// Where the audit row of an item lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Sequence number in the patient's history.
    pub seq: AuditSeq,
    /// Leaf in the group's log.
    pub leaf: LeafIndex,
}

/// The decision on one item. Only the variants with a [`Recorded`] wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A note's row is written: the answer may leave.
    Recorded(Recorded),
    /// A record is stored, or was by an earlier request with the same idempotency tag.
    Stored {
        /// The row.
        row: Recorded,
        /// The record: of a replayed request, the one that the earlier request stored.
        record: RecordId,
        /// The version stored.
        version: RecordVersion,
        /// Whether this is the stored reply of the earlier request.
        replayed: bool,
    },
    /// A record is deleted, rules are set or a capability is revoked, or were by an earlier, identical request.
    Done {
        /// The row.
        row: Recorded,
        /// Whether this is the stored reply of the earlier request.
        replayed: bool,
    },
    /// The stored version, or the stored version of the rules, is another one; 0 is none.
    VersionConflict {
        /// The row.
        row: Recorded,
        /// What is stored.
        current: u32,
    },
    /// There is no such record, or another institution wrote it.
    Nothing(Recorded),
    /// The record was deleted; its id is used up.
    Deleted(Recorded),
    /// Another request bore this idempotency tag within its window.
    IdempotencyConflict(Recorded),
    /// The slot is not this group's, or is on its way to or from it.
    WrongOwner {
        /// Epoch of the last change of the slot that this group knows.
        epoch: SlotEpoch,
        /// Whether it is on its way: the caller waits rather than looks elsewhere.
        passing: bool,
    },
    /// The capability is revoked. The attempt left its row.
    Revoked(Recorded),
    /// The capability ended before the entry's time. The attempt left its row.
    Expired(Recorded),
    /// The patient's rules changed after the leader looked; the read must be done again.
    RulesChanged,
    /// The capability does not allow this operation. The attempt left its row.
    OutOfScope(Recorded),
    /// The record has as many versions, or the patient as many live revocations, as there can be.
    LimitReached(Recorded),
    /// The item does not read.
    Malformed,
    /// The group has not been founded, or is founded already.
    NotFounded,
    /// A group-level change is done, or was done before; it has no patient and no row.
    Changed,
    /// A group-level change is older than one that a slot followed, or is of another step. Nothing changed.
    Fenced,
    /// A slot cannot go from how it stands to what is ordered. Nothing changed.
    OutOfOrder,
    /// Rows of departed slots were removed.
    Purged {
        /// Where to go on; `None` where no row of the slots named is left.
        next: Option<Slot>,
    },
}

/// All verdicts of one command, in the order of its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// The group's audit log; `None` before the group is founded.
    pub log: Option<LogId>,
    /// One for each item.
    pub verdicts: Vec<Verdict>,
}

/// Bytes that are no verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("verdicts do not read back")]
pub struct InvalidVerdicts;

impl Verdicts {
    /// The reply of the state machine.
    pub fn encode(&self) -> Bytes {
        format::encode(&pb::Verdicts {
            log: self.log.map(|log| copied(log.as_bytes())),
            verdicts: self.verdicts.iter().map(pb::Verdict::from).collect(),
        })
    }

    /// Reads the reply of the state machine.
    ///
    /// # Errors
    /// [`InvalidVerdicts`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidVerdicts> {
        let pb::Verdicts { log, verdicts } = format::decode(bytes).map_err(|_| InvalidVerdicts)?;
        Ok(Self {
            log: log.map(|log| LogId::try_from(&log[..])).transpose().map_err(|_| InvalidVerdicts)?,
            verdicts: verdicts.into_iter().map(Verdict::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Verdict> for pb::Verdict {
    fn from(verdict: &Verdict) -> Self {
        let bare = |code| Self { code, ..Self::default() };
        let row = |code, row: &Recorded| Self { code, seq: row.seq.0, leaf: row.leaf.0, ..Self::default() };
        match verdict {
            Verdict::Recorded(r) => row(1, r),
            Verdict::Stored { row: r, record, version, replayed } => Self {
                number: u64::from(version.get()),
                flag: *replayed,
                record: copied(record.as_bytes()),
                ..row(2, r)
            },
            Verdict::Done { row: r, replayed } => Self { flag: *replayed, ..row(3, r) },
            Verdict::VersionConflict { row: r, current } => Self { number: u64::from(*current), ..row(4, r) },
            Verdict::Nothing(r) => row(5, r),
            Verdict::Deleted(r) => row(6, r),
            Verdict::IdempotencyConflict(r) => row(7, r),
            Verdict::WrongOwner { epoch, passing } => Self { number: epoch.0, flag: *passing, ..bare(8) },
            Verdict::Revoked(r) => row(9, r),
            Verdict::Expired(r) => row(10, r),
            Verdict::RulesChanged => bare(11),
            Verdict::OutOfScope(r) => row(12, r),
            Verdict::LimitReached(r) => row(13, r),
            Verdict::Malformed => bare(14),
            Verdict::NotFounded => bare(15),
            Verdict::Changed => bare(16),
            Verdict::Fenced => bare(17),
            Verdict::OutOfOrder => bare(18),
            Verdict::Purged { next } => {
                Self { number: next.map_or(0, |slot| u64::from(slot.get())), flag: next.is_some(), ..bare(19) }
            }
        }
    }
}

impl TryFrom<pb::Verdict> for Verdict {
    type Error = InvalidVerdicts;

    fn try_from(verdict: pb::Verdict) -> Result<Self, InvalidVerdicts> {
        let pb::Verdict { code, seq, leaf, number, flag, record } = verdict;
        let row = Recorded { seq: AuditSeq(seq), leaf: LeafIndex(leaf) };
        let small = u32::try_from(number).map_err(|_| InvalidVerdicts);
        Ok(match code {
            1 => Self::Recorded(row),
            2 => Self::Stored {
                row,
                record: RecordId::try_from(&record[..]).map_err(|_| InvalidVerdicts)?,
                version: RecordVersion::new(small?).ok_or(InvalidVerdicts)?,
                replayed: flag,
            },
            3 => Self::Done { row, replayed: flag },
            4 => Self::VersionConflict { row, current: small? },
            5 => Self::Nothing(row),
            6 => Self::Deleted(row),
            7 => Self::IdempotencyConflict(row),
            8 => Self::WrongOwner { epoch: SlotEpoch(number), passing: flag },
            9 => Self::Revoked(row),
            10 => Self::Expired(row),
            11 => Self::RulesChanged,
            12 => Self::OutOfScope(row),
            13 => Self::LimitReached(row),
            14 => Self::Malformed,
            15 => Self::NotFounded,
            16 => Self::Changed,
            17 => Self::Fenced,
            18 => Self::OutOfOrder,
            19 => {
                let slot = Slot::try_from(small?).map_err(|_| InvalidVerdicts)?;
                Self::Purged { next: flag.then_some(slot) }
            }
            _ => return Err(InvalidVerdicts),
        })
    }
}

mod pb {
    use bytes::Bytes;

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Verdicts {
        #[prost(bytes = "bytes", optional, tag = "1")]
        pub(super) log: Option<Bytes>,
        #[prost(message, repeated, tag = "2")]
        pub(super) verdicts: Vec<Verdict>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Verdict {
        #[prost(uint32, tag = "1")]
        pub(super) code: u32,
        #[prost(uint64, tag = "2")]
        pub(super) seq: u64,
        #[prost(uint64, tag = "3")]
        pub(super) leaf: u64,
        #[prost(uint64, tag = "4")]
        pub(super) number: u64,
        #[prost(bool, tag = "5")]
        pub(super) flag: bool,
        #[prost(bytes = "bytes", tag = "6")]
        pub(super) record: Bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn arb_verdict() -> impl Strategy<Value = Verdict> {
        let row =
            (any::<u64>(), any::<u64>()).prop_map(|(seq, leaf)| Recorded { seq: AuditSeq(seq), leaf: LeafIndex(leaf) });
        (0..19, row, 1_u32.., any::<bool>(), any::<[u8; 16]>()).prop_map(|(kind, row, n, flag, id)| match kind {
            0 => Verdict::Recorded(row),
            1 => Verdict::Stored {
                row,
                record: RecordId::from_bytes(id),
                version: RecordVersion::new(n).expect("from 1"),
                replayed: flag,
            },
            2 => Verdict::Done { row, replayed: flag },
            3 => Verdict::VersionConflict { row, current: n },
            4 => Verdict::Nothing(row),
            5 => Verdict::Deleted(row),
            6 => Verdict::IdempotencyConflict(row),
            7 => Verdict::WrongOwner { epoch: SlotEpoch(u64::from(n)), passing: flag },
            8 => Verdict::Revoked(row),
            9 => Verdict::Expired(row),
            10 => Verdict::RulesChanged,
            11 => Verdict::OutOfScope(row),
            12 => Verdict::LimitReached(row),
            13 => Verdict::Malformed,
            14 => Verdict::NotFounded,
            15 => Verdict::Changed,
            16 => Verdict::Fenced,
            17 => Verdict::OutOfOrder,
            _ => Verdict::Purged { next: flag.then(|| Slot::try_from(n % 4_096).expect("it is below 4096")) },
        })
    }

    proptest! {
        #[test]
        fn verdicts_read_back(verdicts in proptest::collection::vec(arb_verdict(), 0..20), log in proptest::option::of(any::<[u8; 16]>())) {
            let verdicts = Verdicts { log: log.map(LogId::from_bytes), verdicts };
            prop_assert_eq!(Verdicts::decode(&verdicts.encode()), Ok(verdicts));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Verdicts::decode(&Bytes::from(bytes));
        }
    }
}
