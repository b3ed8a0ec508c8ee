//! The control of a search for plaintext: the same documents, stored without encryption.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};
use renkei_storage::log::{LogDb, LogOptions};
use renkei_storage::state::{Family, FamilySpec, StateDb};
use renkei_storage::{DirOwner, MemoryBudget, StorageError};

use crate::scan::{Findings, ScanError, Tokens, scan};

/// Families as a node has them for documents: small values in tables, large ones in blob files.
const FAMILIES: &[FamilySpec] = &[
    FamilySpec { name: "summary", prefix_len: 2, blob_min_bytes: None, local: false },
    FamilySpec { name: "body", prefix_len: 2, blob_min_bytes: Some(16 << 10), local: false },
];
const SUMMARY: Family = Family::new(0);
const BODY: Family = Family::new(1);
/// As a gateway compresses.
const ZSTD_LEVEL: i32 = 3;

/// Why there is no control.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum ControlError {
    #[error("making a temporary folder")]
    Folder {
        #[source]
        source: io::Error,
    },
    #[error("storing documents in {}", dir.display())]
    Store {
        dir: PathBuf,
        #[source]
        source: StorageError,
    },
    #[error("appending documents to the log in {}", dir.display())]
    Append {
        dir: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("compressing a document")]
    Compress {
        #[source]
        source: io::Error,
    },
    #[error("scanning the control")]
    Scan {
        #[source]
        source: ScanError,
    },
}

/// Unencrypted databases in a temporary folder, which goes with it.
#[derive(Debug)]
pub struct Control {
    folder: tempfile::TempDir,
    log: LogDb,
    state: StateDb,
    written: u64,
}

impl Control {
    /// Empty databases in the system's temporary folder.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn create() -> Result<Self, ControlError> {
        let folder = tempfile::tempdir().map_err(|source| ControlError::Folder { source })?;
        let owner = DirOwner { cloud: CloudId::from_bytes([0; 16]), node: NodeId(1), replica: None };
        let replica = DirOwner { replica: Some((GroupId(1), ReplicaId(1))), ..owner };
        let dir = folder.path().to_owned();
        let failed = |source| ControlError::Store { dir: dir.clone(), source };
        let options = LogOptions::new(owner, MemoryBudget::new(0));
        // A failed write reaches the append that waits for it.
        let log = LogDb::open(&dir.join("log"), &options, Arc::new(|_| {})).map_err(failed)?;
        let state = StateDb::open(&dir.join("state"), &replica, FAMILIES, &MemoryBudget::new(0)).map_err(failed)?;
        Ok(Self { folder, log, state, written: 0 })
    }

    /// Stores a document as it is in the log and in the state, and compressed in the state.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn store(&mut self, document: &[u8]) -> Result<(), ControlError> {
        let dir = self.folder.path();
        let failed = |source| ControlError::Store { dir: dir.to_owned(), source };
        let group = self.log.group(GroupId(1), ReplicaId(1)).map_err(failed)?;
        let (sender, receiver) = mpsc::channel();
        let durable = Box::new(move |done| {
            // The receiver below waits for it.
            let _ = sender.send(done);
        });
        group.append(self.written, vec![Bytes::copy_from_slice(document)], durable).map_err(failed)?;
        let appended = receiver.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()));
        appended.map_err(|source| ControlError::Append { dir: dir.to_owned(), source })?;
        let compressed = zstd::encode_all(document, ZSTD_LEVEL).map_err(|source| ControlError::Compress { source })?;
        let key = self.written.to_be_bytes();
        let mut staged = self.state.staged();
        staged.put(SUMMARY, &key, compressed);
        staged.put(BODY, &key, Bytes::copy_from_slice(document));
        self.state.commit(staged, Bytes::copy_from_slice(&key), &[]).map_err(failed)?;
        self.written += 1;
        Ok(())
    }

    /// Closes the databases and scans them.
    ///
    /// # Errors
    /// When they cannot be flushed or scanned.
    pub fn scan(self, tokens: &Tokens) -> Result<Findings, ControlError> {
        let Self { folder, log, state, written: _ } = self;
        let dir: &Path = folder.path();
        state.flush().map_err(|source| ControlError::Store { dir: dir.to_owned(), source })?;
        log.shutdown();
        drop((log, state));
        scan(dir, tokens, None).map_err(|source| ControlError::Scan { source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_found_small_and_large() {
        let names = ["small-document-text", "large-document-text"];
        let tokens = Tokens::new(names).unwrap();
        let mut control = Control::create().unwrap();
        control.store(names[0].as_bytes()).unwrap();
        control.store(&[names[1].as_bytes(), &vec![b'.'; 100_000]].concat()).unwrap();
        let findings = control.scan(&tokens).unwrap();
        assert_eq!((findings.tokens.len(), findings.unopened.len()), (2, 0));
        // Each in the log and in both families at least.
        assert!(findings.total >= 6, "{findings:?}");
    }
}
