//! How RocksDB is set up for logs: written once in order, read back rarely, deleted from the front.

use std::path::Path;

use rocksdb::{
    BlockBasedOptions, ChecksumType, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode, Env, LogLevel,
    Options, SliceTransform,
};

use super::keys::PREFIX_LEN;
use crate::budget::LOG_WRITE_BUFFERS;
use crate::{MemoryBudget, StorageError};

pub(super) const LOG_FAMILY: &str = "log";
pub(super) const META_FAMILY: &str = "meta";

/// A full level 0 must never stall a write: a stalled log looks like a dead leader and starts elections.
const NEVER: i32 = 1 << 30;

/// Votes and markers of a few hundred groups.
const META_WRITE_BUFFER: usize = 1 << 20;

/// Threads that flush memtables, of all databases of the process: RocksDB's default is one, and then a state database's
/// flush holds up the log's.
const FLUSH_THREADS: i32 = 4;
const COMPACTION_THREADS: i32 = 2;

pub(super) fn open(path: &Path, budget: &MemoryBudget) -> Result<DB, StorageError> {
    crate::durable::create_dir(path)?;
    let families = [
        ColumnFamilyDescriptor::new("default", Options::default()),
        ColumnFamilyDescriptor::new(LOG_FAMILY, log_family(budget)),
        ColumnFamilyDescriptor::new(META_FAMILY, meta_family(budget)),
    ];
    let opened = database(budget).and_then(|options| DB::open_cf_descriptors(&options, path, families));
    opened.map_err(|source| StorageError::engine("open the log database", path, source))
}

fn database(budget: &MemoryBudget) -> Result<Options, rocksdb::Error> {
    // There is one default Env for the process, so this sets the thread pools that state databases use as well.
    let mut env = Env::new()?;
    env.set_high_priority_background_threads(FLUSH_THREADS);
    env.set_low_priority_background_threads(COMPACTION_THREADS);
    let mut options = Options::default();
    options.set_env(&env);
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_paranoid_checks(true);
    // Recovery ends at the first torn record: what was acknowledged lies before it.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    let buffers = budget.log_write_buffer_bytes() * LOG_WRITE_BUFFERS;
    options.set_max_total_wal_size(buffers.try_into().unwrap_or(u64::MAX));
    options.set_max_background_jobs(FLUSH_THREADS + COMPACTION_THREADS);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(4);
    options.set_max_open_files(512);
    Ok(options)
}

fn log_family(budget: &MemoryBudget) -> Options {
    let mut options = family(budget, budget.log_write_buffer_bytes());
    options.set_max_write_buffer_number(i32::try_from(LOG_WRITE_BUFFERS).expect("a small constant"));
    options.set_prefix_extractor(SliceTransform::create_fixed_prefix(PREFIX_LEN));
    options.set_level_zero_slowdown_writes_trigger(NEVER);
    options.set_level_zero_stop_writes_trigger(NEVER);
    options.set_soft_pending_compaction_bytes_limit(0);
    options.set_hard_pending_compaction_bytes_limit(0);
    options
}

fn meta_family(budget: &MemoryBudget) -> Options {
    family(budget, META_WRITE_BUFFER)
}

fn family(budget: &MemoryBudget, write_buffer: usize) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(budget.cache());
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_checksum_type(ChecksumType::XXH3);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(write_buffer);
    options.set_compression_type(DBCompressionType::Lz4);
    options
}
