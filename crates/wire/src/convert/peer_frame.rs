use bytes::Bytes;
use renkei_ids::{CloudId, GroupId, ReplicaId};

use super::copied;
use crate::CallId;
use crate::bounds::{InvalidSize, at_most, filled};
use crate::limits::PIECE_MAX_BYTES;
use crate::pb::peer::v1 as pb;
use crate::peer::{PeerFrame, PeerPayload};

/// A frame that no replica can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeerFrame {
    /// The cloud's id does not have 16 bytes.
    #[error("cloud id of a frame takes 16 bytes, got {0}")]
    Cloud(usize),
    /// The sending replica is missing or 0.
    #[error("sender of a frame is 0")]
    From,
    /// The replica that is meant is missing or 0.
    #[error("receiver of a frame is 0")]
    To,
    /// The data: over its limit, or a piece in the middle that is empty.
    #[error("data of a frame")]
    Data(#[source] InvalidSize),
    /// A refusal that carries data or is to go on.
    #[error("refusal in a frame carries more than its number")]
    RefusedWithData,
}

impl TryFrom<pb::PeerFrame> for PeerFrame {
    type Error = InvalidPeerFrame;

    fn try_from(message: pb::PeerFrame) -> Result<Self, InvalidPeerFrame> {
        let pb::PeerFrame { cloud, group, from_replica, to_replica, call, data, more, refused } = message;
        if from_replica == 0 {
            return Err(InvalidPeerFrame::From);
        }
        if to_replica == 0 {
            return Err(InvalidPeerFrame::To);
        }
        Ok(Self {
            cloud: CloudId::try_from(&cloud[..]).map_err(|_| InvalidPeerFrame::Cloud(cloud.len()))?,
            group: GroupId(group),
            from: ReplicaId(from_replica),
            to: ReplicaId(to_replica),
            call: CallId(call),
            payload: payload(data, more, refused)?,
        })
    }
}

fn payload(data: Bytes, more: bool, refused: Option<u32>) -> Result<PeerPayload, InvalidPeerFrame> {
    match (refused, more) {
        (None, true) => filled(data, PIECE_MAX_BYTES).map(PeerPayload::Piece).map_err(InvalidPeerFrame::Data),
        (None, false) => {
            at_most(data.len(), PIECE_MAX_BYTES).map_err(InvalidPeerFrame::Data)?;
            Ok(PeerPayload::End(data))
        }
        (Some(number), false) if data.is_empty() => Ok(PeerPayload::Refused(number)),
        (Some(_), _) => Err(InvalidPeerFrame::RefusedWithData),
    }
}

impl From<PeerFrame> for pb::PeerFrame {
    fn from(frame: PeerFrame) -> Self {
        let PeerFrame { cloud, group, from, to, call, payload } = frame;
        let (data, more, refused) = match payload {
            PeerPayload::Piece(data) => (data, true, None),
            PeerPayload::End(data) => (data, false, None),
            PeerPayload::Refused(number) => (Bytes::new(), false, Some(number)),
        };
        Self {
            cloud: copied(cloud.as_bytes()),
            group: group.0,
            from_replica: from.0,
            to_replica: to.0,
            call: call.0,
            data,
            more,
            refused,
        }
    }
}
