//! The shell's own metrics. Each crate keeps its own in a file of this name and registers them with [`crate::Registry`].
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `renkei_task_failures_total` | counter | `task`: its constant name |
//! | `renkei_connections_open` | gauge | `listener` |
//! | `renkei_handshake_failures_total` | counter | `listener`, `reason`: `HandshakeError::reason` |
//! | `renkei_tls_reloads_total` | counter | `outcome`: `taken`, `refused` |
//! | `renkei_tls_certificate_expiry_seconds` | gauge, Unix time | |

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::PeerIdentity;

/// All metrics of the shell.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) tasks: TaskMetrics,
    pub(crate) tls: TlsMetrics,
    pub(crate) connections_open: IntGaugeVec,
    pub(crate) handshake_failures: IntCounterVec,
}

#[derive(Clone, Debug)]
pub(crate) struct TaskMetrics {
    failures: IntCounterVec,
}

#[derive(Clone, Debug)]
pub(crate) struct TlsMetrics {
    reloads: IntCounterVec,
    expiry: IntGauge,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Self {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let metric = IntCounterVec::new(Opts::new(name, help), labels).expect("names and labels here are valid");
            registry.register(Box::new(metric.clone())).expect("the shell registers each of its names once");
            metric
        };
        let failures = counters("renkei_task_failures_total", "Errors and panics of tasks.", &["task"]);
        let handshake_failures =
            counters("renkei_handshake_failures_total", "Connections refused.", &["listener", "reason"]);
        let reloads = counters("renkei_tls_reloads_total", "Reloads of the TLS files.", &["outcome"]);
        let open = Opts::new("renkei_connections_open", "Accepted connections that are open.");
        let connections_open = IntGaugeVec::new(open, &["listener"]).expect("names and labels here are valid");
        let expiry = IntGauge::new("renkei_tls_certificate_expiry_seconds", "End of the certificate, Unix time.")
            .expect("the name is valid");
        registry.register(Box::new(connections_open.clone())).expect("the shell registers each of its names once");
        registry.register(Box::new(expiry.clone())).expect("the shell registers each of its names once");
        Self {
            tasks: TaskMetrics { failures },
            tls: TlsMetrics { reloads, expiry },
            connections_open,
            handshake_failures,
        }
    }
}

impl TaskMetrics {
    pub(crate) fn failed(&self, task: &'static str) {
        self.failures.with_label_values(&[task]).inc();
    }
}

impl TlsMetrics {
    pub(crate) fn reloaded(&self, taken: bool) {
        self.reloads.with_label_values(&[if taken { "taken" } else { "refused" }]).inc();
    }

    pub(crate) fn in_force(&self, identity: &PeerIdentity) {
        self.expiry.set(i64::try_from(identity.expires.0 / 1000).unwrap_or(i64::MAX));
    }
}
