//! How RocksDB is set up for state: read at random, written in batches that the log can bring back.

use std::path::Path;

use bytes::Bytes;
use rocksdb::{
    BlockBasedOptions, ChecksumType, ColumnFamilyDescriptor, DB, DBCompressionType, LogLevel, Options, ReadOptions,
    SliceTransform,
};

use super::family::{FamilySpec, SystemKey};
use super::memory::MemoryDb;
use crate::{MemoryBudget, StorageError};

/// Our own family, beside those of the state machine.
///
/// | key | value |
/// |---|---|
/// | `f` | version of the layout of the directory and of this family, u8 |
/// | `a` | applied marker, opaque |
/// | `n` and a name | a named blob, opaque |
pub(super) const SYSTEM_FAMILY: &str = "system";
pub(super) const FORMAT: u8 = 1;
pub(super) const FORMAT_KEY: &[u8] = b"f";
pub(super) const APPLIED_KEY: &[u8] = b"a";
const NAME_KEY: u8 = b'n';

const BLOCK_BYTES: usize = 16 << 10;
const BLOOM_BITS: f64 = 10.0;
const WRITE_BUFFER_MAX: usize = 64 << 20;
/// A memtable grows by this much. Families of many replicas share one budget and most are nearly empty: at RocksDB's own
/// 1 MiB, or with a Bloom filter in each memtable, the empty ones alone would fill it, and every write would flush.
const ARENA_BLOCK_BYTES: usize = 32 << 10;
const BLOB_GC_AGE: f64 = 0.25;
const BLOB_GC_FORCE: f64 = 0.5;

/// What is read ahead where everything is read once.
const READ_THROUGH_BYTES: usize = 2 << 20;

/// Files one replica's database keeps open.
const OPEN_FILES: i32 = 1024;

/// What holds the pairs.
pub(super) enum Engine {
    Rocks(DB),
    Memory(MemoryDb),
}

impl Engine {
    /// The database.
    pub(super) fn rocks(&self) -> &DB {
        match self {
            Self::Rocks(db) => db,
            Self::Memory(_) => unreachable!("a state in memory is asked before RocksDB is"),
        }
    }
}

/// The key of a named blob.
pub(super) fn name_key(key: SystemKey) -> Vec<u8> {
    [&[NAME_KEY], key.name().as_bytes()].concat()
}

/// The name that a key of the system family holds.
pub(super) fn name_of_key(key: &[u8]) -> Option<&str> {
    str::from_utf8(key.strip_prefix(&[NAME_KEY])?).ok()
}

/// Opens the database in `path`; `create` makes it when it is not there.
pub(super) fn open(
    path: &Path,
    families: &[FamilySpec],
    budget: &MemoryBudget,
    create: bool,
) -> Result<Engine, StorageError> {
    if budget.simulated_disk().is_some() {
        return Ok(Engine::Memory(MemoryDb::open(path, families.len(), create)?));
    }
    let mut descriptors = vec![
        ColumnFamilyDescriptor::new("default", family(&SYSTEM_SPEC, budget)),
        ColumnFamilyDescriptor::new(SYSTEM_FAMILY, family(&SYSTEM_SPEC, budget)),
    ];
    descriptors.extend(families.iter().map(|spec| ColumnFamilyDescriptor::new(spec.name, family(spec, budget))));
    let mut options = database();
    options.create_if_missing(create);
    options.create_missing_column_families(true);
    options.set_write_buffer_manager(budget.memtables());
    // Without a write-ahead log, families must be cut at one point or a batch would survive in part.
    options.set_atomic_flush(true);
    let db = DB::open_cf_descriptors(&options, path, descriptors)
        .map_err(|source| StorageError::engine("open the state database", path, source))?;
    check_format(&db, path, create)?;
    Ok(Engine::Rocks(db))
}

