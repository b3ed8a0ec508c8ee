//! Messages towards institutions: there and back, and refused by field at their edges.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;
use renkei_access::{SignedActor, SignedTicket};
use renkei_envelope::{Category, Pseudonym, Reference};
use renkei_ids::{AuditSeq, LeafIndex, LogId, MonthBucket, RecordVersion, UnixMillis};
use renkei_wire::limits::{
    ACTOR_ID_MAX_BYTES, ACTOR_ROLE_MAX_BYTES, CONTINUATION_MAX_BYTES, DOCUMENT_MAX_BYTES, IDEMPOTENCY_KEY_MAX_BYTES,
    PIECE_MAX_BYTES, SIGNED_ACTOR_MAX_BYTES, TICKET_MAX_BYTES, TIMELINE_MAX_ENTRIES,
};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{
    Acting, Actor, AuditEntry, AuditOperation, AuditOutcome, BulkPutReply, BulkPutRequest, DeleteDocumentRequest,
    DocumentHead, GetDocumentRequest, ListAuditRequest, OpenTicketsReply, OpenTicketsRequest, Patient,
    PutDocumentReply, PutHead, QueryTimelineRequest, ReplaceHead, TimelineEntry, TimelinePage, Upload,
};
use renkei_wire::{ErrorCode, Refusal};

use crate::arbitrary::sealed;

fn over_the_wire<M: Message + Default>(message: &M) -> M {
    M::decode(Bytes::from(message.encode_to_vec())).expect("it was encoded as the same message")
}

fn ticket() -> impl Strategy<Value = SignedTicket> {
    sealed(TICKET_MAX_BYTES).prop_map(SignedTicket::from_bytes)
}

fn patient() -> impl Strategy<Value = Patient> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(|bytes| Patient::InsecurePseudonym(Pseudonym::from_bytes(bytes))),
        ticket().prop_map(Patient::Ticket),
    ]
}

fn actor() -> impl Strategy<Value = Actor> {
    ("[a-z]{1,64}", "[a-z]{1,32}").prop_map(|(id, role)| Actor { id, role })
}

fn acting() -> impl Strategy<Value = Acting> {
    prop_oneof![
        actor().prop_map(Acting::Believed),
        sealed(SIGNED_ACTOR_MAX_BYTES).prop_map(|bytes| Acting::Signed(SignedActor::from_bytes(bytes))),
    ]
}

fn head() -> impl Strategy<Value = PutHead> {
    (patient(), acting(), sealed(IDEMPOTENCY_KEY_MAX_BYTES), 1..=DOCUMENT_MAX_BYTES).prop_map(
        |(patient, actor, idempotency_key, document_bytes)| PutHead { patient, actor, idempotency_key, document_bytes },
    )
}

fn reference() -> impl Strategy<Value = Reference> {
    vec(any::<u8>(), Reference::LEN)
        .prop_map(|bytes| Reference::try_from(Bytes::from(bytes)).expect("it has the length"))
}

fn version() -> impl Strategy<Value = RecordVersion> {
    (1..u32::MAX).prop_map(|number| RecordVersion::new(number).expect("it is not 0"))
}

fn kind() -> impl Strategy<Value = Category> {
    prop::sample::select(Category::EVERY.to_vec())
}

fn query() -> impl Strategy<Value = QueryTimelineRequest> {
    let months = (any::<[u16; 2]>(), any::<[bool; 2]>());
    let kinds = prop::sample::subsequence(Category::EVERY.to_vec(), 1..=3);
    let pages = (1..=TIMELINE_MAX_ENTRIES, any::<u32>(), option::of(sealed(CONTINUATION_MAX_BYTES)));
    (patient(), acting(), kinds, months, pages).prop_map(
        |(patient, actor, kinds, (mut months, given), (page_entries, max_pages, continuation))| {
            months.sort_unstable();
            let [from, to] = months.map(MonthBucket::from_raw);
            QueryTimelineRequest {
                patient,
                actor,
                kinds,
                from: given[0].then_some(from),
                to: given[1].then_some(to),
                page_entries,
                max_pages: core::num::NonZeroU32::new(max_pages),
                continuation,
            }
        },
    )
}

