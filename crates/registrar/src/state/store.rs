//! Where the state lies.

use bytes::Bytes;

use super::stored::{Stored, Unreadable};

/// A table of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// One row: group time, the log's id and bounds, checks of the keys.
    Head = 0,
    /// Index of a member id -> its bindings.
    Members = 1,
    /// Binding -> whose member id it binds to whom, and how far.
    Bindings = 2,
    /// Person -> seed, what the register says, bindings.
    Persons = 3,
    /// Index of a resident -> person.
    Residents = 4,
    /// Hash of an insurer's token -> its binding and end.
    Tokens = 5,
    /// Grant -> what a patient granted an institution.
    Grants = 6,
    /// Institution -> its size, home cloud and lock.
    Institutions = 7,
    /// Use, axis and key -> what is used up.
    Budgets = 8,
    /// Institution and person -> when last seen and last checked in.
    Visits = 9,
    /// Tag of a card's proof -> nothing: it was used.
    Presences = 10,
    /// Queue and number -> key of a row that is to be forgotten, and when.
    Forget = 11,
    /// Leaf -> row of the check-in log.
    Log = 12,
    /// Person -> her last row in the log.
    Histories = 13,
    /// Reason and who asked -> refusals of this minute, and those without a row.
    Refusals = 14,
    /// Day -> sealed secret of its ticket keys.
    Days = 15,
    /// One row: the newest directory.
    Directory = 16,
}

/// Name and filter prefix of each table, in the order of [`Table`]. Names never change.
pub const TABLES: [(&str, usize); 17] = [
    ("head", 0),
    ("members", 0),
    ("bindings", 0),
    ("persons", 0),
    ("residents", 0),
    ("tokens", 0),
    ("grants", 0),
    ("institutions", 0),
    ("budgets", 0),
    ("visits", 0),
    ("presences", 0),
    ("forget", 0),
    ("log", 0),
    ("histories", 0),
    ("refusals", 0),
    ("days", 0),
    ("directory", 0),
];

/// Why a state cannot be read. Nothing that a command holds leads here.
#[derive(Debug, thiserror::Error)]
pub enum StateError<E> {
    /// The storage failed.
    #[error("the storage of the state failed")]
    Store(#[source] E),
    /// A row that does not read, or one that another row names and that is not there.
    #[error("row {row} of the state does not read")]
    Corrupt {
        /// Which.
        row: &'static str,
    },
}

/// Reads the state.
pub trait View {
    /// What reading can fail with.
    type Error;

    /// The value of a key.
    ///
    /// # Errors
    /// Only failed storage.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, Self::Error>;
}

/// Reads the state and changes it.
pub trait Store: View {
    /// Sets the value of a key; later reads see it.
    fn put(&mut self, table: Table, key: &[u8], value: Bytes);

    /// Removes a key; later reads see that.
    fn delete(&mut self, table: Table, key: &[u8]);
}

/// A row of a table.
pub(crate) fn read<V: View, T: Stored>(
    view: &V,
    (table, row): (Table, &'static str),
    key: &[u8],
) -> Result<Option<T>, StateError<V::Error>> {
    match view.get(table, key).map_err(StateError::Store)? {
        None => Ok(None),
        Some(bytes) => T::decode(&bytes).map(Some).map_err(|Unreadable| StateError::Corrupt { row }),
    }
}
