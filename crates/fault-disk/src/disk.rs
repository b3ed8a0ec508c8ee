use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::mount::Mounted;
use crate::store::Store;

/// What a power cut takes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of it.
    Everything,
    /// What chance, by this seed, does not let reach the medium: each page and each name for itself.
    Torn {
        /// The same seed on the same state takes the same.
        seed: u64,
    },
}

/// What a power cut took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Bytes of files, in whole pages of 4 KiB.
    pub bytes: u64,
    /// Names that were created, renamed or deleted and are as before.
    pub names: u64,
}

/// The disk. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Disk {
    store: Arc<Mutex<Store>>,
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk {
    /// An empty disk of 1 TiB.
    pub fn new() -> Self {
        Self { store: Arc::new(Mutex::new(Store::new())) }
    }

    /// Mounts it on a directory, until the result is dropped. Several mounts at once see each other's changes late.
    ///
    /// # Errors
    /// Where this machine or this user cannot mount by FUSE.
    pub fn mount(&self, on: &Path) -> io::Result<Mounted> {
        Mounted::new(Arc::clone(&self.store), on)
    }

    /// Cuts the power: what was not synced is lost, and everything fails until [`power_on`](Self::power_on). Programs that
    /// used the disk are to be killed and the disk unmounted in between, for they and the kernel remember more than the
    /// disk does.
    pub fn cut(&self, loss: Loss) -> Lost {
        self.store().cut(loss)
    }

    /// Gives power again.
    pub fn power_on(&self) {
        self.store().misbehaviour.off = false;
    }

    /// From now on syncs return at once and bring nothing to the medium, or are honest again.
    pub fn lie(&self, lies: bool) {
        self.store().misbehaviour.lies = lies;
    }

    /// From now on each sync of a file whose name ends so fails with an I/O error; `None` ends it.
    pub fn fail_syncs(&self, ending: Option<&str>) {
        self.store().misbehaviour.failing = ending.map(str::to_owned);
    }

    /// How many bytes it can hold. Below what it holds, nothing can grow.
    pub fn set_capacity(&self, bytes: u64) {
        self.store().capacity = bytes;
    }

    /// Bytes that it holds.
    pub fn used(&self) -> u64 {
        self.store().used()
    }

    /// Syncs of files and directories so far, failed ones and lies included.
    pub fn syncs(&self) -> u64 {
        self.store().syncs
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
