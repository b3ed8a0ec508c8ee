//! What an institution puts it reads back, and nobody else does.

use renkei_runtime::Role;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::{ErrorCode, Refusal};

use crate::world::{
    Client, World, actor, chunks, get, head, patient, prescription, put, refusal, timeline, vaccination,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_document_is_put_read_replaced_listed_and_deleted() {
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let first = vaccination("2026-03-05", "one");
    let stored = put(&mut client, 1, "k1", &first).await.unwrap();
    assert_eq!((stored.version, stored.kind, stored.replayed), (1, 2, false));
    assert_eq!(get(&mut client, 1, &stored.reference, 0).await.unwrap(), first.as_bytes());

    let again = put(&mut client, 1, "k1", &first).await.unwrap();
    assert!(again.replayed);
    assert_eq!(get(&mut client, 1, &again.reference, 0).await.unwrap(), first.as_bytes(), "it names the first record");
    let other = put(&mut client, 1, "k1", &vaccination("2026-03-06", "x")).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::IdempotencyConflict);

    let second = vaccination("2026-03-05", &"two ".repeat(300_000));
    let replaced = replace(&mut client, &stored.reference, 1, &second).await.unwrap();
    assert_eq!(replaced.version, 2);
    assert_eq!(get(&mut client, 1, &stored.reference, 0).await.unwrap(), second.as_bytes(), "in many pieces");
    assert_eq!(get(&mut client, 1, &stored.reference, 1).await.unwrap(), first.as_bytes());
    let conflict = replace(&mut client, &stored.reference, 1, &first).await.unwrap_err();
    assert_eq!((conflict.code, conflict.current_version), (ErrorCode::VersionConflict, Some(2)));

    let delete = pb::DeleteDocumentRequest {
        patient: patient(1),
        actor: actor(),
        idempotency_key: "d1".into(),
        reference: stored.reference.clone(),
        version: 2,
    };
    client.delete_document(delete).await.unwrap();
    assert_eq!(get(&mut client, 1, &stored.reference, 0).await.unwrap_err().code, ErrorCode::NotFound);
    check_audit(&mut client, &world).await;
}

async fn replace(
    client: &mut Client,
    reference: &bytes::Bytes,
    version: u32,
    document: &str,
) -> Result<pb::PutDocumentReply, Refusal> {
    use pb::replace_document_request::Part;
    let put = Some(head(1, &format!("r{version}-{}", document.len()), document));
    let head = pb::ReplaceHead { put, reference: reference.clone(), version };
    let parts = std::iter::once(Part::Head(head)).chain(chunks(document).into_iter().map(Part::Piece));
    let parts: Vec<_> = parts.map(|part| pb::ReplaceDocumentRequest { part: Some(part) }).collect();
    let reply = client.replace_document(futures::stream::iter(parts)).await;
    reply.map(tonic::Response::into_inner).map_err(|status| refusal(&status))
}

async fn rows(client: &mut Client) -> Vec<pb::AuditEntry> {
    let request = pb::ListAuditRequest { patient: patient(1), actor: actor(), after_seq: 0 };
    let mut stream = client.list_audit(request).await.unwrap().into_inner();
    let mut rows = Vec::new();
    while let Some(page) = stream.message().await.unwrap() {
        rows.extend(page.entries);
    }
    rows
}

