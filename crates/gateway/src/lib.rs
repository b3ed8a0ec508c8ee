//! A gateway: serves institutions, holds what is opened for them, and keeps nothing at rest.
//!
//! Invariant: plaintext, keys and pids live in RAM, for the patients who are being served and until their openings end.
//! No byte of a document leaves before the whole of it has opened under its record's key. A document is stored under a ticket
//! only if what it says of its patient is what the ticket commits to.
//!
//! Reading order: [`run`] puts the parts together; `rpc` is the way of a request, `openings` what is kept of a patient
//! between requests, `vault` and `nodes` how the two others are asked.
//!
//! **Order of a timeline.** Months come newest first. Inside a month entries come newest first by their summary's date
//! within one page of the node (200 entries or 1 MiB of ciphertext): a month that is larger comes in runs of that size.

mod admission;
mod cell_key;
mod config;
mod deadline;
mod documents;
mod institution;
mod metrics;
mod nodes;
mod openings;
mod random;
mod rpc;
mod service;
mod timeline;
mod vault;

pub use cell_key::{CellKeyError, setup};
pub use config::GatewayConfig;
pub use institution::institution_id;
pub use service::{GatewayError, run};
