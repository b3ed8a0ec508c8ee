//! Raft messages between nodes: one long-lived stream for each peer and lane, each on a connection of its own, shared by
//! all groups.

mod assembly;
mod lanes;
mod link;
mod outbox;
mod server;

pub(crate) use lanes::Lanes;
pub(crate) use server::Peers;

use renkei_consensus as consensus;
use renkei_wire::peer;

/// Longest time that a lane on which answers are due may say nothing: then it is given up and made anew.
const IDLE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);

fn wire_lane(lane: consensus::Lane) -> peer::Lane {
    match lane {
        consensus::Lane::Append => peer::Lane::Append,
        consensus::Lane::Control => peer::Lane::Control,
        consensus::Lane::Snapshot => peer::Lane::Snapshot,
    }
}

fn engine_lane(lane: peer::Lane) -> consensus::Lane {
    match lane {
        peer::Lane::Append => consensus::Lane::Append,
        peer::Lane::Control => consensus::Lane::Control,
        peer::Lane::Snapshot => consensus::Lane::Snapshot,
    }
}
