//! Heartbeats and elections: two profiles, both validated by openraft.

use std::time::Duration;

use openraft::{Config, ConfigError, SnapshotPolicy};
use renkei_faults::{Mutation, mutated};

/// How fast a group notices a dead leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    heartbeat: Duration,
    election_min: Duration,
    election_max: Duration,
}

impl Timing {
    /// Machines of one site: a new leader after about one second.
    pub const LAN: Self = Self {
        heartbeat: Duration::from_millis(100),
        election_min: Duration::from_millis(350),
        election_max: Duration::from_millis(550),
    };

    /// A whole cloud on one small machine: a new leader after about two seconds.
    pub const DEMO: Self = Self {
        heartbeat: Duration::from_millis(200),
        election_min: Duration::from_millis(600),
        election_max: Duration::from_millis(1000),
    };

    /// Time between two signs of life of a leader.
    pub const fn heartbeat(self) -> Duration {
        self.heartbeat
    }

    /// Longest time after which a silent leader is campaigned against.
    pub const fn election_max(self) -> Duration {
        self.election_max
    }

    /// How long a follower may take to make one batch of entries durable before it counts as stalled.
    ///
    /// Far above the heartbeat: a slow disk must not make the leader send everything again.
    pub(crate) const fn append_ttl(self) -> Duration {
        self.election_max.saturating_mul(4)
    }

    pub(crate) fn config(self, cluster_name: String) -> Result<Config, ConfigError> {
        Config {
            cluster_name,
            heartbeat_interval: millis(self.heartbeat),
            // A follower that has just answered an append needs no heartbeat on top.
            heartbeat_min_interval: Some(millis(self.heartbeat) / 2),
            election_timeout_min: millis(self.election_min),
            election_timeout_max: millis(self.election_max),
            // Snapshots and purges have our own trigger (see `schedule`). A transfer by snapshot is rare on purpose:
            // it is where openraft issue 2116 panics.
            snapshot_policy: SnapshotPolicy::Never,
            max_in_snapshot_log_to_keep: u64::MAX / 2,
            purge_batch_size: 4096,
            replication_lag_threshold: 1_000_000,
            install_snapshot_timeout: 60_000,
            api_batch_linger_ms: 0,
            enable_pre_vote: Some(true),
            // The state DB has no WAL: a restarted leader would lead with an old state.
            enable_leader_restore: Some(mutated(Mutation::LeaderRestored)),
            ..Config::default()
        }
        .validate()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("the profiles above are seconds at most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_profiles_are_valid_and_never_restore_a_leader() {
        for timing in [Timing::LAN, Timing::DEMO] {
            let config = timing.config("group 1".to_owned()).unwrap();
            assert_eq!(config.enable_leader_restore, Some(false));
            assert_eq!(config.enable_pre_vote, Some(true));
            assert_eq!(config.snapshot_policy, SnapshotPolicy::Never);
        }
    }
}
