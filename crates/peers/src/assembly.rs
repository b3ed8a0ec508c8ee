//! Messages on their way in: pieces put together again, one message of a group at a time.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use renkei_ids::{GroupId, ReplicaId};
use renkei_wire::CallId;
use renkei_wire::peer::{PeerFrame, PeerPayload};

/// Bytes of unfinished messages on one stream. The largest single message is a batch of log entries that ends in a put
/// of a whole document: 1 MiB and 11 MiB.
const UNFINISHED_MAX_BYTES: usize = 64 << 20;
/// Groups with an unfinished message on one stream. Many times what a cloud has; without it, pieces of a byte for ever new
/// groups would take a hundred times their bytes.
const UNFINISHED_MAX_GROUPS: usize = 1_024;

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Whose group's it is.
    pub group: GroupId,
    /// The replica that sent it.
    pub from: ReplicaId,
    /// The replica that it is for.
    pub to: ReplicaId,
    /// Which call it belongs to.
    pub call: CallId,
    /// The message, or the number of the refusal of one.
    pub content: Result<Bytes, u32>,
}

/// Unfinished messages of one stream: at most 64 MiB of at most 1,024 groups.
#[derive(Debug, Default)]
pub struct Assembly {
    unfinished: HashMap<GroupId, (CallId, BytesMut)>,
    bytes: usize,
}

/// Frames that make no messages: the stream is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disorder {
    /// Another message of the group is not finished.
    #[error("a message of group {0} began inside another one")]
    Interleaved(GroupId),
    /// Too many bytes wait for their ends.
    #[error("unfinished messages are over {UNFINISHED_MAX_BYTES} bytes")]
    TooMuch,
    /// Too many groups wait for theirs.
    #[error("unfinished messages are of over {UNFINISHED_MAX_GROUPS} groups")]
    TooManyGroups,
}

impl Assembly {
    /// Takes the next frame; gives the message that it ends.
    ///
    /// # Errors
    /// [`Disorder`]; nothing that comes behind it makes sense.
    pub fn push(&mut self, frame: PeerFrame) -> Result<Option<Incoming>, Disorder> {
        let PeerFrame { cloud: _, group, from, to, call, payload } = frame;
        let started = self.unfinished.get(&group).map(|(call, _)| *call);
        if started.is_some_and(|started| started != call) {
            return Err(Disorder::Interleaved(group));
        }
        let content = match payload {
            PeerPayload::Piece(piece) => {
                self.bytes += piece.len();
                if self.bytes > UNFINISHED_MAX_BYTES {
                    return Err(Disorder::TooMuch);
                }
                if started.is_none() && self.unfinished.len() == UNFINISHED_MAX_GROUPS {
                    return Err(Disorder::TooManyGroups);
                }
                let (_, gathered) = self.unfinished.entry(group).or_insert_with(|| (call, BytesMut::new()));
                gathered.extend_from_slice(&piece);
                return Ok(None);
            }
            PeerPayload::End(piece) => Ok(match self.take(group) {
                None => piece,
                Some(mut gathered) => {
                    gathered.extend_from_slice(&piece);
                    gathered.freeze()
                }
            }),
            PeerPayload::Refused(code) => {
                self.take(group);
                Err(code)
            }
        };
        Ok(Some(Incoming { group, from, to, call, content }))
    }

    fn take(&mut self, group: GroupId) -> Option<BytesMut> {
        let (_, gathered) = self.unfinished.remove(&group)?;
        self.bytes -= gathered.len();
        Some(gathered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use renkei_ids::CloudId;

    fn frame(group: u32, call: u64, payload: PeerPayload) -> PeerFrame {
        PeerFrame {
            cloud: CloudId::from_bytes([1; 16]),
            group: GroupId(group),
            from: ReplicaId(1),
            to: ReplicaId(2),
            call: CallId(call),
            payload,
        }
    }

    fn piece(text: &'static str) -> PeerPayload {
        PeerPayload::Piece(Bytes::from_static(text.as_bytes()))
    }

    fn end(text: &'static str) -> PeerPayload {
        PeerPayload::End(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn pieces_of_two_groups_come_together() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.push(frame(1, 1, piece("a"))), Ok(None));
        assert_eq!(assembly.push(frame(2, 2, piece("x"))), Ok(None));
        let first = assembly.push(frame(1, 1, end("b"))).unwrap().unwrap();
        let second = assembly.push(frame(2, 2, end(""))).unwrap().unwrap();
        assert_eq!((first.content, second.content), (Ok("ab".into()), Ok("x".into())));
        assert_eq!(assembly.bytes, 0);
    }

    #[test]
    fn a_message_inside_another_of_its_group_is_disorder() {
        let mut assembly = Assembly::default();
        assembly.push(frame(1, 1, piece("a"))).unwrap();
        assert_eq!(assembly.push(frame(1, 2, end("b"))), Err(Disorder::Interleaved(GroupId(1))));
    }

    #[test]
    fn unfinished_messages_are_bounded() {
        let mut assembly = Assembly::default();
        let large = Bytes::from(vec![0; UNFINISHED_MAX_BYTES]);
        assert_eq!(assembly.push(frame(1, 1, PeerPayload::Piece(large))), Ok(None));
        assert_eq!(assembly.push(frame(2, 2, piece("a"))), Err(Disorder::TooMuch));
    }

    #[test]
    fn groups_with_an_unfinished_message_are_bounded() {
        let mut assembly = Assembly::default();
        let groups = u32::try_from(UNFINISHED_MAX_GROUPS).unwrap();
        (0..groups).for_each(|group| assert_eq!(assembly.push(frame(group, 1, piece("a"))), Ok(None)));
        assert_eq!(assembly.push(frame(groups, 1, piece("a"))), Err(Disorder::TooManyGroups));
        let mut assembly = Assembly::default();
        for group in 0..2 * groups {
            assert_eq!(assembly.push(frame(group, 1, piece("a"))), Ok(None));
            assert!(assembly.push(frame(group, 1, end("b"))).unwrap().is_some(), "a finished one takes no room");
        }
    }
}
