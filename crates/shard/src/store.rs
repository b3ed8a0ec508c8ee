//! What the state machine needs of a store: ordered bytes in families. `storage` provides it; a `BTreeMap` does in tests.

use core::ops::ControlFlow;

use bytes::Bytes;

use crate::keys::Family;

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the first key up.
    Forward,
    /// From the last key down.
    Backward,
}

/// What a scan calls for each key and value.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// A consistent, readable state.
pub trait View {
    /// How reading fails.
    type Error;

    /// The value under a key.
    ///
    /// # Errors
    /// Those of the store.
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, Self::Error>;

    /// Visits keys from `first` (included) to `end` (excluded) until told to stop.
    ///
    /// # Errors
    /// Those of the store.
    fn scan(
        &self,
        family: Family,
        first: &[u8],
        end: &[u8],
        direction: Direction,
        visit: &mut Visit<'_>,
    ) -> Result<(), Self::Error>;
}

/// A view that sees its own writes.
pub trait Store: View {
    /// Writes a value.
    fn put(&mut self, family: Family, key: &[u8], value: Bytes);

    /// Removes a key; nothing happens where there is none.
    fn delete(&mut self, family: Family, key: &[u8]);
}

/// Why a read or an apply could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ShardError<E> {
    /// The store failed.
    #[error("store failed")]
    Store(#[source] E),
    /// A stored row does not read back: the replica must stop.
    #[error("a stored {row} does not read back")]
    Corrupt {
        /// Kind of the row.
        row: &'static str,
    },
}
