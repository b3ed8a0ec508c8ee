//! What all clients of a history share: where nodes are, who leads, and what was recorded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use renkei_access::{Capability, RecordGrant, SignedCapability, SigningKey};
use renkei_ids::{GroupId, NodeId, Pid, RecordVersion, RequestId, SlotEpoch, UnixMillis};
use renkei_shard::Operation as Deed;
use renkei_testkit::{ListedRow, Operation, PatientAnswer, PatientOperation};
use renkei_wire::NodeServiceClient;
use tonic::transport::Channel;

use crate::cloud::TestCloud;
use crate::patient::{Patient, record};

/// Connections to each node: clients share them, as calls of a gateway do.
const CHANNELS: usize = 4;
/// Capabilities of a history live longer than any clock is shifted.
const CAPABILITY_LIFE_MILLIS: u64 = 86_400_000;

/// A row as an answer names it: who asked, and for what.
pub(crate) type RowOf = ListedRow<(RequestId, Deed)>;

/// What clients saw of one patient.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) operations: Vec<Operation<PatientOperation, PatientAnswer>>,
    pub(crate) rows: Vec<RowOf>,
}

/// A patient, and what clients believe of her.
pub(crate) struct PatientDesk {
    pub(crate) patient: Patient,
    pub(crate) group: GroupId,
    reading: SignedCapability,
    /// Records that are believed to be there, and their versions.
    believed: Mutex<BTreeMap<u32, u32>>,
    next_record: AtomicU32,
    seen: Mutex<Seen>,
}

pub(crate) struct Desk {
    pub(crate) patients: Vec<PatientDesk>,
    pub(crate) epoch: SlotEpoch,
    pub(crate) groups: Vec<GroupId>,
    vault: SigningKey,
    writing: Capability,
    nodes: Vec<NodeId>,
    clients: BTreeMap<NodeId, Vec<NodeServiceClient<Channel>>>,
    leaders: BTreeMap<GroupId, AtomicUsize>,
    content: AtomicU64,
    requests: AtomicU64,
    began: Instant,
    /// What must never be, found by a client: torn documents, refusals that make no sense.
    wrong: Mutex<Vec<String>>,
}

impl Desk {
    /// A desk for so many patients of a founded cloud.
    pub(crate) async fn open(cloud: &TestCloud, patients: u32) -> Self {
        let map = crate::cloud::until(async || cloud.map().await).await;
        let capability = |patient: &Patient| Capability {
            issued: UnixMillis(cloud.now().0 - CAPABILITY_LIFE_MILLIS),
            expires: cloud.now().plus_millis(CAPABILITY_LIFE_MILLIS),
            ..patient.capability(cloud)
        };
        let desk_of = |n: u32| {
            let patient = Patient(pid(n));
            let group = map.slots.group_of(patient.slot());
            PatientDesk {
                patient,
                group,
                reading: capability(&patient).sign(&cloud.vault).unwrap(),
                believed: Mutex::default(),
                next_record: AtomicU32::new(1),
                seen: Mutex::default(),
            }
        };
        let nodes: Vec<_> = cloud.processes.addresses().into_keys().collect();
        let connect = |node: &NodeId| (*node, (0..CHANNELS).map(|_| cloud.client(*node)).collect());
        let groups: Vec<_> = map.groups.iter().map(|place| place.group).collect();
        Self {
            patients: (0..patients).map(desk_of).collect(),
            epoch: map.epoch,
            vault: SigningKey::from_seed(&crate::cloud::VAULT_SEED),
            writing: capability(&Patient(pid(0))),
            clients: nodes.iter().map(connect).collect(),
            leaders: groups.iter().map(|group| (*group, AtomicUsize::new(0))).collect(),
            groups,
            nodes,
            content: AtomicU64::new(1),
            requests: AtomicU64::new(1),
            began: Instant::now(),
            wrong: Mutex::default(),
        }
    }

    /// Nanoseconds on the clock of this history.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap()
    }

    /// Who led a group when last a client heard of it.
    pub(crate) fn leader(&self, group: GroupId) -> NodeId {
        self.nodes[self.leaders[&group].load(Ordering::Relaxed)]
    }

    pub(crate) fn led_by(&self, group: GroupId, node: NodeId) {
        if let Some(place) = self.nodes.iter().position(|known| *known == node) {
            self.leaders[&group].store(place, Ordering::Relaxed);
        }
    }

    /// Asks the next node from now on, unless somebody has moved on already.
    pub(crate) fn leave(&self, group: GroupId, node: NodeId) {
        let place = self.nodes.iter().position(|known| *known == node).unwrap();
        let next = (place + 1) % self.nodes.len();
        let _moved = self.leaders[&group].compare_exchange(place, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn client(&self, node: NodeId, client: usize) -> NodeServiceClient<Channel> {
        self.clients[&node][client % CHANNELS].clone()
    }

    pub(crate) fn next_content(&self) -> u64 {
        self.content.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn next_request(&self) -> RequestId {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0x4E; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        RequestId::from_bytes(bytes)
    }

    /// A capability that may store one version of one record.
    pub(crate) fn writing(&self, patient: &PatientDesk, number: u32, version: RecordVersion) -> SignedCapability {
        let grant = RecordGrant { record: record(number), version };
        let capability = Capability { pid: patient.patient.0, records: vec![grant], ..self.writing.clone() };
        capability.sign(&self.vault).unwrap()
    }

    pub(crate) fn say_wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }
}

impl PatientDesk {
    pub(crate) fn reading(&self) -> SignedCapability {
        self.reading.clone()
    }

    pub(crate) fn believed(&self) -> MutexGuard<'_, BTreeMap<u32, u32>> {
        self.believed.lock().unwrap()
    }

    pub(crate) fn next_record(&self) -> u32 {
        self.next_record.fetch_add(1, Ordering::Relaxed)
    }

    /// Every record that anybody has ever tried to store.
    pub(crate) fn records(&self) -> std::ops::Range<u32> {
        1..self.next_record.load(Ordering::Relaxed)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

/// Patients that share slots with few others.
fn pid(n: u32) -> Pid {
    let mixed = n.wrapping_mul(0x9E37_79B1);
    let mut bytes = [0x7A; 16];
    bytes[..4].copy_from_slice(&mixed.to_be_bytes());
    bytes[4..8].copy_from_slice(&n.to_be_bytes());
    Pid::from_bytes(bytes)
}

/// The desk as clients hold it.
pub(crate) type SharedDesk = Arc<Desk>;
