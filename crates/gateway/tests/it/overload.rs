//! More than can be served, and institutions that are slow: what is over is told to come back, memory stays within its
//! budget, and nobody is held up for good.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use renkei_ids::NodeId;
use renkei_runtime::Role;
use renkei_wire::limits::DOCUMENT_MAX_BYTES;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::{ErrorCode, Refusal};
use tokio::task::JoinSet;

use crate::world::{Client, World, actor, chunks, get, head, patient, put, put_once, query, vaccination};

/// Institutions, each on a connection of its own, which carries 1,024 calls at most.
const INSTITUTIONS: usize = 8;
const PATIENTS: u8 = 16;
/// How many times what can be served is sent.
const TIMES: u64 = 10;
/// Of what is sent, one in so many is a put, which takes vault and node; the others read a timeline.
const PUT_EVERY: u64 = 5;
/// Calls under way while what can be served is measured.
const UNDER_WAY: usize = 64;
/// Calls that the institutions have under way at once; more are not sent.
const SENT_MAX: usize = 6_000;
/// What the gateway may hold for requests, and each process takes beside its budget: code, threads, TLS, allocator.
const REQUESTS_MIB: u64 = 128;
const BESIDE_MIB: u64 = 192;
/// Memory of node and vault.
const MEMORY_MIB: u64 = 256;
/// Share of the rate before, in percent, that is full speed after. Other processes share the machine, and rates move by a
/// quarter.
const FULL: u64 = 60;

/// Budgets of the vault that a flood does not use up.
const WIDE: [&str; 10] = [
    "budgets.open_cell.minute=4000000000",
    "budgets.open_cell.day=4000000000",
    "budgets.write_asker.minute=4000000000",
    "budgets.write_asker.day=4000000000",
    "budgets.write_cell.minute=4000000000",
    "budgets.write_cell.day=4000000000",
    "budgets.write_slot.minute=4000000000",
    "budgets.write_slot.day=4000000000",
    "budgets.open_slot.minute=4000000000",
    "budgets.open_slot.day=4000000000",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Answered,
    Busy,
    Other(&'static str),
}

/// Institutions that ask.
struct Load {
    clients: Vec<Client>,
    next: AtomicU64,
}

/// One request, chosen by its number.
async fn ask(mut client: Client, number: u64) -> Outcome {
    use pb::put_document_request::Part;
    let who = u8::try_from(number % u64::from(PATIENTS)).unwrap();
    let outcome = if number.is_multiple_of(PUT_EVERY) {
        let document = vaccination("2026-03-05", &format!("{number}"));
        let parts = [Part::Head(head(who, &format!("flood-{number}"), &document)), Part::Piece(document.into())];
        let parts = parts.map(|part| pb::PutDocumentRequest { part: Some(part) });
        client.put_document(futures::stream::iter(parts)).await.map(|_| ())
    } else {
        let asked = pb::QueryTimelineRequest { max_pages: 1, page_entries: 20, ..query(who, vec![2]) };
        match client.query_timeline(asked).await {
            Ok(pages) => pages.into_inner().message().await.map(|_| ()),
            Err(status) => Err(status),
        }
    };
    match outcome.map_err(|status| Refusal::from_status(&status)) {
        Ok(()) => Outcome::Answered,
        Err(Ok(refusal)) if refusal.code == ErrorCode::Busy && refusal.retry_after.is_some() => Outcome::Busy,
        Err(Ok(refusal)) => Outcome::Other(refusal.code.name()),
        Err(Err(_)) => Outcome::Other("a status without a refusal"),
    }
}

impl Load {
    fn call(&self) -> impl Future<Output = Outcome> + use<> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let client = self.clients[usize::try_from(number).unwrap() % self.clients.len()].clone();
        ask(client, number)
    }

    /// Keeps a few calls under way; gives the answers in a second.
    async fn closed(self: &Arc<Self>, time: Duration) -> u64 {
        let until = Instant::now() + time;
        let mut callers = JoinSet::new();
        for _ in 0..UNDER_WAY {
            let load = Arc::clone(self);
            callers.spawn(async move {
                let mut answered = 0_u64;
                while Instant::now() < until {
                    match load.call().await {
                        Outcome::Answered => answered += 1,
                        _ => tokio::time::sleep(Duration::from_millis(50)).await,
                    }
                }
                answered
            });
        }
        callers.join_all().await.into_iter().sum::<u64>() / time.as_secs()
    }

    /// Sends at a rate, whatever comes back.
    async fn flood(&self, rate: u64, time: Duration) -> BTreeMap<Outcome, u64> {
        let began = Instant::now();
        let (mut sent, mut outcomes, mut calls) = (0_u64, BTreeMap::new(), JoinSet::new());
        while began.elapsed() < time {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let due = u64::try_from(began.elapsed().as_micros()).unwrap() * rate / 1_000_000;
            while sent < due {
                sent += 1;
                if calls.len() < SENT_MAX {
                    calls.spawn(self.call());
                }
            }
            while let Some(done) = calls.try_join_next() {
                *outcomes.entry(done.unwrap()).or_default() += 1;
            }
        }
        for done in calls.join_all().await {
            *outcomes.entry(done).or_default() += 1;
        }
        outcomes
    }
}

