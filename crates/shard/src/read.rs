//! What a leader may answer from one view. Every answer here still needs its [`crate::Note`] to be recorded before it
//! leaves.

use core::ops::ControlFlow;

use bytes::Bytes;
use renkei_access::{Capability, Effect, RuleSet};
use renkei_faults::{Mutation, mutated};
use renkei_ids::{
    AuditSeq, CapabilityId, ClassTag, MonthBucket, Pid, RecordId, RecordVersion, SizeBucket, SlotEpoch, UnixMillis,
};

use crate::apply::load;
use crate::audit::AuditRow;
use crate::keys::{self, Family};
use crate::rows::{GroupHead, PatientHead, RecordHead, Row as _, SummaryRow, Superseded};
use crate::slots::{self, SlotHold};
use crate::store::{Direction, ShardError, View};

/// Most entries in a timeline page.
pub const PAGE_MAX_ENTRIES: usize = crate::command::NOTE_RECORDS_MAX;
/// Most bytes of summaries and inline bodies in a timeline page.
pub const PAGE_MAX_BYTES: usize = 1024 * 1024;
/// Most bytes of a body that comes with its timeline entry.
pub const INLINE_BODY_MAX_BYTES: u32 = 16 * 1024;
/// Most audit rows in a page.
pub const AUDIT_PAGE_MAX_ROWS: usize = 500;

type Result<T, V> = core::result::Result<T, ShardError<<V as View>::Error>>;

/// Whether a group serves a patient now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Read on, by these rules.
    Admitted(PatientRules),
    /// The slot is not this group's, or is on its way to or from it.
    WrongOwner {
        /// Epoch of the last change of the slot that this group knows.
        epoch: SlotEpoch,
        /// Whether it is on its way: the caller waits rather than looks elsewhere.
        passing: bool,
    },
}

/// The rules that a read goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientRules {
    /// The rules.
    pub rules: RuleSet,
    /// Their version, for the [`crate::Note`].
    pub version: u64,
    /// Whether the capability is revoked. Apply decides that once more, and writes the row of the denial.
    pub revoked: bool,
}

/// A record as a node gives it out: ciphertext and buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record: RecordId,
    /// Its version.
    pub version: RecordVersion,
    /// Its month.
    pub month: MonthBucket,
    /// Size of its document.
    pub size: SizeBucket,
    /// Class of its summary.
    pub summary_class: ClassTag,
    /// Class of its document.
    pub body_class: ClassTag,
    /// Ciphertext of the summary.
    pub summary: Bytes,
    /// The document.
    pub body: Body,
}

/// What a read gives of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Not asked for, not allowed, or too large to come inline.
    Absent,
    /// Ciphertext.
    Whole(Bytes),
    /// So many bytes of ciphertext, to be had by [`body`] from the same view once the read is recorded.
    Apart(u32),
}

/// A part of a timeline, newest month first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where to go on, if anything may follow.
    pub next: Option<Position>,
}

/// A place in a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Month of the last entry seen.
    pub month: MonthBucket,
    /// The last entry seen.
    pub record: RecordId,
}

/// What part of a timeline is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Oldest month.
    pub from: MonthBucket,
    /// Newest month.
    pub to: MonthBucket,
    /// Most entries, up to [`PAGE_MAX_ENTRIES`].
    pub max_entries: usize,
    /// Bodies up to this size come inline, up to [`INLINE_BODY_MAX_BYTES`]; 0 for none.
    pub inline_body_bytes: u32,
    /// Only entries behind this place.
    pub after: Option<Position>,
}

/// How a read looks at records: the capability, the rules and the moment.
#[derive(Clone, Copy, Debug)]
pub struct Eyes<'a> {
    /// What the vault granted.
    pub capability: &'a Capability,
    /// What the patient allows.
    pub rules: &'a RuleSet,
    /// The verifier's clock.
    pub now: UnixMillis,
}

impl Eyes<'_> {
    fn see(&self, record: RecordId, class: ClassTag, month: MonthBucket) -> bool {
        self.capability.covers(class, month, record)
            && self.rules.decide(record, class, self.capability.institution, self.now) == Effect::Allow
    }
}

/// The group's log, time and number of leaves; `None` before it is founded.
///
/// # Errors
/// Those of the store.
pub fn group_head<V: View>(view: &V) -> Result<Option<GroupHead>, V> {
    load(view, Family::System, &keys::group_head())
}

