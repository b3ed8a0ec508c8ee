//! Makes the key files of a registrar's host, once: new ones, or those of the first host.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use renkei_access::StatementKey;
use renkei_runtime::draw;
use zeroize::Zeroizing;

use crate::key_file::{self, KeyFileError, Purpose};

/// Why no keys were made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum SetupError {
    #[error("reading a host secret")]
    HostSecret(#[source] KeyFileError),
    #[error("reading the keys to start from")]
    From(#[source] KeyFileError),
    #[error("writing the keys")]
    Write(#[from] KeyFileError),
}

/// Key files that were made before: those of another host of the same registrar.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Their directory.
    pub dir: &'a Path,
    /// What they are sealed to: the other host's secret, or one of its own for the way between the two.
    pub secret: &'a Path,
}

/// Makes a key file for each purpose and `signing.pub` (64 hexadecimal digits, for the directory) in `dir`; files of mode
/// 0600, the directory 0700, sealed to the host secret. The keys are new, or those of `from`.
///
/// # Errors
/// [`SetupError`]; files that were there are as before.
pub fn setup(dir: &Path, host_secret: &Path, from: Option<Source<'_>>) -> Result<(), SetupError> {
    let host = key_file::host_secret(host_secret).map_err(SetupError::HostSecret)?;
    let made = match from {
        None => Purpose::EVERY.map(|purpose| (purpose, Zeroizing::new(draw()))),
        Some(Source { dir, secret }) => {
            let secret = key_file::host_secret(secret).map_err(SetupError::HostSecret)?;
            let read = |purpose: Purpose| purpose.read(dir, &secret).map(|key| (purpose, key));
            let read: Result<Vec<_>, _> = Purpose::EVERY.into_iter().map(read).collect();
            read.map_err(SetupError::From)?.try_into().expect("one for each purpose")
        }
    };
    let failed = |source| KeyFileError::Write { path: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    for (purpose, key) in &made {
        write(&purpose.path(dir), &purpose.text(key, &host))?;
    }
    let (_, seed) = &made[made.len() - 1];
    let public = StatementKey::from_seed(seed).verifying_key().to_hex();
    Ok(write(&dir.join("signing.pub"), &format!("{public}\n"))?)
}

fn write(path: &Path, text: &str) -> Result<(), KeyFileError> {
    let written = || -> io::Result<()> {
        // create_new: a key that is replaced is everybody lost.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    written().map_err(|source| KeyFileError::Write { path: path.to_owned(), source })
}
