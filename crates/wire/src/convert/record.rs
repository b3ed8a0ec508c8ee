//! Messages of the service towards institutions.

mod actor;
mod audit_entry;
mod bulk_put;
mod delete_document;
mod get_document;
mod invalid;
mod kind;
mod list_audit;
mod month;
mod open_tickets;
mod patient;
mod put_document_reply;
mod put_head;
mod query_timeline;
mod timeline;
mod upload;
mod words;

pub(super) use actor::actor;
pub use invalid::InvalidRecordMessage;
pub use month::{month_text, read_month};
pub use words::{evidence_word, purpose_word};
