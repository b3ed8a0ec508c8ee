//! What this node denied before it reached a patient's shard, gathered by caller and code and told once a minute, so that
//! a flood of denials is one line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use renkei_runtime::PeerIdentity;
use renkei_wire::ErrorCode;

/// How often denials are told.
const EVERY: Duration = Duration::from_secs(60);
/// Callers told apart in one minute; the others are counted together.
const CALLERS_MAX: usize = 1_024;
const OTHERS: &str = "(others)";

/// Denials since the last line. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Denials(Arc<Mutex<Counts>>);

/// By caller's name and code.
type Counts = BTreeMap<(Arc<str>, &'static str), u64>;

impl Denials {
    /// Counts a request that was denied for what its sender is or presented.
    pub(crate) fn note(&self, caller: &PeerIdentity, code: ErrorCode) {
        let mut counts = self.0.lock().expect("nothing panics while it counts");
        let key = (Arc::clone(&caller.name), code.name());
        let known = counts.len() < CALLERS_MAX || counts.contains_key(&key);
        let key = if known { key } else { (OTHERS.into(), code.name()) };
        *counts.entry(key).or_default() += 1;
    }

    /// Tells until the process stops, and then once more.
    pub(crate) async fn tell(self, stopping: impl Future<Output = ()>) {
        let mut stopping = std::pin::pin!(stopping);
        loop {
            let ended = tokio::time::timeout(EVERY, &mut stopping).await.is_ok();
            let counts = std::mem::take(&mut *self.0.lock().expect("nothing panics while it counts"));
            for ((caller, code), count) in counts {
                tracing::warn!(%caller, code, count, "requests denied");
            }
            if ended {
                return;
            }
        }
    }
}

/// Whether a refusal is a denial: about who asks and with what, not about the state of the system.
pub(crate) fn is_denial(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::CapabilityInvalid
            | ErrorCode::CapabilityExpired
            | ErrorCode::CapabilityOtherGateway
            | ErrorCode::CapabilityNotYetValid
            | ErrorCode::CapabilityScope
            | ErrorCode::CapabilityRevoked
            | ErrorCode::RoleNotAllowed
            | ErrorCode::CloudMismatch
    )
}
