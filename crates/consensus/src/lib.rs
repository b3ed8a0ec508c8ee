//! Replication: one engine for every group of a process, over any deterministic state machine.
//!
//! Invariant: the only crate that names openraft; it knows no tonic, no generated protobuf and nothing of patients.
//! Commands and states are bytes, the network is the trait [`PeerTransport`], the disk is `renkei-storage`.
//!
//! - [`Engine`]: opens, creates and removes replicas, takes in what peers send, and takes snapshots.
//! - [`Replica`]: proposes, reads, and says who leads.
//! - [`StateMachine`]: what a group replicates.
//!
//! A proposal is acknowledged when a majority has it on disk and this replica has applied it; it is made in the
//! leadership that the caller read under, or not at all.

mod blocking;
mod channel;
mod codec;
mod engine;
mod log_store;
mod machine;
mod message;
mod network;
mod raft;
mod replica;
mod snapshot;
mod state;
mod stored;
mod timing;
mod transport;

pub mod inspect;

pub use blocking::Blocking;
pub use channel::{ChannelNetwork, Fate, Fates};
pub use codec::CodecError;
pub use engine::{Engine, EngineOptions, Failure, FatalHook, OpenError, RemoveError, SnapshotSchedule, Spawner};
pub use machine::{EntryAt, StateMachine};
pub use replica::{
    InitializeGroupError, Members, MembersError, Placed, ProposeError, ReadIndexError, Replica, ReplicaStatus, Role,
};
pub use snapshot::ReceiveSnapshotError;
pub use state::{Digest, StateError};
pub use timing::Timing;
pub use transport::{Address, Lane, PeerTransport, ReceiveError, TransportError};
