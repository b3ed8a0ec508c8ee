//! Calls to the leader of a group, wherever it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use renkei_consensus::Engine;
use renkei_ids::{CloudId, GroupId, NodeId};
use renkei_peers::AddressBook;
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Tls};
use renkei_wire::{ErrorCode, Refusal, Retry, TransferServiceClient, limits};
use tonic::Status;
use tonic::transport::Channel;

use crate::routes::Routes;

/// How long one node may take over one try.
const ATTEMPT_MAX: Duration = Duration::from_secs(5);
/// Wait after a node could not be reached.
const UNREACHABLE_WAIT: Duration = Duration::from_millis(50);
/// Longest wait between two tries, unless a refusal says otherwise.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// A client of one node.
pub(crate) type Client = TransferServiceClient<Channel>;

/// Finds leaders, and remembers them. Clones share what they know.
#[derive(Clone, Debug)]
pub(crate) struct Leaders {
    tls: Tls,
    cloud: CloudId,
    book: AddressBook,
    engine: Engine,
    routes: Routes,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    leaders: HashMap<GroupId, NodeId>,
    clients: HashMap<NodeId, (Address, Client)>,
}

impl Leaders {
    pub(crate) fn new(tls: Tls, cloud: CloudId, book: AddressBook, engine: Engine, routes: Routes) -> Self {
        Self { tls, cloud, book, engine, routes, known: Arc::default() }
    }

    /// Has the leader of a group do something that may be done twice, and tries again as refusals advise, until
    /// `patience` has passed.
    ///
    /// # Errors
    /// The last refusal; `unavailable` where no node of the group was reached.
    pub(crate) async fn call<T, F, W>(&self, group: GroupId, patience: Duration, mut attempt: F) -> Result<T, Refusal>
    where
        F: FnMut(Client) -> W + Send,
        W: Future<Output = Result<T, Status>> + Send,
    {
        let began = Instant::now();
        let mut node = self.first(group).ok_or(Refusal::new(ErrorCode::Unavailable))?;
        let mut last_wait = Duration::ZERO;
        loop {
            let answer = match self.client(node) {
                Some(client) => match tokio::time::timeout(ATTEMPT_MAX, attempt(client)).await {
                    Ok(answer) => answer.map_err(|status| Refusal::from_status(&status).ok()),
                    // It hangs, or is cut off.
                    Err(_) => Err(None),
                },
                None => Err(None),
            };
            let refusal = match answer {
                Ok(answer) => {
                    self.lock().leaders.insert(group, node);
                    return Ok(answer);
                }
                Err(refusal) => refusal,
            };
            let (wait, next) = match &refusal {
                // The transport's own: nobody is there, or nobody is any more.
                None => (UNREACHABLE_WAIT, self.next(group, node)),
                Some(refusal) => match (refusal.code.retry(), refusal.leader_node) {
                    (Retry::No | Retry::NewRequest, _) => return Err(refusal.clone()),
                    (_, Some(leader)) => (refusal.retry_after.unwrap_or_default(), Some(leader)),
                    (Retry::AfterRefresh(wait), None) => (refusal.retry_after.unwrap_or(wait), self.next(group, node)),
                    (Retry::After(wait), None) => (refusal.retry_after.unwrap_or(wait), Some(node)),
                },
            };
            if began.elapsed() >= patience {
                return Err(refusal.unwrap_or(Refusal::new(ErrorCode::Unavailable)));
            }
            // Two nodes that name each other are asked no more often than this.
            last_wait = wait.max(2 * last_wait).clamp(Duration::from_millis(5), wait.max(WAIT_MAX));
            tokio::time::sleep(last_wait).await;
            node = next.unwrap_or(node);
        }
    }

    /// The node to ask first: the one that last answered, the one that a replica here follows, the one that should lead.
    fn first(&self, group: GroupId) -> Option<NodeId> {
        let hint = || self.engine.replica(group).and_then(|replica| replica.leader_hint()).map(|(_, node)| node);
        let known = self.lock().leaders.get(&group).copied();
        known.or_else(hint).or_else(|| self.routes.first_node(group))
    }

    fn next(&self, group: GroupId, node: NodeId) -> Option<NodeId> {
        let nodes = self.routes.nodes_of(group);
        let behind = nodes.iter().position(|known| *known == node).map_or(0, |place| place + 1);
        nodes.get(behind).or(nodes.first()).copied()
    }

    /// `None` where the node's address is not known.
    fn client(&self, node: NodeId) -> Option<Client> {
        let address = self.book.address(node)?;
        let mut known = self.lock();
        if let Some((_, client)) = known.clients.get(&node).filter(|(at, _)| *at == address) {
            return Some(client.clone());
        }
        let expected = ExpectedPeer { cloud: self.cloud, role: Role::Node, name: Some(node.to_string().into()) };
        let client = TransferServiceClient::new(self.tls.channel(&address, expected, Http2::CALLS))
            .max_encoding_message_size(limits::TRANSFER_MESSAGE_MAX_BYTES);
        known.clients.insert(node, (address, client.clone()));
        Some(client)
    }

    /// Nothing that holds the lock can panic half way through a change.
    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
