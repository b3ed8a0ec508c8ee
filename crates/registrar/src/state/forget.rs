//! What is kept for a while only: proofs of cards, grants, and who was where. Each row that is to go has an entry in a
//! queue; each command removes a few that are due, so that no moment of the day pays for all of them.

use bytes::Bytes;
use renkei_ids::UnixMillis;

use super::budget::DAY_MILLIS;
use super::rows::{ForgetRow, Head, QUEUES, VisitRow};
use super::store::{StateError, Store, Table, read};
use super::stored::Stored as _;

/// Days that the check-in log is kept.
pub const LOG_DAYS: u64 = 90;
/// Days that a grant is kept after its end, for the log to be read with it.
const GRANT_DAYS: u64 = LOG_DAYS;
/// Days for which an institution counts as one that has seen a person.
pub const VISIT_DAYS: u64 = 400;

/// What is forgotten, each in a queue of its own: how long they are kept differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    Presences = 0,
    Grants = 1,
    Visits = 2,
}

const ALL: [Queue; QUEUES] = [Queue::Presences, Queue::Grants, Queue::Visits];

impl Queue {
    const fn table(self) -> Table {
        match self {
            Self::Presences => Table::Presences,
            Self::Grants => Table::Grants,
            Self::Visits => Table::Visits,
        }
    }
}

pub(crate) const fn after_grant(end: UnixMillis) -> UnixMillis {
    end.plus_millis(GRANT_DAYS * DAY_MILLIS)
}

pub(crate) const fn after_visit(last: UnixMillis) -> UnixMillis {
    last.plus_millis(VISIT_DAYS * DAY_MILLIS)
}

fn key(queue: Queue, number: u64) -> [u8; 9] {
    let mut key = [queue as u8; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

/// Has the row of `row` forgotten at `at`.
pub(crate) fn enqueue<S: Store>(store: &mut S, head: &mut Head, queue: Queue, row: &[u8], at: UnixMillis) {
    let span = &mut head.queues[queue as usize];
    store.put(Table::Forget, &key(queue, span.next), ForgetRow { key: Bytes::copy_from_slice(row), at }.encode());
    span.next += 1;
}

/// Removes up to `most` rows of each queue that are due.
pub(crate) fn forget<S: Store>(store: &mut S, head: &mut Head, most: usize) -> Result<(), StateError<S::Error>> {
    for queue in ALL {
        for _ in 0..most {
            let span = &mut head.queues[queue as usize];
            if span.first == span.next {
                break;
            }
            let entry = key(queue, span.first);
            let row: ForgetRow =
                read(store, (Table::Forget, "forget"), &entry)?.ok_or(StateError::Corrupt { row: "forget" })?;
            if row.at > head.time {
                break;
            }
            span.first += 1;
            store.delete(Table::Forget, &entry);
            if is_due(store, queue, &row.key, head.time)? {
                store.delete(queue.table(), &row.key);
            }
        }
    }
    Ok(())
}

/// A visit that was followed by another has a later entry too.
fn is_due<S: Store>(store: &S, queue: Queue, key: &[u8], now: UnixMillis) -> Result<bool, StateError<S::Error>> {
    if queue != Queue::Visits {
        return Ok(true);
    }
    let visit: Option<VisitRow> = read(store, (Table::Visits, "visit"), key)?;
    Ok(visit.is_some_and(|visit| after_visit(visit.last) <= now))
}
