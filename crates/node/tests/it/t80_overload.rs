//! More than can be served. What is over is told to come back, memory stays within its budget, and when the flood is over
//! everything is as before.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use renkei_ids::NodeId;
use renkei_runtime::Role;
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{NodeServiceClient, Operation, limits};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;

use crate::cloud::TestCloud;
use crate::patient::{self, Patient, record};

/// Connections to each node, each of another gateway.
const GATEWAYS: usize = 4;
/// Patients that are asked for, and records that each has.
const PATIENTS: u8 = 32;
const RECORDS: u32 = 5;
/// Capabilities to write with, and versions that each names.
const WRITERS: u32 = 64;
const GRANTS: u32 = 64;
/// How many times what can be served is sent.
const TIMES: u64 = 10;
/// Of what is sent, one in so many is a put; the others read a timeline.
const PUT_EVERY: usize = 5;
/// Memory that each node is given, and what a process takes beside it: code, threads, TLS, allocator.
const MEMORY_MIB: u64 = 256;
const BESIDE_MIB: u64 = 160;
/// Requests of one lane under way while what can be served is measured.
const UNDER_WAY: u64 = 64;
/// Share of the rate before, in percent, that is full speed after. Other processes share the machine, and rates move by a
/// quarter.
const FULL: u64 = 60;

/// What became of requests.
#[derive(Default)]
struct Outcomes {
    answered: AtomicU64,
    busy: AtomicU64,
    other: Mutex<BTreeMap<String, u64>>,
}

/// A stream of one gateway to one node.
struct Lane {
    frames: mpsc::Sender<pb::RequestFrames>,
    requests: Vec<pb::Request>,
    sent: AtomicU64,
    done: Arc<AtomicU64>,
    came: Arc<Notify>,
}

/// Everything that sends, and what has come of it.
struct Load {
    lanes: Vec<Arc<Lane>>,
    outcomes: Arc<Outcomes>,
    _readers: JoinSet<()>,
}

impl Outcomes {
    fn take(&self, frame: pb::ReplyFrame) {
        match frame.frame {
            Some(pb::reply_frame::Frame::Reply(_)) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
            }
            Some(pb::reply_frame::Frame::Refusal(refusal))
                if refusal.code == "busy" && refusal.retry_after_ms.is_some() =>
            {
                self.busy.fetch_add(1, Ordering::Relaxed);
            }
            Some(pb::reply_frame::Frame::Refusal(refusal)) => self.note(refusal.code),
            Some(pb::reply_frame::Frame::Piece(_)) | None => self.note("a frame without sense".into()),
        }
    }

    fn note(&self, what: String) {
        *self.other.lock().unwrap().entry(what).or_default() += 1;
    }
}

impl Lane {
    fn under_way(&self) -> u64 {
        self.sent.load(Ordering::Relaxed).saturating_sub(self.done.load(Ordering::Relaxed))
    }

    /// The next so many requests as one message.
    fn batch(&self, count: usize) -> pb::RequestFrames {
        let first = usize::try_from(self.sent.load(Ordering::Relaxed)).unwrap();
        let frame = |number: usize| pb::RequestFrame {
            call: u64::try_from(number).unwrap(),
            frame: Some(pb::request_frame::Frame::Request(self.requests[number % self.requests.len()].clone())),
        };
        pb::RequestFrames { frames: (first..first + count).map(frame).collect() }
    }

    fn counted(&self, count: usize) {
        self.sent.fetch_add(u64::try_from(count).unwrap(), Ordering::Relaxed);
    }
}

/// Reads and puts for the patients of one leader, signed for one gateway.
fn requests(cloud: &TestCloud, gateway: &renkei_runtime::Tls, patients: &[Patient], lane: u32) -> Vec<pb::Request> {
    let key_hash = gateway.identity().key_hash;
    let request = |capability: renkei_access::Capability, operation: Operation| {
        let capability = renkei_access::Capability { gateway: key_hash, ..capability };
        pb::Request::from(patient::request(patient::sign(cloud, &capability), operation))
    };
    let reads: Vec<_> = patients.iter().map(|p| request(p.capability(cloud), patient::timeline())).collect();
    let body = "b".repeat(1_024);
    let mut requests = Vec::new();
    for writer in 0..WRITERS {
        let patient = patients[writer as usize % patients.len()];
        let first = 1_000 + (lane * WRITERS + writer) * GRANTS;
        let grants: Vec<_> = (first..first + GRANTS).map(|id| (record(id), 1)).collect();
        let capability = renkei_access::Capability { gateway: key_hash, ..patient.writing(cloud, &grants) };
        let signed = patient::sign(cloud, &capability);
        for id in first..first + GRANTS {
            let put = patient::put(record(id), 1, 24_000, "summary of a record", patient::whole(&body));
            requests.push(pb::Request::from(patient::request(signed.clone(), Operation::Put(put))));
            let mut read = reads.iter().cycle().skip(requests.len() % reads.len());
            requests.extend((1..PUT_EVERY).map(|_| read.next().unwrap().clone()));
        }
    }
    requests
}

