//! Order and continuation of a timeline. See the crate's documentation for what order is promised.

mod json;

use aws_lc_rs::digest::{Context, SHA256};
use renkei_envelope::{Category, Patient, ReferenceKey};
use renkei_ids::{MonthBucket, RecordId};
use renkei_records::{Content, FhirDate, Summary};
use renkei_wire::{ErrorCode, Refusal, TimelinePosition};

use crate::random::SystemRandom;

pub(crate) use json::summary_json;

const FORMAT: u8 = 1;
/// Longest date in a key. FHIR's are 35 bytes at most.
const DATE_MAX_BYTES: usize = 64;
const POSITION_BYTES: usize = 2 + RecordId::LEN;

/// Where an entry stands: newest month first, inside it newest date first, then by record id. Dates compare as they are
/// written; an entry without one comes last in its month.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SortKey {
    pub(crate) month: MonthBucket,
    pub(crate) date: String,
    pub(crate) record: RecordId,
}

impl SortKey {
    pub(crate) fn new(month: MonthBucket, record: RecordId, summary: &Summary) -> Self {
        let date = match &summary.content {
            Content::Prescription(content) => content.written.as_ref(),
            Content::Vaccination(content) => content.given.as_ref(),
            Content::DischargeSummary(content) => content.discharged.as_ref().or(content.written.as_ref()),
        };
        let date = date.map(FhirDate::as_str).filter(|date| date.len() <= DATE_MAX_BYTES).unwrap_or_default();
        Self { month, date: date.to_owned(), record }
    }
}

/// Nothing of the entry.
impl std::fmt::Debug for SortKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SortKey(..)")
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let newest_first = (other.month, &other.date).cmp(&(self.month, &self.date));
        newest_first.then_with(|| self.record.cmp(&other.record))
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Where a query goes on: a page of the node, and how far into its sorted entries the caller has come.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The node's page begins behind this.
    pub(crate) after: Option<TimelinePosition>,
    /// The last entry of it that the caller has.
    pub(crate) last: Option<SortKey>,
}

/// Nothing of the entries.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place(..)")
    }
}

/// What a continuation is bound to besides institution and patient: SHA-256 of kinds and months.
pub(crate) fn query_digest(kinds: &[Category], from: Option<MonthBucket>, to: Option<MonthBucket>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    let months = [from, to].map(|month| month.map_or(u32::MAX, |month| u32::from(month.raw())));
    context.update(&months.map(u32::to_be_bytes).concat());
    context.update(&kinds.iter().map(|kind| *kind as u8).collect::<Vec<_>>());
    context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

impl Place {
    /// The token for this place.
    pub(crate) fn seal(&self, key: &ReferenceKey, patient: &Patient, query: &[u8; 32]) -> bytes::Bytes {
        key.seal_continuation(patient, query, &self.encode(), &SystemRandom)
    }

    /// The place of a token.
    ///
    /// # Errors
    /// `continuation_invalid`, whatever is wrong with it.
    pub(crate) fn open(key: &ReferenceKey, patient: &Patient, query: &[u8; 32], token: &[u8]) -> Result<Self, Refusal> {
        let opened = key.open_continuation(patient, query, token).ok();
        opened.and_then(|place| Self::decode(&place)).ok_or(Refusal::new(ErrorCode::ContinuationInvalid))
    }

    /// Format 1 | parts: 1 after, 2 last | month 2 and record 16 of after | month 2, record 16 and date of last.
    fn encode(&self) -> Vec<u8> {
        let Self { after, last } = self;
        let mut bytes = vec![FORMAT, u8::from(after.is_some()) | u8::from(last.is_some()) << 1];
        if let Some(TimelinePosition { month, record }) = after {
            bytes.extend(month.raw().to_be_bytes());
            bytes.extend(record.as_bytes());
        }
        if let Some(SortKey { month, date, record }) = last {
            bytes.extend(month.raw().to_be_bytes());
            bytes.extend(record.as_bytes());
            bytes.extend(date.as_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[FORMAT, parts @ 0..=3], mut rest) = bytes.split_first_chunk::<2>()? else { return None };
        let mut position = || {
            let (position, behind) = rest.split_first_chunk::<POSITION_BYTES>()?;
            rest = behind;
            let month = MonthBucket::from_raw(u16::from_be_bytes(*position.first_chunk()?));
            Some((month, RecordId::try_from(&position[2..]).ok()?))
        };
        let after = if parts & 1 == 0 { None } else { Some(position()?) };
        let last = if parts & 2 == 0 { None } else { Some(position()?) };
        let date = std::str::from_utf8(rest).ok().filter(|date| date.len() <= DATE_MAX_BYTES)?;
        if last.is_none() && !date.is_empty() {
            return None;
        }
        Some(Self {
            after: after.map(|(month, record)| TimelinePosition { month, record }),
            last: last.map(|(month, record)| SortKey { month, date: date.to_owned(), record }),
        })
    }
}

#[cfg(test)]
mod tests;
