//! The configuration of a registrar.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use renkei_access::{Officers, VerifyingKey};
use renkei_directory::DirectorySettings;
use renkei_ids::{CloudId, KeyHash, KeyholderId, NodeId};
use renkei_peers::{Membership, RaftSettings, peer_addresses};
use renkei_runtime::{Address, Config, InvalidConfig};
use serde::{Deserialize, Serialize};

const MIN_MEMORY_MIB: u32 = 128;

/// What one registrar is told. Keys that are not here are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrarConfig {
    /// Who it is.
    pub registrar: Identity,
    /// Where it serves insurers, institutions, vaults, peers and operators.
    pub listen: Listen,
    /// Where its files are.
    pub data: Data,
    /// What it may use.
    pub memory: Memory,
    /// Its keys.
    pub keys: Keys,
    /// Who signs the directory, which says who institutions are.
    pub directory: DirectorySettings,
    /// Who issues patients' cards.
    #[serde(default)]
    pub cards: Cards,
    /// The register of residents.
    #[serde(default)]
    pub register: Register,
    /// What it says of insurance.
    #[serde(default)]
    pub eligibility: EligibilitySettings,
    /// What it gives.
    #[serde(default)]
    pub tickets: Tickets,
    /// Key holders, in the order in which points go through them: number to `host:port`.
    pub keyholders: BTreeMap<String, Address>,
    /// The clouds that tickets are minted for: 32 hexadecimal digits each. All of them are in the directory.
    pub clouds: BTreeMap<String, CloudSettings>,
    /// How its group keeps time and log.
    #[serde(default)]
    pub raft: RaftSettings,
    /// The three replicas, itself included: number to `host:port`. Without them it is alone. They are fixed when the
    /// registrar is founded.
    #[serde(default)]
    pub peers: BTreeMap<String, Address>,
}

/// `[registrar]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its number among the registrar's replicas, from 1; the name in its certificate.
    pub id: u32,
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

/// `[keys]`: files that `renkei-registrar setup` makes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Directory of `registrar.key`, `seeds.key`, `marks.key`, `days.key` and `signing.key`.
    pub dir: PathBuf,
    /// 32 bytes that only this host can read, and that all key files are sealed to.
    pub host_secret_file: PathBuf,
}

/// `[cards]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cards {
    /// Ed25519 public keys of card authorities, 64 hexadecimal digits each. Without one no card is taken.
    pub authorities: Vec<String>,
}

/// `[register]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Register {
    /// A development register: residents in a file, one JSON object a line. Only under a development authority; without one
    /// every registration is tentative.
    pub development_file: Option<PathBuf>,
}

/// `[eligibility]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EligibilitySettings {
    /// Days after its end for which an old member id still leads to the person.
    pub old_member_days: u32,
}

impl Default for EligibilitySettings {
    fn default() -> Self {
        Self { old_member_days: 100 }
    }
}

/// `[tickets]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tickets {
    /// How long a ticket lives: 1 to 60 minutes.
    pub minutes: u32,
    /// How long points wait for those of other check-ins to be mixed with: 1 to 100 ms.
    pub mix_millis: u32,
    /// Longest time that one key holder may take for a batch: 10 to 10,000 ms.
    pub keyholder_millis: u32,
}

impl Default for Tickets {
    fn default() -> Self {
        Self { minutes: 10, mix_millis: 4, keyholder_millis: 1_000 }
    }
}

/// `[clouds.<id>]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CloudSettings {
    /// The cloud's vaults, each by the SHA-256 of its certificate's public key, 64 hexadecimal digits: who gets ticket keys.
    /// Only under a development authority may there be none, for any vault of the cloud.
    pub vault_keys: Vec<String>,
}

