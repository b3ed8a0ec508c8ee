//! What the demo puts: documents of synthetic people, and those of a folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use renkei_envelope::{Pseudonym, Reference};
use renkei_population::{DocumentKind, PersonIndex, Population};

use crate::documents::{self, Document};
use crate::failure::Failure;

/// Synthetic people, each with a document of each kind.
const PEOPLE: u32 = 60;
/// The population's seed: the same documents in every demo.
const SEED: u64 = 2_026;
/// Every idempotency key of the demo begins so.
pub(super) const KEY_PREFIX: &str = "renkei-demo-key-";
/// Number of a [`person`] of whom the demo itself puts nothing.
pub(super) const UNSEEN: u32 = 10_000;

/// A document, whose it is, and the key that it is put with.
pub(super) struct Item {
    pub(super) document: Bytes,
    pub(super) patient: Pseudonym,
    pub(super) key: Bytes,
}

/// A document that was stored, and what names it.
pub(super) struct Stored {
    pub(super) document: Bytes,
    pub(super) patient: Pseudonym,
    pub(super) reference: Reference,
}

/// A pseudonym that nobody can guess.
pub(super) fn stranger() -> Pseudonym {
    Pseudonym::from_bytes(rand::random())
}

/// The population that the demo draws from.
pub(super) fn population() -> Population {
    Population::new(SEED)
}

/// A person behind those whose documents are put: number `n`.
pub(super) fn person(n: u32) -> PersonIndex {
    PersonIndex::try_from(PEOPLE + n).expect("the demo asks for some thousand people of 125 million at most")
}

/// The documents of synthetic people, each person under one pseudonym.
pub(super) fn synthetic() -> Vec<Item> {
    let population = population();
    let mut items = Vec::new();
    for n in 0..PEOPLE {
        let index = PersonIndex::try_from(n).expect("the first people are there");
        let patient = stranger();
        for kind in DocumentKind::ALL {
            let document = population.document(index, kind, 1).into();
            items.push(Item { document, patient: patient.clone(), key: key(items.len()) });
        }
    }
    items
}

/// Files of a folder, read one after the other: some hold many documents, and together more than memory should.
pub(super) struct Folder {
    dir: PathBuf,
    files: Vec<PathBuf>,
}

impl Folder {
    /// Every file below the directory.
    pub(super) fn open(dir: PathBuf) -> Result<Self, Failure> {
        match documents::files_below(&dir) {
            Ok(files) => Ok(Self { dir, files }),
            Err(source) => Err(Failure::Documents { dir, source }),
        }
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The documents of one file. Nothing says whose they are but they themselves, so each is a patient's of its own.
    pub(super) fn read(&self, file: &Path) -> Result<Vec<Item>, Failure> {
        let read = documents::read(&self.dir, file);
        let read = read.map_err(|source| Failure::Documents { dir: self.dir.clone(), source })?;
        let item = |Document { name: _, bytes }| Item { document: bytes.into(), patient: stranger(), key: key(0) };
        Ok(read.into_iter().map(item).collect())
    }
}

/// A key is one patient's, so patients' keys may be equal.
pub(super) fn key(n: usize) -> Bytes {
    format!("{KEY_PREFIX}{n}").into()
}

/// Texts by which a document would be recognised.
pub(super) fn texts(document: &Bytes) -> BTreeSet<String> {
    Document { name: String::new(), bytes: document.to_vec() }.texts()
}
