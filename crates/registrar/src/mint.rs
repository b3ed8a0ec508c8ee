//! Minting: tickets for the clouds of a footprint, through every key holder.
//!
//! [`Drafts`] are what is fixed before key holders are asked: headers, and blinded points. [`Mixer`] takes points of all
//! check-ins of a few milliseconds together, shuffles them, and carries them through the key holders, one after the other.
//! What comes back is unblinded, sealed and signed.
//!
//! Nothing that a key holder sees names a check-in: points of one come in calls of their own order, under digests of
//! salted headers.

mod drafts;
mod holders;
mod mixer;
mod mixing;

pub(crate) use drafts::{Drafts, Ticketing};
pub(crate) use holders::{Holder, Holders};
pub(crate) use mixer::{Mint, Mixer};

use renkei_envelope::SealedShareForm;
use renkei_ids::{CloudId, HeaderDigest, KeyholderId, PseudonymEpoch, UnixDay};
use renkei_pseudonym::{BlindedPoint, MaskedPoint};

/// A point on its way to the key holders.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) day: UnixDay,
    pub(crate) cloud: CloudId,
    pub(crate) epoch: PseudonymEpoch,
    pub(crate) digest: HeaderDigest,
    pub(crate) point: BlindedPoint,
}

/// A point that every key holder has masked, and what they sealed.
#[derive(Debug)]
pub(crate) struct Translated {
    pub(crate) point: MaskedPoint,
    pub(crate) shares: Vec<(KeyholderId, SealedShareForm)>,
}
