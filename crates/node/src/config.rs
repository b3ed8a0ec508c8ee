//! The configuration of a node.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use renkei_access::VerifyingKey;
use renkei_ids::{CloudId, NodeId};
use renkei_peers::{RaftSettings, peer_addresses};
use renkei_runtime::{Address, Config, InvalidConfig};
use serde::{Deserialize, Serialize};

/// Least memory that a node works with.
const MIN_MEMORY_MIB: u32 = 256;
/// Most vault keys: today's, the one before, and room for a second vault.
const MAX_VAULT_KEYS: usize = 4;

/// What one node is told. Keys that are not here are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Who it is.
    pub node: Identity,
    /// Where it serves peers, gateways and operators.
    pub listen: Listen,
    /// Where its files are.
    pub data: Data,
    /// What it may use.
    pub memory: Memory,
    /// How its groups keep time.
    pub raft: RaftSettings,
    /// Whose capabilities it takes.
    #[serde(default)]
    pub vault: Vault,
    /// The nodes of its cloud, itself included: number to `host:port`.
    #[serde(default)]
    pub peers: BTreeMap<String, Address>,
    /// What faults it is to have, in a build for tests.
    #[cfg(feature = "faults")]
    #[serde(default)]
    pub faults: crate::faults::Faults,
}

/// `[node]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its number in the cloud, from 1; the name in its certificate.
    pub id: u32,
    /// The cloud, 32 hexadecimal digits.
    pub cloud: String,
}

/// `[listen]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
}

/// `[data]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Directory of log and states.
    pub dir: PathBuf,
}

/// `[memory]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Budget for caches, write buffers, log tails and work in flight, in MiB.
    pub total_mib: u32,
}

/// `[vault]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// Ed25519 public keys, 64 hexadecimal digits each. Without one, every capability is refused.
    pub keys: Vec<String>,
}

impl Config for NodeConfig {
    fn validate(&self) -> Result<(), InvalidConfig> {
        self.node_id()?;
        self.cloud()?;
        self.vault_keys()?;
        self.peers()?;
        let rule = |key, rule, holds: bool| if holds { Ok(()) } else { Err(InvalidConfig { key, rule }) };
        rule("memory.total_mib", "must be at least 256", self.memory.total_mib >= MIN_MEMORY_MIB)?;
        self.raft.validate()
    }
}

impl NodeConfig {
    /// The node's number.
    ///
    /// # Errors
    /// When it is 0.
    pub fn node_id(&self) -> Result<NodeId, InvalidConfig> {
        match self.node.id {
            0 => Err(InvalidConfig { key: "node.id", rule: "must be at least 1" }),
            id => Ok(NodeId(id)),
        }
    }

    /// The cloud.
    ///
    /// # Errors
    /// When it is no id.
    pub fn cloud(&self) -> Result<CloudId, InvalidConfig> {
        self.node.cloud.parse().map_err(|_| InvalidConfig { key: "node.cloud", rule: "must be 32 hexadecimal digits" })
    }

    /// The vault's public keys.
    ///
    /// # Errors
    /// When one does not read, or there are too many.
    pub fn vault_keys(&self) -> Result<Vec<VerifyingKey>, InvalidConfig> {
        let invalid = InvalidConfig { key: "vault.keys", rule: "must be at most 4 keys of 64 hexadecimal digits" };
        if self.vault.keys.len() > MAX_VAULT_KEYS {
            return Err(invalid);
        }
        self.vault.keys.iter().map(|text| VerifyingKey::from_hex(text).ok_or(invalid)).collect()
    }

    /// The nodes that are known from the start.
    ///
    /// # Errors
    /// When a key is no node number.
    pub fn peers(&self) -> Result<BTreeMap<NodeId, Address>, InvalidConfig> {
        peer_addresses(&self.peers)
    }
}
