use super::{InvalidRecordEntry, InvalidTimelinePosition};
use crate::bounds::{InvalidSize, at_most};
use crate::limits::TIMELINE_MAX_ENTRIES;
use crate::pb::node::v1 as pb;
use crate::{RecordEntry, TimelinePage, TimelinePosition};

/// A page that no timeline has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimelinePage {
    /// More entries than a page takes.
    #[error("entries of a timeline page")]
    Size(#[source] InvalidSize),
    /// One of the entries.
    #[error("entry of a timeline page")]
    Entry(#[from] InvalidRecordEntry),
    /// The position to go on behind.
    #[error("position behind a timeline page")]
    Next(#[source] InvalidTimelinePosition),
}

impl TryFrom<pb::TimelinePage> for TimelinePage {
    type Error = InvalidTimelinePage;

    fn try_from(message: pb::TimelinePage) -> Result<Self, InvalidTimelinePage> {
        let pb::TimelinePage { entries, next } = message;
        at_most(entries.len(), usize::from(TIMELINE_MAX_ENTRIES)).map_err(InvalidTimelinePage::Size)?;
        Ok(Self {
            entries: entries.into_iter().map(RecordEntry::try_from).collect::<Result<_, _>>()?,
            next: next.map(TimelinePosition::try_from).transpose().map_err(InvalidTimelinePage::Next)?,
        })
    }
}

impl From<TimelinePage> for pb::TimelinePage {
    fn from(page: TimelinePage) -> Self {
        let TimelinePage { entries, next } = page;
        Self { entries: entries.into_iter().map(Into::into).collect(), next: next.map(Into::into) }
    }
}
