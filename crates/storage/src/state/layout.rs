//! The directory of a replica.
//!
//! ```text
//! OWNER                whose it is
//! GENERATION           number of the generation that counts
//! gen-1                a state database
//! incoming             a snapshot being received
//! checkpoint-4         a checkpoint: db/ and FILES
//! checkpoint-5.tmp     a checkpoint being made
//! ```
//!
//! A snapshot is installed by two renames: `incoming` becomes the next generation, then a staged file becomes
//! `GENERATION`. A crash leaves one of these, and [`recover`] needs to look at nothing but `GENERATION`:
//!
//! | on disk | meaning | recovery |
//! |---|---|---|
//! | `incoming`, whole or in part | not installed | deleted: undone |
//! | `gen-2`, `GENERATION` says 1 | between the renames | `gen-2` deleted: undone |
//! | `gen-1`, `GENERATION` says 2 | installed, old files not yet deleted | `gen-1` deleted: finished |
//!
//! The old generation keeps its name until its last view is dropped, so a read never meets files of another generation.

use std::path::{Path, PathBuf};

use crate::{DirOwner, StorageError, durable};

pub(super) const INCOMING: &str = "incoming";
const GENERATION: &str = "GENERATION";
const GENERATION_PREFIX: &str = "gen-";
const CHECKPOINT_PREFIX: &str = "checkpoint-";
const STAGED_SUFFIX: &str = ".tmp";
const OWNER: &str = "OWNER";
const FORMAT: u32 = 1;

/// Number of a generation, from 1.
pub(super) const FIRST_GENERATION: u64 = 1;

pub(super) fn generation_dir(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("{GENERATION_PREFIX}{generation}"))
}

pub(super) fn checkpoint_dir(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{CHECKPOINT_PREFIX}{number}"))
}

pub(super) fn staged_checkpoint_dir(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{CHECKPOINT_PREFIX}{number}{STAGED_SUFFIX}"))
}

/// Makes `generation` the one that counts: the step that decides an install.
pub(super) fn point_at(dir: &Path, generation: u64) -> Result<(), StorageError> {
    durable::replace_file(&dir.join(GENERATION), encode_generation(generation).as_bytes())
}

/// Finishes or undoes what a crash interrupted; gives the number of the generation that counts, `None` when the
/// replica has none yet. Only for a directory that nobody has open.
pub(super) fn recover(dir: &Path) -> Result<Option<u64>, StorageError> {
    let pointer = dir.join(GENERATION);
    let current = match durable::read_if_present(&pointer)? {
        Some(bytes) => Some(decode_generation(&bytes, &pointer)?),
        None => None,
    };
    let names = durable::names_in(dir)?;
    if current.is_none() && names.iter().any(|name| name.starts_with(GENERATION_PREFIX)) {
        // The pointer is written before the first generation is made, so it was lost; deleting data is no recovery.
        return Err(StorageError::Malformed { record: "the missing generation file", path: pointer });
    }
    for name in names {
        let stale = name == INCOMING
            || name.ends_with(STAGED_SUFFIX)
            || (name.starts_with(GENERATION_PREFIX) && number_of(&name, GENERATION_PREFIX) != current);
        if stale {
            durable::remove(&dir.join(name))?;
        }
    }
    Ok(current)
}

/// Numbers of the finished checkpoints, ascending.
pub(super) fn checkpoints(dir: &Path) -> Result<Vec<u64>, StorageError> {
    let names = durable::names_in(dir)?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_of(name, CHECKPOINT_PREFIX)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Deletes the directory. The owner marker goes last, so that a deletion cut short is found and can be repeated.
pub(super) fn destroy(dir: &Path, owner: &DirOwner) -> Result<(), StorageError> {
    owner.check(dir)?;
    for name in durable::names_in(dir)? {
        if name != OWNER {
            durable::remove(&dir.join(name))?;
        }
    }
    durable::remove(&dir.join(OWNER))?;
    durable::remove(dir)
}

fn number_of(name: &str, prefix: &str) -> Option<u64> {
    name.strip_prefix(prefix)?.parse().ok()
}

fn encode_generation(generation: u64) -> String {
    format!("renkei {FORMAT}\ngeneration {generation}\n")
}

fn decode_generation(bytes: &[u8], path: &Path) -> Result<u64, StorageError> {
    let malformed = || StorageError::Malformed { record: "the generation file", path: path.to_path_buf() };
    let text = str::from_utf8(bytes).map_err(|_| malformed())?;
    let (format, rest) = text.split_once('\n').ok_or_else(malformed)?;
    let found: u32 = format.strip_prefix("renkei ").and_then(|version| version.parse().ok()).ok_or_else(malformed)?;
    if found != FORMAT {
        return Err(StorageError::UnknownFormat { path: path.to_path_buf(), found, newest: FORMAT });
    }
    let number = rest.strip_prefix("generation ").and_then(|number| number.strip_suffix('\n')).ok_or_else(malformed)?;
    number.parse().map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_format_is_the_fixture() {
        assert_eq!(encode_generation(12), "renkei 1\ngeneration 12\n");
        assert_eq!(decode_generation(b"renkei 1\ngeneration 12\n", Path::new("g")).unwrap(), 12);
    }

    #[test]
    fn damaged_and_newer_pointers_are_refused() {
        let refused = |text: &str| decode_generation(text.as_bytes(), Path::new("g")).unwrap_err();
        for text in ["", "renkei 1", "renkei 1\n", "renkei 1\ngeneration 1", "renkei 1\ngeneration x\n", "gen 1\n"] {
            assert!(matches!(refused(text), StorageError::Malformed { .. }), "{text:?}");
        }
        let newer = refused("renkei 2\ngeneration 1\n");
        assert!(matches!(newer, StorageError::UnknownFormat { found: 2, .. }));
    }
}
