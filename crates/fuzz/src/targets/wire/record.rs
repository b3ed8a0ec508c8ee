//! Messages between institutions and gateways.

use bytes::Bytes;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{
    AuditEntry, BulkPutReply, BulkPutRequest, DeleteDocumentRequest, DocumentHead, GetDocumentRequest,
    ListAuditRequest, OpenTicketsReply, OpenTicketsRequest, PutDocumentReply, PutHead, QueryTimelineRequest,
    ReplaceHead, TimelinePage, Upload,
};

const READERS: [fn(&[u8]); 14] = [
    super::read::<pb::PutDocumentRequest, Upload<PutHead>>,
    super::read::<pb::ReplaceDocumentRequest, Upload<ReplaceHead>>,
    super::read::<pb::BulkPutRequest, BulkPutRequest>,
    super::read::<pb::GetDocumentRequest, GetDocumentRequest>,
    super::read::<pb::QueryTimelineRequest, QueryTimelineRequest>,
    super::read::<pb::DeleteDocumentRequest, DeleteDocumentRequest>,
    super::read::<pb::ListAuditRequest, ListAuditRequest>,
    super::read::<pb::PutDocumentReply, PutDocumentReply>,
    super::read::<pb::BulkPutReply, BulkPutReply>,
    super::read::<pb::GetDocumentReply, Upload<DocumentHead>>,
    super::read::<pb::TimelinePage, TimelinePage>,
    super::read::<pb::AuditEntry, AuditEntry>,
    super::read::<pb::OpenTicketsRequest, OpenTicketsRequest>,
    super::read::<pb::OpenTicketsReply, OpenTicketsReply>,
];

pub(crate) fn run(bytes: &[u8]) {
    super::choose(bytes, &READERS);
}

fn filled(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn patient(ticket: bool) -> Option<pb::Patient> {
    let opened_by = if ticket {
        pb::patient::OpenedBy::Ticket(filled(90))
    } else {
        pb::patient::OpenedBy::InsecurePseudonym(filled(32))
    };
    Some(pb::Patient { opened_by: Some(opened_by) })
}

fn actor() -> Option<pb::Actor> {
    Some(pb::Actor { id: "dr-1".into(), role: "physician".into(), ..pb::Actor::default() })
}

fn head() -> pb::PutHead {
    pb::PutHead { patient: patient(false), actor: actor(), idempotency_key: filled(8), document_bytes: 1_000 }
}

fn reference() -> Bytes {
    filled(renkei_envelope::Reference::LEN)
}

fn requests() -> Vec<Vec<u8>> {
    let query = pb::QueryTimelineRequest {
        patient: patient(true),
        actor: actor(),
        kinds: vec![1, 2, 3],
        from_month: Some("2020-01".into()),
        to_month: Some("2026-12".into()),
        page_entries: 20,
        max_pages: 2,
        continuation: filled(60),
    };
    let replace = pb::ReplaceHead { put: Some(head()), reference: reference(), version: 2 };
    let get = pb::GetDocumentRequest { patient: patient(false), actor: actor(), reference: reference(), version: 1 };
    let delete = pb::DeleteDocumentRequest {
        patient: patient(false),
        actor: actor(),
        idempotency_key: filled(8),
        reference: reference(),
        version: 1,
    };
    vec![
        super::seed(0, &pb::PutDocumentRequest { part: Some(pb::put_document_request::Part::Head(head())) }),
        super::seed(0, &pb::PutDocumentRequest { part: Some(pb::put_document_request::Part::Piece(filled(40))) }),
        super::seed(1, &pb::ReplaceDocumentRequest { part: Some(pb::replace_document_request::Part::Head(replace)) }),
        super::seed(2, &pb::BulkPutRequest { document: 3, part: Some(pb::bulk_put_request::Part::Head(head())) }),
        super::seed(3, &get),
        super::seed(4, &query),
        super::seed(5, &delete),
        super::seed(6, &pb::ListAuditRequest { patient: patient(false), actor: actor(), after_seq: 4 }),
    ]
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let stored = pb::PutDocumentReply { reference: reference(), version: 1, kind: 1, replayed: true };
    let entry = pb::TimelineEntry {
        reference: reference(),
        version: 1,
        kind: 2,
        month: "2026-01".into(),
        summary: filled(30),
        summary_json: "{}".into(),
    };
    let audit = pb::AuditEntry {
        seq: 1,
        time_ms: 2,
        operation: "get".into(),
        outcome: "done".into(),
        references: vec![reference()],
        actor_id: "dr-1".into(),
        actor_role: "physician".into(),
        purpose: "care".into(),
        evidence: "card".into(),
        log_id: filled(16),
        leaf_index: 1,
        leaf_hash: filled(32),
    };
    let document = pb::DocumentHead { version: 1, kind: 3, document_bytes: 900 };
    let mut seeds = requests();
    seeds.extend([
        super::seed(7, &stored),
        super::seed(8, &pb::BulkPutReply { document: 3, outcome: Some(pb::bulk_put_reply::Outcome::Stored(stored)) }),
        super::seed(9, &pb::GetDocumentReply { part: Some(pb::get_document_reply::Part::Head(document)) }),
        super::seed(10, &pb::TimelinePage { entries: vec![entry; 2], continuation: filled(60) }),
        super::seed(11, &audit),
    ]);
    seeds
}
