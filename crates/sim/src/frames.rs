//! What travels over the simulated network: frames behind their length.

use std::io;

use bytes::Bytes;
use prost::Message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// No frame of ours is longer.
const MAX_FRAME: usize = 64 << 20;

/// Between two nodes.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PeerFrame {
    #[prost(enumeration = "PeerKind", tag = "1")]
    pub(crate) kind: i32,
    /// Pairs answers with requests.
    #[prost(uint64, tag = "2")]
    pub(crate) number: u64,
    #[prost(uint32, tag = "3")]
    pub(crate) lane: u32,
    #[prost(uint64, tag = "4")]
    pub(crate) from: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) to: u64,
    #[prost(bytes = "bytes", tag = "6")]
    pub(crate) body: Bytes,
    /// Why a request is refused.
    #[prost(uint32, tag = "7")]
    pub(crate) code: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum PeerKind {
    Request = 0,
    Answer = 1,
    Refusal = 2,
    /// Is anybody there?
    Ping = 3,
    Pong = 4,
}

/// From a client or the operator to a node.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Call {
    #[prost(enumeration = "CallKind", tag = "1")]
    pub(crate) kind: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) item: Option<Item>,
    #[prost(uint64, tag = "3")]
    pub(crate) replica: u64,
    #[prost(uint32, tag = "4")]
    pub(crate) node: u32,
    #[prost(uint64, repeated, tag = "5")]
    pub(crate) voters: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum CallKind {
    /// An item of one patient.
    Operate = 0,
    /// Who belongs to the group?
    Members = 1,
    /// Hand the leadership over to a replica.
    Transfer = 2,
    /// Open a replica on this node.
    Host = 3,
    /// Remove a replica from this node.
    Remove = 4,
    /// Have a replica receive the log.
    AddLearner = 5,
    /// Make these the voters.
    Change = 6,
}

/// What is asked of one patient's records.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Item {
    #[prost(enumeration = "ItemKind", tag = "1")]
    pub(crate) kind: i32,
    #[prost(uint32, tag = "2")]
    pub(crate) patient: u32,
    #[prost(uint32, tag = "3")]
    pub(crate) record: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) expected: u32,
    #[prost(uint64, tag = "5")]
    pub(crate) content: u64,
    /// The client's number for it, the same when it is asked again.
    #[prost(uint64, tag = "6")]
    pub(crate) operation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum ItemKind {
    Write = 0,
    Delete = 1,
    Read = 2,
    List = 3,
}

/// From a node.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Reply {
    #[prost(enumeration = "ReplyKind", tag = "1")]
    pub(crate) kind: i32,
    /// The current version, where another was expected.
    #[prost(uint32, tag = "2")]
    pub(crate) current: u32,
    #[prost(message, repeated, tag = "3")]
    pub(crate) found: Vec<FoundRecord>,
    /// Node that leads as far as is known; 0 for none.
    #[prost(uint32, tag = "4")]
    pub(crate) leader: u32,
    #[prost(uint64, repeated, tag = "5")]
    pub(crate) voters: Vec<u64>,
    #[prost(uint64, repeated, tag = "6")]
    pub(crate) members: Vec<u64>,
    #[prost(bool, tag = "7")]
    pub(crate) changing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum ReplyKind {
    Done = 0,
    Conflict = 1,
    Deleted = 2,
    Found = 3,
    /// Certainly without effect: another replica leads, or none.
    NotLeader = 4,
    /// Certainly without effect.
    Refused = 5,
    /// Perhaps with effect.
    Unknown = 6,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct FoundRecord {
    #[prost(uint32, tag = "1")]
    pub(crate) record: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) version: u32,
    #[prost(uint64, tag = "3")]
    pub(crate) content: u64,
}

impl Reply {
    pub(crate) fn of(kind: ReplyKind) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }
}

/// The next frame; `None` at the end of the stream.
pub(crate) async fn read<M, R>(from: &mut R) -> io::Result<Option<M>>
where
    M: Message + Default,
    R: AsyncRead + Unpin,
{
    let mut len = [0; 4];
    match from.read_exact(&mut len).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let len = usize::try_from(u32::from_be_bytes(len)).unwrap_or(usize::MAX);
    if len > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"));
    }
    let mut frame = vec![0; len];
    from.read_exact(&mut frame).await?;
    M::decode(Bytes::from(frame)).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

pub(crate) async fn write<M, W>(to: &mut W, frame: &M) -> io::Result<()>
where
    M: Message,
    W: AsyncWrite + Unpin,
{
    let len = u32::try_from(frame.encoded_len()).expect("frames are far below 4 GiB");
    let mut bytes = Vec::with_capacity(4 + frame.encoded_len());
    bytes.extend_from_slice(&len.to_be_bytes());
    frame.encode(&mut bytes).expect("a Vec grows as needed");
    to.write_all(&bytes).await
}
