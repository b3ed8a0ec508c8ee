//! Bodies of many calls on one stream between gateway and node: cut, interleaved, sent, gathered.

use bytes::Bytes;
use renkei_wire::limits::{BODY_MAX_BYTES, PIECE_MAX_BYTES};
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{BodyAssembly, BodyPiece, CallId, InvalidBody, RequestFrame, RequestItem, pieces};

use crate::input::Input;

const CALLS_MAX: usize = 6;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    if input.flag() { interleaved(&mut input) } else { strange(&mut input) }
}

/// Several bodies, whose pieces take turns as the input says; each comes out whole.
fn interleaved(input: &mut Input<'_>) {
    let count = 1 + input.below(CALLS_MAX);
    let mut calls: Vec<_> = (0..count)
        .map(|_| {
            let body = Bytes::from(vec![input.byte(); length(input)]);
            let assembly = if input.flag() {
                BodyAssembly::announced(body.len()).expect("it is short")
            } else {
                BodyAssembly::new()
            };
            (body.clone(), pieces(body).collect::<Vec<_>>().into_iter(), assembly, None)
        })
        .collect();
    while calls.iter().any(|(_, waiting, ..)| waiting.len() > 0) {
        let turn = input.below(count);
        // Whose turn it is may be done; the next who is not takes it.
        let call = (turn..turn + count).map(|place| place % count).find(|place| calls[*place].1.len() > 0);
        let call = call.expect("one has pieces left");
        let (_, waiting, assembly, whole) = &mut calls[call];
        let piece = over_the_wire(call, waiting.next().expect("it has pieces left"));
        assert!(whole.is_none(), "a body ended before its last piece");
        *whole = assembly.push(piece).expect("a body of its own length");
        assert_eq!(whole.is_some(), waiting.len() == 0);
        assert!(assembly.gathered_bytes() <= BODY_MAX_BYTES);
    }
    for (body, _, assembly, whole) in calls {
        // An empty body has no pieces, and travels beside its request.
        assert!(body.is_empty() && whole.is_none() || whole == Some(body), "another body came out");
        assert_eq!(assembly.gathered_bytes(), 0, "a body that is done holds memory");
    }
}

fn over_the_wire(call: usize, piece: BodyPiece) -> BodyPiece {
    let call = CallId(u64::try_from(call).expect("few calls"));
    let frame = RequestFrame { call, item: RequestItem::Piece(piece) };
    let sent: pb::RequestFrames = core::iter::once(frame).collect();
    let mut frames = sent.into_frames().expect("one frame");
    match frames.next() {
        Some(Ok(RequestFrame { call: other, item: RequestItem::Piece(piece) })) if other == call => piece,
        _ => panic!("a piece that was sent does not read"),
    }
}

fn length(input: &mut Input<'_>) -> usize {
    if !input.one_in(8) {
        return usize::from(input.byte());
    }
    (usize::from(input.byte() % 4) * PIECE_MAX_BYTES + usize::from(input.byte() % 3)).saturating_sub(1)
}

/// Pieces of anyone against a model.
fn strange(input: &mut Input<'_>) {
    let announced = if input.flag() { Some(usize::from(input.byte())) } else { None };
    let mut assembly =
        announced.map_or_else(BodyAssembly::new, |bytes| BodyAssembly::announced(bytes).expect("it is short"));
    let mut model = Vec::new();
    while !input.is_empty() {
        let piece = BodyPiece { last: input.flag(), data: Bytes::copy_from_slice(input.short(32)) };
        model.extend_from_slice(&piece.data);
        let fits = announced.is_none_or(|announced| model.len() < announced || model.len() == announced && piece.last);
        let over = announced.is_some_and(|announced| model.len() > announced || piece.last && model.len() != announced);
        match assembly.push(piece.clone()) {
            Err(InvalidBody::OtherLength { announced: told, actual }) => {
                assert!(over && Some(told) == announced && actual == model.len());
                return;
            }
            Err(InvalidBody::TooLong) => panic!("a short body is too long"),
            Ok(Some(body)) => {
                assert!(piece.last && fits && body[..] == model[..]);
                model.clear();
                if announced.is_some() {
                    return;
                }
            }
            Ok(None) => assert!(!piece.last && !over),
        }
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let pattern = |seed: u8, len: u8| (0..len).map(move |place| place.wrapping_mul(31).wrapping_add(seed)).collect();
    (0..12).map(|seed| [vec![seed], pattern(seed, 6 + 9 * seed)].concat()).collect()
}
