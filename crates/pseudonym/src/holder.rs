//! A key holder's side: its factors, and translation.

use aws_lc_rs::hmac;
use curve25519_dalek::Scalar;
use renkei_ids::{CloudId, PseudonymEpoch, Random};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::group::{hash_to_scalar, random_pairs};
use crate::secret::{hidden, secret};
use crate::{BatchTooLong, BlindedPoint, MaskedPoint, Share, check_batch};

const FACTOR: &[u8] = b"renkei 2026-11 factor\0";
const FACTOR_DOMAIN: &[u8] = b"renkei factor-";

secret!(
    /// What a key holder's factors of one epoch grow from. It never leaves its key holder, and is destroyed when the
    /// epoch is given up.
    FactorSecret
);

/// s_j: one key holder's factor of one cloud's pseudonym key in one epoch. Never zero.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Factor(pub(crate) Scalar);

hidden!(Factor);

impl FactorSecret {
    /// The factor of a cloud and an epoch: HMAC-SHA-512 under this secret, hashed to a scalar.
    pub fn factor(&self, cloud: CloudId, epoch: PseudonymEpoch) -> Factor {
        let key = hmac::Key::new(hmac::HMAC_SHA512, &self.0);
        let candidate = |attempt: u8| {
            let message = [FACTOR, cloud.as_bytes(), &epoch.0.to_be_bytes(), &[attempt]].concat();
            hash_to_scalar(hmac::sign(&key, &message).as_ref(), FACTOR_DOMAIN)
        };
        let factor = (0..=u8::MAX).map(candidate).find(|factor| *factor != Scalar::ZERO);
        Factor(factor.expect("that 256 hashes are all zero has a chance of 2 to the power of -64,000"))
    }
}

/// What a key holder gives for one point.
#[derive(Debug)]
pub struct Translated {
    /// For the registrar, to go to the next key holder or to be unblinded.
    pub point: MaskedPoint,
    /// For the vault, sealed.
    pub share: Share,
}

/// Translates up to [`BATCH_MAX`](crate::BATCH_MAX) points, each under its factor and a random mask of its own, in their
/// order. The same point twice gives two answers that nobody can link.
///
/// # Errors
/// When there are more.
pub fn translate(points: &[(&Factor, &BlindedPoint)], source: &dyn Random) -> Result<Vec<Translated>, BatchTooLong> {
    check_batch(points.len())?;
    let (masks, inverses) = random_pairs(points.len(), source);
    let masked = points.iter().zip(masks.iter().zip(inverses.iter()));
    Ok(masked
        .map(|((factor, point), (mask, inverse))| Translated {
            point: MaskedPoint((factor.0 * mask) * point.0),
            share: Share(*inverse),
        })
        .collect())
}
