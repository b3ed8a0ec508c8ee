//! Frames of the stream between a gateway and a node: many calls, interleaved.

use crate::{BodyPiece, CallId, NodeReply, NodeRequest, Refusal};

/// What a caller sends for one of its calls.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestFrame {
    /// Which call.
    pub call: CallId,
    /// What is sent for it.
    pub item: RequestItem,
}

/// What a caller sends. `Debug` of what is inside shows nothing of a patient.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestItem {
    /// The request; opens the call.
    Request(Box<NodeRequest>),
    /// The next piece of the body of the call's put.
    Piece(BodyPiece),
    /// The caller no longer waits; what was proposed is not undone.
    Cancel,
}

/// What a node sends for one call.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplyFrame {
    /// Which call.
    pub call: CallId,
    /// What is sent for it.
    pub item: ReplyItem,
}

/// What a node sends. `Debug` of what is inside shows nothing of a patient.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyItem {
    /// The answer; ends the call unless the body of its record is to follow.
    Reply(Box<NodeReply>),
    /// The refusal; ends the call, even in the middle of a body.
    Refusal(Refusal),
    /// The next piece of the body of the reply's record; the last one ends the call.
    Piece(BodyPiece),
}

impl ReplyFrame {
    /// Bytes of ciphertext and audit rows in the frame, for filling messages up to their limit.
    pub fn content_bytes(&self) -> usize {
        match &self.item {
            ReplyItem::Reply(reply) => reply.content_bytes(),
            ReplyItem::Piece(piece) => piece.data.len(),
            ReplyItem::Refusal(_) => 0,
        }
    }
}
