//! How replicas keep time and logs, as configured.

use std::collections::BTreeMap;

use renkei_consensus::{SnapshotSchedule, Timing};
use renkei_ids::NodeId;
use renkei_runtime::{Address, InvalidConfig};
use serde::{Deserialize, Serialize};

/// `[raft]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaftSettings {
    /// Heartbeats and elections.
    #[serde(default)]
    pub profile: Profile,
    /// A snapshot is taken after so many MiB of log.
    #[serde(default = "default_snapshot_log_mib")]
    pub snapshot_log_mib: u32,
    /// MiB of log kept below a snapshot, for replicas that were away.
    #[serde(default = "default_keep_log_mib")]
    pub keep_log_mib: u32,
}

fn default_snapshot_log_mib() -> u32 {
    256
}

fn default_keep_log_mib() -> u32 {
    128
}

/// The timing profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Hosts on one network: heartbeat 100 ms, election 350 to 550 ms.
    #[default]
    Lan,
    /// Several replicas on one small machine: 200 ms, 600 to 1000 ms.
    Demo,
}

impl Default for RaftSettings {
    /// Hosts on one network.
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            snapshot_log_mib: default_snapshot_log_mib(),
            keep_log_mib: default_keep_log_mib(),
        }
    }
}

impl RaftSettings {
    /// Whether the settings keep their rules.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        match self.snapshot_log_mib {
            0 => Err(InvalidConfig { key: "raft.snapshot_log_mib", rule: "must be at least 1" }),
            _ => Ok(()),
        }
    }

    /// Heartbeats and elections.
    pub fn timing(&self) -> Timing {
        match self.profile {
            Profile::Lan => Timing::LAN,
            Profile::Demo => Timing::DEMO,
        }
    }

    /// Snapshots and purges.
    pub fn schedule(&self) -> SnapshotSchedule {
        SnapshotSchedule {
            log_bytes: u64::from(self.snapshot_log_mib) << 20,
            keep_bytes: u64::from(self.keep_log_mib) << 20,
            ..SnapshotSchedule::default()
        }
    }
}

/// Reads `[peers]`: number to `host:port`.
///
/// # Errors
/// When a key is no number from 1.
pub fn peer_addresses(peers: &BTreeMap<String, Address>) -> Result<BTreeMap<NodeId, Address>, InvalidConfig> {
    let invalid = InvalidConfig { key: "peers", rule: "must name peers by numbers from 1" };
    let number = |text: &str| text.parse().ok().filter(|number: &NodeId| number.0 > 0).ok_or(invalid);
    peers.iter().map(|(name, address)| Ok((number(name)?, address.clone()))).collect()
}
