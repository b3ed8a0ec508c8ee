use bytes::Bytes;
use renkei_ids::{BindingTag, ClassTag, ContentTag, IdemTag, InvalidLength, RecordId, RecordVersion, SizeBucket};

use super::copied;
use crate::bounds::{InvalidSize, at_most, filled, month};
use crate::limits::{SUMMARY_MAX_BYTES, WHOLE_BODY_MAX_BYTES};
use crate::pb::node::v1 as pb;
use crate::{PutBody, PutRecord, Refusal};

/// A `put` that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPutRecord {
    /// The record id.
    #[error("record id of a put")]
    RecordId(#[source] InvalidLength),
    /// The version is missing or 0.
    #[error("version of a put is 0")]
    Version,
    /// The month is past the last bucket.
    #[error("month of a put is no bucket")]
    Month,
    /// The class of the summary.
    #[error("summary class of a put")]
    SummaryClass(#[source] InvalidLength),
    /// The class of the body.
    #[error("body class of a put")]
    BodyClass(#[source] InvalidLength),
    /// The binding.
    #[error("binding of a put")]
    Binding(#[source] InvalidLength),
    /// The size is past the last bucket.
    #[error("size of a put is no bucket")]
    SizeBucket,
    /// The summary.
    #[error("summary of a put")]
    Summary(#[source] InvalidSize),
    /// The body inside the message.
    #[error("body of a put")]
    Body(#[source] InvalidSize),
    /// The idempotency tag.
    #[error("idempotency tag of a put")]
    IdemTag(#[source] InvalidLength),
    /// The content tag.
    #[error("content tag of a put")]
    ContentTag(#[source] InvalidLength),
}

impl TryFrom<pb::PutRecord> for PutRecord {
    type Error = InvalidPutRecord;

    fn try_from(message: pb::PutRecord) -> Result<Self, InvalidPutRecord> {
        let pb::PutRecord {
            record_id,
            version,
            month: raw_month,
            summary_class,
            body_class,
            binding,
            size_bucket,
            summary,
            body,
            idem_tag,
            content_tag,
        } = message;
        Ok(Self {
            record: RecordId::try_from(&record_id[..]).map_err(InvalidPutRecord::RecordId)?,
            version: RecordVersion::new(version).ok_or(InvalidPutRecord::Version)?,
            month: month(raw_month).ok_or(InvalidPutRecord::Month)?,
            summary_class: ClassTag::try_from(&summary_class[..]).map_err(InvalidPutRecord::SummaryClass)?,
            body_class: ClassTag::try_from(&body_class[..]).map_err(InvalidPutRecord::BodyClass)?,
            binding: BindingTag::try_from(&binding[..]).map_err(InvalidPutRecord::Binding)?,
            size: u8::try_from(size_bucket).ok().and_then(SizeBucket::from_raw).ok_or(InvalidPutRecord::SizeBucket)?,
            summary: filled(summary, SUMMARY_MAX_BYTES).map_err(InvalidPutRecord::Summary)?,
            body: put_body(body).map_err(InvalidPutRecord::Body)?,
            idem: IdemTag::try_from(&idem_tag[..]).map_err(InvalidPutRecord::IdemTag)?,
            content: ContentTag::try_from(&content_tag[..]).map_err(InvalidPutRecord::ContentTag)?,
        })
    }
}

// Ciphertext is never empty: a sealed body has at least its nonce and tag.
fn put_body(body: Bytes) -> Result<PutBody, InvalidSize> {
    if body.is_empty() {
        return Ok(PutBody::InPieces);
    }
    at_most(body.len(), WHOLE_BODY_MAX_BYTES).map(|()| PutBody::Whole(body))
}

impl From<PutRecord> for pb::PutRecord {
    fn from(put: PutRecord) -> Self {
        let PutRecord {
            record,
            version,
            month,
            summary_class,
            body_class,
            binding,
            size,
            summary,
            body,
            idem,
            content,
        } = put;
        Self {
            record_id: copied(record.as_bytes()),
            version: version.get(),
            month: u32::from(month.raw()),
            summary_class: copied(summary_class.as_bytes()),
            body_class: copied(body_class.as_bytes()),
            binding: copied(binding.as_bytes()),
            size_bucket: u32::from(size.raw()),
            summary,
            body: match body {
                PutBody::Whole(body) => body,
                PutBody::InPieces => Bytes::new(),
            },
            idem_tag: copied(idem.as_bytes()),
            content_tag: copied(content.as_bytes()),
        }
    }
}

impl From<InvalidPutRecord> for Refusal {
    fn from(invalid: InvalidPutRecord) -> Self {
        match invalid {
            InvalidPutRecord::RecordId(_) => Self::invalid("put.record_id"),
            InvalidPutRecord::Version => Self::invalid("put.version"),
            InvalidPutRecord::Month => Self::invalid("put.month"),
            InvalidPutRecord::SummaryClass(_) => Self::invalid("put.summary_class"),
            InvalidPutRecord::BodyClass(_) => Self::invalid("put.body_class"),
            InvalidPutRecord::Binding(_) => Self::invalid("put.binding"),
            InvalidPutRecord::SizeBucket => Self::invalid("put.size_bucket"),
            InvalidPutRecord::Summary(size) => size.refusal("put.summary"),
            InvalidPutRecord::Body(size) => size.refusal("put.body"),
            InvalidPutRecord::IdemTag(_) => Self::invalid("put.idem_tag"),
            InvalidPutRecord::ContentTag(_) => Self::invalid("put.content_tag"),
        }
    }
}
