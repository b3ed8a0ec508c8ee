//! Snapshots between replicas: the files of a checkpoint, in pieces.
//!
//! Begin names every file with length and hash; pieces follow in order; commit verifies, installs and answers with the
//! receiver's vote. Any failure ends the transfer on both sides, and the next attempt starts with a new begin.

mod receive;
mod send;

use renkei_storage::state::{Checkpoint, VerifiedSnapshot};

pub use receive::ReceiveSnapshotError;
pub(crate) use receive::{Received, Receiver};
pub(crate) use send::send_snapshot;

/// The content of a snapshot.
pub(crate) enum SnapshotData {
    /// A checkpoint of the local state.
    Stored(Checkpoint),
    /// Came from a peer, every file as announced.
    Received(VerifiedSnapshot),
}
