//! The replicated form of commands and items, format 1.

use bytes::Bytes;

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Command {
    #[prost(uint64, tag = "1")]
    pub(super) time_ms: u64,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(super) items: Vec<Bytes>,
}

/// Either `access` with one of the kinds, or a group-level change.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Item {
    #[prost(message, optional, tag = "1")]
    pub(super) access: Option<Access>,
    #[prost(message, optional, tag = "2")]
    pub(super) note: Option<Note>,
    #[prost(message, optional, tag = "3")]
    pub(super) put: Option<Put>,
    #[prost(message, optional, tag = "4")]
    pub(super) delete: Option<Delete>,
    #[prost(message, optional, tag = "5")]
    pub(super) set_rules: Option<SetRules>,
    #[prost(message, optional, tag = "6")]
    pub(super) revoke: Option<Revoke>,
    #[prost(message, optional, tag = "7")]
    pub(super) found: Option<Found>,
    #[prost(message, optional, tag = "8")]
    pub(super) slots: Option<Slots>,
    #[prost(message, optional, tag = "9")]
    pub(super) import: Option<Import>,
    #[prost(message, optional, tag = "10")]
    pub(super) purge: Option<Purge>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Access {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) capability: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) pid: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) institution: Bytes,
    #[prost(uint32, tag = "4")]
    pub(super) scope: u32,
    #[prost(uint64, tag = "5")]
    pub(super) expires_ms: u64,
    #[prost(bytes = "bytes", tag = "6")]
    pub(super) request: Bytes,
    #[prost(bytes = "bytes", tag = "7")]
    pub(super) stub: Bytes,
    #[prost(bytes = "bytes", tag = "8")]
    pub(super) actor: Bytes,
    #[prost(bytes = "bytes", tag = "9")]
    pub(super) salt: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Note {
    #[prost(uint32, tag = "1")]
    pub(super) operation: u32,
    #[prost(uint64, tag = "2")]
    pub(super) rules_version: u64,
    /// Record ids, 16 bytes each, one behind the other.
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) records: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Put {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) record: Bytes,
    #[prost(uint32, tag = "2")]
    pub(super) version: u32,
    #[prost(uint32, tag = "3")]
    pub(super) month: u32,
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) summary_class: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) body_class: Bytes,
    #[prost(bytes = "bytes", tag = "6")]
    pub(super) binding: Bytes,
    #[prost(uint32, tag = "7")]
    pub(super) size: u32,
    #[prost(bytes = "bytes", tag = "8")]
    pub(super) summary: Bytes,
    #[prost(bytes = "bytes", tag = "9")]
    pub(super) body: Bytes,
    #[prost(bytes = "bytes", tag = "10")]
    pub(super) idem: Bytes,
    #[prost(bytes = "bytes", tag = "11")]
    pub(super) content: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Delete {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) record: Bytes,
    #[prost(uint32, tag = "2")]
    pub(super) version: u32,
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) idem: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) content: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct SetRules {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) rules: Bytes,
    #[prost(uint64, tag = "2")]
    pub(super) expected_version: u64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Revoke {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) capability: Bytes,
    #[prost(uint64, tag = "2")]
    pub(super) expires_ms: u64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Found {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) log: Bytes,
    #[prost(message, optional, tag = "2")]
    pub(super) slots: Option<Slots>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Slots {
    #[prost(uint64, tag = "1")]
    pub(super) epoch: u64,
    #[prost(uint32, tag = "2")]
    pub(super) hold: u32,
    /// First and last slot of each range, alternating.
    #[prost(uint32, repeated, tag = "3")]
    pub(super) bounds: Vec<u32>,
    #[prost(uint64, tag = "4")]
    pub(super) stamp: u64,
    #[prost(uint32, tag = "5")]
    pub(super) round: u32,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Import {
    #[prost(uint64, tag = "1")]
    pub(super) epoch: u64,
    #[prost(uint64, tag = "2")]
    pub(super) stamp: u64,
    #[prost(uint64, tag = "3")]
    pub(super) time_ms: u64,
    #[prost(message, repeated, tag = "4")]
    pub(super) rows: Vec<MovedRow>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct MovedRow {
    #[prost(uint32, tag = "1")]
    pub(super) family: u32,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub(super) value: Option<Bytes>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Purge {
    #[prost(uint64, tag = "1")]
    pub(super) epoch: u64,
    #[prost(uint64, tag = "2")]
    pub(super) stamp: u64,
    #[prost(uint32, tag = "3")]
    pub(super) first: u32,
    #[prost(uint32, tag = "4")]
    pub(super) last: u32,
}