/// Whether the group serves this patient, and by which rules. `now` is the leader's clock: a freeze may have lapsed by it
/// since the last entry, and apply decides that once more.
///
/// # Errors
/// Those of the store.
pub fn admit<V: View>(view: &V, pid: &Pid, capability: CapabilityId, now: UnixMillis) -> Result<Admission, V> {
    let slot = slots::state(view, pid.slot())?;
    let hold = match slot.hold {
        SlotHold::Frozen { .. } => slot.at(group_head(view)?.map_or(now, |head| head.time.max(now))),
        hold => hold,
    };
    if !hold.serves() && !mutated(Mutation::StaleEpochServed) {
        return Ok(Admission::WrongOwner { epoch: slot.fence.epoch, passing: hold.is_passing() });
    }
    let head: PatientHead = load(view, Family::System, &keys::patient_head(pid))?.unwrap_or_default();
    let rules = match head.rules_version {
        0 => RuleSet::UNSET,
        _ => stored_rules(view, pid)?,
    };
    let revoked = head.is_revoked(capability);
    Ok(Admission::Admitted(PatientRules { rules, version: head.rules_version, revoked }))
}

fn stored_rules<V: View>(view: &V, pid: &Pid) -> Result<RuleSet, V> {
    let bytes = view.get(Family::Rules, &keys::rules(pid)).map_err(ShardError::Store)?;
    bytes.and_then(|bytes| RuleSet::decode(&bytes).ok()).ok_or(ShardError::Corrupt { row: "rule set" })
}

/// One record, its current version or an older one. `None` where there is none, or none that these eyes may see. A
/// document comes with it up to `whole_body_bytes`; `None` is for those who want no document.
///
/// # Errors
/// Those of the store.
pub fn get<V: View>(
    view: &V,
    eyes: &Eyes<'_>,
    record: RecordId,
    version: Option<RecordVersion>,
    whole_body_bytes: Option<u32>,
) -> Result<Option<Entry>, V> {
    let pid = &eyes.capability.pid;
    let Some(head) = load::<V, RecordHead>(view, Family::Record, &keys::record(pid, &record))? else {
        return Ok(None);
    };
    let (month, row) = match version {
        Some(version) if version != head.version => {
            match load::<V, Superseded>(view, Family::Record, &keys::superseded(pid, &record, version))? {
                None => return Ok(None),
                Some(Superseded { month, row }) => (month, row),
            }
        }
        _ => {
            let row = load::<V, SummaryRow>(view, Family::Summary, &keys::summary(pid, head.month, &record))?;
            (head.month, row.ok_or(ShardError::Corrupt { row: SummaryRow::NAME })?)
        }
    };
    if !eyes.see(record, row.summary_class, month) {
        return Ok(None);
    }
    let body = match whole_body_bytes.filter(|_| eyes.see(record, row.body_class, month)) {
        None => Body::Absent,
        Some(whole) if row.body_len <= whole => Body::Whole(body(view, pid, &record, row.version)?),
        Some(_) => Body::Apart(row.body_len),
    };
    Ok(Some(entry(record, month, row, body)))
}

/// A page of the timeline: current versions, newest month first, that these eyes may see.
///
/// # Errors
/// Those of the store.
pub fn timeline<V: View>(view: &V, eyes: &Eyes<'_>, range: &Range) -> Result<Page, V> {
    let pid = &eyes.capability.pid;
    let period = eyes.capability.period;
    let (newest, oldest) = (range.to.min(period.to), range.from.max(period.from));
    if newest < oldest {
        return Ok(Page { entries: Vec::new(), next: None });
    }
    let newest_key = keys::summaries_from_month(pid, newest);
    let first = match &range.after {
        Some(after) => keys::summary(pid, after.month, &after.record).successor().max_key(newest_key),
        None => newest_key,
    };
    // Months are stored inverted: one past the oldest month is where the next older one would start.
    let end = keys::summaries_from_month(pid, oldest).end();
    let mut page = PageBuilder::new(range.max_entries.min(PAGE_MAX_ENTRIES));
    let mut unreadable = false;
    view.scan(Family::Summary, &first, &end, Direction::Forward, &mut |key, value| {
        let parsed = keys::parse_summary(key).zip(SummaryRow::decode(&Bytes::copy_from_slice(value)).ok());
        let Some(((month, record), row)) = parsed else {
            unreadable = true;
            return ControlFlow::Break(());
        };
        if !eyes.see(record, row.summary_class, month) {
            return ControlFlow::Continue(());
        }
        page.offer(record, month, row)
    })
    .map_err(ShardError::Store)?;
    if unreadable {
        return Err(ShardError::Corrupt { row: SummaryRow::NAME });
    }
    page.finish(view, eyes, range.inline_body_bytes.min(INLINE_BODY_MAX_BYTES))
}

