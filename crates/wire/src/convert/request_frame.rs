use super::{InvalidBodyPiece, InvalidRequest};
use crate::pb::node::v1 as pb;
use crate::{CallId, Refusal, RequestFrame, RequestItem};

/// A frame that cannot be served, and the call to refuse for it. The other calls of the stream go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame of call {}", call.0)]
pub struct InvalidRequestFrame {
    /// Which call.
    pub call: CallId,
    /// What is wrong.
    #[source]
    pub reason: InvalidRequestItem,
}

/// What is wrong with a frame of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequestItem {
    /// There is nothing in it, or something that this build does not know.
    #[error("frame is empty or of an unknown kind")]
    NoFrame,
    /// The request in it.
    #[error("request in a frame")]
    Request(#[from] InvalidRequest),
    /// The piece of a body in it.
    #[error("piece in a frame")]
    Piece(#[from] InvalidBodyPiece),
}

impl TryFrom<pb::RequestFrame> for RequestFrame {
    type Error = InvalidRequestFrame;

    fn try_from(message: pb::RequestFrame) -> Result<Self, InvalidRequestFrame> {
        let pb::RequestFrame { call, frame } = message;
        let call = CallId(call);
        let item = frame
            .ok_or(InvalidRequestItem::NoFrame)
            .and_then(RequestItem::try_from)
            .map_err(|reason| InvalidRequestFrame { call, reason })?;
        Ok(Self { call, item })
    }
}

impl TryFrom<pb::request_frame::Frame> for RequestItem {
    type Error = InvalidRequestItem;

    fn try_from(message: pb::request_frame::Frame) -> Result<Self, InvalidRequestItem> {
        Ok(match message {
            pb::request_frame::Frame::Request(request) => Self::Request(Box::new(request.try_into()?)),
            pb::request_frame::Frame::Piece(piece) => Self::Piece(piece.try_into()?),
            pb::request_frame::Frame::Cancel(pb::Cancel {}) => Self::Cancel,
        })
    }
}

impl From<RequestFrame> for pb::RequestFrame {
    fn from(frame: RequestFrame) -> Self {
        let RequestFrame { call: CallId(call), item } = frame;
        let frame = match item {
            RequestItem::Request(request) => pb::request_frame::Frame::Request((*request).into()),
            RequestItem::Piece(piece) => pb::request_frame::Frame::Piece(piece.into()),
            RequestItem::Cancel => pb::request_frame::Frame::Cancel(pb::Cancel {}),
        };
        Self { call, frame: Some(frame) }
    }
}

impl From<InvalidRequestItem> for Refusal {
    fn from(invalid: InvalidRequestItem) -> Self {
        match invalid {
            InvalidRequestItem::NoFrame => Self::invalid("frame"),
            InvalidRequestItem::Request(invalid) => invalid.into(),
            InvalidRequestItem::Piece(invalid) => invalid.into(),
        }
    }
}
