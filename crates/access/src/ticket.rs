//! The ticket: what says that a patient is present, for one cloud, one institution and some minutes. A registrar signs it.
//!
//! ```text
//! version 1 | body, protobuf | Ed25519 signature 64, over a domain string and everything in front of it
//! ```
//!
//! The header can be read by all who hold the ticket. What is sealed in it only the audience cloud's vault opens, and
//! the commitments only the serving cell; how, is in `envelope`.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use renkei_ids::{
    CellId, CloudId, HeaderDigest, InstitutionId, KeyholderId, PseudonymEpoch, TicketId, UnixDay, UnixMillis,
    UnixMinute,
};

use crate::statement::{Signed, Statement, StatementKey};
use crate::{ConsentSet, ConsentText, Evidence, Purpose, Scope, VerifyingKey};

mod format;

/// Most bytes of a ticket.
pub const TICKET_MAX_BYTES: usize = 4_096;
/// Longest time between a ticket's issue and its end, in minutes.
pub const TICKET_MAX_MINUTES: u32 = 60;
/// Most key holders of a cloud.
pub const HOLDERS_MAX: usize = 8;
/// Most bytes of one sealed part.
pub const SEALED_PART_MAX_BYTES: usize = 512;

const VERSION: u8 = 1;
const SIGNATURE: usize = 64;

/// What a ticket says openly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketHeader {
    /// Random id.
    pub id: TicketId,
    /// Random bytes, so that the header's digest says nothing to whoever has only that.
    pub salt: [u8; 16],
    /// The cloud whose vault opens it.
    pub audience: CloudId,
    /// The institution where the patient is, by its id in the directory, so that a renewed certificate ends no visit.
    pub institution: InstitutionId,
    /// The cell of the institution's home cloud that may forward it.
    pub home_cell: CellId,
    /// The cell of the audience cloud that may have it opened.
    pub serving_cell: CellId,
    /// The epoch of the audience's pseudonym keys.
    pub epoch: PseudonymEpoch,
    /// Whether it was minted under the next epoch too, for the keys are being rotated.
    pub rotating: bool,
    /// Why.
    pub purpose: Purpose,
    /// What the patient consented to; none where the purpose needs no consent.
    pub categories: ConsentSet,
    /// What stood behind the check-in.
    pub evidence: Evidence,
    /// The text that was shown with the consent; none where none was asked for.
    pub consent_text: Option<ConsentText>,
    /// When the registrar signed. Its day names the ticket keys that the sealed parts are under.
    pub issued: UnixMinute,
    /// The first moment at which it is no longer taken; at most [`TICKET_MAX_MINUTES`] after `issued`.
    pub expires: UnixMinute,
}

/// One key holder's sealed share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedShare {
    /// The epoch that it was translated under.
    pub epoch: PseudonymEpoch,
    /// Who sealed it.
    pub holder: KeyholderId,
    /// 1 to [`SEALED_PART_MAX_BYTES`] bytes.
    pub sealed: Bytes,
}

/// What a ticket says to one reader each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedParts {
    /// To the vault, from each key holder: 1 to [`HOLDERS_MAX`] for each epoch.
    pub shares: Vec<SealedShare>,
    /// To the vault, from the registrar; 1 to [`SEALED_PART_MAX_BYTES`] bytes.
    pub claims: Bytes,
    /// To the serving cell, from the registrar; 1 to [`SEALED_PART_MAX_BYTES`] bytes.
    pub commitments: Bytes,
}

/// A header that will be signed together with what key holders seal for it.
#[derive(Clone, Debug)]
pub struct TicketDraft {
    header: TicketHeader,
    encoded: Bytes,
    digest: HeaderDigest,
}

/// A ticket as it travels.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SignedTicket(Bytes);

/// A ticket that a registrar signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What it says openly.
    pub header: TicketHeader,
    /// What the sealed parts are bound to.
    pub digest: HeaderDigest,
    /// What it says to one reader each.
    pub sealed: SealedParts,
}

