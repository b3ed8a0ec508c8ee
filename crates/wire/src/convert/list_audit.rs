use renkei_ids::AuditSeq;

use crate::bounds::{OutOfRange, u16_within};
use crate::limits::AUDIT_MAX_ROWS;
use crate::pb::node::v1 as pb;
use crate::{ListAudit, Refusal};

/// A `list_audit` that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidListAudit {
    /// The number of rows.
    #[error("rows of an audit page")]
    MaxRows(#[source] OutOfRange),
}

impl TryFrom<pb::ListAudit> for ListAudit {
    type Error = InvalidListAudit;

    fn try_from(message: pb::ListAudit) -> Result<Self, InvalidListAudit> {
        let pb::ListAudit { after_seq, max_rows } = message;
        Ok(Self {
            after: AuditSeq(after_seq),
            max_rows: u16_within(max_rows, 1, AUDIT_MAX_ROWS).map_err(InvalidListAudit::MaxRows)?,
        })
    }
}

impl From<ListAudit> for pb::ListAudit {
    fn from(list: ListAudit) -> Self {
        let ListAudit { after, max_rows } = list;
        Self { after_seq: after.0, max_rows: u32::from(max_rows) }
    }
}

impl From<InvalidListAudit> for Refusal {
    fn from(invalid: InvalidListAudit) -> Self {
        match invalid {
            InvalidListAudit::MaxRows(_) => Self::invalid("list_audit.max_rows"),
        }
    }
}
