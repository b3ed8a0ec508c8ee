use renkei_access::SignedTicket;
use renkei_envelope::Pseudonym;

use super::super::copied;
use super::InvalidRecordMessage as Invalid;
use crate::bounds::filled;
use crate::limits::TICKET_MAX_BYTES;
use crate::pb::record::v1 as pb;
use crate::record::Patient;

impl TryFrom<pb::Patient> for Patient {
    type Error = Invalid;

    fn try_from(message: pb::Patient) -> Result<Self, Invalid> {
        let pb::Patient { opened_by } = message;
        match opened_by {
            Some(pb::patient::OpenedBy::InsecurePseudonym(pseudonym)) => Pseudonym::try_from(&pseudonym[..])
                .map(Self::InsecurePseudonym)
                .map_err(|_| Invalid::Malformed("patient.insecure_pseudonym")),
            Some(pb::patient::OpenedBy::Ticket(ticket)) => filled(ticket, TICKET_MAX_BYTES)
                .map(|ticket| Self::Ticket(SignedTicket::from_bytes(ticket)))
                .map_err(Invalid::size("patient.ticket")),
            None => Err(Invalid::Malformed("patient")),
        }
    }
}

pub(super) fn required(message: Option<pb::Patient>) -> Result<Patient, Invalid> {
    message.ok_or(Invalid::Malformed("patient"))?.try_into()
}

impl From<Patient> for pb::Patient {
    fn from(patient: Patient) -> Self {
        let opened_by = match patient {
            Patient::InsecurePseudonym(pseudonym) => {
                pb::patient::OpenedBy::InsecurePseudonym(copied(pseudonym.expose()))
            }
            Patient::Ticket(ticket) => pb::patient::OpenedBy::Ticket(ticket.as_bytes().clone()),
        };
        Self { opened_by: Some(opened_by) }
    }
}
