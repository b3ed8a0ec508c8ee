//! The replicated state machine: the shard of the product, and beside it a hash over all commands, by which an observer
//! knows what a state holds.

use std::ops::ControlFlow;

use bytes::{BufMut, Bytes, BytesMut};
use renkei_consensus::{EntryAt, StateMachine};
use renkei_ids::ReplicaId;
use renkei_shard::Verdicts;
use renkei_shard_state::{SHARD_FAMILIES, StagedShard, storage_error};
use renkei_storage::StorageError;
use renkei_storage::state::{Direction, Family, FamilySpec, KeyRange, Read, Staged};

use crate::event::{Event, hash_of};
use crate::world::SharedWorld;

const COUNT: usize = SHARD_FAMILIES.len() + 1;

const fn families() -> [FamilySpec; COUNT] {
    let mut specs = [FamilySpec { name: "chain", prefix_len: 0, blob_min_bytes: None, local: false }; COUNT];
    let (shard, _chain) = specs.split_at_mut(SHARD_FAMILIES.len());
    shard.copy_from_slice(&SHARD_FAMILIES);
    specs
}

static SPECS: [FamilySpec; COUNT] = families();
/// Behind the shard's own.
const CHAIN: Family = Family::new(8);
/// The one key of its family.
const CHAIN_KEY: &[u8] = b"c";

/// The machine of one replica.
pub(crate) struct Machine {
    pub(crate) replica: ReplicaId,
    pub(crate) world: SharedWorld,
}

impl StateMachine for Machine {
    fn families(&self) -> &'static [FamilySpec] {
        &SPECS
    }

    fn apply(&self, staged: &mut Staged<'_>, at: EntryAt, command: &Bytes) -> Result<Bytes, StorageError> {
        let chain = hash_of(&(chain(staged)?, at.term, at.index, command.as_ref()));
        staged.put(CHAIN, CHAIN_KEY, Bytes::copy_from_slice(&chain.to_be_bytes()));
        let verdicts = renkei_shard::apply(&mut StagedShard(staged), command).map_err(storage_error)?;
        self.world.record(Event::Applied { replica: self.replica, term: at.term, index: at.index, chain });
        let mut reply = BytesMut::with_capacity(16 + verdicts.len());
        reply.put_u64(at.term);
        reply.put_u64(at.index);
        reply.put_slice(&verdicts);
        Ok(reply.freeze())
    }

    fn applied(&self, through: u64) {
        self.world.record(Event::AppliedThrough { replica: self.replica, index: through });
    }

    fn replaced(&self, through: u64) {
        self.world.record(Event::Replaced { replica: self.replica, index: through });
    }
}

/// Term and index of an entry, and what became of its items.
pub(crate) fn verdicts(reply: &Bytes) -> Option<(u64, u64, Verdicts)> {
    let (term, rest) = reply.split_first_chunk()?;
    let (index, _) = rest.split_first_chunk()?;
    let verdicts = Verdicts::decode(&reply.slice(16..)).ok()?;
    Some((u64::from_be_bytes(*term), u64::from_be_bytes(*index), verdicts))
}

/// The hash over all commands in a state, 0 before the first.
pub(crate) fn chain(state: &impl Read) -> Result<u64, StorageError> {
    let stored = state.get(CHAIN, CHAIN_KEY)?;
    Ok(stored.and_then(|bytes| Some(u64::from_be_bytes(bytes.as_ref().try_into().ok()?))).unwrap_or(0))
}

/// A hash over everything in a state.
pub(crate) fn content(state: &impl Read) -> Result<u64, StorageError> {
    let mut content = 0;
    for family in (0..COUNT).filter_map(|family| u8::try_from(family).ok()) {
        state.scan(Family::new(family), &KeyRange::all(), Direction::Forward, &mut |key, value| {
            content = hash_of(&(content, family, key, value));
            ControlFlow::Continue(())
        })?;
    }
    Ok(content)
}
