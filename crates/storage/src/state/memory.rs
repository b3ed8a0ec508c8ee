//! What a simulated disk has in the place of RocksDB: every pair in memory, and one file of them once they are flushed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::family::SystemKey;
use super::read::{Direction, KeyRange};
use super::staged::Staged;
use super::{Family, engine};
use crate::{StorageError, durable};

/// The file. RocksDB counts its own from higher up, and a snapshot takes the name as that of a table.
const FILE: &str = "000000.sst";

type Table = BTreeMap<Vec<u8>, Bytes>;

/// The families in their order, and the system family behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tables(Vec<Table>);

/// A state database in memory. What was not flushed is lost when it is dropped.
pub(super) struct MemoryDb {
    path: PathBuf,
    tables: Mutex<Held>,
}

struct Held {
    tables: Arc<Tables>,
    flushed: bool,
}

impl Tables {
    pub(super) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        Ok(self.family(family)?.get(key).cloned())
    }

    /// The pairs of a range in the order of a scan.
    pub(super) fn pairs(
        &self,
        family: Family,
        range: &KeyRange,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StorageError> {
        let table = self.family(family)?;
        let pairs = table.range(range.start.clone()..).take_while(|(key, _)| range.contains(key));
        let mut pairs: Vec<_> = pairs.map(|(key, value)| (key.clone(), value.clone())).collect();
        if direction == Direction::Reverse {
            pairs.reverse();
        }
        Ok(pairs)
    }

    pub(super) fn system(&self) -> impl Iterator<Item = (&[u8], &Bytes)> {
        self.0.last().into_iter().flatten().map(|(key, value)| (key.as_slice(), value))
    }

    pub(super) fn system_value(&self, key: &[u8]) -> Option<Bytes> {
        self.0.last().and_then(|system| system.get(key).cloned())
    }

    fn family(&self, family: Family) -> Result<&Table, StorageError> {
        // The last one is the system's own.
        let families = self.0.len().saturating_sub(1);
        self.0[..families].get(family.position()).ok_or_else(|| family.unknown())
    }

    fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        for table in &self.0 {
            bytes.put_u32(u32::try_from(table.len()).expect("a simulation holds few pairs"));
            for (key, value) in table {
                for part in [key.as_slice(), value.as_ref()] {
                    bytes.put_u32(u32::try_from(part.len()).expect("a simulation holds small pairs"));
                    bytes.put_slice(part);
                }
            }
        }
        bytes.freeze()
    }

    fn decode(mut bytes: Bytes) -> Option<Self> {
        let mut tables = Vec::new();
        while bytes.has_remaining() {
            let mut table = Table::new();
            for _ in 0..take_number(&mut bytes)? {
                let key = take(&mut bytes)?;
                table.insert(key.to_vec(), take(&mut bytes)?);
            }
            tables.push(table);
        }
        Some(Self(tables))
    }

    /// What a checkpoint in `dir` holds.
    pub(super) fn of_checkpoint(dir: &Path) -> Result<Self, StorageError> {
        let malformed = || StorageError::Malformed { record: "the pairs", path: dir.to_path_buf() };
        let bytes = durable::read_if_present(&dir.join(FILE))?.ok_or_else(malformed)?;
        Self::decode(bytes.into()).ok_or_else(malformed)
    }
}

fn take_number(bytes: &mut Bytes) -> Option<u32> {
    (bytes.len() >= size_of::<u32>()).then(|| bytes.get_u32())
}

fn take(bytes: &mut Bytes) -> Option<Bytes> {
    let len = usize::try_from(take_number(bytes)?).ok()?;
    (bytes.len() >= len).then(|| bytes.split_to(len))
}

impl MemoryDb {
    /// What was flushed in `path`; `create` begins with nothing where nothing was.
    pub(super) fn open(path: &Path, families: usize, create: bool) -> Result<Self, StorageError> {
        durable::create_dir(path)?;
        let tables = match Tables::of_checkpoint(path) {
            Err(StorageError::Malformed { .. }) if create && !path.join(FILE).exists() => {
                Tables(vec![Table::new(); families + 1])
            }
            tables => tables?,
        };
        let held = Held { tables: Arc::new(tables), flushed: true };
        Ok(Self { path: path.to_path_buf(), tables: Mutex::new(held) })
    }

    /// Everything that is committed now.
    pub(super) fn tables(&self) -> Arc<Tables> {
        Arc::clone(&self.held().tables)
    }

    pub(super) fn flushed(&self) -> bool {
        self.held().flushed
    }

    pub(super) fn commit(&self, staged: Option<&Staged<'_>>, system: impl Iterator<Item = (Vec<u8>, Bytes)>) {
        let mut held = self.held();
        held.flushed = false;
        let Tables(tables) = Arc::make_mut(&mut held.tables);
        for (table, writes) in tables.iter_mut().zip(staged.map(Staged::writes).unwrap_or_default()) {
            for (key, value) in writes {
                match value {
                    Some(value) => table.insert(key.clone(), value.clone()),
                    None => table.remove(key),
                };
            }
        }
        tables.last_mut().expect("the system family is always there").extend(system);
    }

    pub(super) fn flush(&self) -> Result<(), StorageError> {
        let mut held = self.held();
        if !held.flushed {
            durable::replace_file(&self.path.join(FILE), &held.tables.encode())?;
            held.flushed = true;
        }
        Ok(())
    }

    /// Flushes, and writes the file into `target` too.
    pub(super) fn copy_to(&self, target: &Path) -> Result<(), StorageError> {
        self.flush()?;
        durable::create_dir(target)?;
        durable::replace_file(&target.join(FILE), &self.tables().encode())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.tables.lock().expect("no code panics while holding the tables")
    }
}

/// The pairs of the system family that a commit writes.
pub(super) fn system_pairs(
    applied: Option<Bytes>,
    named: &[(SystemKey, Bytes)],
) -> impl Iterator<Item = (Vec<u8>, Bytes)> {
    let applied = applied.map(|applied| (engine::APPLIED_KEY.to_vec(), applied));
    applied.into_iter().chain(named.iter().map(|(key, value)| (engine::name_key(*key), value.clone())))
}
