use renkei_ids::{InvalidLength, RecordId};

use super::copied;
use crate::TimelinePosition;
use crate::bounds::month;
use crate::pb::node::v1 as pb;

/// A place that no timeline has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimelinePosition {
    /// The month is past the last bucket.
    #[error("month of a timeline position is no bucket")]
    Month,
    /// The record id.
    #[error("record id of a timeline position")]
    RecordId(#[source] InvalidLength),
}

impl TryFrom<pb::TimelinePosition> for TimelinePosition {
    type Error = InvalidTimelinePosition;

    fn try_from(message: pb::TimelinePosition) -> Result<Self, InvalidTimelinePosition> {
        let pb::TimelinePosition { month: raw_month, record_id } = message;
        Ok(Self {
            month: month(raw_month).ok_or(InvalidTimelinePosition::Month)?,
            record: RecordId::try_from(&record_id[..]).map_err(InvalidTimelinePosition::RecordId)?,
        })
    }
}

impl From<TimelinePosition> for pb::TimelinePosition {
    fn from(position: TimelinePosition) -> Self {
        let TimelinePosition { month, record } = position;
        Self { month: u32::from(month.raw()), record_id: copied(record.as_bytes()) }
    }
}
