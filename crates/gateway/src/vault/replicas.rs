//! The vault's replicas, and which of them is asked: the one that answered last, else the one that a refusal names, else
//! the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use renkei_ids::{CloudId, NodeId};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Tls};
use renkei_wire::limits::VAULT_MESSAGE_MAX_BYTES;
use renkei_wire::{ErrorCode, Refusal, Retry, VaultServiceClient};
use tonic::transport::Channel;

pub(super) type Client = VaultServiceClient<Channel>;

/// Clients of all replicas, in the order of the configuration. Clones share which one is asked.
#[derive(Clone, Debug)]
pub(super) struct Replicas {
    clients: Arc<[Client]>,
    asked: Arc<AtomicUsize>,
}

/// Which replica was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

impl Replicas {
    pub(super) fn new(tls: &Tls, cloud: CloudId, addresses: &[Address]) -> Self {
        let client = |address| {
            let expected = ExpectedPeer { cloud, role: Role::Vault, name: None };
            VaultServiceClient::new(tls.channel(address, expected, Http2::CALLS))
                .max_decoding_message_size(VAULT_MESSAGE_MAX_BYTES)
                .max_encoding_message_size(VAULT_MESSAGE_MAX_BYTES)
        };
        Self { clients: addresses.iter().map(client).collect(), asked: Arc::default() }
    }

    /// Whether there is anybody else to ask.
    pub(super) fn several(&self) -> bool {
        self.clients.len() > 1
    }

    /// The replica to ask.
    pub(super) fn current(&self) -> (Place, Client) {
        let place = self.asked.load(Ordering::Relaxed);
        (Place(place), self.clients[place].clone())
    }

    /// Reads the refusal of a replica: whoever asks next asks another one, where that may help.
    pub(super) fn refused(&self, Place(from): Place, refusal: &Refusal) {
        let to = next(self.clients.len(), from, refusal);
        // Of several callers that were refused there, the first one moves on.
        let _moved = self.asked.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Addresses are in the order of the vaults' numbers, so the leader's number leads to it; where they are not, that costs
/// a try.
fn next(count: usize, from: usize, refusal: &Refusal) -> usize {
    let named = |NodeId(number): NodeId| usize::try_from(number).ok()?.checked_sub(1);
    let leader = refusal.leader_node.and_then(named).filter(|place| *place < count && *place != from);
    let elsewhere = matches!(refusal.code.retry(), Retry::AfterRefresh(_))
        // A replica whose disk was lost says so too.
        || refusal.code == ErrorCode::NotBootstrapped;
    match leader {
        Some(place) => place,
        None if elsewhere => (from + 1) % count,
        None => from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_that_is_named_is_asked_and_otherwise_the_next_replica() {
        let not_leader = Refusal::new(ErrorCode::NotLeader);
        assert_eq!(next(3, 0, &not_leader.clone().led_by(NodeId(3))), 2);
        assert_eq!(next(3, 1, &not_leader.clone().led_by(NodeId(2))), 2, "it has just refused");
        assert_eq!(next(3, 1, &not_leader.clone().led_by(NodeId(9))), 2, "none of ours");
        assert_eq!(next(3, 2, &not_leader), 0);
        assert_eq!(next(1, 0, &not_leader), 0);
        for code in [ErrorCode::Unavailable, ErrorCode::OutcomeUnknown, ErrorCode::NotBootstrapped] {
            assert_eq!(next(3, 0, &Refusal::new(code)), 1, "{code}");
        }
        for code in [ErrorCode::Busy, ErrorCode::DiskLow, ErrorCode::BudgetExhausted] {
            assert_eq!(next(3, 1, &Refusal::new(code)), 1, "{code}");
        }
    }
}
