use super::{InvalidAuditPage, InvalidAuditRef, InvalidRecordEntry, InvalidStored, InvalidTimelinePage};
use crate::pb::node::v1 as pb;
use crate::{AuditRef, NodeReply, Outcome};

/// A reply that answers nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReply {
    /// There is no reference to an audit row; no answer leaves without its row.
    #[error("reply names no audit row")]
    NoRow,
    /// The reference to the audit row.
    #[error("audit row of a reply")]
    Row(#[from] InvalidAuditRef),
    /// There is no outcome, or one that this build does not know.
    #[error("outcome of a reply is missing or unknown")]
    NoOutcome,
    /// A record was found, and is missing.
    #[error("found record is missing")]
    NoEntry,
    /// The record found.
    #[error("found record")]
    Record(#[from] InvalidRecordEntry),
    /// The page of a timeline.
    #[error("timeline page of a reply")]
    Page(#[from] InvalidTimelinePage),
    /// What was stored.
    #[error("stored version of a reply")]
    Stored(#[from] InvalidStored),
    /// The page of the audit history.
    #[error("audit page of a reply")]
    Audit(#[from] InvalidAuditPage),
}

impl TryFrom<pb::Reply> for NodeReply {
    type Error = InvalidReply;

    fn try_from(message: pb::Reply) -> Result<Self, InvalidReply> {
        let pb::Reply { row, outcome } = message;
        Ok(Self {
            row: AuditRef::try_from(row.ok_or(InvalidReply::NoRow)?)?,
            outcome: Outcome::try_from(outcome.ok_or(InvalidReply::NoOutcome)?)?,
        })
    }
}

impl TryFrom<pb::reply::Outcome> for Outcome {
    type Error = InvalidReply;

    fn try_from(message: pb::reply::Outcome) -> Result<Self, InvalidReply> {
        Ok(match message {
            pb::reply::Outcome::Record(pb::FoundRecord { entry }) => {
                Self::Record(entry.ok_or(InvalidReply::NoEntry)?.try_into()?)
            }
            pb::reply::Outcome::Nothing(pb::Nothing {}) => Self::Nothing,
            pb::reply::Outcome::Page(page) => Self::Page(page.try_into()?),
            pb::reply::Outcome::Stored(stored) => Self::Stored(stored.try_into()?),
            pb::reply::Outcome::Done(pb::Done {}) => Self::Done,
            pb::reply::Outcome::Audit(page) => Self::Audit(page.try_into()?),
        })
    }
}

impl From<NodeReply> for pb::Reply {
    fn from(reply: NodeReply) -> Self {
        let NodeReply { row, outcome } = reply;
        Self { row: Some(row.into()), outcome: Some(outcome.into()) }
    }
}

impl From<Outcome> for pb::reply::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Record(entry) => Self::Record(pb::FoundRecord { entry: Some(entry.into()) }),
            Outcome::Nothing => Self::Nothing(pb::Nothing {}),
            Outcome::Page(page) => Self::Page(page.into()),
            Outcome::Stored(stored) => Self::Stored(stored.into()),
            Outcome::Done => Self::Done(pb::Done {}),
            Outcome::Audit(page) => Self::Audit(page.into()),
        }
    }
}
