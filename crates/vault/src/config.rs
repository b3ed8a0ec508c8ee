//! The configuration of a vault.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use renkei_access::{HOLDERS_MAX, Limit, Officers, VerifyingKey};
use renkei_directory::DirectorySettings;
use renkei_envelope::EscrowKey;
use renkei_ids::{CloudId, KeyholderId, NodeId};
use renkei_peers::{Membership, RaftSettings, peer_addresses};
use renkei_runtime::{Address, Config, InvalidConfig};
use serde::{Deserialize, Serialize};

use crate::state::Limits;
use crate::ticket_keys::Givers;

const MIN_MEMORY_MIB: u32 = 128;

/// What one vault is told. Keys that are not here are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// Who it is.
    pub vault: Identity,
    /// Where it serves gateways, peers and operators.
    pub listen: Listen,
    /// Where its files are.
    pub data: Data,
    /// What it may use.
    pub memory: Memory,
    /// Its keys.
    pub keys: Keys,
    /// What it gives.
    #[serde(default)]
    pub openings: Openings,
    /// How much of it.
    #[serde(default)]
    pub budgets: BudgetSettings,
    /// Who gives ticket keys. Without them it opens no ticket.
    #[serde(default)]
    pub tickets: Option<TicketSettings>,
    /// Whose directory it keeps; tickets need one.
    #[serde(default)]
    pub directory: Option<DirectorySettings>,
    /// How its group keeps time and log.
    #[serde(default)]
    pub raft: RaftSettings,
    /// The three vaults of its cloud, itself included: number to `host:port`. Without them it is alone. They are fixed
    /// when the vault is founded.
    #[serde(default)]
    pub peers: BTreeMap<String, Address>,
}

/// `[vault]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its number among the vault's replicas, from 1; the name in its certificate.
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
    /// Directory of log and state.
    pub dir: PathBuf,
}

/// `[memory]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Budget for caches, write buffers, log tails and work in flight, in MiB.
    pub total_mib: u32,
}

/// `[keys]`: files that `renkei-vault setup` makes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The epoch key.
    pub epoch_file: PathBuf,
    /// The seed that capabilities are signed with.
    pub signing_file: PathBuf,
    /// 32 bytes that only this host can read, and that the two files are sealed to.
    #[serde(default)]
    pub host_secret_file: Option<PathBuf>,
    /// X25519 public key of the cloud's officers, 64 hexadecimal digits: a row to find each patient by again is sealed to
    /// it. The private half is offline. Without it there are no such rows.
    #[serde(default)]
    pub escrow_key: Option<String>,
}

/// `[tickets]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketSettings {
    /// `host:port` of the registrar.
    pub registrar: Address,
    /// Every key holder of the cloud's pseudonyms: number to `host:port`, 1 to 8.
    pub keyholders: BTreeMap<String, Address>,
}

impl TicketSettings {
    fn givers(&self) -> Result<Givers, InvalidConfig> {
        let invalid = |rule| InvalidConfig { key: "tickets.keyholders", rule };
        let holder = |(number, address): (&String, &Address)| {
            let number = number.parse().ok().filter(|number| *number >= 1);
            Ok((KeyholderId(number.ok_or(invalid("must be named by numbers from 1"))?), address.clone()))
        };
        let holders: BTreeMap<_, _> = self.keyholders.iter().map(holder).collect::<Result<_, _>>()?;
        if !(1..=HOLDERS_MAX).contains(&holders.len()) || holders.len() != self.keyholders.len() {
            return Err(invalid("must be 1 to 8, each once"));
        }
        Ok(Givers { registrar: self.registrar.clone(), holders })
    }
}

/// `[openings]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Openings {
    /// How long a capability and an opening are taken: 1 to 60 minutes.
    pub minutes: u32,
}

impl Default for Openings {
    fn default() -> Self {
        Self { minutes: 10 }
    }
}

