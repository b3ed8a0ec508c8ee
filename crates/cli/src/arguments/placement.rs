//! What operators ask of the placement, as it is typed.

use std::str::FromStr;

use renkei_ids::{GroupId, NodeId, Slot};
use renkei_placement::SlotRange;
use renkei_runtime::Address;
use renkei_wire::NodeAddress;
use renkei_wire::admin::SubmitRequest;

use super::InvalidArgument;
use crate::connection::Connection;

/// Any node will do: the one that leads the meta group is found from there.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Endpoints {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// A node to ask. May be repeated; without it, the endpoints of the configuration are asked.
    #[arg(long = "endpoint", value_name = "HOST:PORT")]
    pub(crate) endpoints: Vec<Address>,

    /// Seconds to go on trying while nodes are down or elect a leader.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) wait: u64,
}

/// How a plan is asked for. The nodes carry it out: ending this command, or Ctrl-C, stops nothing.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Planning {
    #[command(flatten)]
    pub(crate) endpoints: Endpoints,

    /// Returns when the plan is queued, in place of showing how it goes until it is done.
    #[arg(long)]
    pub(crate) detach: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AddNodeSettings {
    #[command(flatten)]
    pub(crate) endpoints: Endpoints,

    /// The node's number.
    #[arg(long, value_name = "N", value_parser = parse_node)]
    pub(crate) node: NodeId,

    /// Where the other nodes and gateways reach it.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) address: NodeAddress,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ReplaceNodeSettings {
    #[command(flatten)]
    pub(crate) planning: Planning,

    /// The node that is dead, or lost its disk.
    #[arg(long, value_name = "N", value_parser = parse_node)]
    pub(crate) node: NodeId,

    /// The node that hosts everything in its place. Without it, the node itself, which runs on an empty disk.
    #[arg(long, value_name = "M", value_parser = parse_node)]
    pub(crate) by: Option<NodeId>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DrainSettings {
    #[command(flatten)]
    pub(crate) planning: Planning,

    /// The node.
    #[arg(long, value_name = "N", value_parser = parse_node)]
    pub(crate) node: NodeId,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct MoveReplicaSettings {
    #[command(flatten)]
    pub(crate) planning: Planning,

    /// The group; 0 is the meta group.
    #[arg(long, value_name = "G")]
    pub(crate) group: GroupId,

    /// The node that it leaves.
    #[arg(long, value_name = "N", value_parser = parse_node)]
    pub(crate) from: NodeId,

    /// The node that it comes to.
    #[arg(long, value_name = "M", value_parser = parse_node)]
    pub(crate) to: NodeId,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TransferSettings {
    #[command(flatten)]
    pub(crate) planning: Planning,

    /// The group; 0 is the meta group.
    #[arg(long, value_name = "G")]
    pub(crate) group: GroupId,

    /// One of its nodes.
    #[arg(long, value_name = "N", value_parser = parse_node)]
    pub(crate) to: NodeId,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct MoveSlotsSettings {
    #[command(flatten)]
    pub(crate) planning: Planning,

    /// The group that has them.
    #[arg(long, value_name = "G")]
    pub(crate) from: GroupId,

    /// The group that gets them.
    #[arg(long, value_name = "H")]
    pub(crate) to: GroupId,

    /// First and last slot, such as 0-255.
    #[arg(long, value_name = "A-B")]
    pub(crate) slots: Slots,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GrowSettings {
    #[command(flatten)]
    pub(crate) planning: Planning,

    /// Shard groups that there are then.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) groups: u32,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct JobsSettings {
    #[command(flatten)]
    pub(crate) endpoints: Endpoints,

    /// Shows how they go until they are done.
    #[arg(long)]
    pub(crate) watch: bool,
}

/// `0-255`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slots {
    first: Slot,
    last: Slot,
}

impl FromStr for Slots {
    type Err = InvalidArgument;

    fn from_str(text: &str) -> Result<Self, InvalidArgument> {
        let slot = |text: &str| text.parse::<u32>().ok().and_then(|raw| Slot::try_from(raw).ok());
        let (first, last) = text.split_once('-').ok_or(InvalidArgument::Slots)?;
        let (first, last) = (slot(first).ok_or(InvalidArgument::Slots)?, slot(last).ok_or(InvalidArgument::Slots)?);
        if first <= last { Ok(Self { first, last }) } else { Err(InvalidArgument::Slots) }
    }
}

fn parse_node(text: &str) -> Result<NodeId, InvalidArgument> {
    text.parse().ok().filter(|node: &NodeId| node.0 > 0).ok_or(InvalidArgument::NodeNumber)
}

impl From<&ReplaceNodeSettings> for SubmitRequest {
    fn from(settings: &ReplaceNodeSettings) -> Self {
        Self::Replace { node: settings.node, by: settings.by }
    }
}

impl From<&DrainSettings> for SubmitRequest {
    fn from(settings: &DrainSettings) -> Self {
        Self::Drain { node: settings.node }
    }
}

impl From<&MoveReplicaSettings> for SubmitRequest {
    fn from(settings: &MoveReplicaSettings) -> Self {
        Self::MoveReplica { group: settings.group, from: settings.from, to: settings.to }
    }
}

impl From<&TransferSettings> for SubmitRequest {
    fn from(settings: &TransferSettings) -> Self {
        Self::MoveLeader { group: settings.group, to: settings.to }
    }
}

impl From<&MoveSlotsSettings> for SubmitRequest {
    fn from(settings: &MoveSlotsSettings) -> Self {
        let Slots { first, last } = settings.slots;
        Self::MoveSlots { from: settings.from, to: SlotRange { first, last, group: settings.to } }
    }
}

impl From<&GrowSettings> for SubmitRequest {
    fn from(settings: &GrowSettings) -> Self {
        Self::Grow { groups: settings.groups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_read_and_odd_ones_are_refused() {
        let slots: Slots = "0-4095".parse().unwrap();
        assert_eq!((slots.first.get(), slots.last.get()), (0, 4_095));
        for odd in ["", "1", "1-", "-1", "2-1", "0-4096", "a-b"] {
            assert_eq!(odd.parse::<Slots>(), Err(InvalidArgument::Slots), "{odd}");
        }
        assert_eq!(parse_node("0"), Err(InvalidArgument::NodeNumber));
    }
}
