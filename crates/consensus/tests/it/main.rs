//! Replicas in one process, over a transport that can lose, delay and cut.
#![expect(clippy::unwrap_used, reason = "clippy knows test functions, not what they share")]

#[cfg(feature = "faults")]
mod broken_rules;
mod cluster;
mod failover;
mod groups;
mod leadership;
mod snapshots;
