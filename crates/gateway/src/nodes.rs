//! The nodes of the cloud: one long-lived framed stream to each, the slot map, and who leads.

mod calls;
mod link;
mod retry;
mod routes;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use renkei_ids::{CloudId, NodeId, Pid, SlotEpoch};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Shell};
use renkei_wire::limits::BODY_MAX_BYTES;
use renkei_wire::pb::node::v1::GetSlotMapRequest;
use renkei_wire::{
    ErrorCode, NodeAddress, NodeRequest, NodeServiceClient, Operation, PutBody, PutRecord, Refusal, RouteMap,
};
use tonic::transport::Channel;

use crate::admission::Admission;
use crate::deadline::Deadline;
pub(crate) use calls::Answer;
use link::Link;
use retry::{Attempts, Next};
use routes::{Route, Routes};

/// A node that says nothing for so long is one that hangs or is cut off: another replica is asked.
const SILENCE_MAX: Duration = Duration::from_secs(4);
/// And a second more for each so many bytes that are sent to it, or come from it: a thirtieth of what a link of 1 Gbit/s
/// carries.
const BYTES_A_SECOND: usize = 4 << 20;
/// How long one node may take over its slot map before another one is asked.
const MAP_PATIENCE: Duration = Duration::from_secs(1);

/// The nodes. Clones share their streams.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shell: Shell,
    cloud: CloudId,
    seeds: Vec<Channel>,
    admission: Admission,
    routes: Mutex<Option<Routes>>,
    /// Held while a map is fetched, so that a thousand callers who lost their way ask once.
    refreshing: tokio::sync::Mutex<()>,
    peers: Mutex<HashMap<NodeId, Arc<Peer>>>,
}

#[derive(Debug)]
struct Peer {
    address: NodeAddress,
    channel: Channel,
    link: tokio::sync::Mutex<Option<Arc<Link>>>,
}

/// What one try came to, short of an answer.
#[derive(Debug)]
enum Miss {
    Refused(Refusal),
    /// The stream broke, or was never there: what became of the request is not known.
    Lost,
}

