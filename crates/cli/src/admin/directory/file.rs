//! A directory in a file: as it travels.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use renkei_access::{DIRECTORY_MAX_BYTES, Directory, SignedDirectory};

use crate::failure::Failure;

/// The directory in a file. Who signed it is for those who take it to judge.
pub(super) fn read(path: &Path) -> Result<(SignedDirectory, Directory), Failure> {
    let failed = |source| Failure::Read { path: path.to_owned(), source };
    let invalid = |source| Failure::Directory { path: Some(path.to_owned()), source };
    let len = usize::try_from(fs::metadata(path).map_err(failed)?.len()).unwrap_or(usize::MAX);
    if len > DIRECTORY_MAX_BYTES {
        return Err(invalid(renkei_access::InvalidDirectory::TooLong(len)));
    }
    let signed = SignedDirectory::from_bytes(fs::read(path).map_err(failed)?.into());
    let directory = signed.read_unverified().map_err(invalid)?;
    Ok((signed, directory))
}

/// Writes a directory, which is no secret. A file that is there is not replaced.
pub(super) fn write(path: &Path, directory: &SignedDirectory) -> Result<(), Failure> {
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(directory.as_bytes())
    };
    written().map_err(|source| Failure::Write { path: path.to_owned(), source })
}
