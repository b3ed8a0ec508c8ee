//! A load that follows the advice of refusals, as a gateway does, and knows what every answer must be: each patient is
//! one worker's own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use renkei_access::{Capability, RecordGrant, SigningKey};
use renkei_ids::{AuditSeq, ContentTag, GroupId, IdemTag, NodeId, RecordVersion, RequestId, Slot, SlotEpoch};
use renkei_shard::audit::AuditContent;
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{
    DeleteRecord, EntryBody, ErrorCode, ListAudit, NodeReply, NodeRequest, NodeServiceClient, Operation, Outcome,
    PutRecord, Refusal, Retry, RouteMap, Stored,
};
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use crate::cloud::TestCloud;
use crate::patient::{self, Patient, record};

/// Longest time for one operation, its retries included.
const GIVE_UP: Duration = Duration::from_secs(20);
/// A node that says nothing for so long is one that hangs: another one is asked.
const SILENCE_MAX: Duration = Duration::from_secs(4);
/// Most records of a patient, so that a timeline is one page.
const LIVE_MAX: usize = 100;

/// Where to send what, as the newest map and the refusals say.
pub(crate) struct Clients {
    nodes: BTreeMap<NodeId, NodeServiceClient<Channel>>,
    known: Mutex<Known>,
}

struct Known {
    map: RouteMap,
    leaders: HashMap<GroupId, NodeId>,
}

impl Clients {
    pub(crate) async fn of(cloud: &TestCloud) -> Arc<Self> {
        let nodes = cloud.processes.addresses().into_keys().map(|node| (node, cloud.client(node))).collect();
        let known = Known { map: cloud.map().await.unwrap(), leaders: HashMap::new() };
        Arc::new(Self { nodes, known: Mutex::new(known) })
    }

    fn route(&self, slot: Slot) -> (SlotEpoch, GroupId, NodeId) {
        let known = self.known.lock().unwrap();
        let group = known.map.slots.group_of(slot);
        let node = known.leaders.get(&group).copied().or_else(|| known.map.node_for(group));
        (known.map.epoch, group, node.unwrap())
    }

    fn next(&self, group: GroupId, node: NodeId) -> NodeId {
        let known = self.known.lock().unwrap();
        let place = known.map.groups.iter().find(|place| place.group == group).unwrap();
        let nodes: Vec<_> = place.replicas.iter().map(|(_, node)| *node).collect();
        let behind = nodes.iter().position(|known| *known == node).map_or(0, |at| at + 1);
        *nodes.get(behind).unwrap_or(&nodes[0])
    }

    /// Looks for a map of this epoch or a newer one; keeps the newest.
    async fn refresh(&self, wanted: SlotEpoch) {
        for client in self.nodes.values() {
            let mut client = client.clone();
            let asked = client.get_slot_map(pb::GetSlotMapRequest { known_epoch: 0 });
            let Ok(Ok(reply)) = tokio::time::timeout(Duration::from_secs(1), asked).await else { continue };
            let Some(map) = Option::<RouteMap>::try_from(reply.into_inner()).unwrap() else { continue };
            let mut known = self.known.lock().unwrap();
            let epoch = map.epoch;
            if known.map.epoch < epoch {
                *known = Known { map, leaders: HashMap::new() };
            }
            if epoch >= wanted {
                return;
            }
        }
    }

    async fn ask_at(&self, node: NodeId, request: NodeRequest) -> Result<NodeReply, Refusal> {
        let lost = Refusal::new(ErrorCode::OutcomeUnknown);
        let Some(client) = self.nodes.get(&node) else { return Err(lost) };
        let mut client = client.clone();
        match tokio::time::timeout(SILENCE_MAX, client.execute(pb::Request::from(request))).await {
            Ok(Ok(reply)) => Ok(reply.into_inner().try_into().unwrap()),
            Ok(Err(status)) => Err(Refusal::from_status(&status).unwrap_or(lost)),
            Err(_) => Err(lost),
        }
    }

