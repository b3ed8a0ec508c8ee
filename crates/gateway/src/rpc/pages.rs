//! Pages of a timeline.

use renkei_access::{Deed, Period};
use renkei_envelope::{Class, Part};
use renkei_ids::MonthBucket;
use renkei_records::{SUMMARY_MAX_BYTES, Summary};
use renkei_wire::limits::{PAGE_MAX_BYTES, RECORD_PAGE_MAX_BYTES, TIMELINE_MAX_ENTRIES};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{QueryTimelineRequest, TimelineEntry, TimelinePage};
use renkei_wire::{ErrorCode, Operation, Outcome, ReadTimeline, RecordEntry, Refusal, TimelinePosition};

use super::visit::Visit;
use super::{Caller, Desk, Out, send};
use crate::random::SystemRandom;
use crate::timeline::{Place, SortKey, query_digest, summary_json};

/// Room of a page: as it came, opened, and in the caller's form.
const PAGE_ROOM_BYTES: usize = 2 * PAGE_MAX_BYTES + RECORD_PAGE_MAX_BYTES;

/// An entry that was opened, and where it stands.
type Sorted = (SortKey, TimelineEntry);

impl Desk {
    pub(super) async fn query_timeline(
        &self,
        caller: Caller,
        request: QueryTimelineRequest,
        out: Out<pb::TimelinePage>,
    ) -> Result<(), Refusal> {
        let _held = self.admission.admit(PAGE_ROOM_BYTES)?;
        let mut visit = Visit::begin(self, caller, &request.patient, &request.actor, Deed::Read).await?;
        visit.check_kinds(&request)?;
        let query = query_digest(&request.kinds, request.from, request.to);
        let mut place = match &request.continuation {
            Some(token) => Place::open(&visit.opened.opened.reference_key, &visit.opened.patient, &query, token)?,
            None => Place::default(),
        };
        let mut pages = 0;
        loop {
            let (mut entries, next) = visit.node_page(&request, place.after).await?;
            if let Some(last) = &place.last {
                entries.retain(|(key, _)| key > last);
            }
            let mut rest = entries.into_iter().peekable();
            // A query without entries is answered too: with one page that holds nothing.
            while rest.peek().is_some() || (next.is_none() && pages == 0) {
                let (entries, last) = cut(&mut rest, usize::from(request.page_entries));
                place = match (rest.peek(), next) {
                    (Some(_), _) => Place { after: place.after, last },
                    (None, Some(_)) => Place { after: next, last: None },
                    (None, None) => Place::default(),
                };
                let more = place != Place::default();
                let (key, patient) = (&visit.opened.opened.reference_key, &visit.opened.patient);
                let continuation = more.then(|| place.seal(key, patient, &query));
                send(&out, TimelinePage { entries, continuation }.into()).await?;
                pages += 1;
                if !more || request.max_pages.is_some_and(|most| pages >= most.get()) {
                    return Ok(());
                }
            }
            match next {
                Some(_) => place = Place { after: next, last: None },
                None => return Ok(()),
            }
        }
    }
}

/// The next page, and the key of its last entry.
fn cut(
    rest: &mut std::iter::Peekable<impl Iterator<Item = Sorted>>,
    most: usize,
) -> (Vec<TimelineEntry>, Option<SortKey>) {
    let (mut page, mut last, mut bytes) = (Vec::new(), None, 0);
    while page.len() < most
        && let Some((key, entry)) =
            rest.next_if(|(_, entry)| page.is_empty() || bytes + size(entry) <= RECORD_PAGE_MAX_BYTES)
    {
        bytes += size(&entry);
        page.push(entry);
        last = Some(key);
    }
    (page, last)
}

fn size(entry: &TimelineEntry) -> usize {
    entry.summary.len() + entry.summary_json.len()
}

impl Visit<'_> {
    /// Whether whoever acts may read one of the kinds asked for. Of those that she may not there is nothing on any page.
    fn check_kinds(&self, request: &QueryTimelineRequest) -> Result<(), Refusal> {
        let refusals = request.kinds.iter().map(|kind| self.actor.may_to(Deed::Read, *kind));
        refusals.reduce(|one, other| one.or(other)).unwrap_or(Ok(()))
    }

    /// A page of the node: opened, of the kinds asked for, sorted; and where the next one begins.
    async fn node_page(
        &mut self,
        request: &QueryTimelineRequest,
        after: Option<TimelinePosition>,
    ) -> Result<(Vec<Sorted>, Option<TimelinePosition>), Refusal> {
        let period =
            Period { from: request.from.unwrap_or(MonthBucket::MIN), to: request.to.unwrap_or(MonthBucket::MAX) };
        let read = ReadTimeline { period, max_entries: TIMELINE_MAX_ENTRIES, inline_body_bytes: 0, after };
        let answer = self.read(Operation::Timeline(read)).await?;
        let Outcome::Page(page) = answer.reply.outcome else { return Err(Refusal::new(ErrorCode::OutcomeUnknown)) };
        let mut entries = Vec::with_capacity(page.entries.len());
        for entry in page.entries {
            let category = self.summary_class(&entry)?.category;
            if request.kinds.contains(&category) && self.actor.may_to(Deed::Read, category).is_ok() {
                entries.push(self.open_entry(&entry).await?);
            }
        }
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok((entries, page.next))
    }

    fn summary_class(&self, entry: &RecordEntry) -> Result<Class, Refusal> {
        let class = self.opened.class(entry.summary_class).filter(|class| class.part == Part::Summary);
        class.ok_or(Refusal::new(ErrorCode::IntegrityFailed))
    }

    async fn open_entry(&mut self, entry: &RecordEntry) -> Result<Sorted, Refusal> {
        let failed = || Refusal::new(ErrorCode::IntegrityFailed);
        loop {
            let RecordEntry { record, version, month, summary_class, summary: sealed, .. } = entry;
            let class = self.summary_class(entry)?;
            let key = self.opened.record_key(class, *month, *record, *version)?;
            let place = crate::documents::place(self.opened.patient, *record, *version, *summary_class);
            let Ok(opened) = key.open_document(&place, sealed, SUMMARY_MAX_BYTES) else {
                // The class and year had no record when the patient was opened, so its key was another one.
                self.renew(failed()).await?;
                continue;
            };
            let summary = Summary::decode(&opened).map_err(|_| failed())?;
            let reference = self.opened.opened.reference_key.seal(&self.opened.patient, *record, &SystemRandom);
            let told = TimelineEntry {
                reference,
                version: *version,
                kind: class.category,
                month: *month,
                summary: opened.to_vec().into(),
                summary_json: summary_json(&summary),
            };
            return Ok((SortKey::new(*month, *record, &summary), told));
        }
    }
}
