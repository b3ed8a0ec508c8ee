//! Messages between nodes about slots: there and back, and refused at their edges.

use bytes::Bytes;
use proptest::prelude::*;
use renkei_ids::{GroupId, Slot, SlotEpoch, UnixMillis};
use renkei_shard::transfer::{Import, MovedRow, Place, Purge};
use renkei_shard::{Family, Fence, SlotHold};
use renkei_wire::pb::transfer::v1 as pb;
use renkei_wire::transfer::{
    CopyProgress, CopySlots, CopyState, HoldSlots, ImportRows, NotFollowed, OrderReply, PurgeReply, PurgeSlots,
};
use renkei_wire::{InvalidTransfer, Refusal};

fn slot(n: u32) -> Slot {
    Slot::try_from(n).expect("tests name slots that are")
}

fn fence() -> Fence {
    Fence { epoch: SlotEpoch(3), stamp: 9 }
}

fn arb_hold() -> impl Strategy<Value = SlotHold> {
    prop_oneof![
        Just(SlotHold::Owned),
        (1_u32..).prop_map(|round| SlotHold::Moving { round }),
        (1_u32..).prop_map(|round| SlotHold::Frozen { round }),
        (1_u32..).prop_map(|round| SlotHold::Promised { round }),
        Just(SlotHold::Incoming),
        Just(SlotHold::Gone),
    ]
}

fn arb_outcome() -> impl Strategy<Value = Result<(), NotFollowed>> {
    prop_oneof![Just(Ok(())), Just(Err(NotFollowed::Fenced)), Just(Err(NotFollowed::OutOfOrder))]
}

fn place() -> Place {
    Place::decode(&Bytes::from_static(&[7, 0, 1, 2, 3])).expect("a family, a slot and more")
}

proptest! {
    #[test]
    fn orders_read_back(hold in arb_hold(), group in 1_u32.., first in 0_u32..4_096, more in 0_u32..4_096, outcome in arb_outcome()) {
        let slots = (slot(first), slot((first + more).min(4_095)));
        let order = HoldSlots { group: GroupId(group), fence: fence(), slots, hold };
        prop_assert_eq!(HoldSlots::try_from(pb::HoldSlotsRequest::from(order)), Ok(order));
        let purge = PurgeSlots { group: GroupId(group), purge: Purge { fence: fence(), range: slots } };
        prop_assert_eq!(PurgeSlots::try_from(pb::PurgeSlotsRequest::from(purge)), Ok(purge));
        prop_assert_eq!(OrderReply::try_from(pb::OrderReply::from(OrderReply(outcome))), Ok(OrderReply(outcome)));
        for next in [None, Some(slots.0)] {
            let reply = PurgeReply(outcome.map(|()| next));
            prop_assert_eq!(PurgeReply::try_from(pb::PurgeSlotsReply::from(reply)), Ok(reply));
        }
        for after in [None, Some(place())] {
            let copy = CopySlots { from: GroupId(group), to: GroupId(1), fence: fence(), slots, after };
            prop_assert_eq!(CopySlots::try_from(pb::CopySlotsRequest::from(copy.clone())), Ok(copy));
        }
    }

    #[test]
    fn rows_read_back(rows in proptest::collection::vec((0_u8..7, any::<[u8; 16]>(), proptest::option::of(any::<Vec<u8>>())), 1..50), time: u64) {
        let row = |(family, rest, value): (u8, [u8; 16], Option<Vec<u8>>)| MovedRow {
            family: Family::from_number(family).expect("there are eight"),
            key: [&[1, 2][..], &rest].concat().into(),
            value: value.map(Bytes::from),
        };
        let import = Import { fence: fence(), time: UnixMillis(time), rows: rows.into_iter().map(row).collect() };
        let request = ImportRows { group: GroupId(2), import };
        prop_assert_eq!(ImportRows::try_from(pb::ImportRowsRequest::from(request.clone())), Ok(request));
    }
}

#[test]
fn progress_says_where_to_go_on_or_how_it_ended() {
    let ends = [CopyState::Done, CopyState::NotFollowed(NotFollowed::Fenced), CopyState::UnderWay(place())];
    for state in ends {
        let progress = CopyProgress { rows: 7, bytes: 9, state };
        assert_eq!(CopyProgress::try_from(pb::CopyProgress::from(progress.clone())), Ok(progress));
    }
    let neither = pb::CopyProgress { rows: 1, bytes: 1, place: Bytes::new(), outcome: 0 };
    assert_eq!(CopyProgress::try_from(neither), Err(InvalidTransfer("place")));
}

#[test]
fn what_is_missing_or_impossible_is_refused_by_name() {
    let order = HoldSlots { group: GroupId(1), fence: fence(), slots: (slot(1), slot(2)), hold: SlotHold::Owned };
    let message = pb::HoldSlotsRequest::from(order);
    let span = |first, last| Some(pb::SlotSpan { first, last });
    let refused = [
        ("group", pb::HoldSlotsRequest { group: 0, ..message }),
        ("fence", pb::HoldSlotsRequest { fence: None, ..message }),
        ("fence", pb::HoldSlotsRequest { fence: Some(pb::Fence { epoch: 0, stamp: 1 }), ..message }),
        ("slots", pb::HoldSlotsRequest { slots: None, ..message }),
        ("slots.last", pb::HoldSlotsRequest { slots: span(2, 1), ..message }),
        ("slots.last", pb::HoldSlotsRequest { slots: span(2, 4_096), ..message }),
        ("hold", pb::HoldSlotsRequest { hold: 0, ..message }),
        ("hold", pb::HoldSlotsRequest { hold: 99, ..message }),
        ("hold", pb::HoldSlotsRequest { round: 1, ..message }),
        ("hold", pb::HoldSlotsRequest { hold: pb::Hold::Moving.into(), ..message }),
    ];
    for (field, message) in refused {
        let refusal = Refusal::from(HoldSlots::try_from(message).expect_err(field));
        assert_eq!(refusal.field.as_ref().map(renkei_wire::FieldName::as_str), Some(field));
    }
    let row = |family: u32, key: &[u8]| pb::MovedRow { family, key: Bytes::copy_from_slice(key), value: None };
    let import =
        |rows| pb::ImportRowsRequest { group: 1, fence: Some(pb::Fence { epoch: 1, stamp: 1 }), time_ms: 1, rows };
    for (field, rows) in [
        ("rows", vec![]),
        ("rows", vec![row(0, &[0, 1, 2]); 1_001]),
        ("rows.family", vec![row(8, &[0, 1, 2])]),
        ("rows.key", vec![row(0, &[0xFF, 0xFF, 2])]),
        ("rows.key", vec![row(7, &[0, 1, 0])]),
    ] {
        assert_eq!(ImportRows::try_from(import(rows)), Err(InvalidTransfer(field)));
    }
}

#[test]
fn nothing_of_a_patient_is_printed() {
    let row = pb::MovedRow { family: 3, key: Bytes::from_static(b"\x00\x01planted"), value: None };
    let import = pb::ImportRowsRequest { group: 1, fence: None, time_ms: 1, rows: vec![row.clone()] };
    let typed = MovedRow { family: Family::Rules, key: row.key.clone(), value: Some(row.key) };
    for text in [format!("{import:?}"), format!("{typed:?}"), format!("{:?}", place())] {
        assert!(!text.contains("planted") && !text.contains("2, 3"), "{text}");
    }
}
