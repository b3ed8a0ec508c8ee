//! The protobuf form of a ticket, which nothing else names.

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use prost::Message as _;
use renkei_ids::{
    CellId, CloudId, HeaderDigest, InstitutionId, InvalidLength, KeyholderId, PseudonymEpoch, TicketId, UnixMinute,
};

use super::{InvalidTicket, SealedParts, SealedShare, Ticket, TicketHeader};
use crate::{ConsentSet, ConsentText, Evidence, Purpose};

const DIGEST: &[u8] = b"renkei ticket header v1\0";

/// The header's own bytes stand in the body, so that their digest hangs on no second encoding.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Body {
    #[prost(bytes = "bytes", tag = "1")]
    header: Bytes,
    #[prost(message, repeated, tag = "2")]
    shares: Vec<Share>,
    #[prost(bytes = "bytes", tag = "3")]
    claims: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    commitments: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Share {
    #[prost(uint32, tag = "1")]
    epoch: u32,
    #[prost(uint32, tag = "2")]
    holder: u32,
    #[prost(bytes = "bytes", tag = "3")]
    sealed: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Header {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) id: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    salt: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    audience: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    institution: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    home_cell: Bytes,
    #[prost(bytes = "bytes", tag = "6")]
    serving_cell: Bytes,
    #[prost(uint32, tag = "7")]
    epoch: u32,
    #[prost(bool, tag = "8")]
    rotating: bool,
    #[prost(uint32, tag = "9")]
    pub(super) purpose: u32,
    #[prost(uint32, tag = "10")]
    pub(super) categories: u32,
    #[prost(uint32, tag = "11")]
    pub(super) evidence: u32,
    #[prost(uint32, optional, tag = "12")]
    consent_text: Option<u32>,
    #[prost(uint32, tag = "13")]
    issued: u32,
    #[prost(uint32, tag = "14")]
    expires: u32,
}

pub(super) fn digest(header: &[u8]) -> HeaderDigest {
    let mut context = Context::new(&SHA256);
    context.update(DIGEST);
    context.update(header);
    HeaderDigest::try_from(context.finish().as_ref()).expect("SHA-256 gives 32 bytes")
}

pub(super) fn body(header: Bytes, sealed: &SealedParts) -> Body {
    let SealedParts { shares, claims, commitments } = sealed;
    Body {
        header,
        shares: shares.iter().map(Share::from).collect(),
        claims: claims.clone(),
        commitments: commitments.clone(),
    }
}

pub(super) fn read(bytes: Bytes) -> Result<Ticket, InvalidTicket> {
    let Body { header, shares, claims, commitments } =
        Body::decode(bytes).map_err(|_| InvalidTicket::Malformed("body"))?;
    let digest = digest(&header);
    let header = Header::decode(header).map_err(|_| InvalidTicket::Malformed("header"))?.try_into()?;
    let shares = shares.into_iter().map(SealedShare::from).collect();
    Ok(Ticket { header, digest, sealed: SealedParts { shares, claims, commitments } })
}

impl From<&SealedShare> for Share {
    fn from(share: &SealedShare) -> Self {
        let SealedShare { epoch, holder, sealed } = share;
        Self { epoch: epoch.0, holder: holder.0, sealed: sealed.clone() }
    }
}

impl From<Share> for SealedShare {
    fn from(share: Share) -> Self {
        let Share { epoch, holder, sealed } = share;
        Self { epoch: PseudonymEpoch(epoch), holder: KeyholderId(holder), sealed }
    }
}

impl From<&TicketHeader> for Header {
    fn from(header: &TicketHeader) -> Self {
        let TicketHeader {
            id,
            salt,
            audience,
            institution,
            home_cell,
            serving_cell,
            epoch,
            rotating,
            purpose,
            categories,
            evidence,
            consent_text,
            issued,
            expires,
        } = header;
        let copied = Bytes::copy_from_slice;
        Self {
            id: copied(id.as_bytes()),
            salt: copied(salt),
            audience: copied(audience.as_bytes()),
            institution: copied(institution.as_bytes()),
            home_cell: copied(home_cell.as_bytes()),
            serving_cell: copied(serving_cell.as_bytes()),
            epoch: epoch.0,
            rotating: *rotating,
            purpose: u32::from(*purpose as u8),
            categories: u32::from(categories.bits()),
            evidence: u32::from(*evidence as u8),
            consent_text: consent_text.map(|ConsentText(version)| version),
            issued: issued.0,
            expires: expires.0,
        }
    }
}

impl TryFrom<Header> for TicketHeader {
    type Error = InvalidTicket;

    fn try_from(header: Header) -> Result<Self, InvalidTicket> {
        let Header {
            id,
            salt,
            audience,
            institution,
            home_cell,
            serving_cell,
            epoch,
            rotating,
            purpose,
            categories,
            evidence,
            consent_text,
            issued,
            expires,
        } = header;
        let missing = |name| move |_: InvalidLength| InvalidTicket::Malformed(name);
        let salt = salt[..].try_into().map_err(|_| InvalidTicket::Malformed("salt"))?;
        Ok(Self {
            id: TicketId::try_from(&id[..]).map_err(missing("id"))?,
            salt,
            audience: CloudId::try_from(&audience[..]).map_err(missing("audience"))?,
            institution: InstitutionId::try_from(&institution[..]).map_err(missing("institution"))?,
            home_cell: CellId::try_from(&home_cell[..]).map_err(missing("home cell"))?,
            serving_cell: CellId::try_from(&serving_cell[..]).map_err(missing("serving cell"))?,
            epoch: PseudonymEpoch(epoch),
            rotating,
            purpose: Purpose::from_raw(purpose).ok_or(InvalidTicket::Malformed("purpose"))?,
            categories: ConsentSet::from_bits(categories).ok_or(InvalidTicket::Malformed("categories"))?,
            evidence: Evidence::from_raw(evidence).ok_or(InvalidTicket::Malformed("evidence"))?,
            consent_text: consent_text.map(ConsentText),
            issued: UnixMinute(issued),
            expires: UnixMinute(expires),
        })
    }
}
