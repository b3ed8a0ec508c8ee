//! Looks for planted plaintext in everything that a directory holds.
//!
//! Every database is opened and every key and value of it looked at, blob values included; every file is looked at raw
//! as well: write-ahead logs, tables, blob files, text logs, configurations. Zstandard and LZ4 frames are inflated
//! wherever they begin, inside values and inside files, and looked at again.
//!
//! What it cannot see: an overwritten or deleted value in an LZ4 block of a table that was not compacted yet, and
//! plaintext in an encoding other than the token's own bytes. The same scanner over unencrypted databases is the
//! control that tells how much it does see.

mod file;
mod findings;
mod frame;
mod source;
mod tokens;

use std::ops::ControlFlow;
use std::path::Path;

use renkei_storage::{StorageError, databases_below, scan_database};

use file::files_below;
use frame::search;

pub use file::ScanError;
pub use findings::{Findings, Hit, MAX_HITS, Part};
pub use frame::{MAX_DEPTH, MAX_INFLATED};
pub use tokens::{InvalidTokens, MIN_TOKEN_BYTES, Tokens};

/// Looks for `tokens` in every database and every file below `dir`. No process may have a database there open.
///
/// A database that does not open, such as a half-received snapshot, is looked at raw only and named in the findings. One
/// file may be left out: the list of the tokens itself.
///
/// # Errors
/// When a directory or a file cannot be read: a scan that skipped it would say too little.
pub fn scan(dir: &Path, tokens: &Tokens, except: Option<&Path>) -> Result<Findings, ScanError> {
    let mut findings = Findings::default();
    // Raw first: opening a database may begin a message file, which is nothing that a process left.
    for path in files_below(dir)?.into_iter().filter(|path| except != Some(path)) {
        file::scan(&path, tokens, &mut findings)?;
    }
    let databases = databases_below(dir).map_err(|source| ScanError::Databases { dir: dir.to_owned(), source })?;
    for path in databases {
        match scan_pairs(&path, tokens, &mut findings) {
            Ok(()) => findings.databases += 1,
            Err(error) => findings.unopened.push((path, error)),
        }
    }
    Ok(findings)
}

fn scan_pairs(path: &Path, tokens: &Tokens, findings: &mut Findings) -> Result<(), StorageError> {
    scan_database(path, &mut |pair| {
        let family = pair.family;
        findings.pairs += 1;
        let mut look_at = |bytes: &[u8], part: fn(String) -> Part| {
            let searched = search(&bytes, tokens, &mut |token, depth| {
                let part = part(family.to_owned());
                findings.add(Hit { token, path: path.to_owned(), part, inflated: depth > 0 });
            });
            let searched = searched.expect("reading memory does not fail");
            findings.bytes += searched.bytes;
            findings.cut_frames += searched.cut_frames;
        };
        look_at(pair.key, Part::Key);
        look_at(pair.value, Part::Value);
        ControlFlow::Continue(())
    })
}

#[cfg(test)]
mod tests;
