//! Where peers are: from configuration, from what operators and peers say, and from whatever places replicas.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use renkei_ids::NodeId;
use renkei_runtime::Address;

/// Addresses of peers, by their number. Clones share them.
#[derive(Clone, Debug)]
pub struct AddressBook(Arc<ArcSwap<HashMap<NodeId, Address>>>);

impl AddressBook {
    /// A book of what is known from the start.
    pub fn new(known: impl IntoIterator<Item = (NodeId, Address)>) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(known.into_iter().collect())))
    }

    /// Where a peer is, if that is known.
    pub fn address(&self, node: NodeId) -> Option<Address> {
        self.0.load().get(&node).cloned()
    }

    /// Every peer whose address is known.
    pub fn peers(&self) -> Vec<NodeId> {
        let mut peers: Vec<NodeId> = self.0.load().keys().copied().collect();
        peers.sort_unstable();
        peers
    }

    /// Notes where peers are; what is not named stays.
    pub fn note(&self, places: &[(NodeId, Address)]) {
        let book = self.0.load();
        if places.iter().any(|(node, address)| book.get(node) != Some(address)) {
            self.0.rcu(|book| {
                let mut book = HashMap::clone(book);
                book.extend(places.iter().cloned());
                book
            });
        }
    }
}
