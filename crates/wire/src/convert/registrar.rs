//! Messages of the registrar's service.

mod ticket_key;

pub use ticket_key::InvalidRegistrarTicketKey;
