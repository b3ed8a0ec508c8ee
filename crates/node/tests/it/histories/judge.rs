//! Judges a history: is it linearizable, has every answer its row, and is everything there that was acknowledged?

use std::fmt::Write as _;
use std::path::PathBuf;

use bytes::Bytes;
use futures::{StreamExt, stream};
use renkei_ids::{AuditSeq, RecordVersion};
use renkei_shard::audit::AuditContent;
use renkei_testkit::{
    ListedRow, Operation, PatientAnswer, PatientModel, PatientOperation, Verdict, check_counting, check_rows, window,
};
use renkei_wire::{GetRecord, ListAudit, Operation as Asked, Outcome};

use super::clients::{self, Counts};
use super::desk::{Desk, PatientDesk, RowOf};
use crate::patient;

/// Steps that the checker may take for one patient.
const MAX_STEPS: u64 = 3_000_000;
/// Patients that are read and judged at a time.
const AT_A_TIME: usize = 16;
/// Rows of one page.
const PAGE_ROWS: u16 = 500;

/// What was judged.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) operations: usize,
    pub(crate) rows: usize,
    pub(crate) steps: u64,
    /// Versions that were acknowledged, and read again at the end.
    pub(crate) kept: usize,
    pub(crate) violations: Vec<String>,
}

/// Reads everything once more, as part of the history, and judges the whole.
pub(crate) async fn judge(desk: &Desk, counts: &Counts) -> Judged {
    let each = stream::iter(&desk.patients).map(|patient| judge_one(desk, patient, counts));
    let mut judged = each.buffer_unordered(AT_A_TIME).fold(Judged::default(), async |all, one| all.and(one)).await;
    judged.violations.extend(desk.wrong());
    judged
}

async fn judge_one(desk: &Desk, patient: &PatientDesk, counts: &Counts) -> Judged {
    let mut judged = Judged::default();
    for record in patient.records() {
        clients::perform(desk, patient, PatientOperation::Read { record }, 0, counts).await;
    }
    clients::perform(desk, patient, PatientOperation::List, 0, counts).await;
    judge_rows(desk, patient, &mut judged).await;
    judge_kept(desk, patient, &mut judged).await;
    judge_order(patient, &mut judged);
    judged
}

impl Judged {
    fn and(mut self, other: Self) -> Self {
        let Self { operations, rows, steps, kept, violations } = other;
        self.operations += operations;
        self.rows += rows;
        self.steps += steps;
        self.kept += kept;
        self.violations.extend(violations);
        self
    }
}

fn judge_order(patient: &PatientDesk, judged: &mut Judged) {
    let seen = patient.seen();
    judged.operations += seen.operations.len();
    let checked = check_counting(&PatientModel, &seen.operations, MAX_STEPS);
    judged.steps += checked.steps;
    match checked.verdict {
        Verdict::Linearizable => {}
        Verdict::Undecided { steps } => {
            judged.violations.push(format!("patient {:?}: undecided after {steps} steps", name(patient)));
        }
        Verdict::Violated(violation) => {
            let mut text = format!(
                "patient {}: not linearizable; {} of {} operations explained, and then:\n",
                name(patient),
                violation.explained.len(),
                seen.operations.len()
            );
            for index in window(&seen.operations, &violation) {
                let stuck = if violation.stuck.contains(&index) { "stuck" } else { "before" };
                let _infallible = writeln!(text, "  {stuck:6} {}", line(&seen.operations[index]));
            }
            judged.violations.push(text);
        }
    }
}

/// Every version that was acknowledged is there, unless its record was deleted.
async fn judge_kept(desk: &Desk, patient: &PatientDesk, judged: &mut Judged) {
    let (stored, deleted) = acknowledged(patient);
    for (record, version, content) in stored {
        if deleted.contains(&record) {
            continue;
        }
        let version = RecordVersion::new(version);
        let get = Asked::Get(GetRecord { record: patient::record(record), version, with_body: true });
        let reply = clients::ask(desk, patient, get).await;
        let read = match reply.outcome {
            Outcome::Record(entry) => clients::stored(&entry).map(|stored| stored.content),
            _ => Err("nothing".to_owned()),
        };
        if read != Ok(content) {
            let lost = format!("patient {}: record {record} version {version:?} was {content}", name(patient));
            judged.violations.push(format!("{lost}, and is {read:?}"));
        }
        judged.kept += 1;
    }
}

type Versions = Vec<(u32, u32, u64)>;

/// Versions that were acknowledged, and records that were or may have been deleted.
fn acknowledged(patient: &PatientDesk) -> (Versions, Vec<u32>) {
    let (mut stored, mut deleted) = (Vec::new(), Vec::new());
    for Operation { asked, answered, called: _ } in &patient.seen().operations {
        match (asked, answered) {
            (PatientOperation::Write { record, expected, content }, Some((PatientAnswer::Done, _))) => {
                stored.push((*record, expected + 1, *content));
            }
            (PatientOperation::Delete { record, .. }, Some((PatientAnswer::Done, _)) | None) => deleted.push(*record),
            _ => {}
        }
    }
    (stored, deleted)
}

async fn judge_rows(desk: &Desk, patient: &PatientDesk, judged: &mut Judged) {
    let mut listed: Vec<RowOf> = Vec::new();
    loop {
        let after = AuditSeq(listed.last().map_or(0, |row| row.seq));
        let list = Asked::ListAudit(ListAudit { after, max_rows: PAGE_ROWS });
        let reply = clients::ask(desk, patient, list).await;
        let Outcome::Audit(page) = reply.outcome else { panic!("no page of rows") };
        listed.extend(page.rows.iter().map(|row| row_of(&row.content)));
        if !page.more {
            break;
        }
    }
    judged.rows += listed.len();
    if let Err(violation) = check_rows(&listed, &patient.seen().rows) {
        judged.violations.push(format!("patient {}: rows: {violation:?}", name(patient)));
    }
}

fn row_of(content: &Bytes) -> RowOf {
    let AuditContent { seq, request, operation, .. } = AuditContent::decode(content).unwrap();
    ListedRow { seq: seq.0, deed: (request, operation) }
}

/// Keeps a history in a file; gives its path.
pub(crate) fn keep(desk: &Desk, seed: u64, story: &[(u64, String)], judged: &Judged) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{seed}.txt"));
    let mut text = String::new();
    for violation in &judged.violations {
        let _infallible = writeln!(text, "{violation}");
    }
    for (at, what) in story {
        let _infallible = writeln!(text, "{:10.3} ms  {what}", millis(*at));
    }
    for patient in &desk.patients {
        let _infallible = writeln!(text, "patient {} of group {}", name(patient), patient.group);
        let seen = patient.seen();
        let mut operations: Vec<_> = seen.operations.iter().collect();
        operations.sort_by_key(|operation| operation.called);
        for operation in operations {
            let _infallible = writeln!(text, "  {}", line(operation));
        }
    }
    std::fs::write(&path, text).unwrap();
    path
}

/// A synthetic patient may be named in a test.
fn name(patient: &PatientDesk) -> String {
    patient.patient.0.as_bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn line(operation: &Operation<PatientOperation, PatientAnswer>) -> String {
    let Operation { asked, called, answered } = operation;
    match answered {
        Some((answer, at)) => format!("{:10.3} to {:10.3} ms  {asked:?} -> {answer:?}", millis(*called), millis(*at)),
        None => format!("{:10.3} to  unknown       {asked:?}", millis(*called)),
    }
}

fn millis(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64() * 1_000.0
}
