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
    /// Held for the entries, about.
    #[serde(skip)]
    bytes: usize,
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
    while told.bytes < LISTED_MAX_BYTES
        && let Some(page) = pages.next().await?
    {
        told.add(page).map_err(|error| Failure::unreadable(&address, error))?;
    }
    output.print(&told)?;
    Ok(Exit::Done)
}

impl Timeline {
    fn add(&mut self, page: TimelinePage) -> Result<(), UnreadableEntry> {
        let TimelinePage { entries, continuation } = page;
        for entry in entries {
            let entry = Entry::try_from(entry)?;
            self.bytes += entry.size();
            self.entries.push(entry);
        }
        self.continuation = continuation.map(|token| hex(&token));
        Ok(())
    }
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
        let Self { entries, continuation, bytes: _ } = self;
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use renkei_envelope::{Category, Reference};
    use renkei_ids::{MonthBucket, RecordVersion};
    use renkei_records::{Content, Marks, Vaccination};

    use super::*;

    fn page(summary_json: &str, continuation: Option<&'static [u8]>) -> TimelinePage {
        let content = Content::Vaccination(Vaccination::default());
        let entry = TimelineEntry {
            reference: Reference::try_from(Bytes::from(vec![1; Reference::LEN])).unwrap(),
            version: RecordVersion::FIRST,
            kind: Category::Vaccination,
            month: MonthBucket::new(2026, 3).unwrap(),
            summary: Summary { marks: Marks::default(), left_out: 0, content }.encode().into(),
            summary_json: summary_json.to_owned(),
        };
        TimelinePage { entries: vec![entry], continuation: continuation.map(Bytes::from_static) }
    }

    #[test]
    fn a_listing_counts_what_it_holds_and_goes_on_behind_its_last_page() {
        let mut told = Timeline::default();
        let long = format!("{{\"note\":\"{}\"}}", "x".repeat(1 << 20));
        told.add(page(&long, Some(&[0xA1]))).unwrap();
        assert!((1 << 20..2 << 20).contains(&told.bytes), "{}", told.bytes);
        assert!(told.to_string().ends_with("\nmore: --continuation a1\n"));
        told.add(page("{}", None)).unwrap();
        assert_eq!((told.entries.len(), &told.continuation), (2, &None), "the last page has none");
    }

    #[test]
    fn a_summary_is_a_value_in_the_value_and_never_text_of_its_own() {
        let mut told = Timeline::default();
        told.add(page("{\"kind\":\"vaccination\"}", None)).unwrap();
        let value = serde_json::to_value(&told).unwrap();
        assert_eq!(value["entries"][0]["summary"]["kind"], "vaccination");
        for odd in ["", "[]", "\"text\"", "{}, \"version\": 2", "{} {}"] {
            assert!(matches!(told.add(page(odd, None)), Err(UnreadableEntry::Json(_))), "{odd}");
        }
    }
}
