//! Limits at their edges: the largest that is taken, and what is one more.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt as _;
use renkei_runtime::Role;
use renkei_wire::limits::{
    ACTOR_ID_MAX_BYTES, ACTOR_ROLE_MAX_BYTES, DOCUMENT_MAX_BYTES, IDEMPOTENCY_KEY_MAX_BYTES, PIECE_MAX_BYTES,
    TIMELINE_MAX_ENTRIES,
};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::pb::record::v1::put_document_request::Part;
use renkei_wire::{ErrorCode, Refusal};

use crate::world::{Client, World, chunks, get, head, put, put_once, put_parts, query, refusal, timeline, vaccination};

/// Documents of one stream that a gateway gathers at once.
const UNDER_WAY: u64 = 64;

fn told(refusal: Refusal) -> (ErrorCode, String) {
    (refusal.code, refusal.field.map(|field| field.as_str().to_owned()).unwrap_or_default())
}

fn of(code: ErrorCode, field: &str) -> (ErrorCode, String) {
    (code, field.to_owned())
}

/// A vaccination of so many bytes.
fn document_of(bytes: usize) -> String {
    let empty = vaccination("2026-03-05", "").len();
    vaccination("2026-03-05", &"x".repeat(bytes - empty))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_document_has_at_most_ten_mebibytes_and_as_many_bytes_as_announced() {
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let largest = document_of(DOCUMENT_MAX_BYTES);
    let stored = put(&mut client, 1, "largest", &largest).await.unwrap();
    assert!(get(&mut client, 1, &stored.reference, 0).await.unwrap() == largest.as_bytes());

    let larger = document_of(DOCUMENT_MAX_BYTES + 1);
    let refused = put(&mut client, 1, "larger", &larger).await.unwrap_err();
    assert_eq!(told(refused), of(ErrorCode::TooLarge, "document_bytes"));
    // One that says the most and sends one more.
    let lying = put_once(&mut client, head(1, "lying", &largest), chunks(&larger)).await.unwrap_err();
    assert_eq!(told(lying), of(ErrorCode::InvalidArgument, "document_bytes"));

    let small = vaccination("2026-03-05", "small");
    for (announced, sent) in [(small.len() + 1, &small[..]), (small.len(), &small[1..]), (small.len() - 1, &small[..])]
    {
        let head = pb::PutHead { document_bytes: announced as u64, ..head(1, "short", "") };
        let refused = put_once(&mut client, head, chunks(sent)).await.unwrap_err();
        assert_eq!(told(refused), of(ErrorCode::InvalidArgument, "document_bytes"), "{announced}, {}", sent.len());
    }
    let nothing = put_once(&mut client, head(1, "none", ""), Vec::new()).await.unwrap_err();
    assert_eq!(told(nothing), of(ErrorCode::InvalidArgument, "document_bytes"));
    let (kept, _) = timeline(&mut client, query(1, vec![])).await.unwrap();
    assert_eq!(kept.len(), 1, "nothing of what was refused is stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_that_is_no_head_and_pieces_is_refused() {
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let document = document_of(PIECE_MAX_BYTES + 1);
    let head = || Part::Head(head(1, "k", &document));
    let bytes = |range: std::ops::Range<usize>| Part::Piece(Bytes::copy_from_slice(&document.as_bytes()[range]));
    let cases = [
        (vec![], "head"),
        (vec![bytes(0..10)], "head"),
        (vec![head(), head()], "head"),
        (vec![head(), Part::Piece(Bytes::new())], "piece"),
        // All of it has come, and then there is more.
        (
            vec![head(), bytes(0..PIECE_MAX_BYTES), bytes(PIECE_MAX_BYTES..document.len()), bytes(0..1)],
            "document_bytes",
        ),
    ];
    for (parts, field) in cases {
        let refused = put_parts(&mut client, parts).await.unwrap_err();
        assert_eq!(told(refused), of(ErrorCode::InvalidArgument, field));
    }
    let refused = put_parts(&mut client, vec![head(), bytes(0..document.len())]).await.unwrap_err();
    assert_eq!(told(refused), of(ErrorCode::TooLarge, "piece"));
    // Every byte a piece of its own, and the largest piece.
    let small = vaccination("2026-03-05", "bytewise");
    let pieces = small.bytes().map(|byte| Bytes::from(vec![byte])).collect();
    let stored = put_once(&mut client, crate::world::head(1, "bytewise", &small), pieces).await.unwrap();
    assert_eq!(get(&mut client, 1, &stored.reference, 0).await.unwrap(), small.as_bytes());
    let parts = vec![head(), bytes(0..PIECE_MAX_BYTES), bytes(PIECE_MAX_BYTES..document.len())];
    put_parts(&mut client, parts).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn names_and_numbers_are_taken_up_to_their_limits_and_no_further() {
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let document = vaccination("2026-03-05", "x");
    put(&mut client, 1, "first", &document).await.unwrap();
    let put_with = async |client: &mut Client, key: usize, id: usize, role: usize| {
        let actor = Some(pb::Actor { id: "i".repeat(id), role: "r".repeat(role), ..pb::Actor::default() });
        let head = pb::PutHead { actor, ..head(1, &"k".repeat(key), &document) };
        put_once(client, head, chunks(&document)).await
    };
    let (key, id, role) = (IDEMPOTENCY_KEY_MAX_BYTES, ACTOR_ID_MAX_BYTES, ACTOR_ROLE_MAX_BYTES);
    put_with(&mut client, key, id, role).await.unwrap();
    for (sizes, code, field) in [
        ((key + 1, 1, 1), ErrorCode::TooLarge, "idempotency_key"),
        ((0, 1, 1), ErrorCode::InvalidArgument, "idempotency_key"),
        ((1, id + 1, 1), ErrorCode::TooLarge, "actor.id"),
        ((1, 0, 1), ErrorCode::InvalidArgument, "actor.id"),
        ((1, 1, role + 1), ErrorCode::TooLarge, "actor.role"),
        ((1, 1, 0), ErrorCode::InvalidArgument, "actor.role"),
    ] {
        let refused = put_with(&mut client, sizes.0, sizes.1, sizes.2).await.unwrap_err();
        assert_eq!(told(refused), of(code, field), "{sizes:?}");
    }
    let most = u32::from(TIMELINE_MAX_ENTRIES);
    for (page_entries, taken) in [(0, false), (1, true), (most, true), (most + 1, false)] {
        let asked = pb::QueryTimelineRequest { page_entries, ..query(1, vec![]) };
        match timeline(&mut client, asked).await {
            Ok((entries, _)) => assert!(taken && entries.len() == 2, "{page_entries}"),
            Err(refused) => {
                assert!(!taken, "{page_entries}");
                assert_eq!(told(refused), of(ErrorCode::InvalidArgument, "page_entries"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn uploads_that_stand_still_end_with_their_deadline_and_give_their_room_back() {
    // Room for three of the largest documents, and none beside them.
    let world = World::of(1, &["memory.requests_mib=128"]).await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let small = document_of(3_000_000);
    put(&mut client, 1, "before", &small).await.unwrap();
    let announced = pb::PutHead { document_bytes: DOCUMENT_MAX_BYTES as u64, ..head(1, "idle", "") };
    let idle = |drips: bool| {
        let (mut client, announced) = (client.clone(), announced.clone());
        async move {
            let head = futures::stream::iter([Part::Head(announced)]);
            // Either nothing follows, or a byte now and then, which is never the whole of it.
            let rest = futures::stream::unfold((), move |()| async move {
                tokio::time::sleep(if drips { Duration::from_millis(50) } else { Duration::MAX }).await;
                Some((Part::Piece(Bytes::from_static(b" ")), ()))
            });
            let parts = head.chain(rest).map(|part| pb::PutDocumentRequest { part: Some(part) });
            let mut request = tonic::Request::new(parts);
            request.set_timeout(Duration::from_secs(3));
            let began = Instant::now();
            let status = client.put_document(request).await.unwrap_err();
            (status.code(), began.elapsed())
        }
    };
    let crowded = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut client = client.clone();
        put_once(&mut client, head(1, "crowded", &small), chunks(&small)).await.unwrap_err().code
    };
    let (one, two, three, crowded) = tokio::join!(idle(false), idle(true), idle(false), crowded);
    assert_eq!(crowded, ErrorCode::Busy, "announced is admitted, and what does not fit is told to come back");
    for (code, took) in [one, two, three] {
        // gRPC's own deadline on either side, or the gateway's refusal: whichever is first.
        assert!(matches!(code, tonic::Code::DeadlineExceeded | tonic::Code::Cancelled), "{code:?}");
        assert!(took < Duration::from_secs(6), "{took:?}");
    }
    put(&mut client, 1, "after", &small).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bulk_stream_gathers_sixty_four_documents_at_once_and_one_more_is_busy() {
    use pb::bulk_put_reply::Outcome;
    use pb::bulk_put_request::Part;
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    put(&mut client, 1, "first", vaccination("2026-03-05", "x")).await.unwrap();
    let document = |n: u64| vaccination("2026-03-05", &format!("of the stream {n}"));
    let heads = (0..=UNDER_WAY).map(|n| (n, Part::Head(head(1, &format!("b{n}"), document(n)))));
    // Bytes of the one that was refused are passed over.
    let pieces = (0..=UNDER_WAY).map(|n| (n, Part::Piece(document(n).into())));
    // By then a place is free again.
    let again = UNDER_WAY + 1;
    let late = [
        (again, Part::Head(head(1, &format!("b{UNDER_WAY}"), document(UNDER_WAY)))),
        (again, Part::Piece(document(UNDER_WAY).into())),
    ];
    let message = |(document, part)| pb::BulkPutRequest { document, part: Some(part) };
    let messages: Vec<_> = heads.chain(pieces).chain(late).map(message).collect();
    let mut replies = client.bulk_put(futures::stream::iter(messages)).await.unwrap().into_inner();
    let mut outcomes = BTreeMap::new();
    while let Some(reply) = replies.message().await.unwrap() {
        let outcome = match reply.outcome.unwrap() {
            Outcome::Stored(stored) => Ok(stored.reference),
            Outcome::Refusal(refusal) => Err(refusal.code),
        };
        assert!(outcomes.insert(reply.document, outcome).is_none(), "one answer each");
    }
    assert_eq!(outcomes.len() as u64, UNDER_WAY + 2);
    for (n, outcome) in outcomes {
        match outcome {
            Ok(reference) => {
                let number = n.min(UNDER_WAY);
                assert_eq!(get(&mut client, 1, &reference, 0).await.unwrap(), document(number).as_bytes());
            }
            Err(code) => assert_eq!((n, code.as_str()), (UNDER_WAY, ErrorCode::Busy.name())),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_pseudonym_has_thirty_two_bytes() {
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    put(&mut client, 1, "first", vaccination("2026-03-05", "x")).await.unwrap();
    for length in [0, 31, 33] {
        let pseudonym = pb::patient::OpenedBy::InsecurePseudonym(Bytes::from(vec![7; length]));
        let patient = Some(pb::Patient { opened_by: Some(pseudonym) });
        let request = pb::QueryTimelineRequest { patient, ..query(1, vec![]) };
        let refused = client.query_timeline(request).await.map(|_| ()).map_err(|status| refusal(&status));
        assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidArgument, "{length}");
    }
    let nobody = pb::QueryTimelineRequest { patient: None, ..query(1, vec![]) };
    let refused = client.query_timeline(nobody).await.map(|_| ()).map_err(|status| refusal(&status));
    assert_eq!(told(refused.unwrap_err()), of(ErrorCode::InvalidArgument, "patient"));
}
