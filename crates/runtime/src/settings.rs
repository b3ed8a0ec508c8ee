//! The shell's own sections of a configuration: `[admin]`, `[tls]`, `[log]`, `[trace]`, `[process]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Config, InvalidConfig};

/// Names of the shell's sections; no service has a section of these names.
pub(crate) const SECTIONS: [&str; 5] = ["admin", "tls", "log", "trace", "process"];

/// The shell's configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where metrics and health are served.
    pub admin: AdminSettings,
    /// Who this process is and whom it trusts.
    pub tls: TlsFiles,
    /// The log.
    #[serde(default)]
    pub log: LogSettings,
    /// Spans, sent away.
    #[serde(default)]
    pub trace: TraceSettings,
    /// Threads and shutdown.
    #[serde(default)]
    pub process: ProcessSettings,
}

/// `[admin]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    /// A loopback address and port. The port has no login, so no other address is taken.
    pub address: SocketAddr,
}

/// `[tls]`: PEM files. They are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// This process's certificate, followed by intermediates, if any.
    pub certificate: PathBuf,
    /// Its private key; mode 0600 or 0400.
    pub key: PathBuf,
    /// The authorities whose certificates are trusted.
    pub ca: PathBuf,
}

/// `[log]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// What is logged: directives of `tracing_subscriber::EnvFilter`, such as `info,renkei_consensus=debug`.
    pub filter: String,
    /// A file that is appended to, created with mode 0600; standard error without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

impl Default for LogSettings {
    fn default() -> Self {
        // openraft tells every vote and every membership at `info`, in its own words.
        Self { filter: "info,openraft=warn".to_owned(), file: None }
    }
}

/// `[trace]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceSettings {
    /// OTLP over gRPC: `http://127.0.0.1:4317`, a collector on this host. Nothing is sent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// `[process]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProcessSettings {
    /// Threads of the async runtime; 0 runs it on the main thread, which halves the p99 where cores are few.
    pub worker_threads: usize,
    /// Milliseconds that calls in flight have to finish when the process is asked to stop.
    pub grace_ms: u64,
    /// Whether all memory is locked, so that keys and plaintext never reach swap. Where the limit of the process does not
    /// allow it the start is refused.
    pub lock_memory: bool,
}

/// Most worker threads.
const MAX_WORKER_THREADS: usize = 256;
/// Longest grace period, in milliseconds: below the 90 s after which systemd kills.
const MAX_GRACE_MS: u64 = 80_000;

impl ProcessSettings {
    /// The grace period.
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self { worker_threads: 0, grace_ms: 10_000, lock_memory: false }
    }
}

impl Config for Settings {
    fn validate(&self) -> Result<(), InvalidConfig> {
        let Self { admin, tls: _, log: _, trace, process } = self;
        if !admin.address.ip().is_loopback() {
            return Err(InvalidConfig { key: "admin.address", rule: "must be a loopback address" });
        }
        if trace.endpoint.as_deref().is_some_and(|endpoint| !is_loopback_http(endpoint)) {
            return Err(InvalidConfig {
                key: "trace.endpoint",
                rule: "must be http:// and a loopback address with a port: a collector on this host",
            });
        }
        if process.worker_threads > MAX_WORKER_THREADS {
            return Err(InvalidConfig { key: "process.worker_threads", rule: "must be at most 256" });
        }
        if !(1..=MAX_GRACE_MS).contains(&process.grace_ms) {
            return Err(InvalidConfig { key: "process.grace_ms", rule: "must be from 1 to 80000" });
        }
        Ok(())
    }
}

fn is_loopback_http(endpoint: &str) -> bool {
    endpoint
        .strip_prefix("http://")
        .map(|rest| rest.strip_suffix('/').unwrap_or(rest))
        .and_then(|address| address.parse::<SocketAddr>().ok())
        .is_some_and(|address| address.ip().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            admin: AdminSettings { address: "127.0.0.1:9001".parse().unwrap() },
            tls: TlsFiles { certificate: "c".into(), key: "k".into(), ca: "a".into() },
            log: LogSettings::default(),
            trace: TraceSettings::default(),
            process: ProcessSettings::default(),
        }
    }

    #[test]
    fn the_admin_port_is_loopback_only() {
        assert_eq!(settings().validate(), Ok(()));
        for address in ["0.0.0.0:9001", "10.0.0.1:9001", "[::]:9001"] {
            let mut open = settings();
            open.admin.address = address.parse().unwrap();
            assert_eq!(open.validate().unwrap_err().key, "admin.address", "{address}");
        }
    }

    #[test]
    fn spans_stay_on_this_host() {
        let cases = [
            ("http://127.0.0.1:4317", true),
            ("http://[::1]:4317/", true),
            ("http://10.0.0.1:4317", false),
            ("https://127.0.0.1:4317", false),
            ("http://localhost.example:4317", false),
            ("http://127.0.0.1:4317@evil.example:1", false),
        ];
        for (endpoint, taken) in cases {
            let mut settings = settings();
            settings.trace.endpoint = Some(endpoint.to_owned());
            assert_eq!(settings.validate().is_ok(), taken, "{endpoint}");
        }
    }

    #[test]
    fn limits_hold_at_their_edges() {
        for (grace_ms, taken) in [(0, false), (1, true), (MAX_GRACE_MS, true), (MAX_GRACE_MS + 1, false)] {
            let mut settings = settings();
            settings.process.grace_ms = grace_ms;
            assert_eq!(settings.validate().is_ok(), taken, "{grace_ms}");
        }
    }
}
