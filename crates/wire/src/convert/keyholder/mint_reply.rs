use renkei_pseudonym::BATCH_MAX;

use super::InvalidMinted;
use crate::bounds::{InvalidSize, at_most};
use crate::keyholder::{MintReply, Minted};
use crate::pb::keyholder::v1 as pb;
use crate::{InvalidRefusal, Refusal};

/// Results that no key holder answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMintReply {
    /// None, or more than a call has items.
    #[error("results of a mint")]
    Size(#[source] InvalidSize),
    /// A result says neither yes nor no.
    #[error("outcome of an item is missing or unknown")]
    NoOutcome,
    /// A refusal.
    #[error("refusal of an item")]
    Refusal(#[from] InvalidRefusal),
    /// A translation.
    #[error("translation of an item")]
    Minted(#[from] InvalidMinted),
}

impl TryFrom<pb::MintReply> for MintReply {
    type Error = InvalidMintReply;

    fn try_from(message: pb::MintReply) -> Result<Self, InvalidMintReply> {
        let pb::MintReply { results } = message;
        let size = if results.is_empty() { Err(InvalidSize::Empty) } else { at_most(results.len(), BATCH_MAX) };
        size.map_err(InvalidMintReply::Size)?;
        let outcome = |result: pb::MintResult| match result.outcome.ok_or(InvalidMintReply::NoOutcome)? {
            pb::mint_result::Outcome::Minted(minted) => Ok(Ok(Minted::try_from(minted)?)),
            pb::mint_result::Outcome::Refusal(refusal) => Ok(Err(Refusal::try_from(refusal)?)),
        };
        results.into_iter().map(outcome).collect::<Result<_, _>>().map(Self)
    }
}

impl From<MintReply> for pb::MintReply {
    fn from(MintReply(results): MintReply) -> Self {
        let outcome = |result: Result<Minted, Refusal>| match result {
            Ok(minted) => pb::mint_result::Outcome::Minted(minted.into()),
            Err(refusal) => pb::mint_result::Outcome::Refusal(refusal.into()),
        };
        Self { results: results.into_iter().map(|result| pb::MintResult { outcome: Some(outcome(result)) }).collect() }
    }
}
