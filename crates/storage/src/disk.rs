use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::StorageError;

/// Writes stop when less than this much of the file system is free: compaction and snapshots need room to finish.
pub const WRITE_STOP_PERCENT: u8 = 15;

/// Reads stop below this: a read writes an audit row, and a log that cannot grow aborts the process.
pub const READ_STOP_PERCENT: u8 = 5;

/// What a file system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeSpace {
    /// Bytes that an unprivileged process may still allocate.
    pub available_bytes: u64,
    /// Size of the file system, bytes.
    pub total_bytes: u64,
}

impl FreeSpace {
    /// Whole percent that is free, rounded down; a file system without size has none.
    pub fn percent(self) -> u8 {
        let percent = u128::from(self.available_bytes) * 100 / u128::from(self.total_bytes.max(1));
        u8::try_from(percent.min(100)).expect("clamped to 100")
    }

    fn of(path: &Path) -> io::Result<Self> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(Self {
            available_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }
}

type Probe = Box<dyn Fn() -> io::Result<FreeSpace> + Send + Sync>;

/// Admission by free disk. [`admit_writes`](Self::admit_writes) and [`admit_reads`](Self::admit_reads) look at the
/// figure of the last [`refresh`](Self::refresh) and never touch the disk, so they may be called for every request.
pub struct DiskWatch {
    path: PathBuf,
    probe: Probe,
    free_percent: AtomicU8,
}

impl DiskWatch {
    /// Watches the file system that holds `path`, and probes it once.
    pub fn new(path: &Path) -> Result<Self, StorageError> {
        let probed = path.to_path_buf();
        Self::with_probe(path, Box::new(move || FreeSpace::of(&probed)))
    }

    /// The same with another source of figures.
    pub fn with_probe(path: &Path, probe: Probe) -> Result<Self, StorageError> {
        let watch = Self { path: path.to_path_buf(), probe, free_percent: AtomicU8::new(0) };
        watch.refresh()?;
        Ok(watch)
    }

    /// Asks the file system again; call it every second or so. On failure the last figure stays.
    pub fn refresh(&self) -> Result<FreeSpace, StorageError> {
        let free =
            (self.probe)().map_err(|source| StorageError::io("ask for the free space of", &self.path, source))?;
        self.free_percent.store(free.percent(), Ordering::Relaxed);
        Ok(free)
    }

    /// Whole percent that was free at the last [`refresh`](Self::refresh).
    pub fn free_percent(&self) -> u8 {
        self.free_percent.load(Ordering::Relaxed)
    }

    /// Refuses with [`StorageError::DiskFull`] below [`WRITE_STOP_PERCENT`].
    pub fn admit_writes(&self) -> Result<(), StorageError> {
        self.admit(WRITE_STOP_PERCENT)
    }

    /// Refuses with [`StorageError::DiskFull`] below [`READ_STOP_PERCENT`].
    pub fn admit_reads(&self) -> Result<(), StorageError> {
        self.admit(READ_STOP_PERCENT)
    }

    fn admit(&self, stop_percent: u8) -> Result<(), StorageError> {
        let free_percent = self.free_percent.load(Ordering::Relaxed);
        if free_percent < stop_percent { Err(StorageError::DiskFull { free_percent, stop_percent }) } else { Ok(()) }
    }
}

impl fmt::Debug for DiskWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskWatch")
            .field("path", &self.path)
            .field("free_percent", &self.free_percent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    use super::*;

    fn watch_of(available: &Arc<AtomicU64>) -> DiskWatch {
        let available = Arc::clone(available);
        let probe = move || {
            let available_bytes = available.load(Ordering::Relaxed);
            Ok(FreeSpace { available_bytes, total_bytes: 1000 })
        };
        DiskWatch::with_probe(Path::new("/"), Box::new(probe)).unwrap()
    }

    #[test]
    fn writes_stop_before_reads() {
        let available = Arc::new(AtomicU64::new(150));
        let watch = watch_of(&available);
        for (bytes, writes, reads) in [(150, true, true), (149, false, true), (50, false, true), (49, false, false)] {
            available.store(bytes, Ordering::Relaxed);
            watch.refresh().unwrap();
            assert_eq!((watch.admit_writes().is_ok(), watch.admit_reads().is_ok()), (writes, reads), "{bytes} of 1000");
        }
    }

    #[test]
    fn a_real_file_system_has_a_size() {
        let free = DiskWatch::new(Path::new("/")).unwrap().refresh().unwrap();
        assert!(free.total_bytes > 0 && free.available_bytes <= free.total_bytes);
    }

    #[test]
    fn a_failed_probe_keeps_the_last_figure() {
        let calls = AtomicU64::new(0);
        let probe = move || match calls.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(FreeSpace { available_bytes: 10, total_bytes: 100 }),
            _ => Err(io::Error::other("gone")),
        };
        let watch = DiskWatch::with_probe(Path::new("/"), Box::new(probe)).unwrap();
        assert!(watch.refresh().is_err());
        assert!(matches!(watch.admit_writes(), Err(StorageError::DiskFull { free_percent: 10, .. })));
        assert!(watch.admit_reads().is_ok());
    }
}
