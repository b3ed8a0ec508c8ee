//! What the process gives up so that its memory stays its own.

use rustix::mm::MlockAllFlags;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use rustix::thread::CapabilitySet;

/// A protection that the kernel refused.
#[derive(Debug, thiserror::Error)]
pub enum HardenError {
    /// Core files stay on.
    #[error("switching off core files")]
    Core(#[source] rustix::io::Errno),
    /// Memory may be locked up to a limit only; beyond it an allocation would fail, and the process with it.
    #[error("locking memory: the limit is {0} bytes; it must be infinite (LimitMEMLOCK=infinity in a systemd unit)")]
    LockLimit(u64),
    /// Memory is not locked.
    #[error("locking memory")]
    Lock(#[source] rustix::io::Errno),
}

/// No core files, and no debugger of another process of the same user.
///
/// Source: setrlimit(2) RLIMIT_CORE, prctl(2) PR_SET_DUMPABLE. RLIMIT_CORE alone does not stop a core that is piped to
/// a handler (core(5)); not being dumpable does.
pub(crate) fn harden() -> Result<(), HardenError> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(HardenError::Core)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(HardenError::Core)
}

/// Keeps every page of the process, and each that it will ever touch, out of swap.
///
/// Source: mlockall(2), whose limit does not bind a process with CAP_IPC_LOCK. Pages are locked as they are first touched,
/// so that reserved address space costs nothing.
pub(crate) fn lock_memory() -> Result<(), HardenError> {
    let capabilities = rustix::thread::capabilities(None).map_err(HardenError::Lock)?;
    if !capabilities.effective.contains(CapabilitySet::IPC_LOCK)
        && let Some(finite) = rustix::process::getrlimit(Resource::Memlock).current
    {
        return Err(HardenError::LockLimit(finite));
    }
    rustix::mm::mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
        .map_err(HardenError::Lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardened_process_leaves_no_core() {
        harden().unwrap();
        assert_eq!(rustix::process::getrlimit(Resource::Core).maximum, Some(0));
        assert_eq!(rustix::process::dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
