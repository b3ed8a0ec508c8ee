//! Capabilities whose signature was checked. A visit presents the same one many times, and a check costs as much as the
//! read behind it.

use std::sync::Arc;

use quick_cache::sync::Cache;
use renkei_access::{Capability, InvalidCapability, SignedCapability, VerifyingKey};

use crate::metrics::Metrics;

/// Capabilities remembered: about 1 KiB each. Ten minutes of the busiest quarter hour of one node's share.
const REMEMBERED: usize = 65_536;

/// Checks signatures once. What expired, or belongs to another gateway, is judged each time by the caller.
#[derive(Clone, Debug)]
pub(crate) struct Capabilities {
    keys: Arc<[VerifyingKey]>,
    checked: Arc<Cache<SignedCapability, Arc<Capability>>>,
    metrics: Metrics,
}

impl Capabilities {
    pub(crate) fn new(keys: Vec<VerifyingKey>, metrics: Metrics) -> Self {
        Self { keys: keys.into(), checked: Arc::new(Cache::new(REMEMBERED)), metrics }
    }

    /// The capability, if a vault of ours signed exactly these bytes.
    pub(crate) fn check(&self, signed: &SignedCapability) -> Result<Arc<Capability>, InvalidCapability> {
        if let Some(known) = self.checked.get(signed) {
            self.metrics.capability_hits.inc();
            return Ok(known);
        }
        self.metrics.capability_misses.inc();
        let capability = Arc::new(signed.verify(&self.keys)?);
        self.checked.insert(signed.clone(), Arc::clone(&capability));
        Ok(capability)
    }
}
