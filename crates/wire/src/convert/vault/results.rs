use super::batch::count;
use super::{InvalidDeleteGrant, InvalidOpened, InvalidPutGrant};
use crate::bounds::InvalidSize;
use crate::limits::VAULT_MAX_ITEMS;
use crate::pb::node::v1::Refusal as RefusalMessage;
use crate::pb::vault::v1 as pb;
use crate::vault::{DeleteGrant, Opened, PutGrant, Results};
use crate::{InvalidRefusal, Refusal};

/// Results that no vault answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResults<E: std::error::Error + 'static> {
    /// None, or more than a call has items.
    #[error("results of a call")]
    Size(#[source] InvalidSize),
    /// A result says neither yes nor no.
    #[error("outcome of an item is missing or unknown")]
    NoOutcome,
    /// A refusal.
    #[error("refusal of an item")]
    Refusal(#[source] InvalidRefusal),
    /// What was granted.
    #[error("grant of an item")]
    Grant(#[source] E),
}

enum Outcome<M> {
    Granted(M),
    Refused(RefusalMessage),
}

fn results<M, T, E>(outcomes: Vec<Option<Outcome<M>>>) -> Result<Results<T>, InvalidResults<E>>
where
    T: TryFrom<M, Error = E>,
    E: std::error::Error + 'static,
{
    count(outcomes.len(), VAULT_MAX_ITEMS).map_err(InvalidResults::Size)?;
    let read = |outcome: Option<Outcome<M>>| match outcome.ok_or(InvalidResults::NoOutcome)? {
        Outcome::Granted(message) => Ok(Ok(T::try_from(message).map_err(InvalidResults::Grant)?)),
        Outcome::Refused(message) => Ok(Err(Refusal::try_from(message).map_err(InvalidResults::Refusal)?)),
    };
    outcomes.into_iter().map(read).collect::<Result<_, _>>().map(Results)
}

impl TryFrom<pb::OpenReply> for Results<Opened> {
    type Error = InvalidResults<InvalidOpened>;

    fn try_from(message: pb::OpenReply) -> Result<Self, Self::Error> {
        let outcome = |result: pb::OpenResult| match result.outcome? {
            pb::open_result::Outcome::Opened(opened) => Some(Outcome::Granted(opened)),
            pb::open_result::Outcome::Refusal(refusal) => Some(Outcome::Refused(refusal)),
        };
        results(message.results.into_iter().map(outcome).collect())
    }
}

impl From<Results<Opened>> for pb::OpenReply {
    fn from(Results(results): Results<Opened>) -> Self {
        let outcome = |result: Result<Opened, Refusal>| match result {
            Ok(opened) => pb::open_result::Outcome::Opened(opened.into()),
            Err(refusal) => pb::open_result::Outcome::Refusal(refusal.into()),
        };
        Self { results: results.into_iter().map(|result| pb::OpenResult { outcome: Some(outcome(result)) }).collect() }
    }
}

impl TryFrom<pb::PutsReply> for Results<PutGrant> {
    type Error = InvalidResults<InvalidPutGrant>;

    fn try_from(message: pb::PutsReply) -> Result<Self, Self::Error> {
        let outcome = |result: pb::PutResult| match result.outcome? {
            pb::put_result::Outcome::Granted(grant) => Some(Outcome::Granted(grant)),
            pb::put_result::Outcome::Refusal(refusal) => Some(Outcome::Refused(refusal)),
        };
        results(message.results.into_iter().map(outcome).collect())
    }
}

impl From<Results<PutGrant>> for pb::PutsReply {
    fn from(Results(results): Results<PutGrant>) -> Self {
        let outcome = |result: Result<PutGrant, Refusal>| match result {
            Ok(grant) => pb::put_result::Outcome::Granted(grant.into()),
            Err(refusal) => pb::put_result::Outcome::Refusal(refusal.into()),
        };
        Self { results: results.into_iter().map(|result| pb::PutResult { outcome: Some(outcome(result)) }).collect() }
    }
}

impl TryFrom<pb::DeletesReply> for Results<DeleteGrant> {
    type Error = InvalidResults<InvalidDeleteGrant>;

    fn try_from(message: pb::DeletesReply) -> Result<Self, Self::Error> {
        let outcome = |result: pb::DeleteResult| match result.outcome? {
            pb::delete_result::Outcome::Granted(grant) => Some(Outcome::Granted(grant)),
            pb::delete_result::Outcome::Refusal(refusal) => Some(Outcome::Refused(refusal)),
        };
        results(message.results.into_iter().map(outcome).collect())
    }
}

impl From<Results<DeleteGrant>> for pb::DeletesReply {
    fn from(Results(results): Results<DeleteGrant>) -> Self {
        let outcome = |result: Result<DeleteGrant, Refusal>| match result {
            Ok(grant) => pb::delete_result::Outcome::Granted(grant.into()),
            Err(refusal) => pb::delete_result::Outcome::Refusal(refusal.into()),
        };
        Self {
            results: results.into_iter().map(|result| pb::DeleteResult { outcome: Some(outcome(result)) }).collect(),
        }
    }
}
