//! Files, as they lie on disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use renkei_storage::StorageError;

use super::findings::{Findings, Hit, Part};
use super::frame::search;
use super::source::OnDisk;
use super::tokens::Tokens;

/// Why a scan did not look at everything.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum ScanError {
    #[error("listing {}", path.display())]
    List {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("scanning {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("looking for databases below {}", dir.display())]
    Databases {
        dir: PathBuf,
        #[source]
        source: StorageError,
    },
}

/// Every regular file at and below `dir`, sorted. Links are not followed: what they lead to is not the directory's.
pub(super) fn files_below(dir: &Path) -> Result<Vec<PathBuf>, ScanError> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        let failed = |source| ScanError::List { path: dir.clone(), source };
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Looks at one file.
pub(super) fn scan(path: &Path, tokens: &Tokens, findings: &mut Findings) -> Result<(), ScanError> {
    let searched = search(&OnDisk(path), tokens, &mut |token, depth| {
        findings.add(Hit { token, path: path.to_owned(), part: Part::File, inflated: depth > 0 });
    });
    let searched = searched.map_err(|source| ScanError::Read { path: path.to_owned(), source })?;
    findings.files += 1;
    findings.bytes += searched.bytes;
    findings.cut_frames += searched.cut_frames;
    Ok(())
}