fn stored() -> impl Strategy<Value = PutDocumentReply> {
    (reference(), version(), kind(), any::<bool>()).prop_map(|(reference, version, kind, replayed)| PutDocumentReply {
        reference,
        version,
        kind,
        replayed,
    })
}

fn audit() -> impl Strategy<Value = AuditEntry> {
    let words = (
        prop::sample::select(AuditOperation::ALL),
        prop::sample::select(AuditOutcome::ALL),
        prop::sample::select((1..=5).filter_map(renkei_access::Purpose::from_raw).collect::<Vec<_>>()),
        prop::sample::select((1..=6).filter_map(renkei_access::Evidence::from_raw).collect::<Vec<_>>()),
    );
    (any::<[u64; 3]>(), words, vec(reference(), 0..3), actor(), any::<[u8; 16]>(), any::<[u8; 32]>()).prop_map(
        |([seq, time, leaf], (operation, outcome, purpose, evidence), references, actor, log, leaf_hash)| AuditEntry {
            seq: AuditSeq(seq),
            time: UnixMillis(time),
            operation,
            outcome,
            references,
            actor,
            purpose,
            evidence,
            log: LogId::from_bytes(log),
            leaf: LeafIndex(leaf),
            leaf_hash,
        },
    )
}

proptest! {
    #[test]
    fn uploads_read_back(head in head(), reference in reference(), version in version(), piece in sealed(2_000), n: u64) {
        for part in [Upload::Head(Box::new(head.clone())), Upload::Piece(piece)] {
            let message = over_the_wire(&pb::PutDocumentRequest::from(part.clone()));
            prop_assert!(message.try_into() == Ok(part.clone()));
            let bulk = BulkPutRequest { document: n, part };
            let message = over_the_wire(&pb::BulkPutRequest::from(bulk.clone()));
            prop_assert!(message.try_into() == Ok(bulk));
        }
        let part = Upload::Head(Box::new(ReplaceHead { put: head, reference, version }));
        let message = over_the_wire(&pb::ReplaceDocumentRequest::from(part.clone()));
        prop_assert!(message.try_into() == Ok(part));
    }

    #[test]
    fn reads_and_deletes_read_back(
        (patient, actor) in (patient(), acting()),
        reference in reference(),
        (version, wanted) in (version(), any::<bool>()),
        key in sealed(IDEMPOTENCY_KEY_MAX_BYTES),
        query in query(),
        after: u64,
    ) {
        let get = GetDocumentRequest {
            patient: patient.clone(),
            actor: actor.clone(),
            reference: reference.clone(),
            version: wanted.then_some(version),
        };
        prop_assert!(over_the_wire(&pb::GetDocumentRequest::from(get.clone())).try_into() == Ok(get));
        let delete = DeleteDocumentRequest {
            patient: patient.clone(),
            actor: actor.clone(),
            idempotency_key: key,
            reference,
            version,
        };
        prop_assert!(over_the_wire(&pb::DeleteDocumentRequest::from(delete.clone())).try_into() == Ok(delete));
        prop_assert!(over_the_wire(&pb::QueryTimelineRequest::from(query.clone())).try_into() == Ok(query));
        let list = ListAuditRequest { patient, actor, after: AuditSeq(after) };
        prop_assert!(over_the_wire(&pb::ListAuditRequest::from(list.clone())).try_into() == Ok(list));
    }

    #[test]
    fn answers_read_back(
        stored in stored(),
        (size, summary, month) in (1..=DOCUMENT_MAX_BYTES, sealed(500), any::<u16>()),
        continuation in option::of(sealed(CONTINUATION_MAX_BYTES)),
        audit in audit(),
    ) {
        prop_assert!(over_the_wire(&pb::PutDocumentReply::from(stored.clone())).try_into() == Ok(stored.clone()));
        for outcome in [Ok(stored.clone()), Err(Refusal::new(ErrorCode::DocumentPhoto))] {
            let reply = BulkPutReply { document: 7, outcome };
            prop_assert!(over_the_wire(&pb::BulkPutReply::from(reply.clone())).try_into() == Ok(reply));
        }
        let PutDocumentReply { reference, version, kind, .. } = stored;
        let head = Upload::Head(Box::new(DocumentHead { version, kind, document_bytes: size }));
        prop_assert!(over_the_wire(&pb::GetDocumentReply::from(head.clone())).try_into() == Ok(head));
        let month = MonthBucket::from_raw(month);
        let entry = TimelineEntry { reference, version, kind, month, summary, summary_json: "{}".to_owned() };
        let page = TimelinePage { entries: vec![entry], continuation };
        prop_assert!(over_the_wire(&pb::TimelinePage::from(page.clone())).try_into() == Ok(page));
        prop_assert!(over_the_wire(&pb::AuditEntry::from(audit.clone())).try_into() == Ok(audit));
    }
}

