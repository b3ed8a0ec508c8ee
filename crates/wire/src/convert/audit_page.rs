use super::InvalidAuditRow;
use crate::bounds::{InvalidSize, at_most};
use crate::limits::AUDIT_MAX_ROWS;
use crate::pb::node::v1 as pb;
use crate::{AuditPage, AuditRow};

/// A page that no audit history has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuditPage {
    /// More rows than a page takes.
    #[error("rows of an audit page")]
    Size(#[source] InvalidSize),
    /// One of the rows.
    #[error("row of an audit page")]
    Row(#[from] InvalidAuditRow),
}

impl TryFrom<pb::AuditPage> for AuditPage {
    type Error = InvalidAuditPage;

    fn try_from(message: pb::AuditPage) -> Result<Self, InvalidAuditPage> {
        let pb::AuditPage { rows, more } = message;
        at_most(rows.len(), usize::from(AUDIT_MAX_ROWS)).map_err(InvalidAuditPage::Size)?;
        Ok(Self { rows: rows.into_iter().map(AuditRow::try_from).collect::<Result<_, _>>()?, more })
    }
}

impl From<AuditPage> for pb::AuditPage {
    fn from(page: AuditPage) -> Self {
        let AuditPage { rows, more } = page;
        Self { rows: rows.into_iter().map(Into::into).collect(), more }
    }
}
