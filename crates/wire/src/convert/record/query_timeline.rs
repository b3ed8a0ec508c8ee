use core::num::NonZeroU32;

use renkei_envelope::Category;

use super::InvalidRecordMessage as Invalid;
use super::kind::{kind, kind_message};
use super::month::{month, month_text};
use super::{actor, patient};
use crate::bounds::{at_most, u16_within};
use crate::limits::{CONTINUATION_MAX_BYTES, TIMELINE_MAX_ENTRIES};
use crate::pb::record::v1 as pb;
use crate::record::QueryTimelineRequest;

impl TryFrom<pb::QueryTimelineRequest> for QueryTimelineRequest {
    type Error = Invalid;

    fn try_from(message: pb::QueryTimelineRequest) -> Result<Self, Invalid> {
        let pb::QueryTimelineRequest {
            patient,
            actor,
            kinds,
            from_month,
            to_month,
            page_entries,
            max_pages,
            continuation,
        } = message;
        let from = from_month.map(|text| month(&text, "from_month")).transpose()?;
        let to = to_month.map(|text| month(&text, "to_month")).transpose()?;
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(Invalid::Malformed("to_month"));
        }
        at_most(continuation.len(), CONTINUATION_MAX_BYTES).map_err(Invalid::size("continuation"))?;
        Ok(Self {
            patient: patient::required(patient)?,
            actor: actor::required(actor)?,
            kinds: kinds_asked(kinds)?,
            from,
            to,
            page_entries: u16_within(page_entries, 1, TIMELINE_MAX_ENTRIES).map_err(Invalid::range("page_entries"))?,
            max_pages: NonZeroU32::new(max_pages),
            continuation: (!continuation.is_empty()).then_some(continuation),
        })
    }
}

/// None stands for all.
fn kinds_asked(raw: Vec<i32>) -> Result<Vec<Category>, Invalid> {
    if raw.is_empty() {
        return Ok(Category::EVERY.to_vec());
    }
    at_most(raw.len(), Category::EVERY.len()).map_err(Invalid::size("kinds"))?;
    let count = raw.len();
    let mut kinds = raw.into_iter().map(|raw| kind(raw, "kinds")).collect::<Result<Vec<_>, _>>()?;
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() == count { Ok(kinds) } else { Err(Invalid::Malformed("kinds")) }
}

impl From<QueryTimelineRequest> for pb::QueryTimelineRequest {
    fn from(request: QueryTimelineRequest) -> Self {
        let QueryTimelineRequest { patient, actor, kinds, from, to, page_entries, max_pages, continuation } = request;
        Self {
            patient: Some(patient.into()),
            actor: Some(actor.into()),
            kinds: kinds.into_iter().map(kind_message).collect(),
            from_month: from.map(month_text),
            to_month: to.map(month_text),
            page_entries: u32::from(page_entries),
            max_pages: max_pages.map_or(0, NonZeroU32::get),
            continuation: continuation.unwrap_or_default(),
        }
    }
}
