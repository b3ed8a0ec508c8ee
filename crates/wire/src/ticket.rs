//! Why a ticket is refused, as the error table has it.

use renkei_access::{InvalidTicket, TicketRefusal};

use crate::{ErrorCode, Refusal};

impl From<InvalidTicket> for Refusal {
    fn from(invalid: InvalidTicket) -> Self {
        Self::new(match invalid {
            InvalidTicket::TooLong(_) => return Self::too_large("ticket"),
            InvalidTicket::TooShort(_)
            | InvalidTicket::Signature
            | InvalidTicket::Format(_)
            | InvalidTicket::Malformed(_)
            | InvalidTicket::Life(_)
            | InvalidTicket::Limit(_) => ErrorCode::TicketInvalid,
        })
    }
}

impl From<TicketRefusal> for Refusal {
    fn from(refusal: TicketRefusal) -> Self {
        Self::new(match refusal {
            TicketRefusal::OtherCloud => ErrorCode::TicketOtherCloud,
            TicketRefusal::OtherInstitution => ErrorCode::TicketOtherInstitution,
            TicketRefusal::OtherHomeCell => ErrorCode::TicketOtherHomeCell,
            TicketRefusal::OtherCell => ErrorCode::TicketOtherCell,
            TicketRefusal::OtherEpoch => ErrorCode::TicketOtherEpoch,
            TicketRefusal::NotYetValid => ErrorCode::TicketNotYetValid,
            TicketRefusal::Expired => ErrorCode::TicketExpired,
            TicketRefusal::Denied => ErrorCode::InstitutionDenied,
            TicketRefusal::Evidence => ErrorCode::EvidenceInsufficient,
            TicketRefusal::Category => ErrorCode::TicketCategory,
        })
    }
}
