use proptest::prelude::*;

use super::*;
use crate::raft::{LogId, StoredMembers};
use crate::stored::tests::{log_ids, members, payloads, terms, votes};

fn appends() -> impl Strategy<Value = AppendEntriesRequest<TypeConfig>> {
    let previous = prop::option::of((terms(), 0..(1_u64 << 59)));
    (votes(), previous, prop::option::of(log_ids()), prop::collection::vec((terms(), payloads()), 0..5)).prop_map(
        |(vote, previous, leader_commit, entries)| {
            let prev_log_id = previous.map(|(term, index)| LogId::new_term_index(term, index));
            let first = previous.map_or(0, |(_, index)| index + 1);
            let entries = entries.into_iter().zip(first..);
            let entries = entries
                .map(|((term, payload), index)| Entry { log_id: LogId::new_term_index(term, index), payload })
                .collect();
            AppendEntriesRequest { vote, prev_log_id, entries, leader_commit }
        },
    )
}

fn replies() -> impl Strategy<Value = Reply> {
    let last = || prop::option::of(log_ids());
    prop_oneof![
        Just(Reply::Append(AppendEntriesResponse::Success)),
        last().prop_map(|last| Reply::Append(AppendEntriesResponse::PartialSuccess(last))),
        Just(Reply::Append(AppendEntriesResponse::Conflict)),
        votes().prop_map(|vote| Reply::Append(AppendEntriesResponse::HigherVote(vote))),
        (votes(), last(), any::<bool>())
            .prop_map(|(vote, last, granted)| Reply::Vote(VoteResponse::new(vote, last, granted))),
        Just(Reply::Transfer(Ok(()))),
        (votes(), votes())
            .prop_map(|(expected, actual)| Reply::Transfer(Err(TransferLeaderError::VoteChanged { expected, actual }))),
        (last(), last()).prop_map(|(expected, actual)| Reply::Transfer(Err(TransferLeaderError::LogNotFlushed {
            expected,
            actual
        }))),
        Just(Reply::Taken),
        votes().prop_map(Reply::Installed),
    ]
}

fn files() -> impl Strategy<Value = Vec<SnapshotFile>> {
    let file = ("[a-zA-Z0-9.-]{1,12}", any::<u64>(), any::<[u8; 32]>());
    prop::collection::vec(file.prop_map(|(name, len, sha256)| SnapshotFile { name, len, sha256 }), 0..4)
}

fn read_back(request: &Request) -> Request {
    Request::decode(request.encode()).unwrap()
}

proptest! {
    #[test]
    fn appends_read_back(request in appends()) {
        let Request::Append(read) = read_back(&Request::Append(request.clone())) else { panic!("an append was sent") };
        prop_assert_eq!(read.vote, request.vote);
        prop_assert_eq!(read.prev_log_id, request.prev_log_id);
        prop_assert_eq!(read.leader_commit, request.leader_commit);
        prop_assert_eq!(read.entries, request.entries);
    }

    #[test]
    fn votes_and_transfers_read_back(vote in votes(), last in prop::option::of(log_ids()), flag in any::<bool>(), to in any::<u64>()) {
        let mut request = VoteRequest::new(vote, last);
        request.leadership_transfer = flag;
        let Request::Vote(read) = read_back(&Request::Vote(request.clone())) else { panic!("a vote was sent") };
        prop_assert_eq!(&read, &request);
        let Request::PreVote(read) = read_back(&Request::PreVote(request.clone())) else { panic!("a pre-vote was sent") };
        prop_assert_eq!(&read, &request);
        let request = TransferLeaderRequest::new(vote, to, last);
        let Request::Transfer(read) = read_back(&Request::Transfer(request.clone())) else { panic!("a transfer was sent") };
        prop_assert_eq!(read, request);
    }

    #[test]
    fn snapshot_steps_read_back(
        number in any::<u64>(),
        sent_vote in votes(),
        sent_files in files(),
        last in prop::option::of(log_ids()),
        members in members(),
        (piece_file, piece_offset, piece) in (any::<u32>(), any::<u64>(), prop::collection::vec(any::<u8>(), 0..300)),
    ) {
        let sent_meta = Meta { last_log_id: last, last_membership: StoredMembers::new(last, members) };
        let step = SnapshotStep::Begin { vote: sent_vote, meta: sent_meta.clone(), files: sent_files.clone() };
        let Request::Snapshot { transfer, step: SnapshotStep::Begin { vote, meta, files } } =
            read_back(&Request::Snapshot { transfer: number, step }) else { panic!("a begin was sent") };
        prop_assert_eq!((transfer, vote, meta, files), (number, sent_vote, sent_meta, sent_files));
        let sent = Bytes::from(piece);
        let step = SnapshotStep::Piece { file: piece_file, offset: piece_offset, bytes: sent.clone() };
        let Request::Snapshot { transfer, step: SnapshotStep::Piece { file, offset, bytes } } =
            read_back(&Request::Snapshot { transfer: number, step }) else { panic!("a piece was sent") };
        prop_assert_eq!((transfer, file, offset, bytes), (number, piece_file, piece_offset, sent));
    }

    #[test]
    fn replies_read_back(reply in replies()) {
        prop_assert_eq!(Reply::decode(reply.encode()).unwrap(), reply);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), ours in any::<bool>()) {
        if ours && let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        let _ = Request::decode(bytes.clone().into());
        let _ = Reply::decode(bytes.into());
    }

    #[test]
    fn a_changed_byte_is_never_a_panic(request in appends(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = Request::Append(request).encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Request::decode(bytes.into());
    }

    #[test]
    fn entries_with_a_hole_are_refused(request in appends(), skipped in 1_u64..1000) {
        let mut request = request;
        prop_assume!(!request.entries.is_empty());
        for entry in &mut request.entries {
            entry.log_id.index += skipped;
        }
        let refused = Request::decode(Request::Append(request).encode());
        let is_refused = matches!(refused, Err(MessageError::Impossible { field: "order of entries" }));
        prop_assert!(is_refused);
    }
}

/// openraft counts terms up, so that one past any group's life would overflow in the next election.
#[test]
fn a_term_that_no_group_reaches_is_refused() {
    let vote =
        |term| VoteMessage::from(&Vote { leader_id: crate::raft::LeaderId { term, voted_for: 1 }, committed: true });
    let request =
        |term| RequestKind::Vote(VoteRequestMessage { vote: Some(vote(term)), last: None, by_transfer: false });
    let read = |kind| Request::decode(codec::seal(&RequestMessage { kind: Some(kind) }));
    assert!(read(request(1 << 60)).is_ok());
    assert!(matches!(read(request((1 << 60) + 1)), Err(MessageError::Impossible { field: "term" })));
    let reply = codec::seal(&ReplyMessage { kind: Some(ReplyKind::HigherVote(vote(u64::MAX))) });
    assert!(matches!(Reply::decode(reply), Err(MessageError::Impossible { field: "term" })));
}

#[test]
fn a_hash_of_another_length_is_refused() {
    let file = FileMessage { name: "000001.sst".to_owned(), len: 1, sha256: Bytes::from_static(&[0; 31]) };
    assert!(SnapshotFile::try_from(file).is_err());
}
