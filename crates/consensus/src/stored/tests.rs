use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use renkei_ids::NodeId;

use super::*;
use crate::raft::{Command, LeaderId, Members, Payload};

pub(crate) fn terms() -> impl Strategy<Value = u64> {
    0..=(1_u64 << 60)
}

pub(crate) fn log_ids() -> impl Strategy<Value = LogId> {
    (terms(), 0..=(1_u64 << 60)).prop_map(|(term, index)| LogId::new_term_index(term, index))
}

pub(crate) fn votes() -> impl Strategy<Value = Vote> {
    (terms(), any::<u64>(), any::<bool>())
        .prop_map(|(term, voted_for, committed)| Vote { leader_id: LeaderId { term, voted_for }, committed })
}

pub(crate) fn members() -> impl Strategy<Value = Members> {
    let nodes = prop::collection::btree_map(any::<u64>(), any::<u32>().prop_map(NodeId), 1..6);
    (nodes, any::<u8>(), any::<bool>()).prop_map(|(nodes, pick, joint): (BTreeMap<_, _>, _, _)| {
        let first = *nodes.keys().next().expect("one node at least");
        let mut voters: BTreeSet<u64> =
            nodes.keys().enumerate().filter(|(at, _)| pick & (1 << at) != 0).map(|(_, &replica)| replica).collect();
        voters.insert(first);
        let configs = if joint { vec![voters, BTreeSet::from([first])] } else { vec![voters] };
        Members::new(configs, nodes).expect("every voter has a node")
    })
}

pub(crate) fn payloads() -> impl Strategy<Value = Payload> {
    prop_oneof![
        Just(Payload::Blank),
        Just(Payload::Normal(Command::Digest)),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Payload::Normal(Command::Machine(bytes.into()))),
        members().prop_map(Payload::Membership),
    ]
}

fn stored_members() -> impl Strategy<Value = StoredMembers> {
    (prop::option::of(log_ids()), members()).prop_map(|(at, members)| StoredMembers::new(at, members))
}

proptest! {
    #[test]
    fn entries_read_back(log_id in log_ids(), payload in payloads()) {
        let entry = Entry { log_id, payload };
        prop_assert_eq!(decode_entry(encode_entry(&entry)).unwrap(), entry);
    }

    #[test]
    fn votes_and_log_ids_read_back(vote in votes(), id in log_ids()) {
        prop_assert_eq!(decode_vote(encode_vote(&vote)).unwrap(), vote);
        prop_assert_eq!(decode_log_id(encode_log_id(&id)).unwrap(), id);
    }

    #[test]
    fn markers_read_back(applied in prop::option::of(log_ids()), members in stored_members()) {
        let marker = Marker { applied, members };
        prop_assert_eq!(Marker::decode(marker.encode()).unwrap(), marker);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), ours in any::<bool>()) {
        if ours && let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        let bytes = Bytes::from(bytes);
        let _ = decode_entry(bytes.clone());
        let _ = decode_vote(bytes.clone());
        let _ = decode_log_id(bytes.clone());
        let _ = Marker::decode(bytes);
    }

    #[test]
    fn a_changed_byte_is_refused_or_read_but_never_a_panic(
        log_id in log_ids(),
        payload in payloads(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode_entry(&Entry { log_id, payload }).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode_entry(bytes.into());
    }
}

#[test]
fn an_empty_marker_reads_back() {
    assert_eq!(Marker::decode(Marker::default().encode()).unwrap(), Marker::default());
}

#[test]
fn decoding_an_entry_does_not_copy_its_command() {
    let command = Bytes::from(vec![7; 1000]);
    let id = LogId::new_term_index(1, 2);
    let stored = encode_entry(&Entry { log_id: id, payload: Payload::Normal(Command::Machine(command)) });
    let range = stored.as_ptr_range();
    let Payload::Normal(Command::Machine(command)) = decode_entry(stored).unwrap().payload else {
        panic!("a command was stored");
    };
    assert!(range.contains(&command.as_ptr()));
}

#[test]
fn newer_versions_and_impossible_values_are_refused() {
    let entry = Entry { log_id: LogId::new_term_index(1, 2), payload: Payload::Blank };
    let mut newer = encode_entry(&entry).to_vec();
    newer[0] = 2;
    assert!(matches!(decode_entry(newer.into()), Err(CodecError::Version { found: 2, .. })));
    assert!(matches!(decode_entry(Bytes::new()), Err(CodecError::Empty { .. })));
    assert!(matches!(decode_entry(Bytes::from_static(&[1])), Err(CodecError::Missing { .. })));
    let far = encode_log_id(&LogId::new_term_index(1, u64::MAX));
    assert!(matches!(decode_log_id(far), Err(CodecError::Impossible { .. })));
    // A voter without a node.
    let stranger = Bytes::from_static(&[1, 0x0a, 0, 0x2a, 5, 0x0a, 3, 0x0a, 1, 9]);
    assert!(matches!(decode_entry(stranger), Err(CodecError::Members(_))));
}

fn from_hex(text: &str) -> Bytes {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

fn fixture_members() -> Members {
    let nodes = BTreeMap::from([(11, NodeId(1)), (12, NodeId(2)), (13, NodeId(3)), (14, NodeId(4))]);
    Members::new(vec![BTreeSet::from([11, 12, 13]), BTreeSet::from([12, 13])], nodes).unwrap()
}

/// What was written by the first release is read for ever: these files are never regenerated.
#[test]
fn stored_bytes_of_version_1_still_read() {
    let entry = |index, payload| Entry { log_id: LogId::new_term_index(300, index), payload };
    let entries = [
        (include_str!("../../tests/fixtures/entry-blank-1.hex"), entry(5, Payload::Blank)),
        (
            include_str!("../../tests/fixtures/entry-machine-1.hex"),
            entry(6, Payload::Normal(Command::Machine(Bytes::from_static(b"a command")))),
        ),
        (include_str!("../../tests/fixtures/entry-digest-1.hex"), entry(7, Payload::Normal(Command::Digest))),
        (include_str!("../../tests/fixtures/entry-members-1.hex"), entry(8, Payload::Membership(fixture_members()))),
    ];
    for (hex, entry) in entries {
        assert_eq!(decode_entry(from_hex(hex)).unwrap(), entry);
        assert_eq!(encode_entry(&entry), from_hex(hex), "still written as version 1");
    }
    let vote = Vote { leader_id: LeaderId { term: 300, voted_for: 11 }, committed: true };
    assert_eq!(decode_vote(from_hex(include_str!("../../tests/fixtures/vote-1.hex"))).unwrap(), vote);
    let id = LogId::new_term_index(300, 70_000);
    assert_eq!(decode_log_id(from_hex(include_str!("../../tests/fixtures/log-id-1.hex"))).unwrap(), id);
    let members = StoredMembers::new(Some(LogId::new_term_index(300, 8)), fixture_members());
    let marker = Marker { applied: Some(id), members };
    assert_eq!(Marker::decode(from_hex(include_str!("../../tests/fixtures/marker-1.hex"))).unwrap(), marker);
}
