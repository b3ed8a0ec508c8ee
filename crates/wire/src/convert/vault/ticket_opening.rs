use std::collections::BTreeSet;

use renkei_access::{Period, Scope, SignedTicket};
use renkei_envelope::Class;
use renkei_ids::{CellId, InstitutionId, InvalidLength};

use super::super::copied;
use super::InvalidClass;
use crate::Refusal;
use crate::bounds::{InvalidSize, at_most, filled, month};
use crate::limits::{TICKET_MAX_BYTES, VAULT_MAX_YEARS};
use crate::pb::vault::v1 as pb;
use crate::vault::TicketOpening;

/// An opening by ticket that cannot be served. Of the ticket itself nothing is judged here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTicketOpening {
    /// No ticket, or more bytes than one has.
    #[error("ticket of an opening")]
    Ticket(#[source] InvalidSize),
    /// The institution.
    #[error("institution of an opening")]
    Institution(#[source] InvalidLength),
    /// The home cell.
    #[error("home cell of an opening")]
    HomeCell(#[source] InvalidLength),
    /// More classes than there are.
    #[error("classes of an opening")]
    Classes(#[source] InvalidSize),
    /// One of the classes.
    #[error("class of an opening")]
    Class(#[source] InvalidClass),
    /// A class comes twice.
    #[error("class of an opening comes twice")]
    ClassTwice,
    /// The period is no range of months, or a longer one than is taken.
    #[error("period of an opening")]
    Period,
    /// Nothing is asked for.
    #[error("scope of an opening is empty")]
    Scope,
}

impl TryFrom<pb::TicketOpening> for TicketOpening {
    type Error = InvalidTicketOpening;

    fn try_from(message: pb::TicketOpening) -> Result<Self, InvalidTicketOpening> {
        let pb::TicketOpening { ticket, institution, home_cell, reads, from_month, to_month, write, delete, audit } =
            message;
        let asked =
            [(!reads.is_empty(), Scope::READ), (write, Scope::WRITE), (delete, Scope::DELETE), (audit, Scope::AUDIT)];
        let scope = asked.iter().filter(|(asked, _)| *asked).fold(Scope::NONE, |all, (_, scope)| all.with(*scope));
        if scope == Scope::NONE {
            return Err(InvalidTicketOpening::Scope);
        }
        Ok(Self {
            ticket: filled(ticket, TICKET_MAX_BYTES)
                .map(SignedTicket::from_bytes)
                .map_err(InvalidTicketOpening::Ticket)?,
            institution: InstitutionId::try_from(&institution[..]).map_err(InvalidTicketOpening::Institution)?,
            home_cell: CellId::try_from(&home_cell[..]).map_err(InvalidTicketOpening::HomeCell)?,
            reads: classes(reads)?,
            period: period(from_month, to_month).ok_or(InvalidTicketOpening::Period)?,
            scope,
        })
    }
}

fn classes(named: Vec<pb::Class>) -> Result<Vec<Class>, InvalidTicketOpening> {
    at_most(named.len(), Class::COUNT).map_err(InvalidTicketOpening::Classes)?;
    let classes = named.into_iter().map(Class::try_from).collect::<Result<Vec<_>, _>>();
    let classes = classes.map_err(InvalidTicketOpening::Class)?;
    let different: BTreeSet<_> = classes.iter().collect();
    if different.len() == classes.len() { Ok(classes) } else { Err(InvalidTicketOpening::ClassTwice) }
}

pub(super) fn period(from: u32, to: u32) -> Option<Period> {
    let (from, to) = (month(from)?, month(to)?);
    (from <= to && to.year() - from.year() < VAULT_MAX_YEARS).then_some(Period { from, to })
}

impl From<TicketOpening> for pb::TicketOpening {
    fn from(opening: TicketOpening) -> Self {
        let TicketOpening { ticket, institution, home_cell, reads, period, scope } = opening;
        let Period { from, to } = period;
        Self {
            ticket: ticket.as_bytes().clone(),
            institution: copied(institution.as_bytes()),
            home_cell: copied(home_cell.as_bytes()),
            reads: reads.into_iter().map(Into::into).collect(),
            from_month: u32::from(from.raw()),
            to_month: u32::from(to.raw()),
            write: scope.allows(Scope::WRITE),
            delete: scope.allows(Scope::DELETE),
            audit: scope.allows(Scope::AUDIT),
        }
    }
}

impl From<InvalidTicketOpening> for Refusal {
    fn from(invalid: InvalidTicketOpening) -> Self {
        match invalid {
            InvalidTicketOpening::Ticket(size) => size.refusal("items.ticket"),
            InvalidTicketOpening::Institution(_) => Self::invalid("items.institution"),
            InvalidTicketOpening::HomeCell(_) => Self::invalid("items.home_cell"),
            InvalidTicketOpening::Classes(size) => size.refusal("items.reads"),
            InvalidTicketOpening::Class(_) | InvalidTicketOpening::ClassTwice => Self::invalid("items.reads"),
            InvalidTicketOpening::Period => Self::invalid("items.to_month"),
            InvalidTicketOpening::Scope => Self::invalid("items.write"),
        }
    }
}
