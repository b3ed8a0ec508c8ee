//! Messages of the registrar's service.

mod answers;
mod asking;
mod bulk_eligibility;
mod card;
mod check_eligibility;
mod check_in;
mod checked_in;
mod eligibility;
mod entry;
mod insured;
mod insurer_statement;
mod invalid;
mod register;
mod renew;
mod ticket_key;

pub use invalid::InvalidRegistrarMessage;
pub use ticket_key::InvalidRegistrarTicketKey;
