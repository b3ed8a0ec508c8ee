use std::collections::HashSet;

use renkei_ids::NodeId;

use crate::admin::NodeAt;
use crate::bounds::{InvalidSize, at_most};
use crate::limits::ADMIN_MAX_NODES;
use crate::pb::admin::v1 as pb;
use crate::{InvalidNodeAddress, NodeAddress};

/// A node that cannot be reached as told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNodeAt {
    /// The node's id is missing or 0.
    #[error("id of a node is 0")]
    Node,
    /// The node's address.
    #[error("address of node {node}")]
    Address {
        /// Which node.
        node: NodeId,
        /// What is wrong with it.
        #[source]
        source: InvalidNodeAddress,
    },
}

/// A list of nodes that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNodes {
    /// There is none, or more than a message takes.
    #[error("list of nodes")]
    Size(#[source] InvalidSize),
    /// One of the nodes.
    #[error("list of nodes")]
    Node(#[from] InvalidNodeAt),
    /// Two nodes share an id or an address.
    #[error("node {0} or its address comes twice")]
    Twice(NodeId),
}

impl TryFrom<pb::NodeAt> for NodeAt {
    type Error = InvalidNodeAt;

    fn try_from(message: pb::NodeAt) -> Result<Self, InvalidNodeAt> {
        let pb::NodeAt { node, address } = message;
        if node == 0 {
            return Err(InvalidNodeAt::Node);
        }
        let node = NodeId(node);
        let address: NodeAddress = address.parse().map_err(|source| InvalidNodeAt::Address { node, source })?;
        Ok(Self { node, address })
    }
}

impl From<NodeAt> for pb::NodeAt {
    fn from(at: NodeAt) -> Self {
        let NodeAt { node, address } = at;
        Self { node: node.0, address: address.as_str().to_owned() }
    }
}

pub(super) fn nodes(messages: Vec<pb::NodeAt>) -> Result<Vec<NodeAt>, InvalidNodes> {
    if messages.is_empty() {
        return Err(InvalidNodes::Size(InvalidSize::Empty));
    }
    at_most(messages.len(), ADMIN_MAX_NODES).map_err(InvalidNodes::Size)?;
    let nodes = messages.into_iter().map(NodeAt::try_from).collect::<Result<Vec<_>, _>>()?;
    let mut ids = HashSet::new();
    let mut addresses = HashSet::new();
    match nodes.iter().find(|at| !ids.insert(at.node) || !addresses.insert(&at.address)) {
        Some(at) => Err(InvalidNodes::Twice(at.node)),
        None => Ok(nodes),
    }
}
