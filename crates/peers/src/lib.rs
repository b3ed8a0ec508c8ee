//! What replicas of one service are to each other: Raft frames, over one long-lived stream for each peer and lane, each on
//! a connection of its own and shared by all groups; and the comparison of their states.
//!
//! Invariant: frames go to and come from certificates of one role in one cloud, the [`Circle`]; a frame of another cloud,
//! or in the name of a replica that lives elsewhere, ends its stream. It knows nothing of what is replicated.
//!
//! [`Lanes`] is the asking side, which the replication engine sends through; [`Peers`] the answering one, a service to be
//! put on the port. [`Outbox`] cuts messages into frames, and [`Assembly`] puts them together again. [`Digests`] compares
//! states, [`Clocks`] clocks, [`standing`] says how a replica stands, and [`RaftSettings`] is what an operator says about all
//! of it. Services that have one group, of one process or three, begin it with a [`Founder`].

mod assembly;
mod book;
mod clocks;
mod digests;
mod fatal;
mod founding;
mod lanes;
mod link;
mod membership;
mod outbox;
mod server;
mod settings;
mod standing;

pub use assembly::{Assembly, Disorder, Incoming};
pub use book::AddressBook;
pub use clocks::{CLOCK_OFF_MAX, ClockGauges, Clocks};
pub use digests::{AskDigests, Digests};
pub use fatal::{on_log_failure, on_replica_failure};
pub use founding::{Charter, FOUNDING_PATIENCE, FoundError, Founder, HostStanding, Hosts, NotBegun, ask_to_begin};
pub use lanes::Lanes;
pub use membership::{GROUP, Membership, REPLICATED};
pub use outbox::{Outbox, Outgoing};
pub use server::{HostOf, Peers};
pub use settings::{Profile, RaftSettings, peer_addresses};
pub use standing::standing;

use renkei_consensus as consensus;
use renkei_ids::CloudId;
use renkei_runtime::Role;
use renkei_wire::peer;

/// Who talks to whom: processes of one role in one cloud. A certificate names both, and the number of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The cloud.
    pub cloud: CloudId,
    /// The role.
    pub role: Role,
}

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