/// Bytes that are no ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTicket {
    /// Too few bytes for a version and a signature.
    #[error("ticket of {0} bytes is too short")]
    TooShort(usize),
    /// More than [`TICKET_MAX_BYTES`].
    #[error("ticket of {0} bytes is over the limit")]
    TooLong(usize),
    /// No registrar's key made the signature.
    #[error("signature of the ticket does not hold")]
    Signature,
    /// A format version this build does not read.
    #[error("ticket format {0} is unknown")]
    Format(u8),
    /// No protobuf message, or one without a part that must be there.
    #[error("ticket has no readable {0}")]
    Malformed(&'static str),
    /// It ends before it begins, or lives longer than a ticket may.
    #[error("ticket lives for {0} minutes")]
    Life(i64),
    /// A list or a sealed part over its limit, or empty.
    #[error("ticket's {0} is over its limit, or empty")]
    Limit(&'static str),
}

/// Who presents a ticket, for what. The vault knows it from certificates and the directory, not from the ticket.
#[derive(Clone, Copy, Debug)]
pub struct Presented {
    /// The vault's cloud.
    pub cloud: CloudId,
    /// The epoch of its pseudonym keys.
    pub epoch: PseudonymEpoch,
    /// The institution that the gateway authenticated.
    pub institution: InstitutionId,
    /// The cell through which the institution asked.
    pub home_cell: CellId,
    /// The cell that asks the vault.
    pub cell: CellId,
    /// Whether the directory denies the institution or one of the two cells.
    pub denied: bool,
    /// What the opening is to be used for.
    pub scope: Scope,
    /// The categories that are to be read.
    pub categories: ConsentSet,
}

/// Why a ticket that a registrar signed does not serve here, now, or for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefusal {
    /// For another cloud.
    #[error("ticket is for another cloud")]
    OtherCloud,
    /// Given to another institution than the one whose certificate was presented.
    #[error("ticket was given to another institution")]
    OtherInstitution,
    /// Forwarded by another cell than the institution's.
    #[error("ticket names another home cell")]
    OtherHomeCell,
    /// Presented by another cell than the one that it names.
    #[error("ticket names another serving cell")]
    OtherCell,
    /// Minted under pseudonym keys that the cloud has given up, or has not taken up.
    #[error("ticket was minted under another epoch of pseudonym keys")]
    OtherEpoch,
    /// Issued more than [`TicketHeader::ISSUE_LEEWAY_MILLIS`] ahead of the verifier's clock.
    #[error("ticket is not valid yet")]
    NotYetValid,
    /// Its end has come.
    #[error("ticket has expired")]
    Expired,
    /// The directory denies the institution, or one of the cells.
    #[error("institution or cell is denied")]
    Denied,
    /// What stood behind the check-in does not allow the use for this purpose.
    #[error("evidence does not allow the use")]
    Evidence,
    /// The patient did not consent to one of the categories.
    #[error("ticket's consent does not hold the category")]
    Category,
}

impl TicketHeader {
    /// How far ahead of the verifier's clock an issue time may lie.
    pub const ISSUE_LEEWAY_MILLIS: u64 = 60_000;

    /// The day whose ticket keys its sealed parts are under.
    pub const fn key_day(&self) -> UnixDay {
        self.issued.day()
    }

    /// The epochs that it was minted under: one, or two while keys are rotated.
    pub fn epochs(&self) -> impl Iterator<Item = PseudonymEpoch> {
        let next = PseudonymEpoch(self.epoch.0.saturating_add(1));
        [Some(self.epoch), self.rotating.then_some(next)].into_iter().flatten()
    }

    /// Everything that it can be used for: what evidence and purpose allow, and reading only where there is consent.
    pub fn scope(&self) -> Scope {
        let allowed = self.evidence.allows(self.purpose);
        if self.categories.is_empty() { allowed.without(Scope::READ) } else { allowed }
    }

    /// Whether it serves who presents it, now. Expiry is by the verifier's clock, without leeway.
    ///
    /// # Errors
    /// The first reason against.
    pub fn admits(&self, by: &Presented, now: UnixMillis) -> Result<(), TicketRefusal> {
        let reasons = [
            (self.audience != by.cloud, TicketRefusal::OtherCloud),
            (self.institution != by.institution, TicketRefusal::OtherInstitution),
            (self.home_cell != by.home_cell, TicketRefusal::OtherHomeCell),
            (self.serving_cell != by.cell, TicketRefusal::OtherCell),
            (self.epochs().all(|epoch| epoch != by.epoch), TicketRefusal::OtherEpoch),
            (self.issued.begins() > now.plus_millis(Self::ISSUE_LEEWAY_MILLIS), TicketRefusal::NotYetValid),
            (now >= self.expires.begins(), TicketRefusal::Expired),
            (by.denied, TicketRefusal::Denied),
            (!self.evidence.allows(self.purpose).allows(by.scope), TicketRefusal::Evidence),
            (!self.categories.holds(by.categories), TicketRefusal::Category),
        ];
        reasons.into_iter().find(|(against, _)| *against).map_or(Ok(()), |(_, reason)| Err(reason))
    }

