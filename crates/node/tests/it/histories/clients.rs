//! Clients that ask as gateways are told to: again under the same key while an outcome is unknown.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use renkei_access::SignedCapability;
use renkei_ids::{ContentTag, IdemTag, RecordVersion, RequestId, SizeBucket};
use renkei_shard::Operation as Deed;
use renkei_testkit::{Dice, ListedRow, Operation, PatientAnswer, PatientOperation, Stored};
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{
    AuditRef, DeleteRecord, EntryBody, ErrorCode, NodeReply, NodeRequest, Operation as Asked, Outcome, PutBody,
    PutRecord, Refusal,
};

use tokio::task::JoinSet;

use super::desk::{Desk, PatientDesk, SharedDesk};
use super::documents;
use crate::patient::{self, record};

/// What a request is given.
const DEADLINE: Duration = Duration::from_millis(1_500);
/// When a client stops waiting for an answer: behind the deadline, so that a node that can still answers.
const ANSWER_MAX: Duration = Duration::from_millis(2_000);
/// How long an answer may take when nothing is wrong any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a client tries one operation.
const OPERATION_MAX: Duration = Duration::from_secs(8);
/// Records of a patient that are there at a time.
const RECORDS: usize = 8;
/// Versions that a record is given.
const VERSIONS: u32 = 60;

/// What clients did, and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) answered: AtomicU64,
    pub(crate) unknown: AtomicU64,
    pub(crate) left_out: AtomicU64,
    pub(crate) retries: AtomicU64,
}

/// How clients divide what they do.
pub(crate) struct Load {
    pub(crate) clients: usize,
    /// Patients, from the first, that half of the operations are about.
    pub(crate) hot: u64,
}

/// What became of an operation.
enum Ending {
    Answered {
        answer: PatientAnswer,
        row: Option<AuditRef>,
    },
    /// Nobody knows.
    Unknown,
    /// It took no effect.
    NoEffect,
}

