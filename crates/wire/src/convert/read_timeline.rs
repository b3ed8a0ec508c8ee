use renkei_access::Period;

use super::timeline_position::InvalidTimelinePosition;
use crate::bounds::{OutOfRange, month, u16_within};
use crate::limits::{INLINE_BODY_MAX_BYTES, TIMELINE_MAX_ENTRIES};
use crate::pb::node::v1 as pb;
use crate::{ReadTimeline, Refusal, TimelinePosition};

/// A `timeline` that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReadTimeline {
    /// The first month is past the last bucket.
    #[error("first month of a timeline is no bucket")]
    FromMonth,
    /// The last month is past the last bucket.
    #[error("last month of a timeline is no bucket")]
    ToMonth,
    /// The first month comes after the last.
    #[error("months of a timeline are the wrong way round")]
    Reversed,
    /// The number of entries.
    #[error("entries of a timeline page")]
    MaxEntries(#[source] OutOfRange),
    /// The size of inline bodies.
    #[error("inline bodies of a timeline page")]
    InlineBodyBytes(#[source] OutOfRange),
    /// The position to go on behind does not read.
    #[error("position to go on behind")]
    After(#[source] InvalidTimelinePosition),
    /// The position to go on behind lies outside the months asked for.
    #[error("position to go on behind lies outside the timeline's months")]
    AfterOutside,
}

impl TryFrom<pb::ReadTimeline> for ReadTimeline {
    type Error = InvalidReadTimeline;

    fn try_from(message: pb::ReadTimeline) -> Result<Self, InvalidReadTimeline> {
        let pb::ReadTimeline { from_month, to_month, max_entries, inline_body_bytes, after } = message;
        let period = Period {
            from: month(from_month).ok_or(InvalidReadTimeline::FromMonth)?,
            to: month(to_month).ok_or(InvalidReadTimeline::ToMonth)?,
        };
        if period.from > period.to {
            return Err(InvalidReadTimeline::Reversed);
        }
        let after = after.map(TimelinePosition::try_from).transpose().map_err(InvalidReadTimeline::After)?;
        if after.is_some_and(|position| !period.contains(position.month)) {
            return Err(InvalidReadTimeline::AfterOutside);
        }
        Ok(Self {
            period,
            max_entries: u16_within(max_entries, 1, TIMELINE_MAX_ENTRIES).map_err(InvalidReadTimeline::MaxEntries)?,
            inline_body_bytes: u16_within(inline_body_bytes, 0, INLINE_BODY_MAX_BYTES)
                .map_err(InvalidReadTimeline::InlineBodyBytes)?,
            after,
        })
    }
}

impl From<ReadTimeline> for pb::ReadTimeline {
    fn from(timeline: ReadTimeline) -> Self {
        let ReadTimeline { period: Period { from, to }, max_entries, inline_body_bytes, after } = timeline;
        Self {
            from_month: u32::from(from.raw()),
            to_month: u32::from(to.raw()),
            max_entries: u32::from(max_entries),
            inline_body_bytes: u32::from(inline_body_bytes),
            after: after.map(Into::into),
        }
    }
}

impl From<InvalidReadTimeline> for Refusal {
    fn from(invalid: InvalidReadTimeline) -> Self {
        Self::invalid(match invalid {
            InvalidReadTimeline::FromMonth | InvalidReadTimeline::Reversed => "timeline.from_month",
            InvalidReadTimeline::ToMonth => "timeline.to_month",
            InvalidReadTimeline::MaxEntries(_) => "timeline.max_entries",
            InvalidReadTimeline::InlineBodyBytes(_) => "timeline.inline_body_bytes",
            InvalidReadTimeline::After(_) | InvalidReadTimeline::AfterOutside => "timeline.after",
        })
    }
}
