//! The frames of a stream between replicas: what one side cuts the other puts together, in the order of each group, and
//! frames of anyone else end the stream or make what a simple model says.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::FutureExt as _;
use renkei_ids::{CloudId, GroupId, ReplicaId};
use renkei_peers::{Assembly, Disorder, Incoming, Outbox, Outgoing};
use renkei_wire::CallId;
use renkei_wire::limits::{PEER_BATCH_MAX_BYTES, PEER_MESSAGE_MAX_BYTES, PIECE_MAX_BYTES};
use renkei_wire::pb::peer::v1 as pb;
use renkei_wire::peer::{Lane, PeerFrame, PeerFrames, PeerPayload};

use crate::input::Input;

const CLOUD: CloudId = CloudId::from_bytes([1; 16]);
/// Messages that one input sends; the large ones bound what it costs.
const MESSAGES_MAX: usize = 48;
const LARGE_MAX: usize = 4;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    if input.flag() { sent(&mut input) } else { strange(&mut input) }
}

/// Messages go in and come out, while the stream is read in between.
fn sent(input: &mut Input<'_>) {
    let (outbox, mut assembly) = (Outbox::new(CLOUD), Assembly::default());
    let mut expected: BTreeMap<GroupId, Vec<Outgoing>> = BTreeMap::new();
    let mut arrived: BTreeMap<GroupId, Vec<Incoming>> = BTreeMap::new();
    let mut large = 0;
    for number in 0..MESSAGES_MAX {
        if input.is_empty() {
            break;
        }
        if input.one_in(4) {
            transfer(&outbox, &mut assembly, &mut arrived);
            continue;
        }
        let group = GroupId(u32::from(input.byte() % 5));
        let len = length(input, &mut large);
        let content = if input.one_in(8) { Err(input.u32()) } else { Ok(Bytes::from(vec![input.byte(); len])) };
        let call = CallId(u64::try_from(number).expect("few messages"));
        let message = Outgoing { group, from: ReplicaId(1), to: ReplicaId(2), call, content };
        assert!(outbox.push(message.clone()), "a queue of a few MiB is full");
        expected.entry(group).or_default().push(message);
    }
    while transfer(&outbox, &mut assembly, &mut arrived) {}
    let arrived: BTreeMap<GroupId, Vec<Outgoing>> = arrived
        .into_iter()
        .map(|(group, messages)| {
            let as_sent = |Incoming { group, from, to, call, content }| Outgoing { group, from, to, call, content };
            (group, messages.into_iter().map(as_sent).collect())
        })
        .collect();
    assert!(arrived == expected, "other messages arrive than were sent");
}

/// One message of the stream, over the wire; `false` where nothing waits.
fn transfer(outbox: &Outbox, assembly: &mut Assembly, arrived: &mut BTreeMap<GroupId, Vec<Incoming>>) -> bool {
    let Some(frames) = outbox.next_batch().now_or_never() else { return false };
    let sent = pb::PeerFrames::from(PeerFrames { lane: Lane::Append, frames });
    let size = prost::Message::encoded_len(&sent);
    assert!(size <= PEER_MESSAGE_MAX_BYTES, "a message of {size} bytes is over the codec's limit");
    let PeerFrames { lane: Lane::Append, frames } = sent.try_into().expect("what an outbox sends reads") else {
        panic!("the lane changed")
    };
    let data: usize = frames.iter().map(|frame| data_of(&frame.payload)).sum();
    assert!(data <= PEER_BATCH_MAX_BYTES, "{data} bytes in one batch");
    for frame in frames {
        if let Some(message) = assembly.push(frame).expect("what an outbox sends is in order") {
            arrived.entry(message.group).or_default().push(message);
        }
    }
    true
}

fn data_of(payload: &PeerPayload) -> usize {
    match payload {
        PeerPayload::Piece(data) | PeerPayload::End(data) => data.len(),
        PeerPayload::Refused(_) => 0,
    }
}

/// Mostly short; a few times around the edges of a piece.
fn length(input: &mut Input<'_>, large: &mut usize) -> usize {
    if !input.one_in(16) || *large == LARGE_MAX {
        return usize::from(input.byte());
    }
    *large += 1;
    let pieces = usize::from(input.byte() % 4);
    (pieces * PIECE_MAX_BYTES + usize::from(input.byte() % 3)).saturating_sub(1)
}

/// Frames in any order, against a model: per group the call that is open and its bytes.
fn strange(input: &mut Input<'_>) {
    let mut assembly = Assembly::default();
    let mut open: BTreeMap<u32, (u64, Vec<u8>)> = BTreeMap::new();
    while !input.is_empty() {
        let (group, call) = (u32::from(input.byte() % 3), u64::from(input.byte() % 2));
        let data = Bytes::copy_from_slice(input.short(9));
        let payload = match input.byte() % 4 {
            0 => PeerPayload::Refused(7),
            1 => PeerPayload::End(data.clone()),
            _ => PeerPayload::Piece(data.clone()),
        };
        let (from, to) = (ReplicaId(1), ReplicaId(2));
        let frame =
            PeerFrame { cloud: CLOUD, group: GroupId(group), from, to, call: CallId(call), payload: payload.clone() };
        let outcome = assembly.push(frame);
        if open.get(&group).is_some_and(|(started, _)| *started != call) {
            assert_eq!(outcome, Err(Disorder::Interleaved(GroupId(group))));
            return;
        }
        let content = match payload {
            PeerPayload::Piece(_) => {
                open.entry(group).or_insert((call, Vec::new())).1.extend_from_slice(&data);
                assert_eq!(outcome, Ok(None));
                continue;
            }
            PeerPayload::End(_) => {
                let mut whole = open.remove(&group).map_or_else(Vec::new, |(_, gathered)| gathered);
                whole.extend_from_slice(&data);
                Ok(Bytes::from(whole))
            }
            PeerPayload::Refused(number) => {
                open.remove(&group);
                Err(number)
            }
        };
        assert_eq!(outcome, Ok(Some(Incoming { group: GroupId(group), from, to, call: CallId(call), content })));
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let pattern = |seed: u8, len: u8| (0..len).map(move |place| place.wrapping_mul(29).wrapping_add(seed)).collect();
    (0..12).map(|seed| [vec![seed], pattern(seed, 8 + 10 * seed)].concat()).collect()
}
