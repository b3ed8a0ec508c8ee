use renkei_ids::{InvalidLength, RequestId};

use super::super::copied;
use super::batch::{count, deadline, deadline_message};
use super::{InvalidOpenedStub, InvalidSealedStub};
use crate::Refusal;
use crate::bounds::{InvalidSize, OutOfRange, filled};
use crate::limits::{OPENING_MAX_BYTES, VAULT_MAX_STUBS};
use crate::pb::vault::v1 as pb;
use crate::vault::{OpenStubsReply, OpenStubsRequest, OpenedStub, SealedStub};

/// A request for stubs that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOpenStubsRequest {
    /// The request id.
    #[error("id of the request")]
    RequestId(#[source] InvalidLength),
    /// The deadline is missing, or longer than a vault waits.
    #[error("deadline of the request in milliseconds")]
    Deadline(#[source] OutOfRange),
    /// The opening.
    #[error("opening of the request")]
    Opening(#[source] InvalidSize),
    /// No stubs, or too many.
    #[error("stubs of the request")]
    Size(#[source] InvalidSize),
    /// One of the stubs.
    #[error("stub of the request")]
    Stub(#[from] InvalidSealedStub),
}

/// Opened stubs that no vault answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOpenStubsReply {
    /// None, or more than a call has.
    #[error("results of the request")]
    Size(#[source] InvalidSize),
    /// A result says neither yes nor no.
    #[error("outcome of a stub is missing or unknown")]
    NoOutcome,
    /// One of the stubs.
    #[error("opened stub")]
    Stub(#[from] InvalidOpenedStub),
}

impl TryFrom<pb::OpenStubsRequest> for OpenStubsRequest {
    type Error = InvalidOpenStubsRequest;

    fn try_from(message: pb::OpenStubsRequest) -> Result<Self, InvalidOpenStubsRequest> {
        let pb::OpenStubsRequest { request_id, deadline_ms, opening, stubs } = message;
        count(stubs.len(), VAULT_MAX_STUBS).map_err(InvalidOpenStubsRequest::Size)?;
        Ok(Self {
            request: RequestId::try_from(&request_id[..]).map_err(InvalidOpenStubsRequest::RequestId)?,
            deadline: deadline(deadline_ms).map_err(InvalidOpenStubsRequest::Deadline)?,
            opening: filled(opening, OPENING_MAX_BYTES).map_err(InvalidOpenStubsRequest::Opening)?,
            stubs: stubs.into_iter().map(SealedStub::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl From<OpenStubsRequest> for pb::OpenStubsRequest {
    fn from(request: OpenStubsRequest) -> Self {
        let OpenStubsRequest { request, deadline, opening, stubs } = request;
        Self {
            request_id: copied(request.as_bytes()),
            deadline_ms: deadline_message(deadline),
            opening,
            stubs: stubs.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<pb::OpenStubsReply> for OpenStubsReply {
    type Error = InvalidOpenStubsReply;

    fn try_from(message: pb::OpenStubsReply) -> Result<Self, InvalidOpenStubsReply> {
        let pb::OpenStubsReply { results } = message;
        count(results.len(), VAULT_MAX_STUBS).map_err(InvalidOpenStubsReply::Size)?;
        let read = |result: pb::StubResult| match result.outcome.ok_or(InvalidOpenStubsReply::NoOutcome)? {
            pb::stub_result::Outcome::Opened(stub) => Ok(Some(OpenedStub::try_from(stub)?)),
            pb::stub_result::Outcome::Hidden(pb::Hidden {}) => Ok(None),
        };
        results.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl From<OpenStubsReply> for pb::OpenStubsReply {
    fn from(OpenStubsReply(stubs): OpenStubsReply) -> Self {
        let outcome = |stub: Option<OpenedStub>| match stub {
            Some(stub) => pb::stub_result::Outcome::Opened(stub.into()),
            None => pb::stub_result::Outcome::Hidden(pb::Hidden {}),
        };
        Self { results: stubs.into_iter().map(|stub| pb::StubResult { outcome: Some(outcome(stub)) }).collect() }
    }
}

impl From<InvalidOpenStubsRequest> for Refusal {
    fn from(invalid: InvalidOpenStubsRequest) -> Self {
        match invalid {
            InvalidOpenStubsRequest::RequestId(_) => Self::invalid("request_id"),
            InvalidOpenStubsRequest::Deadline(_) => Self::invalid("deadline_ms"),
            InvalidOpenStubsRequest::Opening(size) => size.refusal("opening"),
            InvalidOpenStubsRequest::Size(size) => size.refusal("stubs"),
            InvalidOpenStubsRequest::Stub(InvalidSealedStub::Capability(_)) => Self::invalid("stubs.capability_id"),
            InvalidOpenStubsRequest::Stub(InvalidSealedStub::Stub(size)) => size.refusal("stubs.stub"),
        }
    }
}
