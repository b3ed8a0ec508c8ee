//! Messages of the vault's service.

mod batch;
mod class;
mod class_grant;
mod delete_grant;
mod delete_item;
mod enumerations;
mod insecure_opening;
mod open_stubs;
mod opened;
mod opened_stub;
mod put_grant;
mod put_item;
mod results;
mod sealed_stub;
mod ticket_opening;

pub use batch::InvalidBatch;
pub(super) use batch::{count, deadline, deadline_message};
pub use class::InvalidClass;
pub use class_grant::InvalidClassGrant;
pub use delete_grant::InvalidDeleteGrant;
pub use delete_item::InvalidDeleteItem;
pub use enumerations::UnknownValue;
pub(super) use enumerations::{purpose, purpose_message};
pub use insecure_opening::InvalidInsecureOpening;
pub use open_stubs::{InvalidOpenStubsReply, InvalidOpenStubsRequest};
pub use opened::InvalidOpened;
pub use opened_stub::InvalidOpenedStub;
pub use put_grant::InvalidPutGrant;
pub use put_item::InvalidPutItem;
pub use results::InvalidResults;
pub use sealed_stub::InvalidSealedStub;
pub use ticket_opening::InvalidTicketOpening;
