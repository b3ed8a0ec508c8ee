//! What the demo puts: documents of synthetic people, and those of a folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use renkei_envelope::Reference;
use renkei_population::{DocumentKind, PersonIndex, Population};

use super::check_in::{Desk, Persons, Who};
use super::load;
use crate::documents::{self, Document};
use crate::failure::Failure;

/// Synthetic people, each with a document of each kind.
const PEOPLE: u32 = 60;
/// The population's seed: the same documents in every demo.
const SEED: u64 = 2_026;
/// Every idempotency key of the demo begins so.
pub(super) const KEY_PREFIX: &str = "renkei-demo-key-";
/// The first key of a folder's documents: some may be about people of the population.
const FOLDER_KEYS: usize = 1_000_000;
/// Numbers of [`person`]s of whom the demo itself puts nothing: one for a client, and two of whom the second will be
/// registered under the first one's member id.
pub(super) const UNSEEN: u32 = 10_000;
pub(super) const MISREGISTERED: [u32; 2] = [20_000, 20_003];

/// A document, whose it is, and the key that it is put with.
pub(super) struct Item {
    pub(super) document: Bytes,
    pub(super) patient: Who,
    pub(super) key: Bytes,
}

/// A document that was stored, and what names it.
pub(super) struct Stored {
    pub(super) document: Bytes,
    pub(super) patient: Who,
    pub(super) reference: Reference,
}

/// The population that the demo draws from.
pub(super) fn population() -> Population {
    Population::new(SEED)
}

/// A person behind those whose documents are put: number `n`.
pub(super) fn person(n: u32) -> PersonIndex {
    PersonIndex::try_from(PEOPLE + n).expect("the demo asks for some thousand people of 125 million at most")
}

/// The synthetic people of the documents.
fn people() -> impl Iterator<Item = PersonIndex> {
    (0..PEOPLE).map(|n| PersonIndex::try_from(n).expect("the first people are there"))
}

/// Everybody whom the demo's own documents are about, and who is there for other reasons.
pub(super) fn persons() -> Persons {
    let mut persons = Persons::of(population());
    let others = load::people().chain([UNSEEN]).chain(MISREGISTERED).map(person);
    for index in people().chain(others) {
        persons.resident(index);
    }
    persons
}

/// The documents of synthetic people.
pub(super) fn synthetic(desk: &Desk) -> Vec<Item> {
    let population = population();
    let mut items = Vec::new();
    for index in people() {
        let patient = desk.resident(index);
        for kind in DocumentKind::ALL {
            let document = population.document(index, kind, 1).into();
            items.push(Item { document, patient, key: key(items.len()) });
        }
    }
    items
}

/// Files of a folder, read one after the other: some hold many documents, and together more than memory should.
pub(super) struct Folder {
    dir: PathBuf,
    /// Each with whom its documents are about.
    files: Vec<(PathBuf, Vec<Who>)>,
}

impl Folder {
    /// Every file below the directory. All of them are read once for the persons.
    pub(super) fn open(dir: PathBuf, persons: &mut Persons) -> Result<Self, Failure> {
        let files = documents::files_below(&dir).map_err(|source| Failure::Documents { dir: dir.clone(), source })?;
        let mut folder = Self { dir, files: Vec::new() };
        for file in files {
            let patients =
                folder.documents(&file)?.iter().map(|document| persons.subject_of(&document.bytes)).collect();
            folder.files.push((file, patients));
        }
        Ok(folder)
    }

    /// How many files there are.
    pub(super) fn files(&self) -> usize {
        self.files.len()
    }

    /// The documents of one file after the other.
    pub(super) fn items(&self) -> impl Iterator<Item = Result<Vec<Item>, Failure>> {
        let mut keys = FOLDER_KEYS..;
        self.files.iter().map(move |(file, patients)| {
            let item = |((Document { name: _, bytes }, patient), n): ((Document, &Who), usize)| Item {
                document: bytes.into(),
                patient: *patient,
                key: key(n),
            };
            let documents = self.documents(file)?.into_iter().zip(patients);
            Ok(documents.zip(&mut keys).map(item).collect())
        })
    }

    fn documents(&self, file: &Path) -> Result<Vec<Document>, Failure> {
        let read = documents::read(&self.dir, file);
        read.map_err(|source| Failure::Documents { dir: self.dir.clone(), source })
    }
}

/// Number `n`.
pub(super) fn key(n: usize) -> Bytes {
    format!("{KEY_PREFIX}{n}").into()
}

/// Texts by which a document would be recognised.
pub(super) fn texts(document: &Bytes) -> BTreeSet<String> {
    Document { name: String::new(), bytes: document.to_vec() }.texts()
}
