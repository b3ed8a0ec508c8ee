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
/// What a message takes beside its content, at most: its place, and a queue of its own. Counted, so that refusals and empty
/// answers that nobody reads are bounded too.
const MESSAGE_BYTES: usize = 512;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Whose group's it is.
    pub group: GroupId,
    /// The replica that sends it.
    pub from: ReplicaId,
    /// The replica that it is for.
    pub to: ReplicaId,
    /// Which call it belongs to.
    pub call: CallId,
    /// The message, or the number of the refusal of one.
    pub content: Result<Bytes, u32>,
}

/// The queue of one stream.
#[derive(Debug)]
pub struct Outbox {
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
    /// An empty queue of a process of this cloud.
    pub fn new(cloud: CloudId) -> Self {
        Self { cloud, state: Mutex::default(), ready: Notify::new() }
    }

    /// Queues a message; `false` where there is no room.
    pub fn push(&self, message: Outgoing) -> bool {
        let mut state = self.state();
        let bytes = MESSAGE_BYTES + message.content.as_ref().map_or(0, Bytes::len);
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
    pub async fn next_batch(&self) -> Vec<PeerFrame> {
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
            state.bytes -= if done { len + MESSAGE_BYTES } else { len };
            if more {
                state.turns.push_back(group);
            } else {
                state.queues.remove(&group);
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
        outbox.next_batch().await;
        assert!(outbox.push(message(1, 4, 1)));
    }

    #[tokio::test]
    async fn answers_that_nobody_reads_are_bounded_however_small_they_are() {
        let outbox = outbox();
        let refusal = |number: u64| Outgoing {
            group: GroupId(u32::try_from(number).expect("far fewer than that fit")),
            call: CallId(number),
            content: Err(3),
            ..message(1, 1, 0)
        };
        let taken = (0..).take_while(|number| outbox.push(refusal(*number))).count();
        assert!(taken * MESSAGE_BYTES <= QUEUE_MAX_BYTES, "{taken} refusals wait");
        while !outbox.state().turns.is_empty() {
            outbox.next_batch().await;
        }
        let state = outbox.state();
        assert_eq!((state.bytes, state.queues.len()), (0, 0), "what was read takes no room");
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
