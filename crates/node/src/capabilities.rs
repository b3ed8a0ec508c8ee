//! Capabilities whose signature was checked. A visit presents the same one many times, and a check costs as much as the
//! read behind it.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use renkei_access::{Capability, InvalidCapability, SignedCapability, VerifyingKey};

use crate::metrics::Metrics;

/// Memory for capabilities that were checked. One of 300 bytes counts 1.4 KiB, so this is some 23,000 of them; what does
/// not fit is checked again.
const REMEMBERED_BYTES: u64 = 32 << 20;
/// What an entry takes beside the bytes of the capability: the decoded form without its lists, and the cache's own.
const ENTRY_BYTES: usize = 512;

/// Weighs what is remembered by the bytes that it takes.
#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<SignedCapability, Arc<Capability>> for Bytes {
    fn weight(&self, signed: &SignedCapability, _: &Arc<Capability>) -> u64 {
        // The encoded form is kept, and the decoded one takes at most twice as much.
        u64::try_from(3 * signed.body.len() + ENTRY_BYTES).expect("a capability has at most 8 KiB")
    }
}

/// Checks signatures once. What expired, or belongs to another gateway, is judged each time by the caller.
#[derive(Clone, Debug)]
pub(crate) struct Capabilities {
    keys: Arc<[VerifyingKey]>,
    checked: Arc<Cache<SignedCapability, Arc<Capability>, Bytes>>,
    metrics: Metrics,
}

impl Capabilities {
    pub(crate) fn new(keys: Vec<VerifyingKey>, metrics: Metrics) -> Self {
        let usual = usize::try_from(REMEMBERED_BYTES).expect("32 MiB fit a usize") / 1_024;
        let checked = Arc::new(Cache::with_weighter(usual, REMEMBERED_BYTES, Bytes));
        Self { keys: keys.into(), checked, metrics }
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

#[cfg(test)]
mod tests {
    use prometheus::Registry;
    use renkei_access::{Period, Purpose, Scope, SigningKey};
    use renkei_ids::{CapabilityId, InstTag, KeyHash, Pid, UnixMillis};

    use super::*;

    fn capability(n: u32) -> Capability {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        Capability {
            id: CapabilityId::from_bytes(id),
            pid: Pid::from_bytes([1; 16]),
            institution: InstTag::from_bytes([2; 16]),
            classes: vec![],
            period: Period::ALL,
            scope: Scope::READ,
            purpose: Purpose::Care,
            issued: UnixMillis(0),
            expires: UnixMillis(1),
            gateway: KeyHash::from_bytes([3; 32]),
            stub: vec![7; 1_024].into(),
            records: vec![],
        }
    }

    #[test]
    fn a_signature_is_checked_once_and_memory_stays_bounded() {
        let vault = SigningKey::from_seed(&[1; 32]);
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let capabilities = Capabilities::new(vec![vault.verifying_key()], metrics.clone());
        let signed = capability(0).sign(&vault).unwrap();
        assert_eq!(*capabilities.check(&signed).unwrap(), capability(0));
        assert_eq!(*capabilities.check(&signed).unwrap(), capability(0));
        assert_eq!((metrics.capability_misses.get(), metrics.capability_hits.get()), (1, 1));
        for n in 1..12_000 {
            capabilities.check(&capability(n).sign(&vault).unwrap()).unwrap();
        }
        assert!(capabilities.checked.weight() <= REMEMBERED_BYTES && capabilities.checked.len() < 12_000);
        let forged = capability(0).sign(&SigningKey::from_seed(&[2; 32])).unwrap();
        assert!(capabilities.check(&forged).is_err(), "the bytes are known, the signature is another");
    }
}
