use std::fmt;

use rocksdb::{Cache, WriteBufferManager};

use crate::log::SimulatedDisk;

/// One memory budget for a process, divided once, in parts per thousand of the total:
///
/// | part | share | who keeps to it |
/// |---|---|---|
/// | block cache | 400 | one LRU cache shared by every database, indexes and filters included |
/// | state memtables | 200 | one write buffer manager shared by all state databases |
/// | log memtables | 100 | four write buffers of the log database, each at most 128 MiB |
/// | log tails | 100 | recent entries of all groups, kept readable without RocksDB |
/// | work in flight | 200 | nobody here: a number for admission, see [`in_flight_bytes`](Self::in_flight_bytes) |
///
/// A shared write buffer manager flushes only the database that is being written, so an idle replica would keep its
/// share for ever: whoever owns the replicas flushes by age, see [`StateDb::unflushed`](crate::state::StateDb::unflushed).
///
/// Clones share the cache and the write buffer manager.
#[derive(Clone)]
pub struct MemoryBudget {
    total: usize,
    cache: Cache,
    memtables: WriteBufferManager,
    simulated: Option<SimulatedDisk>,
}

const CACHE_SHARE: usize = 400;
const STATE_MEMTABLE_SHARE: usize = 200;
const LOG_MEMTABLE_SHARE: usize = 100;
const LOG_TAIL_SHARE: usize = 100;
const IN_FLIGHT_SHARE: usize = 200;

/// Write buffers of the log database that share its part: enough that a slow flush does not stall an election.
pub(crate) const LOG_WRITE_BUFFERS: usize = 4;

const LOG_WRITE_BUFFER_MAX: usize = 128 << 20;

/// Smaller totals would give buffers that RocksDB rounds up anyway, so the budget would be a lie.
const MIN_TOTAL: usize = 64 << 20;

impl MemoryBudget {
    /// Divides `total_bytes`; anything below 64 MiB counts as 64 MiB.
    pub fn new(total_bytes: usize) -> Self {
        let total = total_bytes.max(MIN_TOTAL);
        Self {
            total,
            cache: Cache::new_lru_cache(share(total, CACHE_SHARE)),
            memtables: WriteBufferManager::new_write_buffer_manager(share(total, STATE_MEMTABLE_SHARE), false),
            simulated: None,
        }
    }

    /// The smallest budget, for a node whose logs and states are in memory, and durable when a simulation says so.
    pub fn simulated(disk: SimulatedDisk) -> Self {
        Self { simulated: Some(disk), ..Self::new(MIN_TOTAL) }
    }

    pub(crate) fn simulated_disk(&self) -> Option<&SimulatedDisk> {
        self.simulated.as_ref()
    }

    /// The whole budget, bytes.
    pub fn total_bytes(&self) -> usize {
        self.total
    }

    /// Bytes that requests and answers being worked on may hold together; the caller's admission keeps to it.
    pub fn in_flight_bytes(&self) -> usize {
        share(self.total, IN_FLIGHT_SHARE)
    }

    /// Bytes that the recent entries of all groups' logs may hold together.
    pub fn log_tail_bytes(&self) -> usize {
        share(self.total, LOG_TAIL_SHARE)
    }

    /// Bytes that the unflushed data of all state databases may hold together.
    pub fn state_memtable_bytes(&self) -> usize {
        share(self.total, STATE_MEMTABLE_SHARE)
    }

    /// Bytes of the shared block cache in use now.
    pub fn cache_used_bytes(&self) -> usize {
        self.cache.get_usage()
    }

    /// Bytes of all state databases' memtables in use now.
    pub fn state_memtable_used_bytes(&self) -> usize {
        self.memtables.get_usage()
    }

    pub(crate) fn log_write_buffer_bytes(&self) -> usize {
        (share(self.total, LOG_MEMTABLE_SHARE) / LOG_WRITE_BUFFERS).min(LOG_WRITE_BUFFER_MAX)
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    pub(crate) fn memtables(&self) -> &WriteBufferManager {
        &self.memtables
    }
}

impl fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBudget").field("total", &self.total).finish_non_exhaustive()
    }
}

const fn share(total: usize, thousandths: usize) -> usize {
    total / 1000 * thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_never_exceed_the_whole() {
        for total in [0, 64 << 20, 1 << 30, 64 << 30] {
            let budget = MemoryBudget::new(total);
            let parts = share(budget.total_bytes(), CACHE_SHARE)
                + budget.state_memtable_bytes()
                + LOG_WRITE_BUFFERS * budget.log_write_buffer_bytes()
                + budget.log_tail_bytes()
                + budget.in_flight_bytes();
            assert!(parts <= budget.total_bytes(), "{parts} of {}", budget.total_bytes());
        }
    }
}
