//! What insurers, institutions and vaults ask of a registrar. Nothing here shows itself in `Debug`.

use renkei_envelope::TicketKey;

use crate::redacted::redacted;

/// The registrar's ticket key, as a vault asks for it by its day.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistrarTicketKey(pub TicketKey);

redacted! {
    RegistrarTicketKey
}