fn valid_head() -> pb::PutHead {
    pb::PutHead {
        patient: Some(pb::Patient { opened_by: Some(pb::patient::OpenedBy::InsecurePseudonym(bytes(32))) }),
        actor: Some(pb::Actor { id: "a".to_owned(), role: "r".to_owned(), ..pb::Actor::default() }),
        idempotency_key: bytes(1),
        document_bytes: 1,
    }
}

fn bytes(len: usize) -> Bytes {
    vec![7; len].into()
}

fn judge(change: impl FnOnce(&mut pb::PutHead)) -> Option<(ErrorCode, Option<String>)> {
    let mut head = valid_head();
    change(&mut head);
    let refusal = PutHead::try_from(head).map(drop).map_err(Refusal::from).err()?;
    Some((refusal.code, refusal.field.map(|field| field.as_str().to_owned())))
}

fn refused(code: ErrorCode, field: &str) -> Option<(ErrorCode, Option<String>)> {
    Some((code, Some(field.to_owned())))
}

#[test]
fn a_head_is_within_its_limits() {
    let (invalid, large) = (ErrorCode::InvalidArgument, ErrorCode::TooLarge);
    assert_eq!(judge(|_| {}), None);
    assert_eq!(judge(|head| head.patient = None), refused(invalid, "patient"));
    assert_eq!(judge(|head| head.actor = None), refused(invalid, "actor"));
    for (size, expected) in [
        (0, refused(invalid, "document_bytes")),
        (DOCUMENT_MAX_BYTES, None),
        (DOCUMENT_MAX_BYTES + 1, refused(large, "document_bytes")),
    ] {
        assert_eq!(judge(|head| head.document_bytes = size as u64), expected, "{size}");
    }
    for (len, expected) in [
        (0, refused(invalid, "idempotency_key")),
        (IDEMPOTENCY_KEY_MAX_BYTES, None),
        (IDEMPOTENCY_KEY_MAX_BYTES + 1, refused(large, "idempotency_key")),
    ] {
        assert_eq!(judge(|head| head.idempotency_key = bytes(len)), expected, "{len}");
    }
    let actor =
        |id: usize, role: usize| Some(pb::Actor { id: "x".repeat(id), role: "x".repeat(role), signed: Bytes::new() });
    assert_eq!(judge(|head| head.actor = actor(ACTOR_ID_MAX_BYTES, ACTOR_ROLE_MAX_BYTES)), None);
    assert_eq!(judge(|head| head.actor = actor(ACTOR_ID_MAX_BYTES + 1, 1)), refused(large, "actor.id"));
    assert_eq!(judge(|head| head.actor = actor(1, ACTOR_ROLE_MAX_BYTES + 1)), refused(large, "actor.role"));
    assert_eq!(judge(|head| head.actor = actor(0, 1)), refused(invalid, "actor.id"));
    let signed =
        |bytes: usize, id: usize| Some(pb::Actor { signed: Bytes::from(vec![7; bytes]), ..actor(id, 0).unwrap() });
    assert_eq!(judge(|head| head.actor = signed(SIGNED_ACTOR_MAX_BYTES, 0)), None);
    assert_eq!(judge(|head| head.actor = signed(SIGNED_ACTOR_MAX_BYTES + 1, 0)), refused(large, "actor.signed"));
    assert_eq!(judge(|head| head.actor = signed(1, 1)), refused(invalid, "actor"));
}

