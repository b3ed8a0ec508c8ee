use super::InvalidPeerFrame;
use crate::Refusal;
use crate::bounds::{InvalidSize, at_most};
use crate::limits::FRAMES_MAX;
use crate::pb::peer::v1 as pb;
use crate::peer::{Lane, PeerFrame, PeerFrames};

/// A message of a stream between nodes that does not read; its stream is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeerFrames {
    /// The lane is missing, or one that this build does not know.
    #[error("lane {0} is unknown")]
    Lane(i32),
    /// More frames than a message takes.
    #[error("frames of a message")]
    Size(#[source] InvalidSize),
    /// One of the frames.
    #[error("frame between nodes")]
    Frame(#[from] InvalidPeerFrame),
}

impl TryFrom<pb::PeerFrames> for PeerFrames {
    type Error = InvalidPeerFrames;

    fn try_from(message: pb::PeerFrames) -> Result<Self, InvalidPeerFrames> {
        let pb::PeerFrames { lane: raw_lane, frames } = message;
        at_most(frames.len(), FRAMES_MAX).map_err(InvalidPeerFrames::Size)?;
        Ok(Self {
            lane: lane(raw_lane)?,
            frames: frames.into_iter().map(PeerFrame::try_from).collect::<Result<_, _>>()?,
        })
    }
}

fn lane(raw: i32) -> Result<Lane, InvalidPeerFrames> {
    match pb::Lane::try_from(raw) {
        Ok(pb::Lane::Append) => Ok(Lane::Append),
        Ok(pb::Lane::Control) => Ok(Lane::Control),
        Ok(pb::Lane::Snapshot) => Ok(Lane::Snapshot),
        Ok(pb::Lane::Unspecified) | Err(_) => Err(InvalidPeerFrames::Lane(raw)),
    }
}

impl From<PeerFrames> for pb::PeerFrames {
    fn from(message: PeerFrames) -> Self {
        let PeerFrames { lane, frames } = message;
        let lane = match lane {
            Lane::Append => pb::Lane::Append,
            Lane::Control => pb::Lane::Control,
            Lane::Snapshot => pb::Lane::Snapshot,
        };
        Self { lane: lane.into(), frames: frames.into_iter().map(Into::into).collect() }
    }
}

impl From<InvalidPeerFrames> for Refusal {
    fn from(invalid: InvalidPeerFrames) -> Self {
        match invalid {
            InvalidPeerFrames::Lane(_) => Self::invalid("lane"),
            InvalidPeerFrames::Size(size) => size.refusal("frames"),
            InvalidPeerFrames::Frame(InvalidPeerFrame::Cloud(_)) => Self::invalid("frames.cloud"),
            InvalidPeerFrames::Frame(InvalidPeerFrame::From) => Self::invalid("frames.from_replica"),
            InvalidPeerFrames::Frame(InvalidPeerFrame::To) => Self::invalid("frames.to_replica"),
            InvalidPeerFrames::Frame(InvalidPeerFrame::Data(size)) => size.refusal("frames.data"),
            InvalidPeerFrames::Frame(InvalidPeerFrame::RefusedWithData) => Self::invalid("frames.refused"),
        }
    }
}
