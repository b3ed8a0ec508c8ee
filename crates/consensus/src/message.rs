//! What travels between replicas: one request, one reply.

use bytes::Bytes;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, TransferLeaderError, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};

use crate::codec::{self, EntryMessage, LogIdMessage, StoredMembersMessage, VoteMessage};
use crate::raft::{Entry, LogId, Meta, TypeConfig, Vote};

/// Why the bytes of a message are not a message.
pub(crate) use crate::codec::CodecError as MessageError;

pub(crate) enum Request {
    Append(AppendEntriesRequest<TypeConfig>),
    Vote(VoteRequest<TypeConfig>),
    PreVote(VoteRequest<TypeConfig>),
    Transfer(TransferLeaderRequest<TypeConfig>),
    Snapshot { transfer: u64, step: SnapshotStep },
}

pub(crate) enum SnapshotStep {
    /// What comes; forgets an earlier transfer that did not end.
    Begin { vote: Vote, meta: Meta, files: Vec<SnapshotFile> },
    /// The next bytes of one of the files, in order.
    Piece { file: u32, offset: u64, bytes: Bytes },
    /// All is sent: verify, install, answer with the receiver's vote.
    Commit,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotFile {
    pub(crate) name: String,
    pub(crate) len: u64,
    pub(crate) sha256: [u8; 32],
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Append(AppendEntriesResponse<TypeConfig>),
    Vote(VoteResponse<TypeConfig>),
    Transfer(TransferLeaderResponse<TypeConfig>),
    /// A begin or a piece of a snapshot is taken.
    Taken,
    Installed(Vote),
}

#[derive(Clone, PartialEq, prost::Message)]
struct RequestMessage {
    #[prost(oneof = "RequestKind", tags = "1, 2, 3, 4, 5, 6, 7")]
    kind: Option<RequestKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum RequestKind {
    #[prost(message, tag = "1")]
    Append(AppendMessage),
    #[prost(message, tag = "2")]
    Vote(VoteRequestMessage),
    #[prost(message, tag = "3")]
    PreVote(VoteRequestMessage),
    #[prost(message, tag = "4")]
    Transfer(TransferMessage),
    #[prost(message, tag = "5")]
    Begin(BeginMessage),
    #[prost(message, tag = "6")]
    Piece(PieceMessage),
    #[prost(message, tag = "7")]
    Commit(CommitMessage),
}

#[derive(Clone, PartialEq, prost::Message)]
struct AppendMessage {
    #[prost(message, optional, tag = "1")]
    vote: Option<VoteMessage>,
    #[prost(message, optional, tag = "2")]
    previous: Option<LogIdMessage>,
    #[prost(message, optional, tag = "3")]
    committed: Option<LogIdMessage>,
    #[prost(message, repeated, tag = "4")]
    entries: Vec<EntryMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct VoteRequestMessage {
    #[prost(message, optional, tag = "1")]
    vote: Option<VoteMessage>,
    #[prost(message, optional, tag = "2")]
    last: Option<LogIdMessage>,
    #[prost(bool, tag = "3")]
    by_transfer: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TransferMessage {
    #[prost(message, optional, tag = "1")]
    from: Option<VoteMessage>,
    #[prost(uint64, tag = "2")]
    to: u64,
    #[prost(message, optional, tag = "3")]
    last: Option<LogIdMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct BeginMessage {
    #[prost(uint64, tag = "1")]
    transfer: u64,
    #[prost(message, optional, tag = "2")]
    vote: Option<VoteMessage>,
    #[prost(message, optional, tag = "3")]
    last: Option<LogIdMessage>,
    #[prost(message, optional, tag = "4")]
    members: Option<StoredMembersMessage>,
    #[prost(message, repeated, tag = "5")]
    files: Vec<FileMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct FileMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    len: u64,
    #[prost(bytes = "bytes", tag = "3")]
    sha256: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PieceMessage {
    #[prost(uint64, tag = "1")]
    transfer: u64,
    #[prost(uint32, tag = "2")]
    file: u32,
    #[prost(uint64, tag = "3")]
    offset: u64,
    #[prost(bytes = "bytes", tag = "4")]
    bytes: Bytes,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct CommitMessage {
    #[prost(uint64, tag = "1")]
    transfer: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ReplyMessage {
    #[prost(oneof = "ReplyKind", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10")]
    kind: Option<ReplyKind>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
enum ReplyKind {
    #[prost(message, tag = "1")]
    Appended(()),
    #[prost(message, tag = "2")]
    AppendedInPart(LastMessage),
    #[prost(message, tag = "3")]
    Conflict(()),
    #[prost(message, tag = "4")]
    HigherVote(VoteMessage),
    #[prost(message, tag = "5")]
    Vote(VoteReplyMessage),
    #[prost(message, tag = "6")]
    Transferred(()),
    #[prost(message, tag = "7")]
    VoteChanged(VoteChangedMessage),
    #[prost(message, tag = "8")]
    NotFlushed(NotFlushedMessage),
    #[prost(message, tag = "9")]
    Taken(()),
    #[prost(message, tag = "10")]
    Installed(VoteMessage),
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct LastMessage {
    #[prost(message, optional, tag = "1")]
    last: Option<LogIdMessage>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct VoteReplyMessage {
    #[prost(message, optional, tag = "1")]
    vote: Option<VoteMessage>,
    #[prost(bool, tag = "2")]
    granted: bool,
    #[prost(message, optional, tag = "3")]
    last: Option<LogIdMessage>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct VoteChangedMessage {
    #[prost(message, optional, tag = "1")]
    expected: Option<VoteMessage>,
    #[prost(message, optional, tag = "2")]
    actual: Option<VoteMessage>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct NotFlushedMessage {
    #[prost(message, optional, tag = "1")]
    expected: Option<LogIdMessage>,
    #[prost(message, optional, tag = "2")]
    actual: Option<LogIdMessage>,
}

impl Request {
    pub(crate) fn encode(&self) -> Bytes {
        let kind = match self {
            Self::Append(request) => encode_append(request),
            Self::Vote(request) => RequestKind::Vote(encode_vote(request)),
            Self::PreVote(request) => RequestKind::PreVote(encode_vote(request)),
            Self::Transfer(request) => RequestKind::Transfer(TransferMessage {
                from: Some(request.from_leader().into()),
                to: *request.to_node_id(),
                last: request.last_log_id().map(LogIdMessage::from),
            }),
            Self::Snapshot { transfer, step } => encode_step(*transfer, step),
        };
        codec::seal(&RequestMessage { kind: Some(kind) })
    }

    pub(crate) fn decode(bytes: Bytes) -> Result<Self, MessageError> {
        let RequestMessage { kind } = codec::open("request", bytes)?;
        Ok(match kind.ok_or(MessageError::Missing { field: "kind of a request" })? {
            RequestKind::Append(message) => Self::Append(decode_append(message)?),
            RequestKind::Vote(message) => Self::Vote(decode_vote(message)?),
            RequestKind::PreVote(message) => Self::PreVote(decode_vote(message)?),
            RequestKind::Transfer(TransferMessage { from, to, last }) => {
                Self::Transfer(TransferLeaderRequest::new(codec::vote(from)?, to, codec::log_id(last)?))
            }
            RequestKind::Begin(message) => Self::Snapshot { transfer: message.transfer, step: decode_begin(message)? },
            RequestKind::Piece(PieceMessage { transfer, file, offset, bytes }) => {
                Self::Snapshot { transfer, step: SnapshotStep::Piece { file, offset, bytes } }
            }
            RequestKind::Commit(CommitMessage { transfer }) => Self::Snapshot { transfer, step: SnapshotStep::Commit },
        })
    }
}

fn encode_append(request: &AppendEntriesRequest<TypeConfig>) -> RequestKind {
    let AppendEntriesRequest { vote, prev_log_id, entries, leader_commit } = request;
    RequestKind::Append(AppendMessage {
        vote: Some(vote.into()),
        previous: prev_log_id.as_ref().map(LogIdMessage::from),
        committed: leader_commit.as_ref().map(LogIdMessage::from),
        entries: entries.iter().map(EntryMessage::from).collect(),
    })
}

fn decode_append(message: AppendMessage) -> Result<AppendEntriesRequest<TypeConfig>, MessageError> {
    let AppendMessage { vote, previous, committed, entries } = message;
    let prev_log_id = codec::log_id(previous)?;
    let entries = entries.into_iter().map(Entry::try_from).collect::<Result<Vec<_>, _>>()?;
    // openraft takes the order of entries on trust, and a hole would be lost data.
    let first = prev_log_id.map_or(0, |id: LogId| id.index + 1);
    if entries.iter().zip(first..).any(|(entry, index)| entry.log_id.index != index) {
        return Err(MessageError::Impossible { field: "order of entries" });
    }
    Ok(AppendEntriesRequest {
        vote: codec::vote(vote)?,
        prev_log_id,
        entries,
        leader_commit: codec::log_id(committed)?,
    })
}

fn encode_vote(request: &VoteRequest<TypeConfig>) -> VoteRequestMessage {
    let VoteRequest { vote, last_log_id, leadership_transfer } = request;
    VoteRequestMessage {
        vote: Some(vote.into()),
        last: last_log_id.as_ref().map(LogIdMessage::from),
        by_transfer: *leadership_transfer,
    }
}

fn decode_vote(message: VoteRequestMessage) -> Result<VoteRequest<TypeConfig>, MessageError> {
    let VoteRequestMessage { vote, last, by_transfer } = message;
    let mut request = VoteRequest::new(codec::vote(vote)?, codec::log_id(last)?);
    request.leadership_transfer = by_transfer;
    Ok(request)
}

fn encode_step(transfer: u64, step: &SnapshotStep) -> RequestKind {
    match step {
        SnapshotStep::Begin { vote, meta, files } => RequestKind::Begin(BeginMessage {
            transfer,
            vote: Some(vote.into()),
            last: meta.last_log_id.as_ref().map(LogIdMessage::from),
            members: Some((&meta.last_membership).into()),
            files: files.iter().map(FileMessage::from).collect(),
        }),
        SnapshotStep::Piece { file, offset, bytes } => {
            RequestKind::Piece(PieceMessage { transfer, file: *file, offset: *offset, bytes: bytes.clone() })
        }
        SnapshotStep::Commit => RequestKind::Commit(CommitMessage { transfer }),
    }
}

fn decode_begin(message: BeginMessage) -> Result<SnapshotStep, MessageError> {
    let BeginMessage { transfer: _, vote, last, members, files } = message;
    let members = members.ok_or(MessageError::Missing { field: "members" })?;
    Ok(SnapshotStep::Begin {
        vote: codec::vote(vote)?,
        meta: Meta { last_log_id: codec::log_id(last)?, last_membership: members.try_into()? },
        files: files.into_iter().map(SnapshotFile::try_from).collect::<Result<_, _>>()?,
    })
}

impl From<&SnapshotFile> for FileMessage {
    fn from(SnapshotFile { name, len, sha256 }: &SnapshotFile) -> Self {
        Self { name: name.clone(), len: *len, sha256: Bytes::copy_from_slice(sha256) }
    }
}

impl TryFrom<FileMessage> for SnapshotFile {
    type Error = MessageError;

    fn try_from(FileMessage { name, len, sha256 }: FileMessage) -> Result<Self, MessageError> {
        let sha256 =
            sha256.as_ref().try_into().map_err(|_| MessageError::Impossible { field: "hash of a snapshot's file" })?;
        Ok(Self { name, len, sha256 })
    }
}

impl Reply {
    pub(crate) fn encode(&self) -> Bytes {
        let kind = match self {
            Self::Append(AppendEntriesResponse::Success) => ReplyKind::Appended(()),
            Self::Append(AppendEntriesResponse::PartialSuccess(last)) => {
                ReplyKind::AppendedInPart(LastMessage { last: last.as_ref().map(LogIdMessage::from) })
            }
            Self::Append(AppendEntriesResponse::Conflict) => ReplyKind::Conflict(()),
            Self::Append(AppendEntriesResponse::HigherVote(vote)) => ReplyKind::HigherVote(vote.into()),
            Self::Vote(VoteResponse { vote, vote_granted, last_log_id }) => ReplyKind::Vote(VoteReplyMessage {
                vote: Some(vote.into()),
                granted: *vote_granted,
                last: last_log_id.as_ref().map(LogIdMessage::from),
            }),
            Self::Transfer(Ok(())) => ReplyKind::Transferred(()),
            Self::Transfer(Err(TransferLeaderError::VoteChanged { expected, actual })) => {
                ReplyKind::VoteChanged(VoteChangedMessage {
                    expected: Some(expected.into()),
                    actual: Some(actual.into()),
                })
            }
            Self::Transfer(Err(TransferLeaderError::LogNotFlushed { expected, actual })) => {
                ReplyKind::NotFlushed(NotFlushedMessage {
                    expected: expected.as_ref().map(LogIdMessage::from),
                    actual: actual.as_ref().map(LogIdMessage::from),
                })
            }
            Self::Taken => ReplyKind::Taken(()),
            Self::Installed(vote) => ReplyKind::Installed(vote.into()),
        };
        codec::seal(&ReplyMessage { kind: Some(kind) })
    }

    pub(crate) fn decode(bytes: Bytes) -> Result<Self, MessageError> {
        let ReplyMessage { kind } = codec::open("reply", bytes)?;
        Ok(match kind.ok_or(MessageError::Missing { field: "kind of a reply" })? {
            ReplyKind::Appended(()) => Self::Append(AppendEntriesResponse::Success),
            ReplyKind::AppendedInPart(LastMessage { last }) => {
                Self::Append(AppendEntriesResponse::PartialSuccess(codec::log_id(last)?))
            }
            ReplyKind::Conflict(()) => Self::Append(AppendEntriesResponse::Conflict),
            ReplyKind::HigherVote(vote) => Self::Append(AppendEntriesResponse::HigherVote(vote.try_into()?)),
            ReplyKind::Vote(VoteReplyMessage { vote, granted, last }) => {
                Self::Vote(VoteResponse::new(codec::vote(vote)?, codec::log_id(last)?, granted))
            }
            ReplyKind::Transferred(()) => Self::Transfer(Ok(())),
            ReplyKind::VoteChanged(VoteChangedMessage { expected, actual }) => {
                Self::Transfer(Err(TransferLeaderError::VoteChanged {
                    expected: codec::vote(expected)?,
                    actual: codec::vote(actual)?,
                }))
            }
            ReplyKind::NotFlushed(NotFlushedMessage { expected, actual }) => {
                Self::Transfer(Err(TransferLeaderError::LogNotFlushed {
                    expected: codec::log_id(expected)?,
                    actual: codec::log_id(actual)?,
                }))
            }
            ReplyKind::Taken(()) => Self::Taken,
            ReplyKind::Installed(vote) => Self::Installed(vote.try_into()?),
        })
    }
}

#[cfg(test)]
mod tests;