impl Load {
    async fn open(cloud: &TestCloud) -> Self {
        let outcomes = Arc::new(Outcomes::default());
        let (mut lanes, mut readers) = (Vec::new(), JoinSet::new());
        let mut led: BTreeMap<NodeId, Vec<Patient>> = BTreeMap::new();
        for patient in (0..PATIENTS).map(Patient::new) {
            led.entry(cloud.leader(cloud.group_of(patient.slot()).await).await).or_default().push(patient);
        }
        for (number, (node, patients)) in (0..GATEWAYS).flat_map(|n| led.iter().map(move |led| (n, led))) {
            let gateway = cloud.identity(Role::Gateway, &format!("flood-{number}"));
            let requests = requests(cloud, &gateway, patients, u32::try_from(lanes.len()).unwrap());
            let (frames, outgoing) = mpsc::channel(8);
            let mut client = NodeServiceClient::new(cloud.channel(&gateway, *node))
                .max_decoding_message_size(limits::NODE_MESSAGE_MAX_BYTES);
            let replies = client.stream(ReceiverStream::new(outgoing)).await.unwrap().into_inner();
            let lane = Lane { frames, requests, sent: AtomicU64::new(0), done: Arc::default(), came: Arc::default() };
            let (done, came, outcomes) = (Arc::clone(&lane.done), Arc::clone(&lane.came), Arc::clone(&outcomes));
            readers.spawn(async move {
                let mut replies = replies;
                while let Ok(Some(message)) = replies.message().await {
                    done.fetch_add(u64::try_from(message.frames.len()).unwrap(), Ordering::Relaxed);
                    message.frames.into_iter().for_each(|frame| outcomes.take(frame));
                    came.notify_one();
                }
                outcomes.note("a stream that ended".into());
            });
            lanes.push(Arc::new(lane));
        }
        Self { lanes, outcomes, _readers: readers }
    }

    fn answered(&self) -> u64 {
        self.outcomes.answered.load(Ordering::Relaxed)
    }

    fn under_way(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.under_way()).sum()
    }

    /// Keeps a few requests of each lane under way; gives the answers in a second.
    async fn closed(&self, time: Duration) -> u64 {
        let (until, before) = (Instant::now() + time, self.answered());
        let mut senders = JoinSet::new();
        for lane in &self.lanes {
            let lane = Arc::clone(lane);
            senders.spawn(async move {
                while Instant::now() < until {
                    let room = usize::try_from(UNDER_WAY.saturating_sub(lane.under_way())).unwrap();
                    if room == 0 {
                        let _late = tokio::time::timeout(Duration::from_millis(50), lane.came.notified()).await;
                        continue;
                    }
                    let batch = lane.batch(room);
                    lane.counted(room);
                    lane.frames.send(batch).await.unwrap();
                }
            });
        }
        senders.join_all().await;
        (self.answered() - before) / time.as_secs()
    }

    /// Sends at a rate, whatever comes back; gives how many were sent. What the node does not read is not sent.
    async fn flood(&self, rate: u64, time: Duration) -> u64 {
        let (began, lanes) = (Instant::now(), self.lanes.len());
        let (mut due, mut sent) = (0, 0);
        while began.elapsed() < time {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let target = u64::try_from(began.elapsed().as_micros()).unwrap() * rate / 1_000_000;
            let each = usize::try_from(target - due).unwrap().div_ceil(lanes);
            due = target;
            for lane in &self.lanes {
                let mut left = each;
                while left > 0 {
                    let count = left.min(limits::FRAMES_MAX / 2);
                    left -= count;
                    let Ok(place) = lane.frames.try_reserve() else { break };
                    place.send(lane.batch(count));
                    lane.counted(count);
                    sent += u64::try_from(count).unwrap();
                }
            }
        }
        sent
    }
}

async fn fill(cloud: &TestCloud) {
    for number in 0..PATIENTS {
        let patient = Patient::new(number);
        let grants: Vec<_> = (0..RECORDS).map(|id| (record(id), 1)).collect();
        let capability = patient::sign(cloud, &patient.writing(cloud, &grants));
        for id in 0..RECORDS {
            let put = patient::put(record(id), 1, 24_000, &"s".repeat(300), patient::whole("body"));
            cloud.ask(&patient::request(capability.clone(), Operation::Put(put)), patient.slot()).await.unwrap();
        }
    }
}

/// Floods a cloud for so long.
#[expect(clippy::print_stdout, reason = "the figures of a test")]
async fn overload(flooded: Duration) {
    let cloud = TestCloud::founded().await;
    fill(&cloud).await;
    let load = Load::open(&cloud).await;
    load.closed(Duration::from_secs(1)).await;
    let sustained = load.closed(Duration::from_secs(2)).await;
    let rate = TIMES * sustained;
    let (answered, busy) = (load.answered(), load.outcomes.busy.load(Ordering::Relaxed));
    let sent = load.flood(rate, flooded).await;
    let ended = Instant::now();
    let left = load.under_way();
    let (answered, busy) = (load.answered() - answered, load.outcomes.busy.load(Ordering::Relaxed) - busy);
    let full = sustained * FULL / 100;
    let (mut best, mut after) = (0, Duration::ZERO);
    while best < full && ended.elapsed() < Duration::from_secs(5) {
        best = best.max(load.closed(Duration::from_secs(1)).await);
        after = ended.elapsed();
    }
    let peaks = cloud.processes.usage().unwrap().into_values().map(|usage| usage.rss_peak >> 20);
    let peaks: Vec<u64> = peaks.collect();
    println!(
        "sustained {sustained}/s; wanted {rate}/s for {flooded:?}, sent {sent}: answered {answered}, busy {busy}, \
         {left} under way at its end; {best}/s after {after:?}; largest memory {peaks:?} MiB of {MEMORY_MIB}"
    );
    let other = load.outcomes.other.lock().unwrap().clone();
    assert!(other.is_empty(), "other outcomes than an answer or busy: {other:?}\n{}", cloud.logs());
    assert!(busy > 0, "this was no flood");
    assert!(answered > sustained * flooded.as_secs() / 4, "a flood stops service");
    assert!(best >= full, "{best}/s five seconds after a flood, {sustained}/s before");
    assert!(peaks.iter().all(|mib| *mib <= MEMORY_MIB + BESIDE_MIB), "{peaks:?} MiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: proof"]
async fn long_proof_overload_of_nodes_for_a_minute() {
    overload(Duration::from_secs(60)).await;
}
