//! The vault's side: shares, and opening.

use curve25519_dalek::Scalar;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::secret::hidden;
use crate::{PseudonymPoint, TransitPoint};

/// 1/t_j: what takes one key holder's mask off one point. Never zero.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Share(pub(crate) Scalar);

/// What takes the masks of all key holders off one point.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Unmask(Scalar);

hidden!(Share Unmask);

/// Bytes that are no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidShare {
    /// Not 32 bytes.
    #[error("a share takes 32 bytes, got {0}")]
    Length(usize),
    /// Not the one encoding of a scalar below the order.
    #[error("no canonical encoding of a share")]
    Encoding,
    /// Zero, which would make everybody's point the same.
    #[error("zero is no share")]
    Zero,
}

/// Without a share there is nothing to open by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a point in transit opens with the share of every key holder, and none was given")]
pub struct NoShares;

impl Share {
    /// The canonical encoding, for sealing.
    pub fn encode(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }
}

impl TryFrom<&[u8]> for Share {
    type Error = InvalidShare;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidShare> {
        let bytes = bytes.try_into().map(Zeroizing::new).map_err(|_| InvalidShare::Length(bytes.len()))?;
        let scalar = Scalar::from_canonical_bytes(*bytes).into_option().ok_or(InvalidShare::Encoding)?;
        if scalar == Scalar::ZERO { Err(InvalidShare::Zero) } else { Ok(Self(scalar)) }
    }
}

impl Unmask {
    /// From the share of every key holder, in any order. Whether they are all there shows in what opens: with one too few,
    /// or one of another ticket, a point that is nobody's.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(shares: &[Share]) -> Result<Self, NoShares> {
        let (first, others) = shares.split_first().ok_or(NoShares)?;
        let mut product = Self(first.0);
        others.iter().for_each(|share| product.0 *= share.0);
        Ok(product)
    }

    /// Opens what is in transit.
    pub fn open(&self, in_transit: &TransitPoint) -> PseudonymPoint {
        PseudonymPoint(self.0 * in_transit.0)
    }
}
