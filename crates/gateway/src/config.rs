//! The configuration of a gateway.

use std::net::SocketAddr;
use std::path::PathBuf;

use renkei_directory::DirectorySettings;
use renkei_ids::CloudId;
use renkei_runtime::{Address, Config, InvalidConfig};
use serde::{Deserialize, Serialize};

/// Least memory for requests under way: a few of the largest documents.
const MIN_MEMORY_MIB: u32 = 128;
/// Most replicas of a vault.
const MAX_VAULTS: usize = 8;
/// Most nodes to start from.
const MAX_NODES: usize = 64;

/// What one gateway is told. Keys that are not here are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// Who it is.
    pub gateway: Identity,
    /// Where it serves institutions.
    pub listen: Listen,
    /// Who gives it keys.
    pub vault: VaultPlace,
    /// Who stores.
    pub nodes: NodePlaces,
    /// Whose directory it goes by, as its vault gives it. Only a development build does without.
    #[serde(default)]
    pub directory: Option<DirectorySettings>,
    /// Its cell's own key: whose a document is, is told with it. Without it no ticket is taken.
    #[serde(default)]
    pub cell: Option<CellFiles>,
    /// What it may use.
    #[serde(default)]
    pub memory: Memory,
}

/// `[gateway]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The name in its certificate.
    pub name: String,
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

/// `[vault]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultPlace {
    /// `host:port` of the vault's replicas, in the order of their numbers: 1 to 8.
    pub addresses: Vec<Address>,
}

/// `[nodes]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePlaces {
    /// `host:port` of nodes to start from, 1 to 64; the slot map names the others.
    pub addresses: Vec<Address>,
}

/// `[cell]`: files that `renkei-gateway setup` makes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellFiles {
    /// The cell's key.
    pub key_file: PathBuf,
    /// 32 bytes that only this host can read, and that the key is sealed to.
    pub host_secret_file: PathBuf,
}

/// `[memory]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// Budget for requests under way, in MiB; beyond it requests are told `busy`.
    pub requests_mib: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self { requests_mib: 512 }
    }
}

impl Config for GatewayConfig {
    fn validate(&self) -> Result<(), InvalidConfig> {
        self.cloud()?;
        self.directory.as_ref().map(DirectorySettings::officers).transpose()?;
        let rule = |key, rule, holds: bool| if holds { Ok(()) } else { Err(InvalidConfig { key, rule }) };
        let vaults = self.vault.addresses.len();
        rule("vault.addresses", "must name 1 to 8 replicas of the vault", (1..=MAX_VAULTS).contains(&vaults))?;
        let nodes = self.nodes.addresses.len();
        rule("nodes.addresses", "must name 1 to 64 nodes", (1..=MAX_NODES).contains(&nodes))?;
        rule("memory.requests_mib", "must be at least 128", self.memory.requests_mib >= MIN_MEMORY_MIB)
    }
}

impl GatewayConfig {
    /// The cloud.
    ///
    /// # Errors
    /// When it is no id.
    pub fn cloud(&self) -> Result<CloudId, InvalidConfig> {
        let invalid = InvalidConfig { key: "gateway.cloud", rule: "must be 32 hexadecimal digits" };
        self.gateway.cloud.parse().map_err(|_| invalid)
    }
}
