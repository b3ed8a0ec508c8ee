//! The framed stream: many calls at once, and documents in pieces.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::stream;
use renkei_ids::{NodeId, RequestId};
use renkei_wire::limits::BODY_MAX_BYTES;
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{
    BodyAssembly, CallId, EntryBody, ErrorCode, NodeReply, Operation, Outcome, PutBody, Refusal, ReplyItem,
    RequestFrame, RequestItem, pieces,
};

use crate::cloud::TestCloud;
use crate::patient::{self, Patient, record};

type Answer = Result<(NodeReply, Option<Bytes>), Refusal>;

/// Sends frames over one stream and gathers the answers by call.
async fn converse(cloud: &TestCloud, node: NodeId, frames: Vec<RequestFrame>) -> BTreeMap<u64, Answer> {
    let messages: Vec<pb::RequestFrames> = frames.chunks(4).map(|some| some.iter().cloned().collect()).collect();
    let mut replies = cloud.client(node).stream(stream::iter(messages)).await.unwrap().into_inner();
    let (mut answers, mut waiting) = (BTreeMap::new(), BTreeMap::new());
    while let Some(message) = replies.message().await.unwrap() {
        for frame in message.into_frames().unwrap() {
            let frame = frame.unwrap();
            let call = frame.call.0;
            match frame.item {
                ReplyItem::Refusal(refusal) => drop(answers.insert(call, Err(refusal))),
                ReplyItem::Reply(reply) => match &reply.outcome {
                    Outcome::Record(entry) if matches!(entry.body, EntryBody::InPieces(_)) => {
                        let EntryBody::InPieces(bytes) = entry.body else { unreachable!("matched above") };
                        waiting.insert(call, (*reply, BodyAssembly::announced(bytes).unwrap()));
                    }
                    _ => drop(answers.insert(call, Ok((*reply, None)))),
                },
                ReplyItem::Piece(piece) => {
                    let (_, body) = waiting.get_mut(&call).unwrap();
                    if let Some(body) = body.push(piece).unwrap() {
                        let (reply, _) = waiting.remove(&call).unwrap();
                        answers.insert(call, Ok((reply, Some(body))));
                    }
                }
            }
        }
    }
    assert!(waiting.is_empty(), "a body stopped in the middle");
    answers
}

fn request_frame(
    call: u64,
    cloud: &TestCloud,
    capability: &renkei_access::Capability,
    operation: Operation,
) -> RequestFrame {
    let mut request = patient::request(patient::sign(cloud, capability), operation);
    request.request = RequestId::from_bytes([u8::try_from(call % 251).unwrap(); 16]);
    RequestFrame { call: CallId(call), item: RequestItem::Request(Box::new(request)) }
}

fn piece_frames(call: u64, body: &Bytes) -> impl Iterator<Item = RequestFrame> {
    pieces(body.clone()).map(move |piece| RequestFrame { call: CallId(call), item: RequestItem::Piece(piece) })
}

#[tokio::test]
async fn the_largest_document_goes_in_and_comes_back_in_pieces() {
    let cloud = TestCloud::founded_with(&["memory.total_mib=512"]).await;
    let patient = Patient::new(8);
    let leader = cloud.leader(cloud.group_of(patient.slot()).await).await;
    let grants: Vec<_> = (0..40).map(|n| (record(n), 1)).collect();
    let capability = patient.writing(&cloud, &grants);
    let large: Bytes = (0_u8..251).cycle().take(BODY_MAX_BYTES).collect();
    let put = |n, body| Operation::Put(patient::put(record(n), 1, 24_000, "summary", body));

    // Small puts around a large one, whose pieces they overtake.
    let mut frames = vec![request_frame(0, &cloud, &capability, put(0, PutBody::InPieces))];
    frames.extend((1..40).map(|n| request_frame(u64::from(n), &cloud, &capability, put(n, patient::whole("small")))));
    frames.extend(piece_frames(0, &large));
    let answers = converse(&cloud, leader, frames).await;
    assert_eq!(answers.len(), 40);
    for (call, answer) in &answers {
        let stored = answer.as_ref().is_ok_and(|(reply, _)| matches!(reply.outcome, Outcome::Stored(_)));
        assert!(stored, "call {call}: {answer:?}\n{}", cloud.logs());
    }

    let asked = vec![request_frame(1, &cloud, &capability, patient::get(record(0)))];
    let answers = converse(&cloud, leader, asked).await;
    let (_, body) = answers[&1].as_ref().unwrap();
    assert!(body.as_ref() == Some(&large), "the document came back byte for byte");
    // A unary call has no place for pieces.
    let asked = patient::request(patient::sign(&cloud, &capability), patient::get(record(0)));
    assert_eq!(cloud.ask_at(leader, asked).await.unwrap_err().code, ErrorCode::TooLarge);
}

#[tokio::test]
async fn one_bad_frame_spoils_only_its_call() {
    let cloud = TestCloud::founded().await;
    let patient = Patient::new(8);
    let leader = cloud.leader(cloud.group_of(patient.slot()).await).await;
    let capability = patient.writing(&cloud, &[(record(1), 1)]);
    let too_long = Bytes::from(vec![1; BODY_MAX_BYTES + 1]);
    let put = Operation::Put(patient::put(record(1), 1, 24_000, "summary", PutBody::InPieces));
    let mut frames = vec![
        request_frame(1, &cloud, &capability, patient::timeline()),
        request_frame(2, &cloud, &capability, put.clone()),
    ];
    frames.extend(piece_frames(2, &too_long));
    // A put whose pieces never come, given up.
    frames.push(request_frame(3, &cloud, &capability, put));
    frames.push(RequestFrame { call: CallId(3), item: RequestItem::Cancel });
    frames.push(request_frame(4, &cloud, &capability, patient::timeline()));
    let answers = converse(&cloud, leader, frames).await;
    assert_eq!(answers[&2].as_ref().unwrap_err().code, ErrorCode::TooLarge);
    assert!(answers[&1].is_ok(), "{:?}", answers[&1]);
    assert!(answers[&4].is_ok(), "{:?}", answers[&4]);
    assert!(!answers.contains_key(&3), "a cancelled call is answered to nobody");
}
