//! Messages of the key holder's service.

mod held_ticket_key;
mod mint_item;
mod mint_reply;
mod mint_request;
mod minted;

pub use held_ticket_key::InvalidHeldTicketKey;
pub use mint_item::InvalidMintItem;
pub use mint_reply::InvalidMintReply;
pub use mint_request::InvalidMintRequest;
pub use minted::InvalidMinted;
