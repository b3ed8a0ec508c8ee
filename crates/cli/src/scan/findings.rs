//! What a scan found, and what it looked at.

use std::collections::BTreeSet;
use std::path::PathBuf;

use renkei_storage::StorageError;

/// Hits that are kept one by one; all are counted.
pub const MAX_HITS: usize = 10_000;

/// Which part of a file or database a token was found in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A file, as it lies on disk.
    File,
    /// A key of this family.
    Key(String),
    /// A value of this family.
    Value(String),
}

/// A token that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its position in [`Tokens::texts`](super::Tokens::texts).
    pub token: usize,
    /// The file, or the directory of the database.
    pub path: PathBuf,
    /// Where in it.
    pub part: Part,
    /// Whether it lay in a compressed frame there.
    pub inflated: bool,
}

/// What a scan found, and what it looked at.
#[derive(Debug, Default)]
pub struct Findings {
    /// Occurrences, all of them.
    pub total: u64,
    /// The first [`MAX_HITS`] of them.
    pub hits: Vec<Hit>,
    /// Positions of the tokens that were found at least once.
    pub tokens: BTreeSet<usize>,
    /// Files looked at.
    pub files: u64,
    /// Databases looked at.
    pub databases: u64,
    /// Keys with their values looked at.
    pub pairs: u64,
    /// Bytes looked at, before inflating; what lies in a file and in a database counts twice.
    pub bytes: u64,
    /// Frames of which only the first [`MAX_INFLATED`](super::MAX_INFLATED) bytes were looked at.
    pub cut_frames: u64,
    /// Databases that did not open: looked at as files only.
    pub unopened: Vec<(PathBuf, StorageError)>,
}

impl Findings {
    pub(super) fn add(&mut self, hit: Hit) {
        self.total += 1;
        self.tokens.insert(hit.token);
        if self.hits.len() < MAX_HITS {
            self.hits.push(hit);
        }
    }
}