impl Config for RegistrarConfig {
    fn validate(&self) -> Result<(), InvalidConfig> {
        let rule = |key, rule, holds: bool| if holds { Ok(()) } else { Err(InvalidConfig { key, rule }) };
        rule("registrar.id", "must be at least 1", self.registrar.id >= 1)?;
        self.membership()?;
        self.raft.validate()?;
        rule("memory.total_mib", "must be at least 128", self.memory.total_mib >= MIN_MEMORY_MIB)?;
        self.officers()?;
        self.card_authorities()?;
        self.key_holders()?;
        self.clouds()?;
        let Tickets { minutes, mix_millis, keyholder_millis } = self.tickets;
        rule("tickets.minutes", "must be 1 to 60", (1..=60).contains(&minutes))?;
        rule("tickets.mix_millis", "must be 1 to 100", (1..=100).contains(&mix_millis))?;
        rule("tickets.keyholder_millis", "must be 10 to 10,000", (10..=10_000).contains(&keyholder_millis))
    }
}

impl RegistrarConfig {
    pub(crate) fn number(&self) -> NodeId {
        NodeId(self.registrar.id)
    }

    pub(crate) fn membership(&self) -> Result<Membership, InvalidConfig> {
        let invalid = InvalidConfig { key: "peers", rule: "must name three registrars, this one among them, or none" };
        Membership::new(self.number(), peer_addresses(&self.peers)?).ok_or(invalid)
    }

    pub(crate) fn officers(&self) -> Result<Officers, InvalidConfig> {
        self.directory.officers()
    }

    pub(crate) fn card_authorities(&self) -> Result<Vec<VerifyingKey>, InvalidConfig> {
        verifying_keys("cards.authorities", &self.cards.authorities)
    }

    /// By their numbers, and in their order.
    pub(crate) fn key_holders(&self) -> Result<BTreeMap<KeyholderId, Address>, InvalidConfig> {
        let invalid = |rule| InvalidConfig { key: "keyholders", rule };
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0).map(KeyholderId);
        let holder = |(name, address): (&String, &Address)| {
            Ok((number(name).ok_or(invalid("must be named by numbers from 1"))?, address.clone()))
        };
        let holders: BTreeMap<_, _> = self.keyholders.iter().map(holder).collect::<Result<_, _>>()?;
        match (1..=renkei_access::HOLDERS_MAX).contains(&holders.len()) {
            true => Ok(holders),
            false => Err(invalid("must be 1 to 8")),
        }
    }

    /// The public keys of each cloud's vaults.
    pub(crate) fn clouds(&self) -> Result<BTreeMap<CloudId, Vec<KeyHash>>, InvalidConfig> {
        let invalid = |rule| InvalidConfig { key: "clouds", rule };
        if !(1..=crate::state::CLOUDS_MAX).contains(&self.clouds.len()) {
            return Err(invalid("must be 1 to 64"));
        }
        let cloud = |(id, settings): (&String, &CloudSettings)| {
            let CloudSettings { vault_keys } = settings;
            let id: CloudId = id.parse().map_err(|_| invalid("must be named by 32 hexadecimal digits each"))?;
            let keys: Option<Vec<KeyHash>> =
                vault_keys.iter().map(|text| hexadecimal(text).map(KeyHash::from_bytes)).collect();
            Ok((id, keys.ok_or(invalid("must name public keys by 64 hexadecimal digits each"))?))
        };
        self.clouds.iter().map(cloud).collect()
    }

    pub(crate) fn mix(&self) -> Duration {
        Duration::from_millis(u64::from(self.tickets.mix_millis))
    }

    pub(crate) fn keyholder_patience(&self) -> Duration {
        Duration::from_millis(u64::from(self.tickets.keyholder_millis))
    }
}

fn verifying_keys(key: &'static str, texts: &[String]) -> Result<Vec<VerifyingKey>, InvalidConfig> {
    let keys: Option<_> = texts.iter().map(|text| VerifyingKey::from_hex(text)).collect();
    keys.ok_or(InvalidConfig { key, rule: "must be public keys of 64 hexadecimal digits each" })
}

fn hexadecimal(text: &str) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Vec<u8> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_digits_and_nothing_else() {
        assert_eq!(hexadecimal(&"5a".repeat(32)), Some([0x5A; 32]));
        for text in ["", &"5a".repeat(31), &"5a".repeat(33), &"5".repeat(63), &"g".repeat(64), &"+1".repeat(32)] {
            assert_eq!(hexadecimal(text), None, "{text}");
        }
    }
}
