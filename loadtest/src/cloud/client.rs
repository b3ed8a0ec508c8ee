//! A client that does what refusals advise: goes to the leader, reads the slot map again, waits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use renkei_ids::{NodeId, Pid, RequestId, SlotEpoch};
use renkei_wire::pb::node::v1::GetSlotMapRequest;
use renkei_wire::{ErrorCode, NodeReply, NodeRequest, NodeServiceClient, Refusal, Retry, RouteMap};
use tokio::sync::Mutex;
use tonic::transport::Channel;

use super::link::{Answer, Link};
use super::routes::{Route, Routes};
use crate::channels::Target;
use crate::failure::Violation;
use crate::load::OperationError;

/// Time for one request, all its retries included.
const GIVE_UP: Duration = Duration::from_secs(20);
/// Longest wait for the first slot map after the cloud was founded.
const FOUNDED_TIMEOUT: Duration = Duration::from_secs(30);
const FOUNDED_POLL: Duration = Duration::from_millis(100);
/// Wait after a stream broke.
const PAUSE_AFTER_LOSS: Duration = Duration::from_millis(50);
/// How long one node may take over its slot map before another one is asked.
const MAP_PATIENCE: Duration = Duration::from_secs(1);
/// Longest wait before a retry, however often a node is busy.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// One connection and one stream to each node.
#[derive(Debug)]
pub(super) struct Client {
    nodes: BTreeMap<NodeId, Peer>,
    routes: RefCell<Routes>,
    retries: Cell<u64>,
}

#[derive(Debug)]
struct Peer {
    channel: Channel,
    link: Mutex<Option<Rc<Link>>>,
}

/// An answer, and whether an earlier try may have taken effect.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) reply: Box<NodeReply>,
    pub(super) retried: bool,
}

impl Client {
    /// Connects to every node and reads the slot map.
    pub(super) async fn connect(targets: &BTreeMap<NodeId, Target>) -> anyhow::Result<Self> {
        let mut nodes = BTreeMap::new();
        for (node, target) in targets {
            nodes.insert(*node, Peer { channel: target.open().await?, link: Mutex::default() });
        }
        let began = Instant::now();
        let routes = loop {
            let error = match slot_map(nodes.values(), SlotEpoch(0)).await {
                Ok(routes) => break routes,
                Err(error) => error,
            };
            if began.elapsed() >= FOUNDED_TIMEOUT {
                return Err(error).context("reading the slot map");
            }
            tokio::time::sleep(FOUNDED_POLL).await;
        };
        Ok(Self { nodes, routes: RefCell::new(routes), retries: Cell::new(0) })
    }

    /// Requests that were sent again, so far.
    pub(super) fn retries(&self) -> u64 {
        self.retries.get()
    }

    /// Sends a request about a patient until it is answered, refused for good, or [`GIVE_UP`] has passed. The slot
    /// epoch in it is replaced by that of the map in force.
    pub(super) async fn call(&self, pid: Pid, request: NodeRequest) -> Result<Answered, OperationError> {
        tokio::time::timeout(GIVE_UP, self.persist(pid, request))
            .await
            .unwrap_or(Err(OperationError::TimedOut(GIVE_UP)))
    }

    async fn persist(&self, pid: Pid, mut request: NodeRequest) -> Result<Answered, OperationError> {
        let mut retried = false;
        let mut last_wait = Duration::ZERO;
        loop {
            let route = self.routes.borrow().of(pid.slot());
            request.slot_epoch = route.epoch;
            let wait = match self.ask(route.node, request.clone()).await {
                Answer::Reply(reply) => return Ok(Answered { reply, retried }),
                Answer::Unreadable => return Err(Violation::WrongKind.into()),
                Answer::Lost => {
                    self.routes.borrow_mut().not_at(route.group, route.node);
                    PAUSE_AFTER_LOSS
                }
                Answer::Refusal(refusal) => {
                    if refusal.code == ErrorCode::DeadlineExceeded {
                        // Nothing took effect, and a new request has an id of its own.
                        request.request = RequestId::from_bytes(rand::random());
                    }
                    self.follow(route, &refusal).await?
                }
            };
            retried = true;
            self.retries.set(self.retries.get() + 1);
            last_wait = if wait.is_zero() { wait } else { wait.max(2 * last_wait).min(WAIT_MAX) };
            tokio::time::sleep(last_wait).await;
        }
    }

