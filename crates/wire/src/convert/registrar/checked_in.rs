use renkei_access::SignedTicket;
use renkei_ids::{CloudId, GrantId, UnixMillis};

use super::InvalidRegistrarMessage as Invalid;
use crate::bounds::{at_most, filled};
use crate::convert::copied;
use crate::limits::{REGISTRAR_MAX_CLOUDS, TICKET_MAX_BYTES};
use crate::pb::registrar::v1 as pb;
use crate::registrar::{CheckedIn, CloudTicket};

impl TryFrom<pb::CheckedIn> for CheckedIn {
    type Error = Invalid;

    fn try_from(message: pb::CheckedIn) -> Result<Self, Invalid> {
        let pb::CheckedIn { eligibility, grant, grant_ends_ms, tickets } = message;
        at_most(tickets.len(), REGISTRAR_MAX_CLOUDS).map_err(Invalid::size("tickets"))?;
        Ok(Self {
            eligibility: eligibility.ok_or(Invalid::Malformed("eligibility"))?.try_into()?,
            grant: GrantId::try_from(&grant[..]).map_err(|_| Invalid::Malformed("grant"))?,
            grant_ends: UnixMillis(grant_ends_ms),
            tickets: tickets.into_iter().map(CloudTicket::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl From<CheckedIn> for pb::CheckedIn {
    fn from(checked_in: CheckedIn) -> Self {
        let CheckedIn { eligibility, grant, grant_ends, tickets } = checked_in;
        Self {
            eligibility: Some(eligibility.into()),
            grant: copied(grant.as_bytes()),
            grant_ends_ms: grant_ends.0,
            tickets: tickets.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<pb::CloudTicket> for CloudTicket {
    type Error = Invalid;

    fn try_from(message: pb::CloudTicket) -> Result<Self, Invalid> {
        use pb::cloud_ticket::Outcome;
        let pb::CloudTicket { cloud, outcome } = message;
        let ticket = match outcome.ok_or(Invalid::Malformed("outcome"))? {
            Outcome::Ticket(ticket) => {
                Ok(SignedTicket::from_bytes(filled(ticket, TICKET_MAX_BYTES).map_err(Invalid::size("ticket"))?))
            }
            Outcome::Refusal(refusal) => Err(refusal.try_into()?),
        };
        Ok(Self { cloud: CloudId::try_from(&cloud[..]).map_err(|_| Invalid::Malformed("cloud"))?, ticket })
    }
}

impl From<CloudTicket> for pb::CloudTicket {
    fn from(ticket: CloudTicket) -> Self {
        use pb::cloud_ticket::Outcome;
        let CloudTicket { cloud, ticket } = ticket;
        let outcome = match ticket {
            Ok(ticket) => Outcome::Ticket(ticket.as_bytes().clone()),
            Err(refusal) => Outcome::Refusal(refusal.into()),
        };
        Self { cloud: copied(cloud.as_bytes()), outcome: Some(outcome) }
    }
}
