//! Locks: who opened more patients than their size allows opens none for a while, and somebody is told.

use renkei_access::{Evidence, Purpose};
use renkei_ids::{InstitutionId, UnixMillis};

use super::apply::StateError;
use super::format::encode;
use super::rows::read;
use super::store::{Store, Table, View};

/// How long a lock holds; a breach that goes on locks anew, and alarms anew.
pub const LOCK_MILLIS: u64 = 900_000;

/// Who is locked: an institution for one purpose and on one evidence. Its other visits go on.
pub(super) type Locked = (InstitutionId, Purpose, Evidence);

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct LockRow {
    #[prost(uint64, tag = "1")]
    until_ms: u64,
}

fn key((institution, purpose, evidence): Locked) -> Vec<u8> {
    [&institution.as_bytes()[..], &[purpose as u8, evidence as u8]].concat()
}

/// Milliseconds for which a lock still holds.
pub(super) fn held<V: View>(view: &V, who: Locked, now: UnixMillis) -> Result<Option<u64>, StateError<V::Error>> {
    let row: Option<LockRow> = read(view, (Table::Locks, "lock"), &key(who))?;
    Ok(row.and_then(|LockRow { until_ms }| until_ms.checked_sub(now.0)).filter(|left| *left > 0))
}

/// Locks.
pub(super) fn lock<S: Store>(store: &mut S, who: Locked, now: UnixMillis) {
    store.put(Table::Locks, &key(who), encode(&LockRow { until_ms: now.plus_millis(LOCK_MILLIS).0 }));
}
