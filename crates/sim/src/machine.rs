//! The replicated state machine: records of patients, with versions.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use renkei_consensus::{EntryAt, StateMachine};
use renkei_ids::ReplicaId;
use renkei_storage::StorageError;
use renkei_storage::state::{Direction, Family, FamilySpec, KeyRange, Read, Staged};
use std::ops::ControlFlow;

use crate::event::{Event, hash_of};
use crate::frames::{FoundRecord, Item, ItemKind, Reply, ReplyKind};
use crate::world::SharedWorld;

const FAMILIES: &[FamilySpec] = &[
    FamilySpec { name: "records", prefix_len: 0, blob_min_bytes: None, local: false },
    FamilySpec { name: "chain", prefix_len: 0, blob_min_bytes: None, local: false },
];
const RECORDS: Family = Family::new(0);
const CHAIN: Family = Family::new(1);
/// The one key of its family: a hash over all commands so far.
const CHAIN_KEY: &[u8] = b"c";
/// The content of a deleted record.
const GONE: u64 = 0;

/// What lies in one entry.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Batch {
    #[prost(message, repeated, tag = "1")]
    pub(crate) items: Vec<Item>,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Verdicts {
    #[prost(uint64, tag = "1")]
    pub(crate) term: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) index: u64,
    #[prost(message, repeated, tag = "3")]
    pub(crate) replies: Vec<Reply>,
}

/// The machine of one replica.
pub(crate) struct Records {
    pub(crate) replica: ReplicaId,
    pub(crate) world: SharedWorld,
}

impl StateMachine for Records {
    fn families(&self) -> &'static [FamilySpec] {
        FAMILIES
    }

    fn apply(&self, staged: &mut Staged<'_>, at: EntryAt, command: &Bytes) -> Result<Bytes, StorageError> {
        let before = chain(staged)?;
        let chain = hash_of(&(before, at.term, at.index, command.as_ref()));
        staged.put(CHAIN, CHAIN_KEY, Bytes::copy_from_slice(&chain.to_be_bytes()));
        // Bytes that are no batch change nothing but the chain.
        let Batch { items } = Batch::decode(command.clone()).unwrap_or_default();
        let replies = items.iter().map(|item| apply(staged, item)).collect::<Result<_, _>>()?;
        self.world.record(Event::Applied { replica: self.replica, term: at.term, index: at.index, chain });
        Ok(Verdicts { term: at.term, index: at.index, replies }.encode_to_vec().into())
    }

    fn applied(&self, through: u64) {
        self.world.record(Event::AppliedThrough { replica: self.replica, index: through });
    }

    fn replaced(&self, through: u64) {
        self.world.record(Event::Replaced { replica: self.replica, index: through });
    }
}

fn apply(staged: &mut Staged<'_>, item: &Item) -> Result<Reply, StorageError> {
    let content = match item.kind() {
        ItemKind::Write => item.content,
        ItemKind::Delete => GONE,
        // The row of a read: that it is in the log is what counts.
        ItemKind::Read | ItemKind::List => return Ok(Reply::of(ReplyKind::Done)),
    };
    let key = key(item.patient, item.record);
    let stored = staged.get(RECORDS, &key)?.and_then(|value| decode(&value));
    let current = stored.map_or(0, |(version, _)| version);
    if stored.is_some_and(|(_, content)| content == GONE) {
        return Ok(Reply::of(ReplyKind::Deleted));
    }
    if current != item.expected || (item.kind() == ItemKind::Delete && stored.is_none()) {
        return Ok(Reply { current, ..Reply::of(ReplyKind::Conflict) });
    }
    let version = if item.kind() == ItemKind::Write { current + 1 } else { current };
    staged.put(RECORDS, &key, encode(version, content));
    Ok(Reply::of(ReplyKind::Done))
}

/// What a view shows of what a read asks for.
pub(crate) fn find(view: &impl Read, item: &Item) -> Result<Vec<FoundRecord>, StorageError> {
    let mut found = Vec::new();
    let range = match item.kind() {
        ItemKind::Read => KeyRange::prefix(key(item.patient, item.record)),
        _ => KeyRange::prefix(item.patient.to_be_bytes().to_vec()),
    };
    view.scan(RECORDS, &range, Direction::Forward, &mut |key, value| {
        let record = key.last_chunk().map(|record| u32::from_be_bytes(*record));
        if let (Some(record), Some((version, content))) = (record, decode(value))
            && content != GONE
        {
            found.push(FoundRecord { record, version, content });
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// The hash over all commands in a state, 0 before the first.
pub(crate) fn chain(state: &impl Read) -> Result<u64, StorageError> {
    let stored = state.get(CHAIN, CHAIN_KEY)?;
    Ok(stored.and_then(|bytes| Some(u64::from_be_bytes(bytes.as_ref().try_into().ok()?))).unwrap_or(0))
}

/// A hash over all records in a state.
pub(crate) fn content(state: &impl Read) -> Result<u64, StorageError> {
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    state.scan(RECORDS, &KeyRange::all(), Direction::Forward, &mut |key, value| {
        pairs.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    })?;
    Ok(hash_of(&pairs))
}

fn key(patient: u32, record: u32) -> Vec<u8> {
    [patient.to_be_bytes(), record.to_be_bytes()].concat()
}

fn encode(version: u32, content: u64) -> Bytes {
    let mut bytes = BytesMut::with_capacity(12);
    bytes.put_u32(version);
    bytes.put_u64(content);
    bytes.freeze()
}

fn decode(value: &[u8]) -> Option<(u32, u64)> {
    let (version, content) = value.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*version), u64::from_be_bytes(content.try_into().ok()?)))
}
