//! A transport inside one process, with faults: drops, delays and partitions.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use renkei_ids::{GroupId, NodeId};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

use crate::engine::{Engine, WeakEngine};
use crate::transport::{Address, Lane, PeerTransport, TransportError};

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Delivered at once.
    Deliver,
    /// Delivered after this long; later requests of the same group and lane wait behind it.
    Delay(Duration),
    /// Lost on the way there: the peer never sees it.
    Lose,
    /// Delivered, and its answer lost on the way back.
    LoseAnswer,
}

/// Decides the fate of each request, given sender, address, lane and size of the body.
pub type Fates = Arc<dyn Fn(NodeId, &Address, Lane, usize) -> Fate + Send + Sync>;

/// The wires between the engines of one process.
#[derive(Clone, Default)]
pub struct ChannelNetwork(Arc<Mutex<Wires>>);

#[derive(Default)]
struct Wires {
    engines: HashMap<NodeId, WeakEngine>,
    cut: BTreeSet<(NodeId, NodeId)>,
    fates: Option<Fates>,
    queues: HashMap<Queue, oneshot::Receiver<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Queue {
    from: NodeId,
    to: NodeId,
    group: GroupId,
    lane: Lane,
}

impl fmt::Debug for ChannelNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wires = self.wires();
        f.debug_struct("ChannelNetwork").field("nodes", &wires.engines.len()).field("cut", &wires.cut).finish()
    }
}

impl ChannelNetwork {
    fn wires(&self) -> MutexGuard<'_, Wires> {
        // A panic of a test while it holds the lock leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transport of one node, to build its engine with.
    pub fn transport(&self, node: NodeId) -> Arc<dyn PeerTransport> {
        Arc::new(ChannelTransport { from: node, network: self.clone() })
    }

    /// Connects a node's engine; it replaces an earlier one of that node.
    pub fn connect(&self, engine: &Engine) {
        self.wires().engines.insert(engine.node(), engine.downgrade());
    }

    /// Disconnects a node, as if its machine were off.
    pub fn disconnect(&self, node: NodeId) {
        self.wires().engines.remove(&node);
    }

    /// Cuts the wire between two nodes, both ways.
    pub fn cut(&self, a: NodeId, b: NodeId) {
        self.wires().cut.extend([(a, b), (b, a)]);
    }

    /// Mends every wire.
    pub fn heal(&self) {
        self.wires().cut.clear();
    }

    /// Sets who decides the fate of each request; `None` delivers everything.
    pub fn set_fates(&self, fates: Option<Fates>) {
        self.wires().fates = fates;
    }

    fn engine(&self, from: NodeId, to: NodeId) -> Option<Engine> {
        let wires = self.wires();
        if wires.cut.contains(&(from, to)) {
            return None;
        }
        wires.engines.get(&to).and_then(Weak::upgrade).map(Engine::from_shared)
    }
}

struct ChannelTransport {
    from: NodeId,
    network: ChannelNetwork,
}

impl PeerTransport for ChannelTransport {
    fn request(
        &self,
        to: Address,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> BoxFuture<'static, Result<Bytes, TransportError>> {
        let fates = self.network.wires().fates.clone();
        let fate = fates.as_ref().map_or(Fate::Deliver, |fates| fates(self.from, &to, lane, body.len()));
        let delivery = Delivery { network: self.network.clone(), from: self.from, to, lane, body };
        let answer: BoxFuture<'static, _> = match fate {
            Fate::Lose => futures::future::pending().boxed(),
            Fate::LoseAnswer => {
                let delivered = delivery.now();
                async move {
                    let _ = delivered.await;
                    futures::future::pending().await
                }
                .boxed()
            }
            // Without a hook nothing waits in a queue, so the order of the calls is the order of delivery.
            Fate::Deliver if fates.is_none() => delivery.now(),
            Fate::Deliver => delivery.after(Duration::ZERO).boxed(),
            Fate::Delay(delay) => delivery.after(delay).boxed(),
        };
        async move { timeout(ttl, answer).await.unwrap_or(Err(TransportError::TimedOut)) }.boxed()
    }
}

struct Delivery {
    network: ChannelNetwork,
    from: NodeId,
    to: Address,
    lane: Lane,
    body: Bytes,
}

impl Delivery {
    fn now(self) -> BoxFuture<'static, Result<Bytes, TransportError>> {
        let Self { network, from, to, lane, body } = self;
        let Some(engine) = network.engine(from, to.to_node) else {
            return futures::future::ready(Err(TransportError::Unreachable)).boxed();
        };
        let received = engine.receive(to.group, to.to, to.from, lane, body);
        async move {
            let answer = received.await.map_err(|error| TransportError::Refused(error.code()));
            // The wire may have been cut, or the peer switched off, while it worked.
            network.engine(from, to.to_node).map_or(Err(TransportError::Unreachable), |_| answer)
        }
        .boxed()
    }

    /// Delivery after a while, behind what was sent earlier over the same lane of the same group.
    fn after(self, delay: Duration) -> impl Future<Output = Result<Bytes, TransportError>> + Send + 'static {
        let queue = Queue { from: self.from, to: self.to.to_node, group: self.to.group, lane: self.lane };
        let (delivered, turn) = oneshot::channel();
        let before = self.network.wires().queues.insert(queue, turn);
        let due = Instant::now() + delay;
        async move {
            if let Some(before) = before {
                // An error means that the one before was given up; it is this one's turn then.
                let _ = before.await;
            }
            sleep_until(due).await;
            let answer = self.now();
            drop(delivered);
            answer.await
        }
    }
}
