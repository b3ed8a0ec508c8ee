//! Messages on their way out of one stream: cut into pieces, and the groups take turns piece by piece, so that a 10 MB
//! entry of one group delays the others by 256 KiB at most. Messages of one group stay in order.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use bytes::Bytes;
use renkei_ids::{CloudId, GroupId, ReplicaId};
use renkei_wire::CallId;
use renkei_wire::limits::{FRAMES_MAX, PEER_BATCH_MAX_BYTES, PIECE_MAX_BYTES};
use renkei_wire::peer::{PeerFrame, PeerPayload};
use tokio::sync::Notify;

/// Bytes that may wait on one stream; a peer that takes nothing must not fill our memory.
const QUEUE_MAX_BYTES: usize = 64 << 20;

/// One message.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) group: GroupId,
    pub(crate) from: ReplicaId,
    pub(crate) to: ReplicaId,
    pub(crate) call: CallId,
    pub(crate) content: Result<Bytes, u32>,
}

/// The queue of one stream.
#[derive(Debug)]
pub(crate) struct Outbox {
    cloud: CloudId,
    state: Mutex<State>,
    ready: Notify,
}

#[derive(Debug, Default)]
struct State {
    queues: HashMap<GroupId, VecDeque<Outgoing>>,
    /// Groups that have something to send, each once, in the order of their turns.
    turns: VecDeque<GroupId>,
    bytes: usize,
}

impl Outbox {
    pub(crate) fn new(cloud: CloudId) -> Self {
        Self { cloud, state: Mutex::default(), ready: Notify::new() }
    }

    /// Queues a message; `false` where there is no room.
    pub(crate) fn push(&self, message: Outgoing) -> bool {
        let mut state = self.state();
        let bytes = message.content.as_ref().map_or(0, Bytes::len);
        if state.bytes > 0 && state.bytes + bytes > QUEUE_MAX_BYTES {
            return false;
        }
        state.bytes += bytes;
        let group = message.group;
        let queue = state.queues.entry(group).or_default();
        queue.push_back(message);
        if queue.len() == 1 {
            state.turns.push_back(group);
        }
        drop(state);
        self.ready.notify_one();
        true
    }

    /// The next frames, as soon as there are any: at most as many as one message takes. Safe to drop while it waits.
    pub(crate) async fn next_batch(&self) -> Vec<PeerFrame> {
        loop {
            let frames = self.take_batch();
            if !frames.is_empty() {
                return frames;
            }
            self.ready.notified().await;
        }
    }

    /// Waits until there is something to send, and takes nothing.
    pub(crate) async fn filled(&self) {
        while self.state().turns.is_empty() {
            self.ready.notified().await;
        }
        self.ready.notify_one();
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.state() = State::default();
    }

    fn take_batch(&self) -> Vec<PeerFrame> {
        let mut state = self.state();
        let mut frames = Vec::new();
        let mut bytes = 0;
        while frames.len() < FRAMES_MAX && bytes + PIECE_MAX_BYTES <= PEER_BATCH_MAX_BYTES {
            let Some(group) = state.turns.pop_front() else { break };
            let queue = state.queues.get_mut(&group).expect("a group with a turn has a queue");
            let message = queue.front_mut().expect("a group with a turn has a message");
            let (payload, len, done) = next_piece(&mut message.content);
            let Outgoing { group, from, to, call, .. } = *message;
            frames.push(PeerFrame { cloud: self.cloud, group, from, to, call, payload });
            if done {
                queue.pop_front();
            }
            let more = !queue.is_empty();
            bytes += len;
            state.bytes -= len;
            if more {
                state.turns.push_back(group);
            }
        }
        frames
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the queue")
    }
}

fn next_piece(content: &mut Result<Bytes, u32>) -> (PeerPayload, usize, bool) {
    match content {
        Err(code) => (PeerPayload::Refused(*code), 0, true),
        Ok(rest) => {
            let piece = rest.split_to(rest.len().min(PIECE_MAX_BYTES));
            let len = piece.len();
            if rest.is_empty() { (PeerPayload::End(piece), len, true) } else { (PeerPayload::Piece(piece), len, false) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(group: u32, call: u64, len: usize) -> Outgoing {
        Outgoing {
            group: GroupId(group),
            from: ReplicaId(1),
            to: ReplicaId(2),
            call: CallId(call),
            content: Ok(Bytes::from(vec![u8::try_from(call).expect("tests use small calls"); len])),
        }
    }

    fn outbox() -> Outbox {
        Outbox::new(CloudId::from_bytes([1; 16]))
    }

    #[tokio::test]
    async fn groups_take_turns_and_each_keeps_its_order() {
        let outbox = outbox();
        assert!(outbox.push(message(1, 1, 3 * PIECE_MAX_BYTES)));
        assert!(outbox.push(message(1, 2, 10)));
        assert!(outbox.push(message(2, 3, 10)));
        let mut order = Vec::new();
        while order.len() < 5 {
            for frame in outbox.next_batch().await {
                order.push((frame.call.0, matches!(frame.payload, PeerPayload::End(_))));
            }
        }
        assert_eq!(order, [(1, false), (3, true), (1, false), (1, true), (2, true)]);
    }

    #[tokio::test]
    async fn a_full_queue_takes_no_more_until_it_was_read() {
        let outbox = outbox();
        assert!(outbox.push(message(1, 1, QUEUE_MAX_BYTES)), "the first message always goes");
        assert!(!outbox.push(message(1, 2, 1)));
        assert!(outbox.push(Outgoing { content: Err(3), ..message(1, 3, 0) }), "a refusal takes no room");
        outbox.next_batch().await;
        assert!(outbox.push(message(1, 4, 1)));
    }

    #[tokio::test]
    async fn an_empty_message_is_one_frame() {
        let outbox = outbox();
        outbox.push(message(1, 1, 0));
        let frames = outbox.next_batch().await;
        assert!(matches!(&frames[..], [PeerFrame { payload: PeerPayload::End(bytes), .. }] if bytes.is_empty()));
    }

    #[tokio::test]
    async fn no_batch_is_larger_than_a_message_may_be() {
        let outbox = outbox();
        (0..100).for_each(|group| assert!(outbox.push(message(group, 1, PIECE_MAX_BYTES))));
        for _ in 0..25 {
            let frames = outbox.next_batch().await;
            let bytes: usize = frames
                .iter()
                .map(|frame| match &frame.payload {
                    PeerPayload::Piece(piece) | PeerPayload::End(piece) => piece.len(),
                    PeerPayload::Refused(_) => 0,
                })
                .sum();
            assert!(bytes <= PEER_BATCH_MAX_BYTES && frames.len() == 4, "{} frames", frames.len());
        }
    }
}
