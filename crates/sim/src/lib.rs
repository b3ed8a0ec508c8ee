//! Replication in a simulated world: our engine, codecs, timing, shard and read path over a network, disks and a clock that one
//! seed decides, in one thread. The same seed gives the same run, event by event.
//!
//! Invariant: for tests only; nothing of the product depends on it. It replaces the network, the disk and the clock, and
//! nothing else.
//!
//! - [`run`]: one run from a [`Plan`], judged by the invariants while it goes on and by its history at its end.
//! - [`entropy`]: why the same seed gives the same run, also in what the standard library and tokio draw for themselves.
//! - `invariants`: one file for each.
//!
//! What a disk does: entries can be read as soon as they are appended, and are durable after a drawn time; a crash loses
//! what is not durable, and the state, which has no write-ahead log, falls back to its last flush.

pub mod entropy;

mod book;
mod client;
mod disk;
mod event;
mod faults;
mod frames;
mod invariants;
mod machine;
mod network;
mod node;
mod operator;
mod patients;
mod plan;
mod proposer;
mod report;
mod run;
mod service;
mod world;

pub use plan::Plan;
pub use report::Report;
pub use run::run;

use renkei_ids::{CloudId, GroupId, NodeId};

/// The group that everything is about.
const GROUP: GroupId = GroupId(1);
const CLOUD: CloudId = CloudId::from_bytes([7; 16]);

/// Where nodes listen to each other.
const PEER_PORT: u16 = 7000;
/// Where nodes listen to clients and to the operator.
const CLIENT_PORT: u16 = 7001;

fn host_name(node: NodeId) -> String {
    format!("node-{node}")
}

/// Starts a task of the simulated machine that calls.
fn start<F>(task: F) -> tokio::task::JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::runtime::Handle::current().spawn(task)
}
