//! Tickets that were opened: remembered until they end, so that opening one again counts no patient anew. Each has an entry
//! in a queue; each command forgets a few that are due.

use bytes::Bytes;
use renkei_ids::{TicketId, UnixMillis};

use super::apply::StateError;
use super::rows::{Head, encode_one, read};
use super::store::{Store, Table, View};

/// Entries that one command forgets at most: twice what it can add, so that the queue shrinks once they are due.
const FORGET_MAX: usize = 128;

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct TicketRow {
    #[prost(uint64, tag = "1")]
    ends_ms: u64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct EntryMessage {
    #[prost(bytes = "bytes", tag = "1")]
    ticket: Bytes,
}

fn row<V: View>(view: &V, ticket: &[u8]) -> Result<Option<TicketRow>, StateError<V::Error>> {
    read(view, (Table::Tickets, "ticket"), ticket)
}

/// Whether a ticket was opened before.
pub(super) fn was_opened<V: View>(view: &V, ticket: TicketId) -> Result<bool, StateError<V::Error>> {
    Ok(row(view, ticket.as_bytes())?.is_some())
}

/// Remembers a ticket until its end.
pub(super) fn remember<S: Store>(store: &mut S, head: &mut Head, ticket: TicketId, ends: UnixMillis) {
    let (first, next) = head.forget;
    store.put(Table::Tickets, ticket.as_bytes(), super::format::encode(&TicketRow { ends_ms: ends.0 }));
    store.put(Table::Forget, &next.to_be_bytes(), encode_one(&Bytes::copy_from_slice(ticket.as_bytes())));
    head.forget = (first, next + 1);
}

/// Forgets tickets that have ended, in the order in which they were first opened. One that lives longer keeps those behind
/// it for an hour at most, which is a ticket's longest life.
pub(super) fn forget<S: Store>(store: &mut S, head: &mut Head) -> Result<(), StateError<S::Error>> {
    for _ in 0..FORGET_MAX {
        let (first, next) = head.forget;
        if first == next {
            return Ok(());
        }
        let entry: Option<EntryMessage> = read(store, (Table::Forget, "forget"), &first.to_be_bytes())?;
        let EntryMessage { ticket } = entry.ok_or(StateError::Corrupt { row: "forget" })?;
        let TicketRow { ends_ms } = row(store, &ticket)?.ok_or(StateError::Corrupt { row: "ticket" })?;
        if head.time < UnixMillis(ends_ms) {
            return Ok(());
        }
        store.delete(Table::Tickets, &ticket);
        store.delete(Table::Forget, &first.to_be_bytes());
        head.forget = (first + 1, next);
    }
    Ok(())
}
