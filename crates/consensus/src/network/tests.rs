use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use openraft::raft::{AppendEntriesResponse, StreamAppendError};

use super::*;
use crate::raft::LeaderId;

/// Answers each append after a while that differs from call to call; a conflict where told.
#[derive(Default)]
struct Uneven {
    seen: Arc<Mutex<Vec<u64>>>,
    open: Arc<AtomicUsize>,
    most_open: Arc<AtomicUsize>,
    conflict_at: Option<u64>,
}

impl PeerTransport for Uneven {
    fn request(
        &self,
        _: Address,
        lane: Lane,
        body: Bytes,
        _: Duration,
    ) -> BoxFuture<'static, Result<Bytes, TransportError>> {
        assert_eq!(lane, Lane::Append);
        let Ok(Request::Append(request)) = Request::decode(body) else { panic!("an append was sent") };
        let index = request.prev_log_id.map_or(0, |id| id.index);
        self.seen.lock().unwrap().push(index);
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_open.fetch_max(open, Ordering::SeqCst);
        let still_open = Arc::clone(&self.open);
        let conflict = self.conflict_at == Some(index);
        async move {
            tokio::time::sleep(Duration::from_millis((index * 7919) % 13)).await;
            still_open.fetch_sub(1, Ordering::SeqCst);
            let response = if conflict { AppendEntriesResponse::Conflict } else { AppendEntriesResponse::Success };
            Ok(Reply::Append(response).encode())
        }
        .boxed()
    }
}

fn peer(transport: Arc<Uneven>) -> Peer {
    let network = Network {
        transport,
        group: GroupId(1),
        replica: ReplicaId(1),
        timing: Timing::LAN,
        blocking: Blocking::Threads,
    };
    network.peer(2, NodeId(2), Lane::Append)
}

fn requests(count: u64) -> impl Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + Unpin + 'static {
    stream::iter((1..=count).map(|index| AppendEntriesRequest {
        vote: Vote { leader_id: LeaderId { term: 1, voted_for: 1 }, committed: true },
        prev_log_id: Some(LogId::new_term_index(1, index)),
        entries: Vec::new(),
        leader_commit: None,
    }))
}

async fn outcomes(peer: &mut Peer, count: u64) -> Vec<AppendOutcome> {
    let answers = peer.stream_append(requests(count), RPCOption::new(Duration::from_secs(1))).await.unwrap();
    answers.collect().await
}

#[tokio::test(start_paused = true)]
async fn appends_are_pipelined_in_order_within_a_bound_and_answered_in_order() {
    let transport = Arc::new(Uneven::default());
    let outcomes = outcomes(&mut peer(Arc::clone(&transport)), 200).await;
    let answered: Vec<u64> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().unwrap().index).collect();
    assert_eq!(answered, (1..=200).collect::<Vec<_>>());
    assert_eq!(*transport.seen.lock().unwrap(), answered);
    let most = transport.most_open.load(Ordering::SeqCst);
    assert!((2..=MAX_IN_FLIGHT).contains(&most), "{most} at once");
}

#[tokio::test(start_paused = true)]
async fn the_first_conflict_is_the_last_answer() {
    let transport = Arc::new(Uneven { conflict_at: Some(50), ..Uneven::default() });
    let mut outcomes = outcomes(&mut peer(transport), 200).await;
    assert_eq!(outcomes.len(), 50);
    let last = outcomes.pop().unwrap().unwrap();
    assert_eq!(last, Err(StreamAppendError::Conflict(LogId::new_term_index(1, 50))));
}
