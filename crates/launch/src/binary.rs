//! Finds the binaries that were built together with the running one.

use std::io;
use std::path::{Path, PathBuf};

/// Why a binary was not found.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum BinaryError {
    #[error("finding the running executable")]
    Own {
        #[source]
        source: io::Error,
    },
    #[error("no binary {name} in {}; build it with `cargo build --release --workspace --bins`", dir.display())]
    Missing { name: &'static str, dir: PathBuf },
}

/// The binary of this name beside the running executable. A test runs from `deps/` and an example from `examples/`, so
/// their binaries lie one above.
pub fn beside(name: &'static str) -> Result<PathBuf, BinaryError> {
    let own = std::env::current_exe().map_err(|source| BinaryError::Own { source })?;
    in_dir_of(&own, name)
}

fn in_dir_of(own: &Path, name: &'static str) -> Result<PathBuf, BinaryError> {
    let dir = own.parent().unwrap_or(Path::new("/"));
    let dir = if dir.ends_with("deps") || dir.ends_with("examples") { dir.parent().unwrap_or(dir) } else { dir };
    let path = dir.join(name);
    if path.is_file() { Ok(path) } else { Err(BinaryError::Missing { name, dir: dir.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn services_and_tests_find_the_same_binary() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("renkei-node");
        fs::write(&binary, b"").unwrap();
        assert_eq!(in_dir_of(&dir.path().join("renkei"), "renkei-node").unwrap(), binary);
        for own in ["deps/it-0123", "examples/mint"] {
            assert_eq!(in_dir_of(&dir.path().join(own), "renkei-node").unwrap(), binary);
        }
        assert!(matches!(in_dir_of(&dir.path().join("renkei"), "renkei-vault"), Err(BinaryError::Missing { .. })));
    }
}