    /// Asks, and again as refusals advise.
    pub(crate) async fn ask(&self, mut request: NodeRequest, slot: Slot) -> Result<NodeReply, Refusal> {
        let began = Instant::now();
        let mut last_wait = Duration::ZERO;
        loop {
            let (epoch, group, node) = self.route(slot);
            request.slot_epoch = epoch;
            let refusal = match self.ask_at(node, request.clone()).await {
                Ok(reply) => return Ok(reply),
                Err(refusal) => refusal,
            };
            let told = match refusal.code.retry() {
                // Nothing took effect, and a new request has an id of its own.
                Retry::NewRequest if refusal.code == ErrorCode::DeadlineExceeded => {
                    let mut id = *request.request.as_bytes();
                    id[0] = id[0].wrapping_add(1);
                    request.request = RequestId::from_bytes(id);
                    Duration::ZERO
                }
                Retry::No | Retry::NewRequest => return Err(refusal),
                Retry::After(wait) | Retry::AfterRefresh(wait) => refusal.retry_after.unwrap_or(wait),
            };
            if began.elapsed() > GIVE_UP {
                return Err(refusal);
            }
            let newer = refusal.slot_epoch.filter(|told| epoch < *told);
            if newer.is_some() || matches!(refusal.code, ErrorCode::WrongShard | ErrorCode::StaleEpoch) {
                self.refresh(newer.unwrap_or(epoch)).await;
            } else if let Some(leader) = refusal.leader_node {
                self.known.lock().unwrap().leaders.insert(group, leader);
            } else if matches!(refusal.code.retry(), Retry::AfterRefresh(_))
                || refusal.code == ErrorCode::OutcomeUnknown
            {
                let next = self.next(group, node);
                self.known.lock().unwrap().leaders.insert(group, next);
            }
            last_wait = told.max(2 * last_wait).min(told.max(Duration::from_secs(1)));
            if told.is_zero() {
                last_wait = Duration::from_millis(2);
            }
            tokio::time::sleep(last_wait).await;
        }
    }
}

/// SplitMix64.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A place in a list of this length.
    fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("it is below a length")
    }
}

struct Kept {
    version: u32,
    body: String,
}

/// One patient and what must be stored for her.
struct Case {
    patient: Patient,
    capability: Capability,
    live: BTreeMap<u32, Kept>,
    dead: BTreeSet<u32>,
    next: u32,
    last_put: Option<u32>,
    acknowledged: u64,
    rows_seen: u64,
}

struct Worker {
    clients: Arc<Clients>,
    key: Arc<SigningKey>,
    cases: Vec<Case>,
    random: Random,
    latencies: Vec<Duration>,
    last_answer: Instant,
    gap: Duration,
    failed: Vec<String>,
}

/// What clients saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) operations: usize,
    pub(crate) failed: Vec<String>,
    /// Records that were acknowledged and are not there as they should be.
    pub(crate) lost: Vec<String>,
    pub(crate) p99: Duration,
    pub(crate) gap: Duration,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operations, failed, lost, p99, gap } = self;
        let (failed, lost) = (failed.len(), lost.len());
        write!(f, "operations {operations}, failed {failed}, lost {lost}, p99 {p99:.0?}, longest gap {gap:.0?}")
    }
}

/// A load under way.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Worker>>,
}

impl Load {
    #[expect(clippy::disallowed_methods, reason = "a test has no supervisor")]
    pub(crate) async fn start(cloud: &TestCloud, patients: Vec<Patient>, workers: usize, seed: u64) -> Self {
        let clients = Clients::of(cloud).await;
        let stop = Arc::new(AtomicBool::new(false));
        let mut cases: Vec<Vec<Case>> = (0..workers).map(|_| Vec::new()).collect();
        for (nth, patient) in patients.into_iter().enumerate() {
            cases[nth % workers].push(Case {
                patient,
                capability: patient.capability(cloud),
                live: BTreeMap::new(),
                dead: BTreeSet::new(),
                next: 0,
                last_put: None,
                acknowledged: 0,
                rows_seen: 0,
            });
        }
        let start = |(nth, cases): (usize, Vec<Case>)| {
            let worker = Worker {
                clients: Arc::clone(&clients),
                key: Arc::clone(&cloud.vault),
                cases,
                random: Random(seed ^ (nth as u64) << 32),
                latencies: Vec::new(),
                last_answer: Instant::now(),
                gap: Duration::ZERO,
                failed: Vec::new(),
            };
            tokio::spawn(worker.run(Arc::clone(&stop)))
        };
        let workers = cases.into_iter().enumerate().map(start).collect();
        Self { stop, workers }
    }

    /// Ends the load and looks at everything that was acknowledged.
    pub(crate) async fn finish(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut seen = Seen::default();
        let mut latencies = Vec::new();
        for worker in self.workers {
            let mut worker = worker.await.unwrap();
            seen.gap = seen.gap.max(worker.gap);
            latencies.append(&mut worker.latencies);
            worker.look_at_everything(&mut seen.lost).await;
            seen.failed.append(&mut worker.failed);
        }
        latencies.sort_unstable();
        seen.operations = latencies.len();
        seen.p99 = latencies.get(latencies.len() * 99 / 100).copied().unwrap_or_default();
        seen
    }
}

