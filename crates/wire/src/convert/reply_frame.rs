use super::{InvalidBodyPiece, InvalidReply};
use crate::pb::node::v1 as pb;
use crate::{CallId, InvalidRefusal, Refusal, ReplyFrame, ReplyItem};

/// A frame of a node that does not read, and the call that it was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("answer of call {}", call.0)]
pub struct InvalidReplyFrame {
    /// Which call.
    pub call: CallId,
    /// What is wrong.
    #[source]
    pub reason: InvalidReplyItem,
}

/// What is wrong with a frame of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReplyItem {
    /// There is nothing in it, or something that this build does not know.
    #[error("frame is empty or of an unknown kind")]
    NoFrame,
    /// The reply in it.
    #[error("reply in a frame")]
    Reply(#[from] InvalidReply),
    /// The refusal in it.
    #[error("refusal in a frame")]
    Refusal(#[from] InvalidRefusal),
    /// The piece of a body in it.
    #[error("piece in a frame")]
    Piece(#[from] InvalidBodyPiece),
}

impl TryFrom<pb::ReplyFrame> for ReplyFrame {
    type Error = InvalidReplyFrame;

    fn try_from(message: pb::ReplyFrame) -> Result<Self, InvalidReplyFrame> {
        let pb::ReplyFrame { call, frame } = message;
        let call = CallId(call);
        let item = frame
            .ok_or(InvalidReplyItem::NoFrame)
            .and_then(ReplyItem::try_from)
            .map_err(|reason| InvalidReplyFrame { call, reason })?;
        Ok(Self { call, item })
    }
}

impl TryFrom<pb::reply_frame::Frame> for ReplyItem {
    type Error = InvalidReplyItem;

    fn try_from(message: pb::reply_frame::Frame) -> Result<Self, InvalidReplyItem> {
        Ok(match message {
            pb::reply_frame::Frame::Reply(reply) => Self::Reply(Box::new(reply.try_into()?)),
            pb::reply_frame::Frame::Refusal(refusal) => Self::Refusal(Refusal::try_from(refusal)?),
            pb::reply_frame::Frame::Piece(piece) => Self::Piece(piece.try_into()?),
        })
    }
}

impl From<ReplyFrame> for pb::ReplyFrame {
    fn from(frame: ReplyFrame) -> Self {
        let ReplyFrame { call: CallId(call), item } = frame;
        let frame = match item {
            ReplyItem::Reply(reply) => pb::reply_frame::Frame::Reply((*reply).into()),
            ReplyItem::Refusal(refusal) => pb::reply_frame::Frame::Refusal(refusal.into()),
            ReplyItem::Piece(piece) => pb::reply_frame::Frame::Piece(piece.into()),
        };
        Self { call, frame: Some(frame) }
    }
}
