//! File operations that survive a power cut: content first, then the name, then the directory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use renkei_faults::{Point, reached};

use crate::StorageError;

/// Replaces `path` by a file with `content`: a crash leaves the old file or the new one.
///
/// # Errors
/// When it cannot be written, renamed or made durable.
pub fn replace_file(path: &Path, content: &[u8]) -> Result<(), StorageError> {
    let staged = path.with_extension("tmp");
    let write = || -> io::Result<()> {
        let mut file = File::create(&staged)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|source| StorageError::io("write", &staged, source))?;
    reached(Point::FileStaged);
    rename(&staged, path)
}

/// Renames and makes the new name durable. Both names lie in one directory.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StorageError> {
    fs::rename(from, to).map_err(|source| StorageError::io("rename", from, source))?;
    sync_dir(to.parent().unwrap_or(Path::new(".")))
}

/// Makes the names in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StorageError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|source| StorageError::io("sync", dir, source))
}

/// Makes `dir` and its parents, and makes their names durable; done already is done.
pub(crate) fn create_dir(dir: &Path) -> Result<(), StorageError> {
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !above.is_dir() {
        create_dir(above)?;
    }
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        made => made.map_err(|source| StorageError::io("create", dir, source))?,
    }
    // Also where it was there: whoever made it may have died before this.
    sync_dir(above)
}

/// Deletes a file or a directory with all it holds; gone already is gone.
pub(crate) fn remove(path: &Path) -> Result<(), StorageError> {
    let is_dir = path.is_dir() && !path.is_symlink();
    let removed = if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StorageError::io("delete", path, source)),
        _ => Ok(()),
    }
}

/// The content of `path`, `None` when there is no such file.
///
/// # Errors
/// When it cannot be read.
pub fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, StorageError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StorageError::io("read", path, source)),
    }
}

/// The names in `dir` that are UTF-8; others are none of ours. Empty when there is no such directory.
pub(crate) fn names_in(dir: &Path) -> Result<Vec<String>, StorageError> {
    let failed = |source| StorageError::io("list", dir, source);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
