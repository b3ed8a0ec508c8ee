use bytes::Bytes;
use renkei_ids::{ClassTag, InvalidLength, RecordId, RecordVersion, SizeBucket};

use super::copied;
use crate::bounds::{InvalidSize, at_most, filled, month};
use crate::limits::{BODY_MAX_BYTES, SUMMARY_MAX_BYTES, WHOLE_BODY_MAX_BYTES};
use crate::pb::node::v1 as pb;
use crate::{EntryBody, RecordEntry};

/// An entry that no record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecordEntry {
    /// The record id.
    #[error("record id of an entry")]
    RecordId(#[source] InvalidLength),
    /// The version is missing or 0.
    #[error("version of an entry is 0")]
    Version,
    /// The month is past the last bucket.
    #[error("month of an entry is no bucket")]
    Month,
    /// The size is past the last bucket.
    #[error("size of an entry is no bucket")]
    SizeBucket,
    /// The class of the summary.
    #[error("summary class of an entry")]
    SummaryClass(#[source] InvalidLength),
    /// The class of the body.
    #[error("body class of an entry")]
    BodyClass(#[source] InvalidLength),
    /// The summary.
    #[error("summary of an entry")]
    Summary(#[source] InvalidSize),
    /// The body inside the message.
    #[error("body of an entry")]
    Body(#[source] InvalidSize),
    /// The body that is to follow is over its limit.
    #[error("body of {0} bytes that is to follow is over the limit")]
    BodyFollows(u64),
    /// A body inside the message, and one that is to follow.
    #[error("body of an entry comes twice")]
    TwoBodies,
}

impl TryFrom<pb::RecordEntry> for RecordEntry {
    type Error = InvalidRecordEntry;

    fn try_from(message: pb::RecordEntry) -> Result<Self, InvalidRecordEntry> {
        let pb::RecordEntry {
            record_id,
            version,
            month: raw_month,
            size_bucket,
            summary_class,
            body_class,
            summary,
            body,
            body_follows,
        } = message;
        Ok(Self {
            record: RecordId::try_from(&record_id[..]).map_err(InvalidRecordEntry::RecordId)?,
            version: RecordVersion::new(version).ok_or(InvalidRecordEntry::Version)?,
            month: month(raw_month).ok_or(InvalidRecordEntry::Month)?,
            size: u8::try_from(size_bucket)
                .ok()
                .and_then(SizeBucket::from_raw)
                .ok_or(InvalidRecordEntry::SizeBucket)?,
            summary_class: ClassTag::try_from(&summary_class[..]).map_err(InvalidRecordEntry::SummaryClass)?,
            body_class: ClassTag::try_from(&body_class[..]).map_err(InvalidRecordEntry::BodyClass)?,
            summary: filled(summary, SUMMARY_MAX_BYTES).map_err(InvalidRecordEntry::Summary)?,
            body: entry_body(body, body_follows)?,
        })
    }
}

fn entry_body(body: Option<Bytes>, follows: u64) -> Result<EntryBody, InvalidRecordEntry> {
    match (body, follows) {
        (None, 0) => Ok(EntryBody::Absent),
        (Some(body), 0) => filled(body, WHOLE_BODY_MAX_BYTES).map(EntryBody::Whole).map_err(InvalidRecordEntry::Body),
        (None, follows) => usize::try_from(follows)
            .ok()
            .filter(|bytes| at_most(*bytes, BODY_MAX_BYTES).is_ok())
            .map(EntryBody::InPieces)
            .ok_or(InvalidRecordEntry::BodyFollows(follows)),
        (Some(_), _) => Err(InvalidRecordEntry::TwoBodies),
    }
}

impl From<RecordEntry> for pb::RecordEntry {
    fn from(entry: RecordEntry) -> Self {
        let RecordEntry { record, version, month, size, summary_class, body_class, summary, body } = entry;
        let (body, body_follows) = match body {
            EntryBody::Absent => (None, 0),
            EntryBody::Whole(body) => (Some(body), 0),
            EntryBody::InPieces(bytes) => (None, u64::try_from(bytes).expect("a usize has at most 64 bits")),
        };
        Self {
            record_id: copied(record.as_bytes()),
            version: version.get(),
            month: u32::from(month.raw()),
            size_bucket: u32::from(size.raw()),
            summary_class: copied(summary_class.as_bytes()),
            body_class: copied(body_class.as_bytes()),
            summary,
            body,
            body_follows,
        }
    }
}
