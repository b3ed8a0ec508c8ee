use crate::bounds::{InvalidSize, filled};
use crate::limits::PIECE_MAX_BYTES;
use crate::pb::node::v1 as pb;
use crate::{BodyPiece, Refusal};

/// A piece that no body has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBodyPiece {
    /// It is empty, so that it would bring the body no further, or over its limit.
    #[error("piece of a body")]
    Data(#[source] InvalidSize),
}

impl TryFrom<pb::BodyPiece> for BodyPiece {
    type Error = InvalidBodyPiece;

    fn try_from(message: pb::BodyPiece) -> Result<Self, InvalidBodyPiece> {
        let pb::BodyPiece { data, last } = message;
        Ok(Self { data: filled(data, PIECE_MAX_BYTES).map_err(InvalidBodyPiece::Data)?, last })
    }
}

impl From<BodyPiece> for pb::BodyPiece {
    fn from(piece: BodyPiece) -> Self {
        let BodyPiece { data, last } = piece;
        Self { data, last }
    }
}

impl From<InvalidBodyPiece> for Refusal {
    fn from(invalid: InvalidBodyPiece) -> Self {
        match invalid {
            InvalidBodyPiece::Data(size) => size.refusal("piece.data"),
        }
    }
}
