//! A node: hosts replicas of many groups, and answers gateways from those that lead.
//!
//! Invariant: a node holds pids, tags, buckets and ciphertext. It knows no key of a patient, no pseudonym and no plaintext,
//! and serves a pid only against a capability that a vault of its cloud signed for the very gateway that presents it.
//!
//! Reading order: [`run`] puts the parts together; `serve` is the way of a request, `renkei-peers` that of a Raft message,
//! `founding` how a cloud begins and how replicas come to where the placement wants them, `controller` how it changes.

mod admin;
mod capabilities;
mod config;
mod controller;
mod fatal;
#[cfg(feature = "faults")]
mod faults;
mod founding;
mod machine;
mod metrics;
mod proposer;
mod remote;
mod routes;
mod serve;
mod service;

pub use config::NodeConfig;
pub use founding::KnownError;
pub use service::{NodeError, run};
