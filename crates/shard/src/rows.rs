//! What is stored under the keys, each row a type with its own version byte in front.

use bytes::Bytes;
use renkei_ids::{
    BindingTag, CapabilityId, ClassTag, ContentTag, InstTag, InvalidLength, LogId, MonthBucket, RecordId,
    RecordVersion, SizeBucket, UnixMillis,
};

use crate::format::{self, FORMAT, Unreadable, copied};

/// The version of a stored reply that names its record.
const REPLY_NAMES_RECORD: u8 = 2;

/// Bytes that are no row of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidRow;

impl From<Unreadable> for InvalidRow {
    fn from(_: Unreadable) -> Self {
        Self
    }
}

impl From<InvalidLength> for InvalidRow {
    fn from(_: InvalidLength) -> Self {
        Self
    }
}

/// A stored row: its name for messages, and its bytes.
pub(crate) trait Row: Sized {
    const NAME: &'static str;

    fn encode(&self) -> Bytes;

    fn decode(bytes: &Bytes) -> Result<Self, InvalidRow>;
}

/// A summary and what the node knows beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SummaryRow {
    pub(crate) version: RecordVersion,
    pub(crate) summary_class: ClassTag,
    pub(crate) body_class: ClassTag,
    pub(crate) institution: InstTag,
    pub(crate) binding: BindingTag,
    pub(crate) size: SizeBucket,
    pub(crate) body_len: u32,
    pub(crate) summary: Bytes,
}

impl Row for SummaryRow {
    const NAME: &'static str = "summary";

    fn encode(&self) -> Bytes {
        let Self { version, summary_class, body_class, institution, binding, size, body_len, summary } = self;
        format::encode(&pb::Summary {
            version: version.get(),
            summary_class: copied(summary_class.as_bytes()),
            body_class: copied(body_class.as_bytes()),
            institution: copied(institution.as_bytes()),
            binding: copied(binding.as_bytes()),
            size: u32::from(size.raw()),
            body_len: *body_len,
            summary: summary.clone(),
        })
    }

    fn decode(bytes: &Bytes) -> Result<Self, InvalidRow> {
        let pb::Summary { version, summary_class, body_class, institution, binding, size, body_len, summary } =
            format::decode(bytes)?;
        Ok(Self {
            version: RecordVersion::new(version).ok_or(InvalidRow)?,
            summary_class: ClassTag::try_from(&summary_class[..])?,
            body_class: ClassTag::try_from(&body_class[..])?,
            institution: InstTag::try_from(&institution[..])?,
            binding: BindingTag::try_from(&binding[..])?,
            size: u8::try_from(size).ok().and_then(SizeBucket::from_raw).ok_or(InvalidRow)?,
            body_len,
            summary,
        })
    }
}

/// Where a record's current summary lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHead {
    pub(crate) version: RecordVersion,
    pub(crate) month: MonthBucket,
    pub(crate) institution: InstTag,
}

impl Row for RecordHead {
    const NAME: &'static str = "record head";

    fn encode(&self) -> Bytes {
        let Self { version, month, institution } = self;
        format::encode(&pb::RecordHead {
            version: version.get(),
            month: u32::from(month.raw()),
            institution: copied(institution.as_bytes()),
        })
    }

    fn decode(bytes: &Bytes) -> Result<Self, InvalidRow> {
        let pb::RecordHead { version, month, institution } = format::decode(bytes)?;
        Ok(Self {
            version: RecordVersion::new(version).ok_or(InvalidRow)?,
            month: month_of(month)?,
            institution: InstTag::try_from(&institution[..])?,
        })
    }
}

/// The summary of a version that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Superseded {
    pub(crate) month: MonthBucket,
    pub(crate) row: SummaryRow,
}

impl Row for Superseded {
    const NAME: &'static str = "superseded summary";

    fn encode(&self) -> Bytes {
        format::encode(&pb::Superseded { month: u32::from(self.month.raw()), row: self.row.encode() })
    }

    fn decode(bytes: &Bytes) -> Result<Self, InvalidRow> {
        let pb::Superseded { month, row } = format::decode(bytes)?;
        Ok(Self { month: month_of(month)?, row: SummaryRow::decode(&row)? })
    }
}

/// What changes with each operation on a patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PatientHead {
    /// Audit rows written so far.
    pub(crate) rows: u64,
    /// Times that rules were set.
    pub(crate) rules_version: u64,
    /// Capabilities ended before their time, and when each would have ended.
    pub(crate) revoked: Vec<(CapabilityId, UnixMillis)>,
}

impl PatientHead {
    pub(crate) fn is_revoked(&self, capability: CapabilityId) -> bool {
        self.revoked.iter().any(|(id, _)| *id == capability)
    }
}

impl Row for PatientHead {
    const NAME: &'static str = "patient head";

    fn encode(&self) -> Bytes {
        let Self { rows, rules_version, revoked } = self;
        format::encode(&pb::PatientHead {
            rows: *rows,
            rules_version: *rules_version,
            revoked: revoked
                .iter()
                .map(|(id, expires)| pb::Revoked { capability: copied(id.as_bytes()), expires_ms: expires.0 })
                .collect(),
        })
    }

    fn decode(bytes: &Bytes) -> Result<Self, InvalidRow> {
        let pb::PatientHead { rows, rules_version, revoked } = format::decode(bytes)?;
        let revoked = revoked
            .into_iter()
            .map(|pb::Revoked { capability, expires_ms }| {
                Ok((CapabilityId::try_from(&capability[..])?, UnixMillis(expires_ms)))
            })
            .collect::<Result<_, InvalidRow>>()?;
        Ok(Self { rows, rules_version, revoked })
    }
}

