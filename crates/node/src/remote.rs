//! What one node asks of another, beside Raft: while a cloud is founded, to compare states, and to carry out jobs.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use renkei_ids::{CloudId, NodeId};
use renkei_peers::AddressBook;
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Tls};
use renkei_wire::{NodeAdminServiceClient, Refusal, limits};
use tonic::transport::Channel;
use tonic::{Response, Status};

/// A client of another node's admin service.
pub(crate) type Client = NodeAdminServiceClient<Channel>;

/// The other nodes. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Remote {
    tls: Tls,
    cloud: CloudId,
    book: AddressBook,
    channels: Arc<Mutex<HashMap<NodeId, (Address, Channel)>>>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}

/// Why another node gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    #[error("the address of node {0} is not known")]
    NoAddress(NodeId),
    #[error("node {node} refuses")]
    Refused {
        node: NodeId,
        #[source]
        source: Refusal,
    },
    #[error("node {node} does not answer")]
    Lost {
        node: NodeId,
        #[source]
        source: Box<Status>,
    },
    #[error("node {node} did not answer within {} ms", within.as_millis())]
    TimedOut { node: NodeId, within: Duration },
    #[error("the answer of node {0} does not read")]
    Unreadable(NodeId),
}

impl RemoteError {
    /// What the node refused with, if it did.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl Remote {
    pub(crate) fn new(tls: Tls, cloud: CloudId, book: AddressBook) -> Self {
        Self { tls, cloud, book, channels: Arc::default() }
    }

    /// Asks a node, and reads its answer.
    pub(crate) async fn ask<M, T, F>(
        &self,
        node: NodeId,
        within: Duration,
        call: impl FnOnce(Client) -> F,
    ) -> Result<T, RemoteError>
    where
        F: Future<Output = Result<Response<M>, Status>>,
        T: TryFrom<M>,
    {
        let client = self.client(node).ok_or(RemoteError::NoAddress(node))?;
        let answer = tokio::time::timeout(within, call(client)).await;
        let answer = answer.map_err(|_| RemoteError::TimedOut { node, within })?;
        let message = answer.map_err(|status| match Refusal::from_status(&status) {
            Ok(source) => RemoteError::Refused { node, source },
            Err(_) => RemoteError::Lost { node, source: Box::new(status) },
        })?;
        T::try_from(message.into_inner()).map_err(|_| RemoteError::Unreadable(node))
    }

    /// A client over a connection that is kept; a node that has moved gets one of its own.
    fn client(&self, node: NodeId) -> Option<Client> {
        let address = self.book.address(node)?;
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let known = channels.get(&node).filter(|(at, _)| *at == address).map(|(_, channel)| channel.clone());
        let channel = known.unwrap_or_else(|| {
            let expected = ExpectedPeer { cloud: self.cloud, role: Role::Node, name: Some(node.to_string().into()) };
            let channel = self.tls.channel(&address, expected, Http2::CALLS);
            channels.insert(node, (address, channel.clone()));
            channel
        });
        Some(Client::new(channel).max_decoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES))
    }
}
