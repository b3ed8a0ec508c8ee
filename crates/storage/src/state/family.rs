use crate::StorageError;

/// One family of keys of a state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilySpec {
    /// Name on disk; never changes.
    pub name: &'static str,
    /// Bytes of a key that a filter is built over, so that a scan within them skips files without a match (18 for
    /// slot and pid); 0 for none.
    pub prefix_len: usize,
    /// Values from this size on are kept in blob files, outside compaction; `None` for never.
    pub blob_min_bytes: Option<u64>,
    /// Left out of the digest that replicas compare.
    pub local: bool,
}

impl FamilySpec {
    /// Families of small values that every replica has alike, by name and prefix.
    pub const fn plain<const N: usize>(named: &[(&'static str, usize); N]) -> [Self; N] {
        let mut specs = [Self { name: "", prefix_len: 0, blob_min_bytes: None, local: false }; N];
        let mut at = 0;
        while at < N {
            (specs[at].name, specs[at].prefix_len) = named[at];
            at += 1;
        }
        specs
    }
}

/// Number of a family: its position in the specs that the database was opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Family(u8);

impl Family {
    /// The family at `position` of the specs.
    pub const fn new(position: u8) -> Self {
        Self(position)
    }

    pub(crate) const fn position(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn unknown(self) -> StorageError {
        StorageError::UnknownFamily(self.0)
    }
}

/// Name of a small blob in the system family, such as a membership. Never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemKey(&'static str);

impl SystemKey {
    /// The blob called `name`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    pub(crate) const fn name(self) -> &'static str {
        self.0
    }
}
