//! Clients that put and read while something happens to the cloud, and what they saw of it.
//!
//! Each follows the advice of refusals, as a gateway does: what it cannot get done so within [`PATIENCE`] has failed.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use renkei_access::{RecordGrant, SigningKey};
use renkei_ids::{Clock, NodeId, RecordVersion, Slot, SlotEpoch};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls};
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{
    EntryBody, ErrorCode, NodeReply, NodeRequest, NodeServiceClient, Operation, Outcome, Refusal, Retry, RouteMap,
    limits,
};
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use crate::cloud::{CLOUD, TestCloud};
use crate::patient::{self, Patient, record};

/// Longest time that one operation is tried for. No fault of these tests takes longer than half of it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest time that one node is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// Between two operations of a client, so that a load of several leaves the machine to the cloud.
const THINK: Duration = Duration::from_millis(10);

/// A gateway's way of asking: by the slot map, and on as refusals say. Clones share nothing but the certificate.
#[derive(Clone)]
pub(crate) struct GatewayClient {
    tls: Tls,
    vault: Arc<SigningKey>,
    clock: Arc<SystemClock>,
    addresses: BTreeMap<NodeId, SocketAddr>,
    channels: HashMap<NodeId, Channel>,
    map: Option<RouteMap>,
}

impl GatewayClient {
    pub(crate) fn new(
        tls: Tls,
        vault: Arc<SigningKey>,
        clock: Arc<SystemClock>,
        addresses: BTreeMap<NodeId, SocketAddr>,
    ) -> Self {
        Self { tls, vault, clock, addresses, channels: HashMap::new(), map: None }
    }

    fn client(&mut self, node: NodeId) -> NodeServiceClient<Channel> {
        let (tls, addresses) = (&self.tls, &self.addresses);
        let channel = self.channels.entry(node).or_insert_with(|| {
            let address: Address = addresses[&node].to_string().parse().unwrap();
            let expected = ExpectedPeer { cloud: CLOUD, role: Role::Node, name: Some(node.to_string().into()) };
            tls.channel(&address, expected, Http2::CALLS)
        });
        NodeServiceClient::new(channel.clone()).max_decoding_message_size(limits::NODE_MESSAGE_MAX_BYTES)
    }

    /// A map that is at least of this epoch, if any node has one by now.
    async fn refresh(&mut self, epoch: SlotEpoch) {
        let nodes: Vec<_> = self.addresses.keys().copied().collect();
        for node in nodes {
            let mut client = self.client(node);
            let asked = in_time(client.get_slot_map(pb::GetSlotMapRequest { known_epoch: 0 }));
            if let Some(map) = asked.await.and_then(|map| Option::<RouteMap>::try_from(map).unwrap())
                && self.map.as_ref().is_none_or(|known| known.epoch < map.epoch)
            {
                self.map = Some(map);
            }
            if self.map.as_ref().is_some_and(|map| map.epoch >= epoch) {
                return;
            }
        }
    }

    async fn ask_at(&mut self, node: NodeId, request: NodeRequest) -> Result<NodeReply, Refusal> {
        let asked = tokio::time::timeout(ANSWER_WITHIN, self.client(node).execute(pb::Request::from(request))).await;
        match asked {
            Ok(Ok(reply)) => Ok(reply.into_inner().try_into().unwrap()),
            Ok(Err(status)) => Err(Refusal::from_status(&status).unwrap_or(Refusal::new(ErrorCode::OutcomeUnknown))),
            Err(_) => Err(Refusal::new(ErrorCode::OutcomeUnknown)),
        }
    }

    /// Asks, and goes on as long as refusals say that it may help.
    pub(crate) async fn ask(&mut self, request: &NodeRequest, slot: Slot) -> Result<NodeReply, Refusal> {
        let began = Instant::now();
        let mut asked_next: Option<NodeId> = None;
        loop {
            if self.map.is_none() {
                self.refresh(SlotEpoch(1)).await;
            }
            let known = self.map.as_ref().and_then(|map| map.node_for(map.slots.group_of(slot)));
            let node = asked_next.or(known).unwrap_or(NodeId(1));
            let refusal = match self.ask_at(node, request.clone()).await {
                Ok(reply) => return Ok(reply),
                Err(refusal) => refusal,
            };
            if matches!(refusal.code.retry(), Retry::No | Retry::NewRequest) || began.elapsed() > PATIENCE {
                return Err(refusal);
            }
            let known = self.map.as_ref().map_or(SlotEpoch(0), |map| map.epoch);
            let newer = refusal.slot_epoch.filter(|epoch| *epoch > known);
            let lost = matches!(refusal.code, ErrorCode::WrongShard | ErrorCode::StaleEpoch);
            if lost || newer.is_some() {
                self.refresh(newer.unwrap_or(SlotEpoch(known.0 + 1))).await;
            }
            asked_next = match (refusal.leader_node, refusal.code.retry()) {
                _ if lost => None,
                (Some(leader), _) => Some(leader),
                (None, Retry::AfterRefresh(_)) => Some(self.after(node, slot)),
                (None, _) => Some(node),
            };
            let wait = refusal.retry_after.unwrap_or(Duration::ZERO).max(Duration::from_millis(10));
            tokio::time::sleep(wait).await;
        }
    }

    /// Another replica of the slot's group.
    fn after(&self, node: NodeId, slot: Slot) -> NodeId {
        let map = self.map.as_ref();
        let place = map.and_then(|map| map.groups.iter().find(|place| place.group == map.slots.group_of(slot)));
        let nodes: Vec<NodeId> = match place {
            Some(place) => place.replicas.iter().map(|(_, node)| *node).collect(),
            None => self.addresses.keys().copied().collect(),
        };
        let at = nodes.iter().position(|known| *known == node);
        nodes[at.map_or(0, |at| (at + 1) % nodes.len())]
    }