    fn check(&self) -> Result<(), InvalidTicket> {
        let life = i64::from(self.expires.0) - i64::from(self.issued.0);
        if !(1..=i64::from(TICKET_MAX_MINUTES)).contains(&life) {
            return Err(InvalidTicket::Life(life));
        }
        let first = self.epoch.0 >= 1 && (!self.rotating || self.epoch.0 < u32::MAX);
        if first { Ok(()) } else { Err(InvalidTicket::Malformed("epoch")) }
    }
}

impl TicketDraft {
    /// A header whose form holds.
    ///
    /// # Errors
    /// [`InvalidTicket`], for a life or an epoch that no ticket has.
    pub fn new(header: TicketHeader) -> Result<Self, InvalidTicket> {
        header.check()?;
        let encoded = Bytes::from(format::Header::from(&header).encode_to_vec());
        Ok(Self { header, digest: format::digest(&encoded), encoded })
    }

    /// What the sealed parts are bound to, and all that a key holder learns of the header.
    pub fn digest(&self) -> HeaderDigest {
        self.digest
    }

    /// The header.
    pub fn header(&self) -> &TicketHeader {
        &self.header
    }

    /// Signs header and sealed parts together.
    ///
    /// # Errors
    /// [`InvalidTicket`], when shares of one of its epochs are missing or a limit is passed.
    pub fn sign(&self, sealed: &SealedParts, key: &StatementKey) -> Result<SignedTicket, InvalidTicket> {
        sealed.check(&self.header)?;
        let message = format::body(self.encoded.clone(), sealed);
        let mut bytes = BytesMut::with_capacity(1 + message.encoded_len() + SIGNATURE);
        bytes.put_u8(VERSION);
        message.encode(&mut bytes).expect("a BytesMut grows as needed");
        let Signed { body, signature } = key.sign(Statement::Ticket, bytes.freeze());
        let ticket: Bytes = [&body[..], &signature].concat().into();
        if ticket.len() > TICKET_MAX_BYTES {
            Err(InvalidTicket::TooLong(ticket.len()))
        } else {
            Ok(SignedTicket(ticket))
        }
    }
}

impl SealedParts {
    /// Every epoch has the shares of the same key holders, each once.
    fn check(&self, header: &TicketHeader) -> Result<(), InvalidTicket> {
        let sealed = self.shares.iter().map(|share| &share.sealed).chain([&self.claims, &self.commitments]);
        if !sealed.into_iter().all(|part| (1..=SEALED_PART_MAX_BYTES).contains(&part.len())) {
            return Err(InvalidTicket::Limit("sealed part"));
        }
        let holders = |of: PseudonymEpoch| {
            let mut holders: Vec<KeyholderId> =
                self.shares.iter().filter(|share| share.epoch == of).map(|share| share.holder).collect();
            holders.sort_unstable();
            holders
        };
        let first = holders(header.epoch);
        let once = first.windows(2).all(|pair| pair[0] != pair[1]);
        let same = header.epochs().all(|epoch| holders(epoch) == first);
        let all = self.shares.len() == first.len() * header.epochs().count();
        if (1..=HOLDERS_MAX).contains(&first.len()) && once && same && all {
            Ok(())
        } else {
            Err(InvalidTicket::Limit("list of shares"))
        }
    }
}

impl SignedTicket {
    /// What travelled. Nothing is judged until [`SignedTicket::verify`].
    pub const fn from_bytes(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// As it travels.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Checks the signature, then reads.
    ///
    /// # Errors
    /// [`InvalidTicket`]; the signature is judged before a byte of the body is.
    pub fn verify(&self, keys: &[VerifyingKey]) -> Result<Ticket, InvalidTicket> {
        let len = self.0.len();
        if len > TICKET_MAX_BYTES {
            return Err(InvalidTicket::TooLong(len));
        }
        let (_, signature) = self.0.split_last_chunk::<SIGNATURE>().ok_or(InvalidTicket::TooShort(len))?;
        let signed = Signed { body: self.0.slice(..len - SIGNATURE), signature: *signature };
        if !keys.iter().any(|key| signed.is_by(key, Statement::Ticket)) {
            return Err(InvalidTicket::Signature);
        }
        let (&version, body) = signed.body.split_first().ok_or(InvalidTicket::TooShort(len))?;
        if version != VERSION {
            return Err(InvalidTicket::Format(version));
        }
        let ticket = format::read(signed.body.slice_ref(body))?;
        ticket.header.check()?;
        ticket.sealed.check(&ticket.header)?;
        Ok(ticket)
    }
}

impl core::fmt::Debug for SignedTicket {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SignedTicket(..)")
    }
}

#[cfg(test)]
mod tests;