async fn check_audit(client: &mut Client, world: &World) {
    let told = rows(client).await;
    let count = |operation: &str, outcome: &str| {
        told.iter().filter(|row| row.operation == operation && row.outcome == outcome).count()
    };
    assert_eq!((count("put", "done"), count("put", "replayed"), count("delete", "done")), (2, 1, 1));
    assert_eq!((count("put", "version_conflict"), count("get", "nothing")), (1, 1));
    assert!(told.iter().all(|row| row.actor_id == "dr-1" && row.purpose == "care" && row.evidence == "card"));

    let mut other = world.client(Role::Institution, "hospital-b");
    assert!(rows(&mut other).await.is_empty(), "another institution sees none of them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_timeline_comes_newest_first_and_goes_on_where_it_stopped() {
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let days = ["2026-03-05", "2026-01-31", "2026-03-20", "2025-12-01", "2026-03-11"];
    for (n, day) in days.iter().enumerate() {
        put(&mut client, 2, &format!("v{n}"), &vaccination(day, "x")).await.unwrap();
    }
    put(&mut client, 2, "p", &prescription("2026-02-02")).await.unwrap();
    let query = |continuation: bytes::Bytes, kinds: Vec<i32>| pb::QueryTimelineRequest {
        patient: patient(2),
        actor: actor(),
        kinds,
        page_entries: 2,
        max_pages: 1,
        continuation,
        ..Default::default()
    };
    let (mut seen, mut continuation) = (Vec::new(), bytes::Bytes::new());
    loop {
        let (entries, next) = timeline(&mut client, query(continuation, vec![2])).await.unwrap();
        assert!(entries.len() <= 2);
        seen.extend(entries.into_iter().map(|entry| {
            let json: String = entry.summary_json;
            days.iter().copied().find(|day| json.contains(day)).unwrap()
        }));
        continuation = next;
        if continuation.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["2026-03-20", "2026-03-11", "2026-03-05", "2026-01-31", "2025-12-01"]);

    let (_, token) = timeline(&mut client, query(bytes::Bytes::new(), vec![2])).await.unwrap();
    let wider = timeline(&mut client, query(token.clone(), vec![])).await.unwrap_err();
    assert_eq!(wider.code, ErrorCode::ContinuationInvalid, "a token is for its own query");
    let mut other = world.client(Role::Institution, "hospital-b");
    let theirs = timeline(&mut other, query(token, vec![2])).await.unwrap_err();
    assert_eq!(theirs.code, ErrorCode::ContinuationInvalid, "and for its own institution");
    let (all, _) =
        timeline(&mut other, pb::QueryTimelineRequest { max_pages: 0, ..query(bytes::Bytes::new(), vec![]) })
            .await
            .unwrap();
    assert_eq!(all.len(), 6, "another institution reads the patient who is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn many_documents_come_over_one_stream_and_each_is_answered() {
    use pb::bulk_put_request::Part;
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    put(&mut client, 3, "first", &prescription("2026-05-01")).await.unwrap();
    let mut messages = Vec::new();
    for n in 0..20_u64 {
        let document = if n == 7 { "{\"photo\":1}".to_owned() } else { vaccination("2026-04-01", &n.to_string()) };
        messages.push((n, Part::Head(head(3, &format!("b{n}"), &document))));
        messages.extend(chunks(&document).into_iter().map(|piece| (n, Part::Piece(piece))));
    }
    let messages = messages.into_iter().map(|(document, part)| pb::BulkPutRequest { document, part: Some(part) });
    let stream = futures::stream::iter(messages.collect::<Vec<_>>());
    let mut replies = client.bulk_put(stream).await.unwrap().into_inner();
    let mut answered = std::collections::BTreeMap::new();
    while let Some(reply) = replies.message().await.unwrap() {
        let outcome = match reply.outcome.unwrap() {
            pb::bulk_put_reply::Outcome::Stored(stored) => Ok(stored.version),
            pb::bulk_put_reply::Outcome::Refusal(refusal) => Err(refusal.code),
        };
        assert!(answered.insert(reply.document, outcome).is_none(), "one answer each");
    }
    assert_eq!(answered.len(), 20);
    for (document, outcome) in answered {
        assert_eq!(outcome.is_ok(), document != 7, "{document}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn others_and_other_documents_are_refused_by_code() {
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    for (document, code) in [
        ("{", ErrorCode::DocumentMalformedJson),
        (r#"{"resourceType":"Observation"}"#, ErrorCode::DocumentResourceNotTaken),
    ] {
        assert_eq!(put(&mut client, 4, "k", document).await.unwrap_err().code, code);
    }
    let stored = put(&mut client, 4, "k", &prescription("2026-05-01")).await.unwrap();
    let of_another_patient = get(&mut client, 5, &stored.reference, 0).await.unwrap_err();
    assert_eq!(of_another_patient.code, ErrorCode::ReferenceInvalid);
    let mut other = world.client(Role::Institution, "hospital-b");
    assert_eq!(get(&mut other, 4, &stored.reference, 0).await.unwrap_err().code, ErrorCode::ReferenceInvalid);

    let mut gateway = world.client(Role::Gateway, "two");
    let request = pb::ListAuditRequest { patient: patient(4), actor: actor(), after_seq: 0 };
    assert!(gateway.list_audit(request.clone()).await.is_err(), "only institutions are let in");
    let ticket = pb::Patient { opened_by: Some(pb::patient::OpenedBy::Ticket("ticket".into())) };
    let mut rows =
        client.list_audit(pb::ListAuditRequest { patient: Some(ticket), ..request }).await.unwrap().into_inner();
    assert_eq!(refusal(&rows.message().await.unwrap_err()).code, ErrorCode::Unimplemented);
}
