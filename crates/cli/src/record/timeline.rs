//! `renkei timeline`.

mod line;

use std::fmt;

use renkei_records::Summary;
use renkei_wire::limits::DEADLINE_MAX;
use renkei_wire::month_text;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{QueryTimelineRequest, TimelineEntry, TimelinePage};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{LISTED_MAX_BYTES, Session};
use crate::arguments::{Kind, TimelineSettings};
use crate::call::{Answers, timed};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hex::hex;
use crate::output::Output;

#[derive(Debug, Default, serde::Serialize)]
struct Timeline {
    entries: Vec<Entry>,
    /// Where more may follow, hexadecimal.
    continuation: Option<String>,
}

#[derive(serde::Serialize)]
struct Entry {
    reference: String,
    version: u32,
    kind: Kind,
    month: String,
    /// JSON text of an object.
    #[serde(serialize_with = "inline")]
    summary: String,
    #[serde(skip)]
    line: String,
}

/// Why a summary does not read.
#[derive(Debug, thiserror::Error)]
enum UnreadableEntry {
    #[error("reading a summary as its JSON text")]
    Json(#[source] serde_json::Error),
    #[error("reading a summary")]
    Summary(#[source] renkei_records::UnreadableSummary),
}

/// Shows summaries, newest month first.
pub(crate) async fn timeline(settings: TimelineSettings, output: Output) -> Result<Exit, Failure> {
    let TimelineSettings { connection, visit, kinds, from, to, page_entries, pages, continuation } = settings;
    let Session { address, mut client, patient, actor } = Session::open(connection, visit)?;
    let kinds = kinds.into_iter().map(Into::into).collect();
    let request =
        QueryTimelineRequest { patient, actor, kinds, from, to, page_entries, max_pages: pages, continuation };
    let request = timed(pb::QueryTimelineRequest::from(request), DEADLINE_MAX);
    let mut pages = Answers::begin(&address, client.query_timeline(request)).await?;
    let mut told = Timeline::default();
    let mut bytes = 0;
    while let Some(TimelinePage { entries, continuation }) = pages.next().await? {
        for entry in entries {
            let entry = Entry::try_from(entry).map_err(|error| Failure::unreadable(&address, error))?;
            bytes += entry.size();
            told.entries.push(entry);
        }
        told.continuation = continuation.map(|token| hex(&token));
        if bytes >= LISTED_MAX_BYTES {
            break;
        }
    }
    output.print(&told)?;
    Ok(Exit::Done)
}

impl TryFrom<TimelineEntry> for Entry {
    type Error = UnreadableEntry;

    fn try_from(entry: TimelineEntry) -> Result<Self, UnreadableEntry> {
        let TimelineEntry { reference, version, kind, month, summary, summary_json } = entry;
        let _object: Map<String, Value> = serde_json::from_str(&summary_json).map_err(UnreadableEntry::Json)?;
        let read = Summary::decode(&summary).map_err(UnreadableEntry::Summary)?;
        Ok(Self {
            reference: hex(reference.as_bytes()),
            version: version.get(),
            kind: kind.into(),
            month: month_text(month),
            summary: summary_json,
            line: line::of(&read),
        })
    }
}

impl Entry {
    /// Bytes held for it, about.
    fn size(&self) -> usize {
        size_of::<Self>() + self.reference.len() + self.summary.len() + self.line.len()
    }
}

/// The text as the value that it is. It is kept as text, for a value takes several times as much memory.
fn inline<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let value: Value = serde_json::from_str(text).map_err(S::Error::custom)?;
    value.serialize(serializer)
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, continuation } = self;
        if entries.is_empty() {
            writeln!(f, "no documents")?;
        }
        for Entry { reference, version, kind, month, summary: _, line } in entries {
            writeln!(f, "{month}  {:<17}  version {version:<3} {reference}  {line}", kind.as_str())?;
        }
        match continuation {
            Some(token) => writeln!(f, "more: --continuation {token}"),
            None => Ok(()),
        }
    }
}

/// Of a patient, nothing.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry(..)")
    }
}
