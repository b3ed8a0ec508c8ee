//! The corpus in the tree: a folder for each target, a few small files in each.

use std::fs;
use std::path::{Path, PathBuf};

use renkei_fuzz::{TARGETS, Target};

/// All files together; what libFuzzer gathers while it runs stays outside of the tree.
const CORPUS_MAX_BYTES: usize = 512 * 1_024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The inputs in the tree for a target, in the order of their names.
pub(crate) fn of(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder().join(target.name)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file of the corpus").path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("a file of the corpus reads");
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_folder_is_a_targets_and_all_of_them_are_small() {
    let mut bytes = 0;
    for entry in fs::read_dir(folder()).expect("the corpus is in the tree") {
        let name = entry.expect("a folder of the corpus").file_name().into_string().expect("a name in ASCII");
        let target = TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("no target {name}"));
        for (path, input) in of(target) {
            assert!(input.len() <= target.input_max_bytes, "{} has {} bytes", path.display(), input.len());
            bytes += input.len();
        }
    }
    assert!(bytes <= CORPUS_MAX_BYTES, "{bytes} bytes");
}