impl Nodes {
    pub(crate) fn new(shell: Shell, cloud: CloudId, seeds: &[Address], admission: Admission) -> Self {
        let expected = ExpectedPeer { cloud, role: Role::Node, name: None };
        let seeds = seeds.iter().map(|seed| shell.tls().channel(seed, expected.clone(), Http2::LANES)).collect();
        let inner = Inner {
            shell,
            cloud,
            seeds,
            admission,
            routes: Mutex::default(),
            refreshing: tokio::sync::Mutex::default(),
            peers: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Has a request served by the leader of the patient's group, and goes on as refusals advise until the deadline.
    /// The slot epoch and deadline in it are replaced.
    ///
    /// # Errors
    /// The last refusal; `outcome_unknown` where the last try was lost, or an earlier one was and the last says nothing
    /// about it.
    pub(crate) async fn call(&self, pid: Pid, request: NodeRequest, deadline: Deadline) -> Result<Answer, Refusal> {
        let mut attempts = Attempts::default();
        let answer = self.persist(pid, request, deadline, &mut attempts).await;
        answer.map_err(|refusal| attempts.told(refusal))
    }

    async fn persist(
        &self,
        pid: Pid,
        mut request: NodeRequest,
        deadline: Deadline,
        attempts: &mut Attempts,
    ) -> Result<Answer, Refusal> {
        loop {
            let route = self.route(pid, deadline).await?;
            request.slot_epoch = route.epoch;
            request.deadline = deadline.left()?;
            let patience = request.deadline.min(patience(&request));
            let refusal = match tokio::time::timeout(patience, self.ask(&route, request.clone())).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Miss::Refused(refusal))) => refusal,
                Ok(Err(Miss::Lost)) | Err(_) => Refusal::new(ErrorCode::OutcomeUnknown),
            };
            let wait = match attempts.next(&refusal, route.epoch) {
                Next::GiveUp => return Err(refusal),
                Next::Again(wait) => wait,
                Next::Elsewhere(wait) => {
                    self.with_routes(|routes| routes.not_at(route.group, route.node));
                    wait
                }
                Next::AtLeader(leader, wait) => {
                    self.with_routes(|routes| routes.led_by(route.group, leader));
                    wait
                }
                Next::ByNewMap(wait) => {
                    // Where no node gives a newer map the retry is refused again, and asks again.
                    let _the_old_one_serves = self.refresh(Some(route.epoch), refusal.slot_epoch, deadline).await;
                    wait
                }
            };
            deadline.wait(wait, refusal).await?;
        }
    }

    /// One try.
    async fn ask(&self, route: &Route, request: NodeRequest) -> Result<Answer, Miss> {
        let peer = self.peer(route.node, &route.address).ok_or(Miss::Lost)?;
        let link = peer.link(&self.inner.shell, &self.inner.admission).await?;
        link.ask(request).await
    }

    async fn route(&self, pid: Pid, deadline: Deadline) -> Result<Route, Refusal> {
        let known = self.with_routes(|routes| routes.of(pid.slot()));
        match known {
            Some(route) => Ok(route),
            None => {
                self.refresh(None, None, deadline).await?;
                self.with_routes(|routes| routes.of(pid.slot())).ok_or(Refusal::new(ErrorCode::Unavailable))
            }
        }
    }

    fn with_routes<T>(&self, change: impl FnOnce(&mut Routes) -> T) -> Option<T> {
        self.inner.routes.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(change)
    }

    /// Fetches the slot map, of epoch `wanted` at least if a node has it, unless another caller has meanwhile fetched one
    /// past `stale`.
    async fn refresh(
        &self,
        stale: Option<SlotEpoch>,
        wanted: Option<SlotEpoch>,
        deadline: Deadline,
    ) -> Result<(), Refusal> {
        deadline
            .bound(ErrorCode::Unavailable, async {
                let _one = self.inner.refreshing.lock().await;
                let current = self.with_routes(|routes| routes.epoch());
                if current.is_some_and(|current| Some(current) != stale) {
                    return Ok(());
                }
                let map = self.fetch_map(wanted.unwrap_or(SlotEpoch(0))).await?;
                let routes = Routes::try_from(map).map_err(|_| Refusal::new(ErrorCode::Unavailable))?;
                let mut held = self.inner.routes.lock().unwrap_or_else(PoisonError::into_inner);
                match &mut *held {
                    Some(current) => current.renew(routes),
                    none => *none = Some(routes),
                }
                Ok(())
            })
            .await
    }

    /// The first slot map that is new enough, else the newest of those that nodes have: for a moment some know an older
    /// one. Nodes known by the map are asked before the ones to start from.
    async fn fetch_map(&self, wanted: SlotEpoch) -> Result<RouteMap, Refusal> {
        let known: Vec<Channel> = {
            let peers = self.inner.peers.lock().unwrap_or_else(PoisonError::into_inner);
            peers.values().map(|peer| peer.channel.clone()).collect()
        };
        let mut refused = Refusal::new(ErrorCode::Unavailable);
        let mut newest: Option<RouteMap> = None;
        for channel in known.into_iter().chain(self.inner.seeds.iter().cloned()) {
            let mut client = NodeServiceClient::new(channel);
            let asked = client.get_slot_map(GetSlotMapRequest { known_epoch: 0 });
            match tokio::time::timeout(MAP_PATIENCE, asked).await {
                Ok(Ok(reply)) => match Option::<RouteMap>::try_from(reply.into_inner()) {
                    Ok(Some(map)) if map.epoch >= wanted => return Ok(map),
                    Ok(Some(map)) if newest.as_ref().is_none_or(|newest| newest.epoch < map.epoch) => {
                        newest = Some(map)
                    }
                    Ok(_) | Err(_) => {}
                },
                Ok(Err(status)) => refused = Refusal::from_status(&status).unwrap_or(refused),
                // It hangs, or is cut off.
                Err(_) => {}
            }
        }
        newest.ok_or(refused)
    }

    /// The node at this address; one that has moved gets a channel of its own. `None` for an address of no form.
    fn peer(&self, node: NodeId, address: &NodeAddress) -> Option<Arc<Peer>> {
        let mut peers = self.inner.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(peer) = peers.get(&node).filter(|peer| peer.address == *address) {
            return Some(Arc::clone(peer));
        }
        let name = Some(node.to_string().into());
        let expected = ExpectedPeer { cloud: self.inner.cloud, role: Role::Node, name };
        let at: Address = address.as_str().parse().ok()?;
        let channel = self.inner.shell.tls().channel(&at, expected, Http2::LANES);
        let peer = Arc::new(Peer { address: address.clone(), channel, link: tokio::sync::Mutex::default() });
        peers.insert(node, Arc::clone(&peer));
        Some(peer)
    }
}

/// How long one node may take over a request, its body included, before another one is asked.
fn patience(request: &NodeRequest) -> Duration {
    let body = match &request.operation {
        Operation::Put(PutRecord { body: PutBody::Whole(body), .. }) => body.len(),
        Operation::Get(_) => BODY_MAX_BYTES,
        _ => 0,
    };
    SILENCE_MAX + Duration::from_secs((body / BYTES_A_SECOND) as u64)
}

impl Peer {
    /// The stream, opened where there is none or it broke.
    async fn link(&self, shell: &Shell, admission: &Admission) -> Result<Arc<Link>, Miss> {
        let mut link = self.link.lock().await;
        match &*link {
            Some(open) if !open.is_closed() => Ok(Arc::clone(open)),
            _ => {
                let opened = Link::open(shell, self.channel.clone(), admission.clone()).await?;
                *link = Some(Arc::clone(&opened));
                Ok(opened)
            }
        }
    }
}
