//! Where the nodes of the cloud are: from configuration, from what operators and peers say, and from the placement.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use renkei_ids::NodeId;
use renkei_runtime::Address;

/// Addresses by node. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct AddressBook(Arc<ArcSwap<HashMap<NodeId, Address>>>);

impl AddressBook {
    pub(crate) fn new(known: impl IntoIterator<Item = (NodeId, Address)>) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(known.into_iter().collect())))
    }

    pub(crate) fn address(&self, node: NodeId) -> Option<Address> {
        self.0.load().get(&node).cloned()
    }

    /// Notes where nodes are; what is not named stays.
    pub(crate) fn note(&self, places: &[(NodeId, Address)]) {
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