#[test]
fn up_to_64_tickets_are_opened_in_one_call_and_each_has_its_limits() {
    let call = |tickets: Vec<Bytes>| OpenTicketsRequest::try_from(pb::OpenTicketsRequest { tickets }).is_ok();
    assert_eq!([0, 1, 64, 65].map(|count| call(vec![bytes(9); count])), [false, true, true, false]);
    assert_eq!([0, 1, 4_096, 4_097].map(|len| call(vec![bytes(9), bytes(len)])), [false, true, true, false]);
    let reply = OpenTicketsReply(vec![Ok(()), Err(Refusal::new(ErrorCode::TicketExpired))]);
    assert!(over_the_wire(&pb::OpenTicketsReply::from(reply.clone())).try_into() == Ok(reply));
    let silent = pb::OpenTicketsReply { statuses: vec![pb::TicketStatus { outcome: None }] };
    assert!(OpenTicketsReply::try_from(silent).is_err());
}

#[test]
fn a_pseudonym_has_32_bytes() {
    use pb::patient::OpenedBy;
    for (len, taken) in [(0, false), (31, false), (32, true), (33, false)] {
        let message = pb::Patient { opened_by: Some(OpenedBy::InsecurePseudonym(bytes(len))) };
        assert_eq!(Patient::try_from(message).is_ok(), taken, "{len}");
    }
}

#[test]
fn a_piece_has_1_byte_to_256_kib() {
    for (len, taken) in [(0, false), (1, true), (PIECE_MAX_BYTES, true), (PIECE_MAX_BYTES + 1, false)] {
        let message = pb::PutDocumentRequest { part: Some(pb::put_document_request::Part::Piece(bytes(len))) };
        assert_eq!(Upload::<PutHead>::try_from(message).is_ok(), taken, "{len}");
    }
}

#[test]
fn a_query_names_each_kind_once_and_months_in_order() {
    let valid = pb::QueryTimelineRequest {
        patient: valid_head().patient,
        actor: valid_head().actor,
        page_entries: 1,
        ..Default::default()
    };
    let judge = |change: &dyn Fn(&mut pb::QueryTimelineRequest)| {
        let mut message = valid.clone();
        change(&mut message);
        QueryTimelineRequest::try_from(message)
            .map(|query| query.kinds.len())
            .map_err(|invalid| Refusal::from(invalid).field.unwrap().as_str().to_owned())
    };
    assert_eq!(judge(&|_| {}), Ok(3), "none stands for all");
    assert_eq!(judge(&|query| query.kinds = vec![2]), Ok(1));
    assert_eq!(judge(&|query| query.kinds = vec![2, 2]), Err("kinds".to_owned()));
    assert_eq!(judge(&|query| query.kinds = vec![0]), Err("kinds".to_owned()));
    assert_eq!(judge(&|query| query.page_entries = 0), Err("page_entries".to_owned()));
    assert_eq!(judge(&|query| query.page_entries = 201), Err("page_entries".to_owned()));
    let months = |query: &mut pb::QueryTimelineRequest| {
        query.from_month = Some("2026-02".to_owned());
        query.to_month = Some("2026-01".to_owned());
    };
    assert_eq!(judge(&months), Err("to_month".to_owned()));
}

#[test]
fn debug_shows_nothing_of_the_patient() {
    let head = valid_head();
    assert_eq!(format!("{head:?}"), "record::v1::PutHead(..)");
    assert_eq!(format!("{:?}", PutHead::try_from(head).unwrap()), "PutHead(..)");
}
