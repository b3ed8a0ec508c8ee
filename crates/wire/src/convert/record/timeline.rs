use super::InvalidRecordMessage as Invalid;
use super::kind::{kind, kind_message};
use super::month::{month, month_text};
use super::put_head::{reference, version};
use crate::bounds::{at_most, filled};
use crate::limits::{CONTINUATION_MAX_BYTES, SUMMARY_MAX_BYTES, TIMELINE_MAX_ENTRIES};
use crate::pb::record::v1 as pb;
use crate::record::{TimelineEntry, TimelinePage};

impl TryFrom<pb::TimelineEntry> for TimelineEntry {
    type Error = Invalid;

    fn try_from(message: pb::TimelineEntry) -> Result<Self, Invalid> {
        let pb::TimelineEntry {
            reference: sealed,
            version: number,
            kind: raw_kind,
            month: text,
            summary,
            summary_json,
        } = message;
        Ok(Self {
            reference: reference(sealed)?,
            version: version(number)?,
            kind: kind(raw_kind, "kind")?,
            month: month(&text, "month")?,
            summary: filled(summary, SUMMARY_MAX_BYTES).map_err(Invalid::size("summary"))?,
            summary_json,
        })
    }
}

impl From<TimelineEntry> for pb::TimelineEntry {
    fn from(entry: TimelineEntry) -> Self {
        let TimelineEntry { reference, version, kind, month, summary, summary_json } = entry;
        Self {
            reference: reference.as_bytes().clone(),
            version: version.get(),
            kind: kind_message(kind),
            month: month_text(month),
            summary,
            summary_json,
        }
    }
}

impl TryFrom<pb::TimelinePage> for TimelinePage {
    type Error = Invalid;

    fn try_from(message: pb::TimelinePage) -> Result<Self, Invalid> {
        let pb::TimelinePage { entries, continuation } = message;
        at_most(entries.len(), usize::from(TIMELINE_MAX_ENTRIES)).map_err(Invalid::size("entries"))?;
        at_most(continuation.len(), CONTINUATION_MAX_BYTES).map_err(Invalid::size("continuation"))?;
        Ok(Self {
            entries: entries.into_iter().map(TimelineEntry::try_from).collect::<Result<_, _>>()?,
            continuation: (!continuation.is_empty()).then_some(continuation),
        })
    }
}

impl From<TimelinePage> for pb::TimelinePage {
    fn from(page: TimelinePage) -> Self {
        let TimelinePage { entries, continuation } = page;
        Self { entries: entries.into_iter().map(Into::into).collect(), continuation: continuation.unwrap_or_default() }
    }
}
