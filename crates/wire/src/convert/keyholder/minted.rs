use renkei_envelope::SealedShareForm;
use renkei_ids::InvalidLength;
use renkei_pseudonym::{InvalidPoint, MaskedPoint};

use super::super::copied;
use crate::keyholder::Minted;
use crate::pb::keyholder::v1 as pb;

/// A translation that no key holder answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMinted {
    /// The point.
    #[error("translated point")]
    Point(#[source] InvalidPoint),
    /// The share.
    #[error("sealed share")]
    Share(#[source] InvalidLength),
}

impl TryFrom<pb::Minted> for Minted {
    type Error = InvalidMinted;

    fn try_from(message: pb::Minted) -> Result<Self, InvalidMinted> {
        let pb::Minted { point, sealed_share } = message;
        Ok(Self {
            point: MaskedPoint::try_from(&point[..]).map_err(InvalidMinted::Point)?,
            share: SealedShareForm::try_from(sealed_share).map_err(InvalidMinted::Share)?,
        })
    }
}

impl From<Minted> for pb::Minted {
    fn from(minted: Minted) -> Self {
        let Minted { point, share } = minted;
        Self { point: copied(&point.encode()), sealed_share: share.as_bytes().clone() }
    }
}
