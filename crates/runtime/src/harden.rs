//! What the process gives up so that its memory stays its own.

use rustix::process::{DumpableBehavior, Resource, Rlimit};

/// A protection that the kernel refused.
#[derive(Debug, thiserror::Error)]
#[error("switching off core files")]
pub struct HardenError {
    #[source]
    source: rustix::io::Errno,
}

/// No core files, and no debugger of another process of the same user.
///
/// Source: setrlimit(2) RLIMIT_CORE, prctl(2) PR_SET_DUMPABLE. RLIMIT_CORE alone does not stop a core that is piped to
/// a handler (core(5)); not being dumpable does.
pub(crate) fn harden() -> Result<(), HardenError> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|source| HardenError { source })?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|source| HardenError { source })
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
