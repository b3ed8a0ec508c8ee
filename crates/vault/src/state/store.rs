//! Where the state lies.

use bytes::Bytes;

/// A table of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// One row: group time, the log's id and length, the key epoch.
    Head = 0,
    /// Slot -> its sealed key.
    Slots = 1,
    /// Hash of a pseudonym -> pid and sealed seed.
    Index = 2,
    /// Pid -> wrapped patient and log key.
    Patients = 3,
    /// Pid, class and year -> wrapped class key.
    ClassKeys = 4,
    /// Use, axis and key -> what is used up.
    Budgets = 5,
    /// Leaf -> row of the log of openings.
    Openings = 6,
    /// Pid and leaf -> nothing: which rows are a patient's.
    OpeningsOf = 7,
    /// Reason, institution and gateway -> refusals of this minute, and those without a row.
    Refusals = 8,
    /// Ticket -> when it ends: it was opened before.
    Tickets = 9,
    /// Number, in the order of first openings -> a ticket that is to be forgotten.
    Forget = 10,
    /// Institution, purpose and evidence -> until when it opens nobody.
    Locks = 11,
    /// Pid -> the patient's escrow row, sealed to the officers.
    Escrow = 12,
    /// One row: the newest directory that officers signed.
    Directory = 13,
}

/// Name and filter prefix of each table, in the order of [`Table`]. Names never change.
pub const TABLES: [(&str, usize); 14] = [
    ("head", 0),
    ("slots", 0),
    ("index", 0),
    ("patients", 0),
    ("class_keys", 16),
    ("budgets", 0),
    ("openings", 0),
    ("openings_of", 16),
    ("refusals", 0),
    ("tickets", 0),
    ("forget", 0),
    ("locks", 0),
    ("escrow", 0),
    ("directory", 0),
];

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
