//! Where everything lies: slots in groups, groups in replicas, replicas on nodes. And the meta group's state machine,
//! which decides it.
//!
//! Invariant: pure and deterministic. The whole state is one small value ([`Placement`]): at most [`NODES_MAX`] nodes and
//! [`GROUPS_MAX`] groups; commands change it or are refused with a name, and a refused command leaves no trace.

mod command;
mod format;
mod founding;
mod group;
mod job;
pub mod plan;
mod refused;
mod slot_map;
mod state;
mod version;

pub use command::{Change, InvalidChange, MetaReply};
pub use founding::{Founding, spread};
pub use group::{GROUPS_MAX, Group, NODES_MAX, Node, RETIRED_MAX, Replica, Retired};
pub use job::{JOBS_MAX, Job, JobId, JobKind, JobStep};
pub use refused::Refused;
pub use slot_map::{InvalidSlotMap, SlotMap, SlotRange};
pub use state::{InvalidPlacement, Placement};
pub use version::{COMMANDS_VERSION, UNTOLD_VERSION};
