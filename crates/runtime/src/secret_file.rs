//! Secrets come from files that only their owner can read; a configuration holds paths.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Largest secret file, in bytes.
pub const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Mode bits that no secret file has: anything of group and others.
const FOREIGN_BITS: u32 = 0o077;

/// Why a secret file was not read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum SecretFileError {
    #[error("reading secret file {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("secret file {} has mode {mode:04o}; it must be closed to group and others (0600 or 0400)", path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("secret file {} is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("secret file {} is longer than {MAX_SECRET_BYTES} bytes", path.display())]
    TooLong { path: PathBuf },
}

/// Reads a secret file: regular, at most [`MAX_SECRET_BYTES`], closed to group and others. The bytes are zeroised on
/// drop. The mode is checked on the opened file, so that it cannot be swapped in between.
pub fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let failed = |source| SecretFileError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() {
        return Err(SecretFileError::NotAFile { path: path.to_owned() });
    }
    let mode = meta.mode() & 0o7777;
    if mode & FOREIGN_BITS != 0 {
        return Err(SecretFileError::Exposed { path: path.to_owned(), mode });
    }
    // One allocation of the full size: a growing vector would leave unzeroised copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(MAX_SECRET_BYTES + 1).expect("64 KiB fit a usize on every supported target"),
    ));
    file.by_ref().take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_SECRET_BYTES {
        return Err(SecretFileError::TooLong { path: path.to_owned() });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_a_file_closed_to_others_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, b"secret").unwrap();
        for mode in [0o640, 0o604, 0o610, 0o601, 0o660] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = read_secret(&path).unwrap_err();
            assert!(matches!(error, SecretFileError::Exposed { mode: m, .. } if m == mode), "{mode:o}: {error}");
        }
        for mode in [0o600, 0o400] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_secret(&path).unwrap().as_slice(), b"secret");
        }
    }

    #[test]
    fn directories_and_long_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(read_secret(dir.path()), Err(SecretFileError::NotAFile { .. })));
        let path = dir.path().join("long");
        fs::write(&path, vec![0; usize::try_from(MAX_SECRET_BYTES).unwrap() + 1]).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(read_secret(&path), Err(SecretFileError::TooLong { .. })));
    }
}