impl Worker {
    async fn run(mut self, stop: Arc<AtomicBool>) -> Self {
        self.last_answer = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let case = self.random.place(self.cases.len());
            let began = Instant::now();
            if let Err(failure) = self.one(case).await {
                self.failed.push(failure);
            }
            let now = Instant::now();
            self.latencies.push(now - began);
            self.gap = self.gap.max(now - self.last_answer);
            self.last_answer = now;
        }
        self
    }

    async fn one(&mut self, case: usize) -> Result<(), String> {
        let live = self.cases[case].live.len();
        match self.random.below(100) {
            0..35 if live < LIVE_MAX => self.put_new(case).await,
            35..50 if live > 0 => self.replace(case).await,
            0..58 if live > 0 => self.delete(case).await,
            58..80 if live > 0 => self.get(case).await,
            80..88 => self.timeline(case).await,
            88..94 => self.audit(case).await,
            _ => self.repeat(case).await,
        }
    }

    async fn ask(&mut self, case: usize, grant: Option<(u32, u32)>, operation: Operation) -> Result<NodeReply, String> {
        let kept = &self.cases[case];
        let grants =
            grant.map(|(n, version)| RecordGrant { record: record(n), version: RecordVersion::new(version).unwrap() });
        let capability = Capability { records: grants.into_iter().collect(), ..kept.capability.clone() };
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.random.next().to_be_bytes());
        let request = NodeRequest {
            request: RequestId::from_bytes(id),
            ..patient::request(capability.sign(&self.key).unwrap(), operation)
        };
        let slot = kept.patient.slot();
        let reply = self.clients.ask(request, slot).await.map_err(|refusal| refusal.to_string())?;
        self.cases[case].acknowledged += 1;
        Ok(reply)
    }

    fn pick(&mut self, case: usize) -> u32 {
        let nth = self.random.place(self.cases[case].live.len());
        *self.cases[case].live.keys().nth(nth).unwrap()
    }

    async fn put(&mut self, case: usize, n: u32, version: u32) -> Result<(), String> {
        let size = match self.random.below(40) {
            0 => 300_000,
            1..4 => 40_000,
            _ => 200,
        };
        let body = format!("{n} {version} {}", "x".repeat(size));
        let put = put(n, version, &body);
        let reply = self.ask(case, Some((n, version)), Operation::Put(put)).await?;
        let kept = &mut self.cases[case];
        kept.live.insert(n, Kept { version, body });
        kept.last_put = Some(n);
        stored(&reply, n, version)
    }

    async fn put_new(&mut self, case: usize) -> Result<(), String> {
        let n = self.cases[case].next;
        self.cases[case].next += 1;
        self.put(case, n, 1).await
    }

    async fn replace(&mut self, case: usize) -> Result<(), String> {
        let n = self.pick(case);
        let version = self.cases[case].live[&n].version + 1;
        self.put(case, n, version).await
    }

    /// The same put again: the stored reply, and nothing else.
    async fn repeat(&mut self, case: usize) -> Result<(), String> {
        let kept = &self.cases[case];
        let Some((n, kept)) = kept.last_put.and_then(|n| Some((n, kept.live.get(&n)?))) else {
            return self.timeline(case).await;
        };
        let (version, again) = (kept.version, put(n, kept.version, &kept.body));
        let reply = self.ask(case, Some((n, version)), Operation::Put(again)).await?;
        match reply.outcome {
            Outcome::Stored(Stored { replayed: true, .. }) => stored(&reply, n, version),
            other => Err(format!("a repeated put: {other:?}")),
        }
    }

    async fn delete(&mut self, case: usize) -> Result<(), String> {
        let n = self.pick(case);
        let delete = DeleteRecord {
            record: record(n),
            version: RecordVersion::new(self.cases[case].live[&n].version).unwrap(),
            idem: tag(n, u32::MAX),
            content: ContentTag::from_bytes(*record(n).as_bytes()),
        };
        let reply = self.ask(case, None, Operation::Delete(delete)).await?;
        self.cases[case].live.remove(&n);
        self.cases[case].dead.insert(n);
        match reply.outcome {
            Outcome::Done => Ok(()),
            other => Err(format!("a delete: {other:?}")),
        }
    }

    async fn get(&mut self, case: usize) -> Result<(), String> {
        let n = self.pick(case);
        let found = self.body(case, n).await?;
        let expected = &self.cases[case].live[&n].body;
        if found.as_ref() == Some(expected) {
            return Ok(());
        }
        let brief = |body: &str| body.chars().take(12).collect::<String>();
        Err(format!("record {n} is {:?} and not {:?}", found.as_deref().map(brief), brief(expected)))
    }

    async fn body(&mut self, case: usize, n: u32) -> Result<Option<String>, String> {
        match self.ask(case, None, patient::get(record(n))).await?.outcome {
            Outcome::Record(entry) => match entry.body {
                EntryBody::Whole(body) => Ok(Some(String::from_utf8(body.to_vec()).unwrap())),
                other => Err(format!("a body: {other:?}")),
            },
            Outcome::Nothing => Ok(None),
            other => Err(format!("a get: {other:?}")),
        }
    }

    async fn timeline(&mut self, case: usize) -> Result<(), String> {
        let Outcome::Page(page) = self.ask(case, None, patient::timeline()).await?.outcome else {
            return Err("a timeline that is none".to_owned());
        };
        let found: BTreeMap<_, _> = page.entries.iter().map(|entry| (entry.record, entry.version.get())).collect();
        let kept = &self.cases[case];
        let expected: BTreeMap<_, _> = kept.live.iter().map(|(n, kept)| (record(*n), kept.version)).collect();
        if found == expected { Ok(()) } else { Err(format!("a timeline of {} for {}", found.len(), expected.len())) }
    }

    /// Rows in unbroken sequence, and one at least for each operation that was answered.
    async fn audit(&mut self, case: usize) -> Result<(), String> {
        loop {
            let acknowledged = self.cases[case].acknowledged;
            let list = ListAudit { after: AuditSeq(self.cases[case].rows_seen), max_rows: 500 };
            let Outcome::Audit(page) = self.ask(case, None, Operation::ListAudit(list)).await?.outcome else {
                return Err("a list of rows that is none".to_owned());
            };
            for row in &page.rows {
                let seq = AuditContent::decode(&row.content).map_err(|error| error.to_string())?.seq;
                self.cases[case].rows_seen += 1;
                if seq != AuditSeq(self.cases[case].rows_seen) {
                    return Err(format!("row {seq:?} where {} was due", self.cases[case].rows_seen));
                }
            }
            match page.more {
                true => {}
                false if self.cases[case].rows_seen >= acknowledged => return Ok(()),
                false => return Err(format!("{} rows of {acknowledged}", self.cases[case].rows_seen)),
            }
        }
    }

    async fn look_at_everything(&mut self, lost: &mut Vec<String>) {
        for case in 0..self.cases.len() {
            let slot = self.cases[case].patient.slot();
            let told = |failure| format!("slot {slot}: {failure}");
            for n in self.cases[case].live.keys().copied().collect::<Vec<_>>() {
                let found = self.body(case, n).await;
                let expected = &self.cases[case].live[&n].body;
                match found {
                    Ok(Some(body)) if body == *expected => {}
                    Ok(_) => lost.push(told(format!("record {n}"))),
                    Err(failure) => self.failed.push(told(failure)),
                }
            }
            for n in self.cases[case].dead.iter().copied().collect::<Vec<_>>() {
                match self.body(case, n).await {
                    Ok(None) => {}
                    Ok(Some(_)) => lost.push(told(format!("deletion of record {n}"))),
                    Err(failure) => self.failed.push(told(failure)),
                }
            }
            for checked in [self.timeline(case).await, self.audit(case).await] {
                lost.extend(checked.err().map(told));
            }
        }
    }
}

fn tag(n: u32, version: u32) -> IdemTag {
    let mut bytes = *record(n).as_bytes();
    bytes[8..12].copy_from_slice(&version.to_be_bytes());
    IdemTag::from_bytes(bytes)
}

fn put(n: u32, version: u32, body: &str) -> PutRecord {
    let month = 24_000 + u16::try_from((n + version) % 24).unwrap();
    let put = patient::put(record(n), version, month, &format!("summary {n}.{version}"), patient::whole(body));
    PutRecord { idem: tag(n, version), ..put }
}

fn stored(reply: &NodeReply, n: u32, version: u32) -> Result<(), String> {
    match &reply.outcome {
        Outcome::Stored(Stored { record: named, version: stored, .. })
            if *named == record(n) && stored.get() == version =>
        {
            Ok(())
        }
        other => Err(format!("a put of {n}.{version}: {other:?}")),
    }
}
