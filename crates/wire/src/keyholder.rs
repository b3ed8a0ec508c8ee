//! What a registrar and vaults ask of a key holder. Nothing here shows itself in `Debug`.

use renkei_envelope::{SealedShareForm, TicketKey};
use renkei_ids::{CloudId, HeaderDigest, KeyholderId, PseudonymEpoch, UnixDay};
use renkei_pseudonym::{BlindedPoint, MaskedPoint};

use crate::Refusal;
use crate::redacted::redacted;

/// Asks for translations.
#[derive(Clone, PartialEq, Eq)]
pub struct MintRequest {
    /// The day of the tickets' issue.
    pub day: UnixDay,
    /// 1 to [`BATCH_MAX`](renkei_pseudonym::BATCH_MAX).
    pub items: Vec<MintItem>,
}

/// One point of one ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct MintItem {
    /// The audience.
    pub cloud: CloudId,
    /// Epoch of its pseudonym keys, from 1.
    pub epoch: PseudonymEpoch,
    /// As the registrar blinded it, or the key holder before this one masked it.
    pub point: BlindedPoint,
    /// The ticket that the share is for.
    pub digest: HeaderDigest,
}

/// One result for each item of a [`MintRequest`], in their order.
#[derive(Clone, PartialEq)]
pub struct MintReply(pub Vec<Result<Minted, Refusal>>);

/// A translated point.
#[derive(Clone, PartialEq, Eq)]
pub struct Minted {
    /// For the next key holder, or to be unblinded.
    pub point: MaskedPoint,
    /// For the ticket.
    pub share: SealedShareForm,
}

/// A key holder's ticket key, as a vault asks for it by its day.
#[derive(Clone, PartialEq, Eq)]
pub struct HeldTicketKey {
    /// Whose.
    pub holder: KeyholderId,
    /// The key.
    pub key: TicketKey,
}

redacted! {
    MintRequest
    MintItem
    MintReply
    Minted
    HeldTicketKey
}
