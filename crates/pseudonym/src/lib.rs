//! Pseudonyms of which each party holds a part: the registrar knows the person, key holders know factors, the vault sees
//! the result, and nobody knows two of these.
//!
//! Invariant: pure. Randomness is an argument; no clock, no disk, no network. Every secret is zeroised when dropped and
//! never shown. What comes from outside is decoded canonically, and the identity and zero are refused.
//!
//! # The algebra
//!
//! In ristretto255, written additively; `H` is RFC 9497's hash to the group of the suite ristretto255-SHA512:
//!
//! ```text
//! registrar     M = H(person)                      b random            X0 = b·M
//! key holder j  s_j of (cloud, epoch)              t_j random          Xj = (s_j·t_j)·X(j-1), and the share 1/t_j
//! registrar     T = (1/b)·Xn                       in transit: T = (t_1 ⋯ t_n)·P
//! vault         P = (1/t_1 ⋯ 1/t_n)·T              the pseudonym: P = (s_1 ⋯ s_n)·M
//! ```
//!
//! Every `X` and `T` is a random point to whoever lacks the random factors in it: a key holder cannot tell a person it
//! has seen before, the registrar never sees `P`, and what is in transit names nobody without every share. Two clouds'
//! pseudonyms of a person differ by a factor that nobody holds. There is no conversion between clouds: a point goes to the
//! key holders only as a registrar's blinding of a person, which is what takes the linear-packing attack away. A new epoch
//! is minted like a new cloud.
//!
//! The design follows Belgium's blind pseudonymisation and Lehmann's convertible PRF (PETS 2019) in parts; as a whole it
//! has no published proof and **awaits expert review**.
//!
//! # The order of things
//!
//! Each state is a type, and a wrong order does not compile:
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
//!
//! use renkei_ids::{CloudId, PseudonymEpoch, Random};
//! use renkei_pseudonym::{FactorSecret, Person, Unmask, blind, translate};
//!
//! struct Counting(AtomicU64); // For this example only: a service draws from its system.
//! impl Random for Counting {
//!     fn fill(&self, into: &mut [u8]) {
//!         let next = self.0.fetch_add(1, Relaxed).to_be_bytes();
//!         into.iter_mut().zip(next.into_iter().cycle()).for_each(|(byte, next)| *byte = next);
//!     }
//! }
//!
//! let (cloud, epoch) = (CloudId::from_bytes([7; 16]), PseudonymEpoch(1));
//! let holders = [1, 2].map(|seed| FactorSecret::from_bytes([seed; 32]).factor(cloud, epoch));
//! let random = Counting(AtomicU64::new(1));
//! let person = Person::new(&[9; 32], 0);
//!
//! // Each check-in mints anew, and each is opened to the same pseudonym.
//! let mint_and_open = || -> Result<_, Box<dyn std::error::Error>> {
//!     let (unblind, first) = blind(&[&person], &random)?.remove(0);
//!     let one = translate(&[(&holders[0], &first)], &random)?.remove(0);
//!     let two = translate(&[(&holders[1], &one.point.onward())], &random)?.remove(0);
//!     let in_transit = unblind.finish(&two.point);
//!     Ok(Unmask::new(&[one.share, two.share])?.open(&in_transit))
//! };
//! assert!(mint_and_open()? == mint_and_open()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A point that no key holder has masked is never unblinded, for that would be the person's own point:
//!
//! ```compile_fail,E0308
//! # use renkei_pseudonym::*;
//! fn too_early(unblind: Unblind, blinded: BlindedPoint) -> TransitPoint {
//!     unblind.finish(&blinded)
//! }
//! ```
//!
//! A blinding serves once:
//!
//! ```compile_fail,E0382
//! # use renkei_pseudonym::*;
//! fn twice(unblind: Unblind, one: &MaskedPoint, other: &MaskedPoint) -> [TransitPoint; 2] {
//!     [unblind.finish(one), unblind.finish(other)]
//! }
//! ```
//!
//! Shares do not open what is still blinded:
//!
//! ```compile_fail,E0308
//! # use renkei_pseudonym::*;
//! fn still_blinded(unmask: &Unmask, masked: &MaskedPoint) -> PseudonymPoint {
//!     unmask.open(masked)
//! }
//! ```
//!
//! What is in transit is no pseudonym:
//!
//! ```compile_fail,E0308
//! # use renkei_pseudonym::*;
//! fn unopened(in_transit: TransitPoint) -> PseudonymPoint {
//!     in_transit
//! }
//! ```
//!
//! And nothing that a vault has seen goes to a key holder, neither the pseudonym nor what was in transit, so that no
//! cloud's pseudonym is made into another's:
//!
//! ```compile_fail,E0308
//! # use renkei_pseudonym::*;
//! fn convert(factor: &Factor, pseudonym: &PseudonymPoint, random: &dyn renkei_ids::Random) {
//!     let _ = translate(&[(factor, pseudonym)], random);
//! }
//! ```
//!
//! ```compile_fail,E0308
//! # use renkei_pseudonym::*;
//! fn forward(factor: &Factor, in_transit: &TransitPoint, random: &dyn renkei_ids::Random) {
//!     let _ = translate(&[(factor, in_transit)], random);
//! }
//! ```

mod group;
mod holder;
mod person;
mod point;
mod secret;
mod vault;

pub use holder::{Factor, FactorSecret, Translated, translate};
pub use person::{Person, Unblind, blind};
pub use point::{BlindedPoint, InvalidPoint, MaskedPoint, PseudonymPoint, TransitPoint};
pub use vault::{InvalidShare, NoShares, Share, Unmask};

/// Most points of one batch.
pub const BATCH_MAX: usize = 64;

/// More points than one batch takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a batch takes {BATCH_MAX} points, got {0}")]
pub struct BatchTooLong(pub usize);

fn check_batch(len: usize) -> Result<(), BatchTooLong> {
    if len > BATCH_MAX { Err(BatchTooLong(len)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
