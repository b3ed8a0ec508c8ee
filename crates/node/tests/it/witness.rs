//! Clients that write all the time and remember what was acknowledged, so that afterwards every bit of it can be asked for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt as _;
use renkei_access::{Capability, RecordGrant, SigningKey};
use renkei_ids::{GroupId, NodeId, RecordId, RecordVersion, RequestId, Slot};
use renkei_wire::admin::ReplicaDigest;
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{
    EntryBody, ErrorCode, NodeReply, NodeRequest, NodeServiceClient, Operation, Outcome, PutBody, Refusal, RouteMap,
};
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use crate::cloud::{TestCloud, until};
use crate::patient::{self, Patient};

/// Patients that are written to, spread over all groups.
const PATIENTS: u8 = 8;
/// A client's pause between two writes: everything is to be asked for in the end.
const PAUSE: Duration = Duration::from_millis(10);
/// Reads under way while everything is asked for.
const READERS: usize = 16;
/// Longest time that one operation may take to succeed on a machine where nodes die.
const PATIENCE: Duration = Duration::from_secs(60);

/// The seed that the test was told by `cargo verify --long … --seed`, or a new one. It is printed.
pub(crate) fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the runner of long tests tells the seed")]
    let told = std::env::var("RENKEI_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = told.unwrap_or_else(|| rand::random::<u32>().into());
    println!("seed {seed}");
    seed
}

/// A way to each node, and a key to sign capabilities with. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Clients {
    parts: Arc<Parts>,
    patience: Duration,
}

struct Parts {
    nodes: BTreeMap<NodeId, NodeServiceClient<Channel>>,
    map: RouteMap,
    vault: SigningKey,
    capabilities: Vec<Capability>,
}

impl Clients {
    pub(crate) async fn of(cloud: &TestCloud) -> Self {
        let nodes = cloud.processes.addresses().into_keys().map(|node| (node, cloud.client(node))).collect();
        let map = until(async || cloud.map().await).await;
        let capabilities = (0..PATIENTS).map(|n| patient_of(n).capability(cloud)).collect();
        let vault = SigningKey::from_seed(&crate::cloud::VAULT_SEED);
        Self { parts: Arc::new(Parts { nodes, map, vault, capabilities }), patience: PATIENCE }
    }

    /// The same, giving up sooner.
    pub(crate) fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn first_node(&self, slot: Slot) -> NodeId {
        self.parts.map.node_for(self.parts.map.slots.group_of(slot)).unwrap()
    }

    fn next(&self, node: NodeId) -> NodeId {
        let behind = self.parts.nodes.range((std::ops::Bound::Excluded(node), std::ops::Bound::Unbounded)).next();
        *behind.or_else(|| self.parts.nodes.first_key_value()).unwrap().0
    }

    /// Follows the retry advice until there is an answer, `until` says that it is enough, or patience ends.
    async fn ask(&self, at: &mut NodeId, request: &NodeRequest, enough: &AtomicBool) -> Result<NodeReply, Refusal> {
        let began = Instant::now();
        loop {
            let call = self.parts.nodes[at].clone().execute(pb::Request::from(request.clone())).await;
            let refusal = match call {
                Ok(reply) => return Ok(reply.into_inner().try_into().unwrap()),
                Err(status) => Refusal::from_status(&status).unwrap_or(Refusal::new(ErrorCode::OutcomeUnknown)),
            };
            let again = refusal.retry_after.is_some()
                || matches!(refusal.code, ErrorCode::OutcomeUnknown | ErrorCode::DeadlineExceeded);
            if !again || enough.load(Ordering::Relaxed) || began.elapsed() > self.patience {
                return Err(refusal);
            }
            tokio::time::sleep(refusal.retry_after.unwrap_or_default().max(Duration::from_millis(20))).await;
            *at = refusal.leader_node.unwrap_or_else(|| self.next(*at));
        }
    }

    fn put(&self, written: Written) -> NodeRequest {
        let Written { patient, record, .. } = written;
        let grant = RecordGrant { record, version: FIRST };
        let capability = Capability { records: vec![grant], ..self.parts.capabilities[usize::from(patient)].clone() };
        let body = PutBody::Whole(written.body());
        let put = Operation::Put(patient::put(record, 1, 24_000, "summary", body));
        request(&capability, &self.parts.vault, record, put)
    }

    fn get(&self, written: Written) -> NodeRequest {
        let capability = &self.parts.capabilities[usize::from(written.patient)];
        request(capability, &self.parts.vault, written.record, patient::get(written.record))
    }

    async fn once(&self, at: NodeId, request: NodeRequest) -> Result<NodeReply, ErrorCode> {
        match self.parts.nodes[&at].clone().execute(pb::Request::from(request)).await {
            Ok(reply) => Ok(reply.into_inner().try_into().unwrap()),
            Err(status) => Err(Refusal::from_status(&status).map_or(ErrorCode::OutcomeUnknown, |refusal| refusal.code)),
        }
    }

    /// Puts something once more at one node, without retries.
    pub(crate) async fn put_at(&self, node: NodeId, written: Written) -> Result<NodeReply, ErrorCode> {
        self.once(node, self.put(written)).await
    }

    /// Asks one node for something, without retries.
    pub(crate) async fn get_at(&self, node: NodeId, written: Written) -> Result<NodeReply, ErrorCode> {
        self.once(node, self.get(written)).await
    }

    /// The node that leads the group of what was written.
    pub(crate) async fn leader_of(&self, cloud: &TestCloud, written: Written) -> NodeId {
        cloud.leader(self.parts.map.slots.group_of(patient_of(written.patient).slot())).await
    }

