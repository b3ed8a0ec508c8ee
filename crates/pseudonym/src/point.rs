//! Points in their states. Each is a type of its own, so that none is taken for another.

use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::Identity as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::secret::hidden;

/// Bytes that are no point here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPoint {
    /// Not 32 bytes.
    #[error("a point takes 32 bytes, got {0}")]
    Length(usize),
    /// Not the one encoding of an element of ristretto255.
    #[error("no canonical encoding of a point")]
    Encoding,
    /// The identity, which is nobody's.
    #[error("the identity is no point of anybody")]
    Identity,
}

macro_rules! point {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
        pub struct $name(pub(crate) RistrettoPoint);

        hidden!($name);
    };
}

/// Of those points that travel.
macro_rules! encoded {
    ($name:ident) => {
        impl $name {
            /// The canonical encoding.
            pub fn encode(&self) -> [u8; 32] {
                self.0.compress().to_bytes()
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = InvalidPoint;

            fn try_from(bytes: &[u8]) -> Result<Self, InvalidPoint> {
                decode(bytes).map(Self)
            }
        }
    };
}

point!(
    /// What goes to a key holder: blinded by the registrar, and perhaps masked by key holders before this one.
    BlindedPoint
);
encoded!(BlindedPoint);
point!(
    /// What comes from a key holder: blinded by the registrar and masked by this key holder at least.
    MaskedPoint
);
encoded!(MaskedPoint);
point!(
    /// T: what a ticket holds. The shares of every key holder make it the pseudonym.
    TransitPoint
);
encoded!(TransitPoint);
point!(
    /// P: a person's pseudonym in one cloud and epoch. In a vault while a ticket is open, never stored, never sent.
    PseudonymPoint
);

impl MaskedPoint {
    /// The same point on its way to the next key holder.
    #[must_use]
    pub fn onward(&self) -> BlindedPoint {
        BlindedPoint(self.0)
    }
}

impl PseudonymPoint {
    /// The canonical encoding, which keys and the index are derived from.
    pub fn encode(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.compress().to_bytes())
    }
}

fn decode(bytes: &[u8]) -> Result<RistrettoPoint, InvalidPoint> {
    let bytes = bytes.try_into().map_err(|_| InvalidPoint::Length(bytes.len()))?;
    let point = CompressedRistretto(bytes).decompress().ok_or(InvalidPoint::Encoding)?;
    if point == RistrettoPoint::identity() { Err(InvalidPoint::Identity) } else { Ok(point) }
}