/// Opens a checkpoint for reading its system family; nothing in it is changed but RocksDB's own message file.
pub(super) fn open_checkpoint(path: &Path) -> Result<DB, StorageError> {
    let families = ["default", SYSTEM_FAMILY];
    DB::open_cf_for_read_only(&database(), path, families, false)
        .map_err(|source| StorageError::engine("open the checkpoint", path, source))
}

/// Reads every value of a database that nobody has open, so that a damaged block is found before the database counts.
pub(super) fn read_through(path: &Path) -> Result<(), StorageError> {
    let failed = |source| StorageError::engine("read through the snapshot in", path, source);
    let families = DB::list_cf(&database(), path).map_err(failed)?;
    let db = DB::open_cf_for_read_only(&database(), path, &families, false).map_err(failed)?;
    for name in &families {
        let family = db.cf_handle(name).expect("opened with this family");
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        options.set_readahead_size(READ_THROUGH_BYTES);
        let mut cursor = db.raw_iterator_cf_opt(family, options);
        cursor.seek_to_first();
        while cursor.valid() {
            cursor.next();
        }
        cursor.status().map_err(failed)?;
    }
    Ok(())
}

/// A value of the system family.
pub(super) fn system_value(db: &DB, path: &Path, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
    let system = db.cf_handle(SYSTEM_FAMILY).expect("opened with this family");
    let read = db.get_cf(system, key);
    Ok(read.map_err(|source| StorageError::engine("read a marker from", path, source))?.map(Bytes::from))
}

const SYSTEM_SPEC: FamilySpec = FamilySpec { name: SYSTEM_FAMILY, prefix_len: 0, blob_min_bytes: None, local: true };

fn database() -> Options {
    let mut options = Options::default();
    options.set_paranoid_checks(true);
    options.set_max_background_jobs(4);
    options.set_max_open_files(OPEN_FILES);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(4);
    options
}

fn family(spec: &FamilySpec, budget: &MemoryBudget) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(budget.cache());
    table.set_block_size(BLOCK_BYTES);
    table.set_bloom_filter(BLOOM_BITS, false);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_checksum_type(ChecksumType::XXH3);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size((budget.state_memtable_bytes() / 4).min(WRITE_BUFFER_MAX));
    options.set_arena_block_size(ARENA_BLOCK_BYTES);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_bottommost_compression_type(DBCompressionType::Zstd);
    if spec.prefix_len > 0 {
        options.set_prefix_extractor(SliceTransform::create_fixed_prefix(spec.prefix_len));
    }
    if let Some(min_bytes) = spec.blob_min_bytes {
        options.set_enable_blob_files(true);
        options.set_min_blob_size(min_bytes);
        // Large values are ciphertext, compressed before it was encrypted.
        options.set_blob_compression_type(DBCompressionType::None);
        options.set_enable_blob_gc(true);
        options.set_blob_gc_age_cutoff(BLOB_GC_AGE);
        options.set_blob_gc_force_threshold(BLOB_GC_FORCE);
    }
    options
}

/// A database without a format is either new or lost its first flush in a crash, together with everything in it.
fn check_format(db: &DB, path: &Path, create: bool) -> Result<(), StorageError> {
    match system_value(db, path, FORMAT_KEY)?.as_deref() {
        Some([FORMAT]) => Ok(()),
        Some([found]) => Err(StorageError::UnknownFormat {
            path: path.to_path_buf(),
            found: u32::from(*found),
            newest: u32::from(FORMAT),
        }),
        None if create => {
            let mut options = rocksdb::WriteOptions::default();
            options.disable_wal(true);
            let system = db.cf_handle(SYSTEM_FAMILY).expect("opened with this family");
            db.put_cf_opt(system, FORMAT_KEY, [FORMAT], &options)
                .map_err(|source| StorageError::engine("write the format of", path, source))
        }
        Some(_) | None => Err(StorageError::Malformed { record: "the format", path: path.to_path_buf() }),
    }
}
