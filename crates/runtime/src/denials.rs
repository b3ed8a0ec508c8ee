//! What a process denied before it reached a log of its own, gathered by caller and code and told once a minute, so that a
//! flood of denials is one line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::PeerIdentity;

/// How often denials are told.
const EVERY: Duration = Duration::from_secs(60);
/// Callers told apart in one minute; the others are counted together.
const CALLERS_MAX: usize = 1_024;
const OTHERS: &str = "(others)";

/// Denials since the last line. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Denials(Arc<Mutex<Counts>>);

/// By caller's name and code.
type Counts = BTreeMap<(Arc<str>, &'static str), u64>;

impl Denials {
    /// Counts a request that was denied for what its sender is or presented. `code` is the refusal's name.
    pub fn note(&self, caller: &PeerIdentity, code: &'static str) {
        let mut counts = self.0.lock().expect("nothing panics while it counts");
        let key = (Arc::clone(&caller.name), code);
        let known = counts.len() < CALLERS_MAX || counts.contains_key(&key);
        let key = if known { key } else { (OTHERS.into(), code) };
        *counts.entry(key).or_default() += 1;
    }

    /// Tells until the process stops, and then once more.
    pub async fn tell(self, stopping: impl Future<Output = ()>) {
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

#[cfg(test)]
mod tests {
    use renkei_ids::{CloudId, KeyHash, UnixMillis};

    use super::*;
    use crate::Role;

    #[test]
    fn a_flood_is_one_count_and_callers_beyond_the_most_are_counted_together() {
        let denials = Denials::default();
        let caller = |number: usize| PeerIdentity {
            cloud: CloudId::from_bytes([1; 16]),
            role: Role::Gateway,
            name: number.to_string().into(),
            key_hash: KeyHash::from_bytes([2; 32]),
            expires: UnixMillis(0),
        };
        for _ in 0..10_000 {
            denials.note(&caller(0), "opening_expired");
        }
        for number in 0..2 * CALLERS_MAX {
            denials.note(&caller(number), "opening_expired");
        }
        let counts = denials.0.lock().unwrap();
        assert_eq!(counts[&("0".into(), "opening_expired")], 10_001);
        assert_eq!(counts.len(), CALLERS_MAX + 1);
        assert_eq!(counts.values().sum::<u64>(), 10_000 + 2 * CALLERS_MAX as u64, "none is uncounted");
    }
}