    async fn put(&mut self, patient: Patient, n: u32) -> Result<(), Refusal> {
        let mut capability = patient.capability_for(self.tls.identity().key_hash, self.clock.now());
        capability.records = vec![RecordGrant { record: record(n), version: RecordVersion::new(1).unwrap() }];
        let put = patient::put(record(n), 1, 24_000, &format!("summary {n}"), patient::whole(&body_of(n)));
        let request = patient::request(capability.sign(&self.vault).unwrap(), Operation::Put(put));
        self.ask(&request, patient.slot()).await.map(|_| ())
    }

    async fn get(&mut self, patient: Patient, n: u32) -> Result<Option<Vec<u8>>, Refusal> {
        let capability = patient.capability_for(self.tls.identity().key_hash, self.clock.now());
        let request = patient::request(capability.sign(&self.vault).unwrap(), patient::get(record(n)));
        Ok(match self.ask(&request, patient.slot()).await?.outcome {
            Outcome::Record(entry) => match entry.body {
                EntryBody::Whole(body) => Some(body.to_vec()),
                other => panic!("{other:?}"),
            },
            Outcome::Nothing => None,
            other => panic!("{other:?}"),
        })
    }
}

async fn in_time<T>(call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>) -> Option<T> {
    tokio::time::timeout(ANSWER_WITHIN, call).await.ok()?.ok().map(tonic::Response::into_inner)
}

fn body_of(n: u32) -> String {
    format!("body of {n}")
}

/// What clients saw.
#[derive(Debug, Default)]
struct Seen {
    /// Acknowledged puts.
    acknowledged: Vec<(u8, u32)>,
    failed: Vec<String>,
    wrong: Vec<String>,
    took: Vec<Duration>,
    longest_gap: Duration,
}

/// Clients at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    clients: Vec<JoinHandle<()>>,
    reader: GatewayClient,
}

impl Load {
    /// So many clients, each with a patient of its own, spread over the slots.
    pub(crate) fn start(cloud: &TestCloud, clients: u8) -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Seen::default())));
        let tasks = (0..clients).map(|client| {
            let patient = client * (u8::MAX / clients);
            tokio::runtime::Handle::current().spawn(work(
                cloud.gateway_client(),
                patient,
                Arc::clone(&stop),
                Arc::clone(&seen),
            ))
        });
        let clients = tasks.collect();
        Self { stop, seen, clients, reader: cloud.gateway_client() }
    }

    /// Operations that were acknowledged so far.
    pub(crate) fn done(&self) -> usize {
        self.seen.lock().unwrap().took.len()
    }

    /// Lets the clients do so many operations more.
    pub(crate) async fn go_on(&self, operations: usize) {
        let goal = self.done() + operations;
        let began = Instant::now();
        while self.done() < goal {
            assert!(began.elapsed() < 10 * PATIENCE, "the load stands still: {:?}", self.seen.lock().unwrap().failed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the load, reads everything that was acknowledged, and prints one line. Nothing failed, nothing is lost.
    pub(crate) async fn check(mut self, scenario: &str) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        let Seen { acknowledged, failed, wrong, mut took, longest_gap } =
            std::mem::take(&mut *self.seen.lock().unwrap());
        let mut lost = Vec::new();
        for (patient, n) in &acknowledged {
            let read = self.reader.get(Patient::new(*patient), *n).await.unwrap();
            if read != Some(body_of(*n).into_bytes()) {
                lost.push((*patient, *n));
            }
        }
        took.sort_unstable();
        let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
        println!(
            "{scenario}: operations {}, failed {}, lost {}, p99 {} ms, longest gap {} ms",
            took.len() + failed.len(),
            failed.len(),
            lost.len() + wrong.len(),
            p99.as_millis(),
            longest_gap.as_millis()
        );
        assert!(failed.is_empty(), "{failed:?}");
        assert!(lost.is_empty() && wrong.is_empty(), "{lost:?} {wrong:?}");
        assert!(!acknowledged.is_empty());
    }
}

async fn work(mut client: GatewayClient, patient: u8, stop: Arc<AtomicBool>, seen: Arc<Mutex<Seen>>) {
    let who = Patient::new(patient);
    let mut last = Instant::now();
    for n in (u32::from(patient) << 16).. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let began = Instant::now();
        let put = client.put(who, n).await;
        note(&seen, began, &mut last, put.as_ref().err());
        if put.is_err() {
            continue;
        }
        seen.lock().unwrap().acknowledged.push((patient, n));
        let began = Instant::now();
        let read = client.get(who, n).await;
        note(&seen, began, &mut last, read.as_ref().err());
        if read.as_ref().is_ok_and(|body| body.as_deref() != Some(body_of(n).as_bytes())) {
            seen.lock().unwrap().wrong.push(format!("patient {patient}, record {n}: {read:?}"));
        }
        tokio::time::sleep(THINK).await;
    }
}

fn note(seen: &Mutex<Seen>, began: Instant, last: &mut Instant, failure: Option<&Refusal>) {
    let mut seen = seen.lock().unwrap();
    match failure {
        Some(refusal) => seen.failed.push(refusal.to_string()),
        None => {
            seen.took.push(began.elapsed());
            seen.longest_gap = seen.longest_gap.max(last.elapsed());
            *last = Instant::now();
        }
    }
}
