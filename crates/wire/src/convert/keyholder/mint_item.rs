use renkei_ids::{CloudId, HeaderDigest, InvalidLength, PseudonymEpoch};
use renkei_pseudonym::{BlindedPoint, InvalidPoint};

use super::super::copied;
use crate::Refusal;
use crate::keyholder::MintItem;
use crate::pb::keyholder::v1 as pb;

/// A point that cannot be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMintItem {
    /// The audience.
    #[error("cloud of a mint")]
    Cloud(#[source] InvalidLength),
    /// Epochs begin with 1.
    #[error("epoch of a mint")]
    Epoch,
    /// The point.
    #[error("point of a mint")]
    Point(#[source] InvalidPoint),
    /// The ticket.
    #[error("header digest of a mint")]
    Digest(#[source] InvalidLength),
}

impl TryFrom<pb::MintItem> for MintItem {
    type Error = InvalidMintItem;

    fn try_from(message: pb::MintItem) -> Result<Self, InvalidMintItem> {
        let pb::MintItem { cloud, epoch, point, header_digest } = message;
        if epoch == 0 {
            return Err(InvalidMintItem::Epoch);
        }
        Ok(Self {
            cloud: CloudId::try_from(&cloud[..]).map_err(InvalidMintItem::Cloud)?,
            epoch: PseudonymEpoch(epoch),
            point: BlindedPoint::try_from(&point[..]).map_err(InvalidMintItem::Point)?,
            digest: HeaderDigest::try_from(&header_digest[..]).map_err(InvalidMintItem::Digest)?,
        })
    }
}

impl From<MintItem> for pb::MintItem {
    fn from(item: MintItem) -> Self {
        let MintItem { cloud, epoch, point, digest } = item;
        Self {
            cloud: copied(cloud.as_bytes()),
            epoch: epoch.0,
            point: copied(&point.encode()),
            header_digest: copied(digest.as_bytes()),
        }
    }
}

impl From<InvalidMintItem> for Refusal {
    fn from(invalid: InvalidMintItem) -> Self {
        Self::invalid(match invalid {
            InvalidMintItem::Cloud(_) => "items.cloud",
            InvalidMintItem::Epoch => "items.epoch",
            InvalidMintItem::Point(_) => "items.point",
            InvalidMintItem::Digest(_) => "items.header_digest",
        })
    }
}