/// Runs clients until they are told to stop, each with choices of its own.
pub(crate) async fn run(desk: SharedDesk, load: &Load, dice: &mut Dice, stop: Arc<AtomicBool>, counts: Arc<Counts>) {
    let mut clients = JoinSet::new();
    for number in 0..load.clients {
        let (desk, stop, counts) = (Arc::clone(&desk), Arc::clone(&stop), Arc::clone(&counts));
        let (mut dice, hot) = (dice.fork(), load.hot);
        clients.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let all = u64::try_from(desk.patients.len()).unwrap();
                let chosen = if dice.percent(50) { dice.within(0..hot) } else { dice.within(0..all) };
                let patient = &desk.patients[usize::try_from(chosen).unwrap()];
                let asked = choose(patient, &mut dice, || desk.next_content());
                perform(&desk, patient, asked, number, &counts).await;
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
}

/// What a client wants, by what it believes, which may be out of date.
fn choose(patient: &PatientDesk, dice: &mut Dice, content: impl FnOnce() -> u64) -> PatientOperation {
    let believed: Vec<(u32, u32)> = patient.believed().iter().map(|(record, version)| (*record, *version)).collect();
    let Some((record, version)) = dice.pick(&believed).copied() else {
        return PatientOperation::Write { record: patient.next_record(), expected: 0, content: content() };
    };
    match dice.within(0..100) {
        0..45 => PatientOperation::Read { record },
        45..55 => PatientOperation::List,
        55..59 => PatientOperation::Delete { record, expected: version },
        // A client that is behind, and one that believes a record to be new.
        59..62 => PatientOperation::Write { record, expected: version.saturating_sub(1), content: content() },
        62..75 if believed.len() < RECORDS => {
            PatientOperation::Write { record: patient.next_record(), expected: 0, content: content() }
        }
        _ if version >= VERSIONS => PatientOperation::Delete { record, expected: version },
        _ => PatientOperation::Write { record, expected: version, content: content() },
    }
}

/// Does one operation to its end, and records it.
pub(crate) async fn perform(
    desk: &Desk,
    patient: &PatientDesk,
    asked: PatientOperation,
    client: usize,
    counts: &Counts,
) {
    let request = Request::new(desk, patient, &asked);
    let first_call = desk.now();
    let mut last_call = first_call;
    let began = Instant::now();
    // Whether an earlier attempt may have taken effect, or may still.
    let mut open = false;
    let ending = loop {
        let node = desk.leader(patient.group);
        last_call = last_call.max(desk.now());
        let refusal = match attempt(desk, node, client, &request).await {
            Attempt::Answered(ending) => break ending,
            Attempt::Wrong(what) => {
                desk.say_wrong(format!("{asked:?} at node {node}: {what}"));
                break Ending::Unknown;
            }
            Attempt::Lost => {
                open = true;
                desk.leave(patient.group, node);
                Refusal::new(ErrorCode::OutcomeUnknown)
            }
            Attempt::Refused(refusal) => {
                open |= refusal.code == ErrorCode::OutcomeUnknown || refusal.code == ErrorCode::InternalIo;
                match refusal.leader_node {
                    Some(leader) => desk.led_by(patient.group, leader),
                    None => desk.leave(patient.group, node),
                }
                refusal
            }
        };
        if began.elapsed() > OPERATION_MAX {
            break if open { Ending::Unknown } else { Ending::NoEffect };
        }
        counts.retries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(refusal.retry_after.unwrap_or_default().max(Duration::from_millis(20))).await;
        last_call = desk.now();
    };
    note(desk, patient, asked, &request, (first_call, last_call, open), ending, counts);
}

fn note(
    desk: &Desk,
    patient: &PatientDesk,
    asked: PatientOperation,
    request: &Request,
    (first_call, last_call, open): (u64, u64, bool),
    ending: Ending,
    counts: &Counts,
) {
    let writes = matches!(asked, PatientOperation::Write { .. } | PatientOperation::Delete { .. });
    let mut seen = patient.seen();
    match ending {
        Ending::NoEffect => {
            counts.left_out.fetch_add(1, Ordering::Relaxed);
        }
        Ending::Unknown if writes => {
            counts.unknown.fetch_add(1, Ordering::Relaxed);
            seen.operations.push(Operation { asked, called: first_call, answered: None });
        }
        Ending::Unknown => {
            counts.left_out.fetch_add(1, Ordering::Relaxed);
        }
        Ending::Answered { answer, row } => {
            counts.answered.fetch_add(1, Ordering::Relaxed);
            let answered = desk.now();
            let done = writes && answer == PatientAnswer::Done;
            if open && writes && !done {
                // The last attempt was refused; an earlier one may have been delayed, and take effect yet.
                counts.unknown.fetch_add(1, Ordering::Relaxed);
                seen.operations.push(Operation { asked: asked.clone(), called: first_call, answered: None });
            }
            if let Some(AuditRef { seq, .. }) = row {
                seen.rows.push(ListedRow { seq: seq.0, deed: (request.id, request.deed) });
            }
            believe(&mut patient.believed(), &asked, &answer);
            let called = if done { first_call } else { last_call };
            seen.operations.push(Operation { asked, called, answered: Some((answer, answered)) });
        }
    }
}

/// What an answer lets clients believe.
fn believe(believed: &mut BTreeMap<u32, u32>, asked: &PatientOperation, answer: &PatientAnswer) {
    match (asked, answer) {
        (PatientOperation::Write { record, expected, .. }, PatientAnswer::Done) => {
            let version = believed.entry(*record).or_default();
            *version = (*version).max(expected + 1);
        }
        (PatientOperation::Delete { record, .. }, PatientAnswer::Done)
        | (PatientOperation::Write { record, .. } | PatientOperation::Delete { record, .. }, PatientAnswer::Deleted)
        | (PatientOperation::Read { record }, PatientAnswer::Found(None)) => {
            believed.remove(record);
        }
        (
            PatientOperation::Write { record, .. } | PatientOperation::Delete { record, .. },
            PatientAnswer::Conflict { current },
        ) if *current > 0 => {
            believed.insert(*record, *current);
        }
        (PatientOperation::Read { record }, PatientAnswer::Found(Some(stored))) => {
            believed.insert(*record, stored.version);
        }
        _ => {}
    }
}

/// One request, the same at each attempt.
struct Request {
    id: RequestId,
    deed: Deed,
    message: NodeRequest,
    asked: PatientOperation,
}

impl Request {
    fn new(desk: &Desk, patient: &PatientDesk, asked: &PatientOperation) -> Self {
        let id = desk.next_request();
        let version = |expected: u32| RecordVersion::new(expected.max(1)).unwrap();
        let (deed, operation, capability): (Deed, Asked, SignedCapability) = match *asked {
            PatientOperation::Write { record, expected, content } => {
                let version = RecordVersion::new(expected + 1).unwrap();
                let operation = Asked::Put(put(record, version, content, id));
                (Deed::Put, operation, desk.writing(patient, record, version))
            }
            PatientOperation::Delete { record, expected } => {
                let delete = DeleteRecord {
                    record: patient::record(record),
                    version: version(expected),
                    idem: IdemTag::from_bytes(*id.as_bytes()),
                    content: ContentTag::from_bytes(*id.as_bytes()),
                };
                (Deed::Delete, Asked::Delete(delete), patient.reading())
            }
            PatientOperation::Read { record } => (Deed::Get, patient::get(patient::record(record)), patient.reading()),
            PatientOperation::List => (Deed::Timeline, patient::timeline(), patient.reading()),
        };
        let message = NodeRequest {
            request: id,
            deadline: DEADLINE,
            slot_epoch: desk.epoch,
            ..patient::request(capability, operation)
        };
        Self { id, deed, message, asked: asked.clone() }
    }
}

fn put(number: u32, version: RecordVersion, content: u64, id: RequestId) -> PutRecord {
    let body = documents::body(content);
    PutRecord {
        size: SizeBucket::of_len(body.len()),
        summary: documents::summary(content),
        idem: IdemTag::from_bytes(*id.as_bytes()),
        content: ContentTag::from_bytes(*id.as_bytes()),
        // Month and version are of no matter here, so that a page holds everything.
        ..patient::put(record(number), version.get(), 24_000, "", PutBody::Whole(body))
    }
}

/// Asks until there is an answer, outside of any history, once all trouble is over.
pub(crate) async fn ask(desk: &Desk, patient: &PatientDesk, operation: Asked) -> NodeReply {
    let message = NodeRequest { slot_epoch: desk.epoch, ..patient::request(patient.reading(), operation) };
    let began = Instant::now();
    loop {
        let node = desk.leader(patient.group);
        match desk.client(node, 0).execute(pb::Request::from(message.clone())).await {
            Ok(reply) => return NodeReply::try_from(reply.into_inner()).unwrap(),
            Err(status) => {
                assert!(began.elapsed() < PATIENCE, "no answer for {PATIENCE:?}: {status:?}");
                desk.leave(patient.group, node);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

enum Attempt {
    Answered(Ending),
    Refused(Refusal),
    /// The connection was lost, or the answer did not come in time.
    Lost,
    /// An answer that makes no sense.
    Wrong(String),
}

async fn attempt(desk: &Desk, node: renkei_ids::NodeId, client: usize, request: &Request) -> Attempt {
    let mut to = desk.client(node, client);
    let call = to.execute(pb::Request::from(request.message.clone()));
    let reply = match tokio::time::timeout(ANSWER_MAX, call).await {
        Err(_) => return Attempt::Lost,
        Ok(Ok(reply)) => NodeReply::try_from(reply.into_inner()).unwrap(),
        Ok(Err(status)) => match Refusal::from_status(&status) {
            Err(_) => return Attempt::Lost,
            Ok(refusal) => return refused(refusal),
        },
    };
    let NodeReply { row, outcome } = reply;
    match answer(&request.asked, outcome) {
        Ok(answer) => Attempt::Answered(Ending::Answered { answer, row: Some(row) }),
        Err(what) => Attempt::Wrong(what),
    }
}

/// A refusal that is an answer, one that asks for patience, or one that nobody should get.
fn refused(refusal: Refusal) -> Attempt {
    let answered = |answer| Attempt::Answered(Ending::Answered { answer, row: None });
    match refusal.code {
        ErrorCode::VersionConflict => match refusal.current_version.and_then(|current| u32::try_from(current).ok()) {
            Some(current) => answered(PatientAnswer::Conflict { current }),
            None => Attempt::Wrong("a conflict that names no version".to_owned()),
        },
        ErrorCode::Deleted => answered(PatientAnswer::Deleted),
        // Sent again as it is: nothing took effect, or the same key finds out what did.
        ErrorCode::DeadlineExceeded | ErrorCode::OutcomeUnknown | ErrorCode::InternalIo => Attempt::Refused(refusal),
        _ if refusal.retry_after.is_some() => Attempt::Refused(refusal),
        code => Attempt::Wrong(format!("refused as {}", code.name())),
    }
}

fn answer(asked: &PatientOperation, outcome: Outcome) -> Result<PatientAnswer, String> {
    Ok(match (asked, outcome) {
        (PatientOperation::Write { record, expected, .. }, Outcome::Stored(stored)) => {
            if stored.record != patient::record(*record) || stored.version.get() != expected + 1 {
                return Err(format!("stored as another: {stored:?}"));
            }
            PatientAnswer::Done
        }
        (PatientOperation::Delete { .. }, Outcome::Done) => PatientAnswer::Done,
        (PatientOperation::Write { .. } | PatientOperation::Delete { .. }, Outcome::Nothing) => {
            PatientAnswer::Conflict { current: 0 }
        }
        (PatientOperation::Read { .. }, Outcome::Nothing) => PatientAnswer::Found(None),
        (PatientOperation::Read { record }, Outcome::Record(entry)) => {
            if entry.record != patient::record(*record) {
                return Err("another record".to_owned());
            }
            PatientAnswer::Found(Some(stored(&entry)?))
        }
        (PatientOperation::List, Outcome::Page(page)) => {
            if page.next.is_some() {
                return Err("a timeline of more than a page".to_owned());
            }
            let listed = page.entries.iter().map(|entry| {
                let content = documents::number_of_summary(&entry.summary)?;
                Ok((number(&entry.record), Stored { version: entry.version.get(), content }))
            });
            let count = page.entries.len();
            let listed: BTreeMap<u32, Stored> = listed.collect::<Result<_, String>>()?;
            if listed.len() != count {
                return Err("a record twice in a timeline".to_owned());
            }
            PatientAnswer::Listed(listed)
        }
        (_, outcome) => return Err(format!("answered by {outcome:?}")),
    })
}

/// What an entry shows, where summary and document are of one version.
pub(crate) fn stored(entry: &renkei_wire::RecordEntry) -> Result<Stored, String> {
    let EntryBody::Whole(body) = &entry.body else { return Err("no document".to_owned()) };
    let (summary, content) = (documents::number_of_summary(&entry.summary)?, documents::number_of_body(body)?);
    if summary == content {
        Ok(Stored { version: entry.version.get(), content })
    } else {
        Err(format!("summary {summary} with document {content}"))
    }
}

/// The number that a record has in a test.
fn number(id: &renkei_ids::RecordId) -> u32 {
    u32::from_be_bytes(id.as_bytes()[..4].try_into().unwrap())
}