/// `[budgets]`: each counts items by minute and by day (from 00:00 UTC) of the vault's own time.
///
/// The defaults are those of a large hospital (3,000 visits a day, a few lookups for each), of a cell that serves
/// twenty of them, and of a slot of 30,000 patients. A breach is held to them, so they are raised with care.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// Openings by one (institution, purpose, evidence).
    pub open_asker: LimitSettings,
    /// The same, on evidence that serves emergencies only.
    pub open_emergency: LimitSettings,
    /// Openings through one gateway.
    pub open_cell: LimitSettings,
    /// Openings of patients in one slot.
    pub open_slot: LimitSettings,
    /// Puts and deletes by one (institution, purpose, evidence).
    pub write_asker: LimitSettings,
    /// Puts and deletes through one gateway.
    pub write_cell: LimitSettings,
    /// Puts and deletes for patients in one slot.
    pub write_slot: LimitSettings,
}

/// One limit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// In a minute.
    pub minute: u32,
    /// In a day.
    pub day: u32,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        let limit = |minute, day| LimitSettings { minute, day };
        Self {
            open_asker: limit(300, 10_000),
            open_emergency: limit(30, 300),
            open_cell: limit(6_000, 200_000),
            open_slot: limit(300, 5_000),
            write_asker: limit(3_000, 100_000),
            write_cell: limit(60_000, 2_000_000),
            write_slot: limit(600, 20_000),
        }
    }
}

impl BudgetSettings {
    /// As commands bear them.
    pub fn limits(&self) -> Limits {
        let limit = |LimitSettings { minute, day }| Limit { minute, day };
        Limits {
            open_asker: limit(self.open_asker),
            open_emergency: limit(self.open_emergency),
            open_cell: limit(self.open_cell),
            open_slot: limit(self.open_slot),
            write_asker: limit(self.write_asker),
            write_cell: limit(self.write_cell),
            write_slot: limit(self.write_slot),
        }
    }
}

impl Config for VaultConfig {
    fn validate(&self) -> Result<(), InvalidConfig> {
        self.cloud()?;
        let rule = |key, rule, holds: bool| if holds { Ok(()) } else { Err(InvalidConfig { key, rule }) };
        rule("vault.id", "must be at least 1", self.vault.id >= 1)?;
        self.membership()?;
        self.raft.validate()?;
        rule("memory.total_mib", "must be at least 128", self.memory.total_mib >= MIN_MEMORY_MIB)?;
        let directory = self.officers()?;
        let complete = self.givers()?.is_none() || directory.is_some();
        rule("directory", "must be there where tickets are", complete)?;
        self.escrow_key()?;
        rule("openings.minutes", "must be 1 to 60", (1..=60).contains(&self.openings.minutes))
    }
}

impl VaultConfig {
    /// The cloud.
    ///
    /// # Errors
    /// When it is no id.
    pub fn cloud(&self) -> Result<CloudId, InvalidConfig> {
        self.vault
            .cloud
            .parse()
            .map_err(|_| InvalidConfig { key: "vault.cloud", rule: "must be 32 hexadecimal digits" })
    }

    /// How long a capability and an opening are taken.
    pub fn life(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.openings.minutes))
    }

    /// Who gives ticket keys.
    pub(crate) fn givers(&self) -> Result<Option<Givers>, InvalidConfig> {
        self.tickets.as_ref().map(TicketSettings::givers).transpose()
    }

    /// Whose directory is kept.
    pub(crate) fn officers(&self) -> Result<Option<Officers>, InvalidConfig> {
        self.directory.as_ref().map(DirectorySettings::officers).transpose()
    }

    /// Whom escrow rows are sealed to.
    pub(crate) fn escrow_key(&self) -> Result<Option<EscrowKey>, InvalidConfig> {
        let invalid = InvalidConfig { key: "keys.escrow_key", rule: "must be a public key of 64 hexadecimal digits" };
        let Some(text) = &self.keys.escrow_key else { return Ok(None) };
        // The form is that of every public key of 32 bytes.
        let bytes = VerifyingKey::from_hex(text).ok_or(invalid)?;
        EscrowKey::new(*bytes.as_bytes()).map(Some).map_err(|_| invalid)
    }

    pub(crate) fn number(&self) -> NodeId {
        NodeId(self.vault.id)
    }

    pub(crate) fn membership(&self) -> Result<Membership, InvalidConfig> {
        let invalid = InvalidConfig { key: "peers", rule: "must name three vaults, this one among them, or none" };
        Membership::new(self.number(), peer_addresses(&self.peers)?).ok_or(invalid)
    }
}
