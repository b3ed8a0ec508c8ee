//! Requests that read. Each is decided from one view, and its answer waits for its audit row.

use futures::FutureExt;
use renkei_access::Capability;
use renkei_faults::{Mutation, Point, delay, mutated};
use renkei_ids::{AuditSeq, LeafIndex, LogId, RecordId};
use renkei_shard::read::{self, Admission, Body, Entry, Eyes, PatientRules, Position, Range};
use renkei_shard::{ItemKind, Note, Operation, ShardError};
use renkei_shard_state::{ShardState, storage_error};
use renkei_storage::StorageError;
use renkei_storage::state::{Tier, View};
use renkei_wire::limits::{PAGE_MAX_BYTES, WHOLE_BODY_MAX_BYTES};
use renkei_wire::{
    self as wire, AuditPage, AuditRow, EntryBody, NodeReply, Outcome, RecordEntry, Refusal, TimelinePage,
    TimelinePosition,
};

use super::verdicts::{self, Decision};
use super::{Answer, Case, Held, Server};

/// Documents up to this size are held as bytes while their row is recorded; larger ones are read from the kept view
/// afterwards.
const HELD_BODY_MAX_BYTES: u32 = 64 * 1024;
/// How often a read is done again because the patient's rules changed under it.
const READS_MAX: usize = 3;

type ReadResult<T> = Result<T, ShardError<StorageError>>;

/// An answer whose row is recorded.
struct Audited<T> {
    row: wire::AuditRef,
    answer: T,
    view: View,
    held: Held,
}

/// What a read found.
trait Found: Send + 'static {
    /// Bytes that it takes while it waits.
    fn bytes(&self) -> usize;

    /// Records that it discloses.
    fn disclosed(&self) -> Vec<RecordId>;
}

impl Found for Option<Entry> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, entry_bytes)
    }

    fn disclosed(&self) -> Vec<RecordId> {
        self.iter().map(|entry| entry.record).collect()
    }
}

impl Found for read::Page {
    fn bytes(&self) -> usize {
        self.entries.iter().map(entry_bytes).sum()
    }

    fn disclosed(&self) -> Vec<RecordId> {
        self.entries.iter().map(|entry| entry.record).collect()
    }
}

/// Rows, and whether more follow. They disclose no record's content.
impl Found for (Vec<renkei_shard::audit::AuditRow>, bool) {
    fn bytes(&self) -> usize {
        self.0.iter().map(|row| row.content.len()).sum()
    }

    fn disclosed(&self) -> Vec<RecordId> {
        Vec::new()
    }
}

fn entry_bytes(entry: &Entry) -> usize {
    let body = match &entry.body {
        Body::Whole(body) => body.len(),
        Body::Absent | Body::Apart(_) => 0,
    };
    entry.summary.len() + body
}

impl Server {
    pub(super) async fn get(&self, case: Case, get: wire::GetRecord) -> Result<Answer, Refusal> {
        let wire::GetRecord { record, version, with_body } = get;
        let whole = with_body.then_some(HELD_BODY_MAX_BYTES);
        let read = move |state: &ShardState<'_>, eyes: &Eyes<'_>| read::get(state, eyes, record, version, whole);
        let Audited { row, answer: found, view, held } = self.audited(&case, Operation::Get, read).await?;
        let mut held = vec![held];
        let wait = delay(Point::ReadRecorded);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let view = if mutated(Mutation::TwoViews) { case.led.replica.view() } else { view };
        let Some(entry) = found else {
            return Ok(Answer { reply: NodeReply { row, outcome: Outcome::Nothing }, body: None, held });
        };
        let body = match entry.body {
            Body::Apart(bytes) => {
                held.push(self.admission.admit(bytes as usize)?);
                let (pid, record, version) = (case.capability.pid, entry.record, entry.version);
                let read = move |state: &ShardState<'_>| read::body(state, &pid, &record, version);
                Some(self.read_disk(view, read).await?)
            }
            Body::Absent | Body::Whole(_) => None,
        };
        let mut entry = wire_entry(entry);
        let follows = match body {
            // What fits one message travels in it.
            Some(body) if body.len() <= WHOLE_BODY_MAX_BYTES => {
                entry.body = EntryBody::Whole(body);
                None
            }
            Some(body) => {
                entry.body = EntryBody::InPieces(body.len());
                Some(body)
            }
            None => None,
        };
        Ok(Answer { reply: NodeReply { row, outcome: Outcome::Record(entry) }, body: follows, held })
    }

    pub(super) async fn timeline(&self, case: Case, asked: wire::ReadTimeline) -> Result<Answer, Refusal> {
        let wire::ReadTimeline { period, max_entries, inline_body_bytes, after } = asked;
        let range = Range {
            from: period.from,
            to: period.to,
            max_entries: usize::from(max_entries),
            inline_body_bytes: u32::from(inline_body_bytes),
            after: after.map(|TimelinePosition { month, record }| Position { month, record }),
        };
        let read = move |state: &ShardState<'_>, eyes: &Eyes<'_>| read::timeline(state, eyes, &range);
        let Audited { row, answer: page, view: _, held } = self.audited(&case, Operation::Timeline, read).await?;
        let page = TimelinePage {
            entries: page.entries.into_iter().map(wire_entry).collect(),
            next: page.next.map(|Position { month, record }| TimelinePosition { month, record }),
        };
        Ok(Answer { reply: NodeReply { row, outcome: Outcome::Page(page) }, body: None, held: vec![held] })
    }

