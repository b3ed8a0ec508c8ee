use renkei_envelope::{InvalidSecret, StubKey};
use renkei_ids::{InvalidLength, KeyHash};

use super::super::copied;
use super::UnknownValue;
use super::enumerations::{evidence, evidence_message, purpose, purpose_message};
use crate::pb::vault::v1 as pb;
use crate::vault::OpenedStub;

/// An opened stub that no vault answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOpenedStub {
    /// Purpose or evidence.
    #[error("purpose or evidence of a stub")]
    Value(#[from] UnknownValue),
    /// The cell.
    #[error("cell of a stub")]
    Cell(#[source] InvalidLength),
    /// The stub key.
    #[error("key of a stub")]
    Key(#[source] InvalidSecret),
}

impl TryFrom<pb::OpenedStub> for OpenedStub {
    type Error = InvalidOpenedStub;

    fn try_from(message: pb::OpenedStub) -> Result<Self, InvalidOpenedStub> {
        let pb::OpenedStub { purpose: raw_purpose, evidence: raw_evidence, cell, stub_key } = message;
        Ok(Self {
            purpose: purpose(raw_purpose)?,
            evidence: evidence(raw_evidence)?,
            cell: KeyHash::try_from(&cell[..]).map_err(InvalidOpenedStub::Cell)?,
            stub_key: StubKey::try_from(&stub_key[..]).map_err(InvalidOpenedStub::Key)?,
        })
    }
}

impl From<OpenedStub> for pb::OpenedStub {
    fn from(stub: OpenedStub) -> Self {
        let OpenedStub { purpose, evidence, cell, stub_key } = stub;
        Self {
            purpose: purpose_message(purpose),
            evidence: evidence_message(evidence),
            cell: copied(cell.as_bytes()),
            stub_key: copied(stub_key.expose()),
        }
    }
}
