use renkei_access::SignedTicket;

use super::InvalidRecordMessage as Invalid;
use crate::Refusal;
use crate::bounds::{InvalidSize, at_most, filled};
use crate::limits::{TICKET_MAX_BYTES, VAULT_MAX_ITEMS};
use crate::pb::record::v1 as pb;
use crate::record::{OpenTicketsReply, OpenTicketsRequest};

fn counted(items: usize, field: &'static str) -> Result<(), Invalid> {
    let counted = if items == 0 { Err(InvalidSize::Empty) } else { at_most(items, VAULT_MAX_ITEMS) };
    counted.map_err(Invalid::size(field))
}

impl TryFrom<pb::OpenTicketsRequest> for OpenTicketsRequest {
    type Error = Invalid;

    fn try_from(message: pb::OpenTicketsRequest) -> Result<Self, Invalid> {
        let pb::OpenTicketsRequest { tickets } = message;
        counted(tickets.len(), "tickets")?;
        let ticket = |bytes| filled(bytes, TICKET_MAX_BYTES).map(SignedTicket::from_bytes);
        tickets.into_iter().map(ticket).collect::<Result<_, _>>().map(Self).map_err(Invalid::size("tickets"))
    }
}

impl From<OpenTicketsRequest> for pb::OpenTicketsRequest {
    fn from(OpenTicketsRequest(tickets): OpenTicketsRequest) -> Self {
        Self { tickets: tickets.iter().map(|ticket| ticket.as_bytes().clone()).collect() }
    }
}

impl TryFrom<pb::OpenTicketsReply> for OpenTicketsReply {
    type Error = Invalid;

    fn try_from(message: pb::OpenTicketsReply) -> Result<Self, Invalid> {
        let pb::OpenTicketsReply { statuses } = message;
        counted(statuses.len(), "statuses")?;
        let status = |status: pb::TicketStatus| match status.outcome.ok_or(Invalid::Malformed("outcome"))? {
            pb::ticket_status::Outcome::Ready(pb::Ready {}) => Ok(Ok(())),
            pb::ticket_status::Outcome::Refusal(refusal) => Ok(Err(Refusal::try_from(refusal)?)),
        };
        statuses.into_iter().map(status).collect::<Result<_, Invalid>>().map(Self)
    }
}

impl From<OpenTicketsReply> for pb::OpenTicketsReply {
    fn from(OpenTicketsReply(statuses): OpenTicketsReply) -> Self {
        let outcome = |status: Result<(), Refusal>| match status {
            Ok(()) => pb::ticket_status::Outcome::Ready(pb::Ready {}),
            Err(refusal) => pb::ticket_status::Outcome::Refusal(refusal.into()),
        };
        let status = |status| pb::TicketStatus { outcome: Some(outcome(status)) };
        Self { statuses: statuses.into_iter().map(status).collect() }
    }
}
