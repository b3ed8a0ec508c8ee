//! What a service gets from its process.

use std::sync::Arc;

use prometheus::Registry;
use renkei_ids::Clock;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::{Check, Health, SystemClock, Tasks, Tls};

/// Clock, tasks, TLS identity, metrics and health of the process. Clones are handles to the same ones.
#[derive(Clone, Debug)]
pub struct Shell {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    role: &'static str,
    clock: Arc<SystemClock>,
    tasks: Tasks,
    tls: Tls,
    registry: Registry,
    metrics: Metrics,
    health: Health,
    started: Check,
}

impl Shell {
    /// A shell around an identity. [`crate::run`] makes the one of a process; a test may make its own.
    pub fn new(role: &'static str, clock: Arc<SystemClock>, tls: Tls) -> Self {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry);
        let health = Health::default();
        let started = health.register("started");
        let tasks = Tasks::new(metrics.tasks.clone());
        Self { inner: Arc::new(Inner { role, clock, tasks, tls, registry, metrics, health, started }) }
    }

    /// The process's role, as [`crate::run`] was given it.
    pub fn role(&self) -> &'static str {
        self.inner.role
    }

    /// The one clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock) as Arc<dyn Clock>
    }

    /// The supervisor.
    pub fn tasks(&self) -> &Tasks {
        &self.inner.tasks
    }

    /// Cancelled when shutdown begins.
    pub fn stopping(&self) -> CancellationToken {
        self.inner.tasks.stopping()
    }

    /// Who this process is, and the source of acceptors and channels.
    pub fn tls(&self) -> &Tls {
        &self.inner.tls
    }

    /// Where metrics are registered. Labels never hold anything of a patient.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Where components register their say in readiness.
    pub fn health(&self) -> &Health {
        &self.inner.health
    }

    /// Says that the service is set up: until then the process is not ready.
    pub fn started(&self) {
        self.inner.started.pass();
    }

    pub(crate) fn system_clock(&self) -> &SystemClock {
        &self.inner.clock
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }
}