    /// Asks for something that was acknowledged; says what is wrong with the answer.
    async fn check(&self, written: Written) -> Result<(), String> {
        let slot = patient_of(written.patient).slot();
        let mut at = self.first_node(slot);
        let reply = self.ask(&mut at, &self.get(written), &AtomicBool::new(false)).await;
        match reply.map(|reply| reply.outcome) {
            Ok(Outcome::Record(entry)) if entry.body == EntryBody::Whole(written.body()) => Ok(()),
            Ok(Outcome::Record(_)) => Err(format!("{written:?} has another content")),
            Ok(Outcome::Nothing) => Err(format!("{written:?} is lost")),
            other => Err(format!("{written:?}: {other:?}")),
        }
    }

    /// Asks for everything; gives what is wrong.
    pub(crate) async fn check_all(&self, acknowledged: &[Written]) -> Vec<String> {
        let checks = acknowledged.iter().map(|written| self.check(*written));
        let checked = futures::stream::iter(checks).buffer_unordered(READERS);
        checked.filter_map(async |outcome| outcome.err()).collect().await
    }
}

const FIRST: RecordVersion = RecordVersion::FIRST;

/// A patient's number spreads over the slots, and so over the groups.
fn patient_of(n: u8) -> Patient {
    Patient::new(n * (u8::MAX / PATIENTS))
}

fn request(capability: &Capability, vault: &SigningKey, record: RecordId, operation: Operation) -> NodeRequest {
    let mut request = patient::request(capability.sign(vault).unwrap(), operation);
    request.request = RequestId::from_bytes(*record.as_bytes());
    request
}

/// One record that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    patient: u8,
    record: RecordId,
    bytes: usize,
}

impl Written {
    /// The `n`th of a client: mostly small ones, some large enough for a blob file.
    fn new(client: u32, n: u32) -> Self {
        let patient = u8::try_from(n % u32::from(PATIENTS)).unwrap();
        let bytes = if n.is_multiple_of(5) { 20_000 } else { 1_500 };
        Self { patient, record: patient::record(client << 24 | n), bytes }
    }

    fn body(&self) -> Bytes {
        self.record.as_bytes().iter().copied().cycle().take(self.bytes).collect()
    }
}

/// A load under way.
pub(crate) struct Witness {
    clients: Clients,
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    enough: AtomicBool,
    acknowledged: Mutex<Vec<Written>>,
    failed: Mutex<Vec<String>>,
    unknown: AtomicUsize,
}

impl Witness {
    /// Starts so many clients.
    pub(crate) async fn start(cloud: &TestCloud, clients: u32) -> Self {
        Self::start_from(cloud, 0, clients).await
    }

    /// The same, with other records than earlier clients have written: these are numbered from `first` on.
    pub(crate) async fn start_from(cloud: &TestCloud, first: u32, clients: u32) -> Self {
        let (ways, shared) = (Clients::of(cloud).await, Arc::new(Shared::default()));
        let workers = (first..first + clients).map(|client| {
            let work = work(ways.clone(), Arc::clone(&shared), client);
            tokio::runtime::Handle::current().spawn(work)
        });
        Self { workers: workers.collect(), clients: ways, shared }
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// What has been acknowledged so far.
    pub(crate) fn acknowledged(&self) -> Vec<Written> {
        self.shared.acknowledged.lock().unwrap().clone()
    }

    /// Waits until so many more are acknowledged.
    pub(crate) async fn more(&self, count: usize) {
        let goal = self.shared.acknowledged.lock().unwrap().len() + count;
        until(async || (self.shared.acknowledged.lock().unwrap().len() >= goal).then_some(())).await;
    }

    /// Ends the load. No client may have been refused against the retry advice.
    pub(crate) async fn stop(self) -> (Clients, Vec<Written>) {
        self.shared.enough.store(true, Ordering::Relaxed);
        for worker in self.workers {
            worker.await.unwrap();
        }
        let failed = std::mem::take(&mut *self.shared.failed.lock().unwrap());
        assert_eq!(failed, Vec::<String>::new(), "operations failed that follow the retry advice");
        (self.clients, std::mem::take(&mut *self.shared.acknowledged.lock().unwrap()))
    }
}

async fn work(clients: Clients, shared: Arc<Shared>, client: u32) {
    let mut leaders = BTreeMap::new();
    for n in 0.. {
        let written = Written::new(client, n);
        let slot = patient_of(written.patient).slot();
        let at = leaders.entry(written.patient).or_insert_with(|| clients.first_node(slot));
        match clients.ask(at, &clients.put(written), &shared.enough).await {
            Ok(reply) if matches!(reply.outcome, Outcome::Stored(_)) => {
                shared.acknowledged.lock().unwrap().push(written);
            }
            // Not acknowledged when the load ended: it may be there or not.
            Err(_) if shared.enough.load(Ordering::Relaxed) => drop(shared.unknown.fetch_add(1, Ordering::Relaxed)),
            other => shared.failed.lock().unwrap().push(format!("{written:?}: {other:?}")),
        }
        if shared.enough.load(Ordering::Relaxed) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until every replica of every group has the same state as its leader, at one index.
pub(crate) async fn digests_agree(cloud: &TestCloud, replicas: usize) {
    let map = until(async || cloud.map().await).await;
    for group in map.groups.iter().map(|place| place.group).chain([GroupId::META]) {
        let digests = until(async || {
            let leader = cloud.leader(group).await;
            let digests = cloud.try_digest(leader, group).await?.digests;
            (digests.len() == replicas && digests.iter().all(|it| it.index == digests[0].index)).then_some(digests)
        })
        .await;
        let same = |digest: &ReplicaDigest| digest.digest == digests[0].digest;
        assert!(digests.iter().all(same), "group {group}: {digests:?}");
    }
}
