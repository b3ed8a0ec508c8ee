//! The asking side of all lanes: what the replication engine sends through.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use renkei_consensus::{Address, Lane, PeerTransport, TransportError};
use renkei_ids::NodeId;
use renkei_runtime::{OnError, OnShutdown, Shell, TaskKind};

use crate::Circle;
use crate::book::AddressBook;
use crate::link::Link;

/// Links to all peers. Each is made, with a task of its own, when it is first used.
pub struct Lanes {
    shell: Shell,
    circle: Circle,
    book: AddressBook,
    links: Mutex<HashMap<(NodeId, Lane), Arc<Link>>>,
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("circle", &self.circle).finish_non_exhaustive()
    }
}

impl Lanes {
    /// Links within a circle, to wherever the book says. The tasks of the shell keep them.
    pub fn new(shell: Shell, circle: Circle, book: AddressBook) -> Self {
        Self { shell, circle, book, links: Mutex::default() }
    }

    fn link(&self, node: NodeId, lane: Lane) -> Arc<Link> {
        let mut links = self.links.lock().expect("nothing panics while it holds the links");
        let link = links.entry((node, lane)).or_insert_with(|| {
            let link = Arc::new(Link::new(self.circle, node, lane));
            // Replicas say goodbye while they shut down, so links end after everything else.
            let kind =
                TaskKind { name: "peer link", on_error: OnError::StopProcess, on_shutdown: OnShutdown::CancelLast };
            let run = Arc::clone(&link).run(self.shell.tls().clone(), self.book.clone());
            self.shell.tasks().spawn(kind, run.map(Ok::<(), std::convert::Infallible>));
            link
        });
        Arc::clone(link)
    }
}

impl PeerTransport for Lanes {
    fn request(
        &self,
        to: Address,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> BoxFuture<'static, Result<Bytes, TransportError>> {
        match self.link(to.to_node, lane).ask(to, body) {
            None => ready(Err(TransportError::Unreachable)).boxed(),
            Some(asked) => async move {
                match tokio::time::timeout(ttl, asked.answer()).await {
                    Ok(answer) => answer,
                    Err(_) => Err(TransportError::TimedOut),
                }
            }
            .boxed(),
        }
    }
}
