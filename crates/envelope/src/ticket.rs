//! What a ticket's sealed parts are: key holders' shares and the registrar's claims, which the audience's vault opens with
//! ticket keys of the day; and the commitments, which the serving cell opens with its own.
//!
//! Each is bound to the digest of the header that it was sealed for, so that no part of one ticket serves in another.
//!
//! Inside the claims: flags 1 (bit 0: probe, bit 1: under two epochs) | person mark 16 | binding 16 | for each epoch:
//! epoch 4, big-endian | point in transit 32.

use bytes::Bytes;
use renkei_ids::{BindingId, CloudId, HeaderDigest, KeyholderId, PersonId, PersonMark, PseudonymEpoch, UnixDay};

use crate::kdf::{Label, derive_key, derive_tag};
use crate::seal::{SEAL_OVERHEAD, open, open_secret, seal};
use crate::sealed::sealed_form;
use crate::secret::secret;
use crate::{InvalidSealed, Random};

const TICKET_KEY: Label = Label("renkei 2026-11 day secret to ticket keys");
const SHARE: Label = Label("renkei 2026-11 sealed share");
const CLAIMS: Label = Label("renkei 2026-11 sealed claims");
const MARK: Label = Label("renkei 2026-11 person mark");

const PROBE: u8 = 1;
const ROTATING: u8 = 2;

secret!(
    /// What one party's ticket keys of one day grow from. A key holder or a registrar draws it for the day, and destroys
    /// it when the day's last ticket has ended.
    DaySecret
);
secret!(
    /// Seals what one party says to one cloud's vault in the tickets of one day. In vaults in memory only.
    TicketKey
);
secret!(
    /// 1/t: a key holder's share as the protocol of pseudonyms encodes it.
    EncodedShare
);
secret!(
    /// T: a point in transit as the protocol of pseudonyms encodes it.
    EncodedPoint
);
secret!(
    /// The registrar's key of person marks.
    MarkKey
);
sealed_form!(
    /// A share under a ticket key.
    SealedShareForm, SEAL_OVERHEAD + 32
);

/// What a share is for: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct SharePlace {
    /// The ticket.
    pub digest: HeaderDigest,
    /// Who seals it.
    pub holder: KeyholderId,
    /// The epoch that it was translated under.
    pub epoch: PseudonymEpoch,
}

/// What a registrar says to the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// h: finds the escrow row.
    pub mark: PersonMark,
    /// The binding that the check-in went by.
    pub binding: BindingId,
    /// Whether the registrar minted it for a person of its own, to see whether every key holder does its part.
    pub probe: bool,
    /// What is in transit, under the header's epoch, and under the next one while keys are rotated.
    pub points: (EncodedPoint, Option<EncodedPoint>),
    /// The header's epoch.
    pub epoch: PseudonymEpoch,
}

impl MarkKey {
    /// h: the mark of a person in one cloud. Nobody but the registrar can tell whose it is, or compare two clouds'.
    pub fn mark(&self, person: PersonId, cloud: CloudId) -> PersonMark {
        PersonMark::from_bytes(derive_tag(&self.0, MARK, &[person.as_bytes(), cloud.as_bytes()]))
    }
}

impl DaySecret {
    /// The ticket key of one cloud.
    pub fn ticket_key(&self, day: UnixDay, cloud: CloudId) -> TicketKey {
        TicketKey::from_bytes(*derive_key(&self.0, TICKET_KEY, &[&day.0.to_be_bytes(), cloud.as_bytes()]))
    }
}

impl TicketKey {
    /// Seals a share.
    pub fn seal_share(&self, place: &SharePlace, share: &EncodedShare, source: &dyn Random) -> SealedShareForm {
        let parts = place.to_bytes();
        SealedShareForm::new(seal(&self.0, SHARE, &parts.each_ref().map(Vec::as_slice), share.expose(), source))
    }

    /// Opens a share.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another ticket, key holder, epoch, cloud or day too.
    pub fn open_share(&self, place: &SharePlace, sealed: &SealedShareForm) -> Result<EncodedShare, InvalidSealed> {
        let parts = place.to_bytes();
        let share = open_secret(&self.0, SHARE, &parts.each_ref().map(Vec::as_slice), sealed.as_bytes())?;
        Ok(EncodedShare::from_bytes(*share))
    }

    /// Seals a registrar's claims.
    pub fn seal_claims(&self, digest: HeaderDigest, claims: &Claims, source: &dyn Random) -> Bytes {
        seal(&self.0, CLAIMS, &[digest.as_bytes()], &claims.to_bytes(), source).into()
    }

    /// Opens a registrar's claims.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another ticket, cloud or day too.
    pub fn open_claims(&self, digest: HeaderDigest, sealed: &[u8]) -> Result<Claims, InvalidSealed> {
        let claims = open(&self.0, CLAIMS, &[digest.as_bytes()], sealed)?;
        Claims::from_bytes(&claims).ok_or(InvalidSealed::Content("claims"))
    }
}

impl SharePlace {
    fn to_bytes(self) -> [Vec<u8>; 3] {
        let Self { digest, holder, epoch } = self;
        [digest.as_bytes().to_vec(), holder.0.to_be_bytes().to_vec(), epoch.0.to_be_bytes().to_vec()]
    }
}

impl Claims {
    fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let Self { mark, binding, probe, points: (point, next), epoch } = self;
        let flags = if *probe { PROBE } else { 0 } | if next.is_some() { ROTATING } else { 0 };
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(105));
        bytes.push(flags);
        bytes.extend(mark.as_bytes());
        bytes.extend(binding.as_bytes());
        for (point, epoch) in [Some(point), next.as_ref()].into_iter().flatten().zip(epoch.0..) {
            bytes.extend(epoch.to_be_bytes());
            bytes.extend(point.expose());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&flags, rest) = bytes.split_first()?;
        let (mark, rest) = rest.split_first_chunk::<16>()?;
        let (binding, rest) = rest.split_first_chunk::<16>()?;
        let (epoch, point, rest) = read_point(rest)?;
        let next = match flags & ROTATING {
            0 => None,
            _ => Some(read_point(rest)?),
        };
        let follows = next.as_ref().is_none_or(|(next, ..)| epoch.checked_add(1) == Some(*next));
        let rest = next.as_ref().map_or(rest, |(.., rest)| *rest);
        let known = flags & !(PROBE | ROTATING) == 0;
        (known && follows && rest.is_empty()).then(|| Self {
            mark: PersonMark::from_bytes(*mark),
            binding: BindingId::from_bytes(*binding),
            probe: flags & PROBE != 0,
            points: (point, next.map(|(_, point, _)| point)),
            epoch: PseudonymEpoch(epoch),
        })
    }
}

fn read_point(bytes: &[u8]) -> Option<(u32, EncodedPoint, &[u8])> {
    let (epoch, rest) = bytes.split_first_chunk::<4>()?;
    let (point, rest) = rest.split_first_chunk::<32>()?;
    Some((u32::from_be_bytes(*epoch), EncodedPoint::from_bytes(*point), rest))
}