    pub(super) async fn list_audit(&self, case: Case, list: wire::ListAudit) -> Result<Answer, Refusal> {
        let wire::ListAudit { after, max_rows } = list;
        let pid = case.capability.pid;
        let read =
            move |state: &ShardState<'_>, _: &Eyes<'_>| read::audit_rows(state, &pid, after, usize::from(max_rows));
        let Audited { row, answer: (rows, more), view: _, held } =
            self.audited(&case, Operation::ListAudit, read).await?;
        let page = audit_page(rows, more);
        Ok(Answer { reply: NodeReply { row, outcome: Outcome::Audit(page) }, body: None, held: vec![held] })
    }

    /// Reads from one view, records that it was read, and gives the answer only then.
    async fn audited<T: Found>(
        &self,
        case: &Case,
        operation: Operation,
        read: impl Fn(&ShardState<'_>, &Eyes<'_>) -> ReadResult<T> + Clone + Send + 'static,
    ) -> Result<Audited<T>, Refusal> {
        self.disk.admit_reads().map_err(verdicts::disk_low)?;
        for _ in 0..READS_MAX {
            let view = case.led.replica.view();
            let (rules, answer) = self.look(case, view.clone(), read.clone()).await?;
            // An answer waits as bytes until its row is recorded. Reads take turns on one thread, so what is found before
            // it is counted is one answer.
            let held = self.admission.admit(answer.bytes())?;
            let note = Note { operation, rules_version: rules.version, records: answer.disclosed() };
            if mutated(Mutation::AnswerBeforeCommit) {
                let _on_its_way = case.record(ItemKind::Note(note)).now_or_never();
                let row = wire::AuditRef { log: LogId::from_bytes([1; 16]), leaf: LeafIndex(0), seq: AuditSeq(1) };
                return Ok(Audited { row, answer, view, held });
            }
            match self.judge(case.record(ItemKind::Note(note)).await?)? {
                Decision::Answer(row, _) => return Ok(Audited { row, answer, view, held }),
                Decision::ReadAgain => {}
            }
        }
        Err(Refusal::new(wire::ErrorCode::Busy))
    }

    /// Admission by the patient's state, and the read: from memory if that holds it, else on a blocking thread.
    async fn look<T: Send + 'static>(
        &self,
        case: &Case,
        view: View,
        read: impl Fn(&ShardState<'_>, &Eyes<'_>) -> ReadResult<T> + Send + 'static,
    ) -> Result<(PatientRules, T), Refusal> {
        let (capability, now) = (case.capability.clone(), self.clock.now());
        let both = move |state: &ShardState<'_>| {
            let capability: &Capability = &capability;
            Ok(match read::admit(state, &capability.pid, capability.id, now)? {
                Admission::Admitted(rules) => {
                    let answer = read(state, &Eyes { capability, rules: &rules.rules, now })?;
                    Ok((rules, answer))
                }
                Admission::WrongOwner { epoch, passing } => Err((epoch, passing)),
            })
        };
        let fast = view.clone().with_tier(Tier::CacheOnly);
        let looked = match both(&ShardState(&fast)) {
            Err(ShardError::Store(StorageError::WouldBlock)) => self.read_disk(view, both).await?,
            looked => looked.map_err(|error| verdicts::read_failed(storage_error(error)))?,
        };
        looked.map_err(|(epoch, passing)| self.wrong_owner(epoch, passing))
    }

    async fn read_disk<T: Send + 'static>(
        &self,
        view: View,
        read: impl FnOnce(&ShardState<'_>) -> ReadResult<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.metrics.disk_reads.inc();
        tokio::task::spawn_blocking(move || read(&ShardState(&view)))
            .await
            .map_err(|_| Refusal::new(wire::ErrorCode::ShuttingDown))?
            .map_err(|error| verdicts::read_failed(storage_error(error)))
    }
}

fn wire_entry(entry: Entry) -> RecordEntry {
    let Entry { record, version, month, size, summary_class, body_class, summary, body } = entry;
    let body = match body {
        Body::Whole(body) => EntryBody::Whole(body),
        Body::Absent | Body::Apart(_) => EntryBody::Absent,
    };
    RecordEntry { record, version, month, size, summary_class, body_class, summary, body }
}

/// As many rows as one message takes; the caller goes on behind the last one.
fn audit_page(rows: Vec<renkei_shard::audit::AuditRow>, more: bool) -> AuditPage {
    let all = rows.len();
    let mut bytes = 0;
    let rows: Vec<_> = rows
        .into_iter()
        .take_while(|row| {
            bytes += row.content.len();
            bytes <= PAGE_MAX_BYTES
        })
        .map(|row| AuditRow {
            log: row.log,
            leaf: row.leaf,
            leaf_hash: *row.hash.as_bytes(),
            salt: row.salt,
            content: row.content,
        })
        .collect();
    let more = more || rows.len() < all;
    AuditPage { rows, more }
}