    /// Does what a refusal says, and gives how long to wait before the retry.
    async fn follow(&self, route: Route, refusal: &Refusal) -> Result<Duration, OperationError> {
        let wait = match refusal.code.retry() {
            Retry::NewRequest if refusal.code == ErrorCode::DeadlineExceeded => Duration::ZERO,
            Retry::No | Retry::NewRequest => return Err(OperationError::Refused(refusal.code)),
            Retry::After(wait) | Retry::AfterRefresh(wait) => refusal.retry_after.unwrap_or(wait),
        };
        let newer = refusal.slot_epoch.filter(|epoch| route.epoch < *epoch);
        let moved = matches!(refusal.code, ErrorCode::StaleEpoch | ErrorCode::WrongShard);
        match (refusal.code, refusal.leader_node) {
            _ if moved || newer.is_some() => {
                // Where no node gives a newer map the retry is refused again, and asks again.
                if let Ok(routes) = slot_map(self.nodes.values(), newer.unwrap_or(route.epoch)).await {
                    self.routes.borrow_mut().renew(routes);
                }
            }
            (_, Some(leader)) => self.routes.borrow_mut().led_by(route.group, leader),
            (_, None) if matches!(refusal.code.retry(), Retry::AfterRefresh(_)) => {
                self.routes.borrow_mut().not_at(route.group, route.node);
            }
            (_, None) => {}
        }
        Ok(wait)
    }

    async fn ask(&self, node: NodeId, request: NodeRequest) -> Answer {
        let Some(peer) = self.nodes.get(&node) else { return Answer::Lost };
        match peer.link().await {
            Ok(link) => link.ask(request).await,
            Err(_) => Answer::Lost,
        }
    }
}

impl Peer {
    /// The stream, opened where there is none or it broke.
    async fn link(&self) -> Result<Rc<Link>, Box<tonic::Status>> {
        let mut link = self.link.lock().await;
        match &*link {
            Some(open) if !open.is_closed() => Ok(Rc::clone(open)),
            _ => {
                let opened = Rc::new(Link::open(self.channel.clone()).await?);
                *link = Some(Rc::clone(&opened));
                Ok(opened)
            }
        }
    }
}

/// The first slot map that is new enough, else the newest of those that nodes have: for a moment some know an older one.
async fn slot_map(peers: impl Iterator<Item = &Peer>, wanted: SlotEpoch) -> anyhow::Result<Routes> {
    let mut refused = None;
    let mut newest: Option<RouteMap> = None;
    for peer in peers {
        let mut client = NodeServiceClient::new(peer.channel.clone());
        let asked = client.get_slot_map(GetSlotMapRequest { known_epoch: 0 });
        match tokio::time::timeout(MAP_PATIENCE, asked).await {
            Ok(Ok(map)) => match Option::<RouteMap>::try_from(map.into_inner())? {
                Some(map) if map.epoch >= wanted => return Ok(Routes::try_from(map)?),
                Some(map) => newest = newest.filter(|newest| newest.epoch >= map.epoch).or(Some(map)),
                None => bail!("a node answered a caller who knows no map that it knows the newest"),
            },
            Ok(Err(status)) => refused = Some(status),
            // It hangs, or is cut off.
            Err(_) => {}
        }
    }
    match (newest, refused) {
        (Some(map), _) => Ok(Routes::try_from(map)?),
        (None, Some(status)) => Err(status.into()),
        (None, None) => bail!("no node answers"),
    }
}