/// What a whole group shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupHead {
    /// The group's audit log.
    pub log: LogId,
    /// Leaves written so far.
    pub leaves: u64,
    /// Group time: the latest leader's stamp so far.
    pub time: UnixMillis,
}

impl Row for GroupHead {
    const NAME: &'static str = "group head";

    fn encode(&self) -> Bytes {
        let Self { log, leaves, time } = self;
        format::encode(&pb::GroupHead { log: copied(log.as_bytes()), leaves: *leaves, time_ms: time.0 })
    }

    fn decode(bytes: &Bytes) -> Result<Self, InvalidRow> {
        let pb::GroupHead { log, leaves, time_ms } = format::decode(bytes)?;
        Ok(Self { log: LogId::try_from(&log[..])?, leaves, time: UnixMillis(time_ms) })
    }
}

/// The reply of an earlier request. Version 1 of it named no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredReply {
    pub(crate) content: ContentTag,
    /// The record that was stored or deleted; `None` in a reply of version 1.
    pub(crate) record: Option<RecordId>,
    /// The version stored; `None` for a deletion.
    pub(crate) version: Option<RecordVersion>,
    pub(crate) expires: UnixMillis,
}

impl Row for StoredReply {
    const NAME: &'static str = "stored reply";

    fn encode(&self) -> Bytes {
        let Self { content, record, version, expires } = self;
        let message = pb::StoredReply {
            content: copied(content.as_bytes()),
            version: version.map(RecordVersion::get),
            expires_ms: expires.0,
            record: record.map(|record| copied(record.as_bytes())),
        };
        format::encode_as(if record.is_some() { REPLY_NAMES_RECORD } else { FORMAT }, &message)
    }

    fn decode(bytes: &Bytes) -> Result<Self, InvalidRow> {
        let (format, pb::StoredReply { content, version, expires_ms, record }) = format::decode_any(bytes)?;
        Ok(Self {
            content: ContentTag::try_from(&content[..])?,
            record: match (format, record) {
                (FORMAT, None) => None,
                (REPLY_NAMES_RECORD, Some(record)) => Some(RecordId::try_from(&record[..])?),
                _ => return Err(InvalidRow),
            },
            version: version.map(|version| RecordVersion::new(version).ok_or(InvalidRow)).transpose()?,
            expires: UnixMillis(expires_ms),
        })
    }
}

/// A record that is gone for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tombstone {
    pub(crate) version: RecordVersion,
    pub(crate) time: UnixMillis,
}

impl Row for Tombstone {
    const NAME: &'static str = "tombstone";

    fn encode(&self) -> Bytes {
        format::encode(&pb::Tombstone { version: self.version.get(), time_ms: self.time.0 })
    }

    fn decode(bytes: &Bytes) -> Result<Self, InvalidRow> {
        let pb::Tombstone { version, time_ms } = format::decode(bytes)?;
        Ok(Self { version: RecordVersion::new(version).ok_or(InvalidRow)?, time: UnixMillis(time_ms) })
    }
}

fn month_of(raw: u32) -> Result<MonthBucket, InvalidRow> {
    u16::try_from(raw).map(MonthBucket::from_raw).map_err(|_| InvalidRow)
}

mod pb {
    use bytes::Bytes;

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Summary {
        #[prost(uint32, tag = "1")]
        pub(super) version: u32,
        #[prost(bytes = "bytes", tag = "2")]
        pub(super) summary_class: Bytes,
        #[prost(bytes = "bytes", tag = "3")]
        pub(super) body_class: Bytes,
        #[prost(bytes = "bytes", tag = "4")]
        pub(super) institution: Bytes,
        #[prost(bytes = "bytes", tag = "5")]
        pub(super) binding: Bytes,
        #[prost(uint32, tag = "6")]
        pub(super) size: u32,
        #[prost(uint32, tag = "7")]
        pub(super) body_len: u32,
        #[prost(bytes = "bytes", tag = "8")]
        pub(super) summary: Bytes,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct RecordHead {
        #[prost(uint32, tag = "1")]
        pub(super) version: u32,
        #[prost(uint32, tag = "2")]
        pub(super) month: u32,
        #[prost(bytes = "bytes", tag = "3")]
        pub(super) institution: Bytes,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Superseded {
        #[prost(uint32, tag = "1")]
        pub(super) month: u32,
        #[prost(bytes = "bytes", tag = "2")]
        pub(super) row: Bytes,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct PatientHead {
        #[prost(uint64, tag = "1")]
        pub(super) rows: u64,
        #[prost(uint64, tag = "2")]
        pub(super) rules_version: u64,
        #[prost(message, repeated, tag = "3")]
        pub(super) revoked: Vec<Revoked>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Revoked {
        #[prost(bytes = "bytes", tag = "1")]
        pub(super) capability: Bytes,
        #[prost(uint64, tag = "2")]
        pub(super) expires_ms: u64,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct GroupHead {
        #[prost(bytes = "bytes", tag = "1")]
        pub(super) log: Bytes,
        #[prost(uint64, tag = "2")]
        pub(super) leaves: u64,
        #[prost(uint64, tag = "3")]
        pub(super) time_ms: u64,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct StoredReply {
        #[prost(bytes = "bytes", tag = "1")]
        pub(super) content: Bytes,
        #[prost(uint32, optional, tag = "2")]
        pub(super) version: Option<u32>,
        #[prost(uint64, tag = "3")]
        pub(super) expires_ms: u64,
        #[prost(bytes = "bytes", optional, tag = "4")]
        pub(super) record: Option<Bytes>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Tombstone {
        #[prost(uint32, tag = "1")]
        pub(super) version: u32,
        #[prost(uint64, tag = "2")]
        pub(super) time_ms: u64,
    }
}
