//! Replicas in one process, over a transport that can lose, delay and cut.

mod cluster;
mod failover;
mod groups;
mod leadership;
mod snapshots;
