//! Stored and replicated forms, format 1: a version byte, then a protobuf-encoded message.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message;
use renkei_ids::{GroupId, Slot};

use crate::slot_map::SlotRange;

const FORMAT: u8 = 1;

/// Bytes that are no message of a known version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

pub(crate) fn encode(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
    bytes.put_u8(FORMAT);
    message.encode(&mut bytes).expect("a BytesMut grows as needed");
    bytes.freeze()
}

pub(crate) fn decode<M: Message + Default>(bytes: &Bytes) -> Result<M, Unreadable> {
    match bytes.first() {
        Some(&FORMAT) => M::decode(bytes.slice(1..)).map_err(|_| Unreadable),
        _ => Err(Unreadable),
    }
}

impl From<&SlotRange> for pb::Range {
    fn from(range: &SlotRange) -> Self {
        Self { first: u32::from(range.first.get()), last: u32::from(range.last.get()), group: range.group.0 }
    }
}

impl TryFrom<pb::Range> for SlotRange {
    type Error = Unreadable;

    fn try_from(range: pb::Range) -> Result<Self, Unreadable> {
        let pb::Range { first, last, group } = range;
        let slot = |raw| Slot::try_from(raw).map_err(|_| Unreadable);
        Ok(Self { first: slot(first)?, last: slot(last)?, group: GroupId(group) })
    }
}

pub(crate) mod pb {
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Node {
        #[prost(uint32, tag = "1")]
        pub(crate) id: u32,
        #[prost(string, tag = "2")]
        pub(crate) address: String,
        #[prost(bytes = "vec", tag = "3")]
        pub(crate) disk: Vec<u8>,
        #[prost(uint64, tag = "4")]
        pub(crate) lost: u64,
        #[prost(bool, tag = "5")]
        pub(crate) drained: bool,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Replica {
        #[prost(uint64, tag = "1")]
        pub(crate) id: u64,
        #[prost(uint32, tag = "2")]
        pub(crate) node: u32,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Group {
        #[prost(uint32, tag = "1")]
        pub(crate) id: u32,
        #[prost(message, repeated, tag = "2")]
        pub(crate) replicas: Vec<Replica>,
        #[prost(uint64, optional, tag = "3")]
        pub(crate) founders: Option<u64>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Retired {
        #[prost(uint32, tag = "1")]
        pub(crate) group: u32,
        #[prost(uint64, tag = "2")]
        pub(crate) replica: u64,
        #[prost(uint32, tag = "3")]
        pub(crate) node: u32,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Range {
        #[prost(uint32, tag = "1")]
        pub(crate) first: u32,
        #[prost(uint32, tag = "2")]
        pub(crate) last: u32,
        #[prost(uint32, tag = "3")]
        pub(crate) group: u32,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Job {
        #[prost(uint64, tag = "1")]
        pub(crate) id: u64,
        #[prost(uint32, tag = "2")]
        pub(crate) step: u32,
        #[prost(message, optional, tag = "3")]
        pub(crate) slots: Option<Range>,
        #[prost(uint32, tag = "4")]
        pub(crate) group: u32,
        #[prost(uint64, optional, tag = "5")]
        pub(crate) replica: Option<u64>,
        #[prost(uint32, optional, tag = "6")]
        pub(crate) node: Option<u32>,
        #[prost(uint32, tag = "7")]
        pub(crate) round: u32,
        #[prost(uint64, optional, tag = "8")]
        pub(crate) incoming: Option<u64>,
        #[prost(uint32, optional, tag = "9")]
        pub(crate) leader: Option<u32>,
        #[prost(message, optional, tag = "10")]
        pub(crate) add: Option<AddGroup>,
        #[prost(message, optional, tag = "11")]
        pub(crate) disk: Option<Claim>,
        #[prost(uint32, optional, tag = "12")]
        pub(crate) drain: Option<u32>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct AddGroup {
        #[prost(uint32, repeated, tag = "1")]
        pub(crate) nodes: Vec<u32>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Claim {
        #[prost(uint32, tag = "1")]
        pub(crate) node: u32,
        #[prost(bytes = "vec", tag = "2")]
        pub(crate) disk: Vec<u8>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Placement {
        #[prost(uint64, tag = "1")]
        pub(crate) epoch: u64,
        #[prost(uint32, tag = "2")]
        pub(crate) min_version: u32,
        #[prost(message, repeated, tag = "3")]
        pub(crate) nodes: Vec<Node>,
        #[prost(message, repeated, tag = "4")]
        pub(crate) groups: Vec<Group>,
        #[prost(message, repeated, tag = "5")]
        pub(crate) slots: Vec<Range>,
        #[prost(uint64, tag = "6")]
        pub(crate) last_replica: u64,
        #[prost(message, repeated, tag = "7")]
        pub(crate) jobs: Vec<Job>,
        #[prost(uint64, tag = "8")]
        pub(crate) last_job: u64,
        #[prost(uint64, tag = "9")]
        pub(crate) founders: u64,
        #[prost(uint64, tag = "10")]
        pub(crate) stamp: u64,
        #[prost(message, repeated, tag = "11")]
        pub(crate) retired: Vec<Retired>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Founding {
        #[prost(message, repeated, tag = "1")]
        pub(crate) nodes: Vec<Node>,
        #[prost(uint32, tag = "2")]
        pub(crate) groups: u32,
        #[prost(uint32, tag = "3")]
        pub(crate) replicas: u32,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Advance {
        #[prost(uint64, tag = "1")]
        pub(crate) job: u64,
        #[prost(uint32, tag = "2")]
        pub(crate) from: u32,
        #[prost(uint32, tag = "3")]
        pub(crate) to: u32,
        #[prost(uint32, optional, tag = "4")]
        pub(crate) round: Option<u32>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Change {
        #[prost(message, optional, tag = "1")]
        pub(crate) found: Option<Founding>,
        #[prost(message, optional, tag = "2")]
        pub(crate) register: Option<Node>,
        #[prost(uint32, optional, tag = "3")]
        pub(crate) min_version: Option<u32>,
        #[prost(message, repeated, tag = "4")]
        pub(crate) submit: Vec<Job>,
        #[prost(message, optional, tag = "5")]
        pub(crate) advance: Option<Advance>,
        #[prost(uint64, optional, tag = "6")]
        pub(crate) planned_at: Option<u64>,
        #[prost(bool, optional, tag = "7")]
        pub(crate) abandon: Option<bool>,
        #[prost(message, optional, tag = "8")]
        pub(crate) claim: Option<Claim>,
        #[prost(uint64, optional, tag = "9")]
        pub(crate) removed: Option<u64>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Reply {
        #[prost(uint64, tag = "1")]
        pub(crate) epoch: u64,
        #[prost(uint64, optional, tag = "2")]
        pub(crate) job: Option<u64>,
        #[prost(uint32, optional, tag = "3")]
        pub(crate) refused: Option<u32>,
        #[prost(uint64, tag = "4")]
        pub(crate) stamp: u64,
    }
}