/// Floods a gateway for so long.
#[expect(clippy::print_stdout, reason = "the figures of a test")]
async fn overload(flooded: Duration) {
    let set = format!("memory.requests_mib={REQUESTS_MIB}");
    let mut world = World::configured(1, 1, &[&set], &WIDE).await;
    let clients: Vec<_> = (0..INSTITUTIONS).map(|n| world.client(Role::Institution, &format!("flood-{n}"))).collect();
    for who in 0..PATIENTS {
        let document = vaccination("2026-03-05", &format!("of {who}"));
        put(&mut clients[0].clone(), who, "first", document).await.unwrap();
    }
    let load = Arc::new(Load { clients, next: AtomicU64::new(1) });
    load.closed(Duration::from_secs(1)).await;
    let sustained = load.closed(Duration::from_secs(2)).await;
    let began = Instant::now();
    let outcomes = load.flood(TIMES * sustained, flooded).await;
    let took = began.elapsed();
    let ended = Instant::now();
    let full = sustained * FULL / 100;
    let (mut best, mut after) = (0, Duration::ZERO);
    while best < full && ended.elapsed() < Duration::from_secs(5) {
        best = best.max(load.closed(Duration::from_secs(1)).await);
        after = ended.elapsed();
    }
    let processes = &mut world.processes;
    let peaks = [
        ("gateway", processes.gateway().unwrap().usage().unwrap().rss_peak >> 20, REQUESTS_MIB),
        ("vault", processes.vault().unwrap().usage().unwrap().rss_peak >> 20, MEMORY_MIB),
        ("node", processes.node(NodeId(1)).unwrap().usage().unwrap().rss_peak >> 20, MEMORY_MIB),
    ];
    println!(
        "sustained {sustained}/s; wanted {}/s for {flooded:?}, all answered after {took:?}: {outcomes:?}; {best}/s \
         after {after:?}; largest memory and budget in MiB: {peaks:?}",
        TIMES * sustained
    );
    let count = |outcome| outcomes.get(&outcome).copied().unwrap_or_default();
    let other: Vec<_> = outcomes.keys().filter(|outcome| matches!(outcome, Outcome::Other(_))).collect();
    assert!(other.is_empty(), "other outcomes than an answer or busy: {outcomes:?}");
    assert!(count(Outcome::Busy) > 0, "this was no flood");
    assert!(count(Outcome::Answered) > sustained * flooded.as_secs() / 4, "a flood stops service");
    assert!(best >= full, "{best}/s five seconds after a flood, {sustained}/s before");
    assert!(peaks.iter().all(|(_, peak, budget)| *peak <= budget + BESIDE_MIB), "{peaks:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: proof"]
async fn long_proof_overload_through_the_gateway_for_a_minute() {
    overload(Duration::from_secs(60)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "long: proof"]
async fn long_proof_overload_by_institutions_that_take_nothing_ends_with_their_deadline() {
    let world = World::of(1, &["memory.requests_mib=128"]).await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let largest = vaccination("2026-03-05", &"x".repeat(DOCUMENT_MAX_BYTES - 1_000));
    let stored = put(&mut client, 1, "largest", &largest).await.unwrap();
    let request = || {
        let (patient, actor, reference) = (patient(1), actor(), stored.reference.clone());
        let mut request = tonic::Request::new(pb::GetDocumentRequest { patient, actor, reference, version: 0 });
        request.set_timeout(Duration::from_secs(4));
        request
    };
    // Each has the gateway hold some thirty megabytes, of which it takes none.
    let mut untaken = Vec::new();
    for _ in 0..4 {
        if let Ok(stream) = client.get_document(request()).await {
            untaken.push(stream.into_inner());
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let crowded = put_once(&mut client, head(1, "crowded", &largest), chunks(&largest)).await.unwrap_err();
    assert_eq!(crowded.code, ErrorCode::Busy, "what does not fit is told to come back");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(get(&mut client, 1, &stored.reference, 0).await.is_ok(), "those who take nothing hold their room for good");
    let small = vaccination("2026-03-05", "after");
    put_once(&mut client, head(1, "after", &small), chunks(&small)).await.unwrap();
    for mut stream in untaken {
        let mut told = None;
        while told.is_none() {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("a document that was cut off looks whole"),
                Err(status) => told = Some(status),
            }
        }
        let code = told.map(|status| Refusal::from_status(&status).map(|refusal| refusal.code));
        assert!(matches!(code, Some(Ok(ErrorCode::DeadlineExceeded | ErrorCode::Busy))), "{code:?}");
    }
}