struct PageBuilder {
    rows: Vec<(RecordId, MonthBucket, SummaryRow)>,
    bytes: usize,
    max_entries: usize,
    more: bool,
}

impl PageBuilder {
    fn new(max_entries: usize) -> Self {
        Self { rows: Vec::with_capacity(max_entries.min(32)), bytes: 0, max_entries, more: false }
    }

    fn offer(&mut self, record: RecordId, month: MonthBucket, row: SummaryRow) -> ControlFlow<()> {
        let bytes = self.bytes + row.summary.len();
        // A page has at least one entry, so that reading on always gets further.
        if self.rows.len() == self.max_entries || (!self.rows.is_empty() && bytes > PAGE_MAX_BYTES) {
            self.more = true;
            return ControlFlow::Break(());
        }
        self.bytes = bytes;
        self.rows.push((record, month, row));
        ControlFlow::Continue(())
    }

    fn finish<V: View>(self, view: &V, eyes: &Eyes<'_>, inline: u32) -> Result<Page, V> {
        let pid = &eyes.capability.pid;
        let next = self
            .rows
            .last()
            .filter(|_| self.more)
            .map(|(record, month, _)| Position { month: *month, record: *record });
        let mut room = PAGE_MAX_BYTES.saturating_sub(self.bytes);
        let mut entries = Vec::with_capacity(self.rows.len());
        for (record, month, row) in self.rows {
            let len = row.body_len as usize;
            let fits = row.body_len <= inline && len <= room && inline > 0;
            let body = if fits && eyes.see(record, row.body_class, month) {
                room -= len;
                Body::Whole(body(view, pid, &record, row.version)?)
            } else {
                Body::Absent
            };
            entries.push(entry(record, month, row, body));
        }
        Ok(Page { entries, next })
    }
}

/// A page of the patient's audit rows, oldest first, and whether more follow.
///
/// # Errors
/// Those of the store.
pub fn audit_rows<V: View>(view: &V, pid: &Pid, after: AuditSeq, max_rows: usize) -> Result<(Vec<AuditRow>, bool), V> {
    let first = keys::audit_rows(pid);
    let max_rows = max_rows.min(AUDIT_PAGE_MAX_ROWS);
    let mut rows = Vec::new();
    let (mut unreadable, mut more) = (false, false);
    view.scan(Family::Audit, &first, &first.end(), Direction::Forward, &mut |key, value| {
        match keys::parse_audit(key) {
            Some(seq) if seq <= after => return ControlFlow::Continue(()),
            Some(_) if rows.len() == max_rows => {
                more = true;
                return ControlFlow::Break(());
            }
            _ => {}
        }
        match AuditRow::decode(&Bytes::copy_from_slice(value)) {
            Ok(row) => {
                rows.push(row);
                ControlFlow::Continue(())
            }
            Err(_) => {
                unreadable = true;
                ControlFlow::Break(())
            }
        }
    })
    .map_err(ShardError::Store)?;
    if unreadable {
        return Err(ShardError::Corrupt { row: AuditRow::NAME });
    }
    Ok((rows, more))
}

/// The document of a version that [`get`] found in the same view.
///
/// # Errors
/// Those of the store.
pub fn body<V: View>(view: &V, pid: &Pid, record: &RecordId, version: RecordVersion) -> Result<Bytes, V> {
    view.get(Family::Body, &keys::body(pid, record, version))
        .map_err(ShardError::Store)?
        .ok_or(ShardError::Corrupt { row: "body" })
}

fn entry(record: RecordId, month: MonthBucket, row: SummaryRow, body: Body) -> Entry {
    let SummaryRow { version, summary_class, body_class, institution: _, binding: _, size, body_len: _, summary } = row;
    Entry { record, version, month, size, summary_class, body_class, summary, body }
}
