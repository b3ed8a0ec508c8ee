//! What one side builds the other side reads, through encoded bytes; bytes of anyone else never panic.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use renkei_wire::peer::PeerFrames;
use renkei_wire::{CallId, NodeReply, NodeRequest, ReplyFrame, ReplyItem, RequestFrame, RequestItem, pb, pieces};

use crate::arbitrary;

/// As the transport does it: encoded, then decoded.
fn over_the_wire<M: Message + Default>(message: &M) -> M {
    M::decode(Bytes::from(message.encode_to_vec())).expect("it was encoded as the same message")
}

proptest! {
    #[test]
    fn a_request_reads_back(request in arbitrary::request()) {
        let message = over_the_wire(&pb::node::v1::Request::from(request.clone()));
        prop_assert!(NodeRequest::try_from(message) == Ok(request));
    }

    #[test]
    fn a_reply_reads_back(reply in arbitrary::reply()) {
        let message = over_the_wire(&pb::node::v1::Reply::from(reply.clone()));
        prop_assert!(NodeReply::try_from(message) == Ok(reply));
    }

    #[test]
    fn frames_between_nodes_read_back(frames in arbitrary::peer_frames()) {
        let message = over_the_wire(&pb::peer::v1::PeerFrames::from(frames.clone()));
        prop_assert!(PeerFrames::try_from(message) == Ok(frames));
    }

    #[test]
    fn frames_of_a_call_read_back(request in arbitrary::request(), body in arbitrary::sealed(2_000), call: u64) {
        let call = CallId(call);
        let mut items = vec![RequestItem::Request(Box::new(request))];
        items.extend(pieces(body).map(RequestItem::Piece));
        items.push(RequestItem::Cancel);
        let frames: Vec<_> = items.into_iter().map(|item| RequestFrame { call, item }).collect();
        let message = over_the_wire(&frames.iter().cloned().collect::<pb::node::v1::RequestFrames>());
        let read: Result<Vec<_>, _> = message.into_frames().expect("there are a few").collect();
        prop_assert!(read == Ok(frames));
    }

    #[test]
    fn frames_of_an_answer_read_back(reply in arbitrary::reply(), body in arbitrary::sealed(2_000), call: u64) {
        let call = CallId(call);
        let mut items = vec![ReplyItem::Reply(Box::new(reply))];
        items.extend(pieces(body).map(ReplyItem::Piece));
        items.push(ReplyItem::Refusal(renkei_wire::Refusal::invalid("put.body")));
        let frames: Vec<_> = items.into_iter().map(|item| ReplyFrame { call, item }).collect();
        let message = over_the_wire(&frames.iter().cloned().collect::<pb::node::v1::ReplyFrames>());
        let read: Result<Vec<_>, _> = message.into_frames().expect("there are a few").collect();
        prop_assert!(read == Ok(frames));
    }

    /// A valid message with one byte changed: nearer to the checks than random bytes come.
    #[test]
    fn a_spoilt_message_is_read_or_refused(request in arbitrary::request(), at: prop::sample::Index, byte: u8) {
        let mut bytes = pb::node::v1::Request::from(request).encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(message) = pb::node::v1::Request::decode(&bytes[..])
            && let Ok(request) = NodeRequest::try_from(message)
        {
            let again = pb::node::v1::Request::from(request.clone());
            prop_assert!(NodeRequest::try_from(again) == Ok(request));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        let read = pb::node::v1::RequestFrames::decode(&bytes[..]).map(pb::node::v1::RequestFrames::into_frames);
        if let Ok(Ok(frames)) = read {
            frames.for_each(drop);
        }
        let read = pb::node::v1::ReplyFrames::decode(&bytes[..]).map(pb::node::v1::ReplyFrames::into_frames);
        if let Ok(Ok(frames)) = read {
            frames.for_each(drop);
        }
        drop(pb::peer::v1::PeerFrames::decode(&bytes[..]).map(PeerFrames::try_from));
    }
}
