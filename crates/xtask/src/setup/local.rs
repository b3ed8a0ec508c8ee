//! `.cargo/local.toml`: where the things of this machine are, for every cargo that runs in the clone.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::rocksdb::Library;
use super::system::Tools;

const HEAD: &str =
    "# Written by `cargo xtask setup` for this machine; not tracked. Delete it to build without set-up.\n[env]\n";

#[derive(Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) library: &'a Library,
}

impl Settings<'_> {
    /// Writes the file when its content changes, and says whether it did: cargo looks at it before every build.
    pub(crate) fn write(&self, workspace_root: &Path) -> anyhow::Result<bool> {
        let path = workspace_root.join(".cargo").join("local.toml");
        let text = render(&self.variables()?)?;
        // A file that cannot be read is written anew.
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            return Ok(false);
        }
        let unfinished = path.with_extension("toml.unfinished");
        fs::write(&unfinished, text).with_context(|| format!("writing {}", unfinished.display()))?;
        fs::rename(&unfinished, &path).with_context(|| format!("replacing {}", path.display()))?;
        Ok(true)
    }

    fn variables(&self) -> anyhow::Result<[(&'static str, String); 5]> {
        Ok([
            ("ROCKSDB_LIB_DIR", text_of(&self.library.folder)?),
            ("ROCKSDB_STATIC", "1".to_owned()),
            // The build script of librocksdb-sys watches this variable and no other. Any value but `1` and `true` leaves
            // the prebuilt library in use, so that the key here makes cargo look again when the library changes.
            ("ROCKSDB_COMPILE", format!("prebuilt {}", self.library.key)),
            ("LIBCLANG_PATH", text_of(&self.tools.libclang)?),
            // libclang without clang has no stdbool.h of its own.
            ("BINDGEN_EXTRA_CLANG_ARGS", format!("-I{}", text_of(&self.tools.headers)?)),
        ])
    }
}

fn render(variables: &[(&str, String)]) -> anyhow::Result<String> {
    let mut text = String::from(HEAD);
    for (name, value) in variables {
        ensure!(!value.chars().any(char::is_control), "{name} would hold a control character");
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        writeln!(text, "{name} = {{ value = \"{value}\", force = true }}").expect("writing to a String cannot fail");
    }
    Ok(text)
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().with_context(|| format!("{} is not text", path.display()))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn tools() -> Tools {
        Tools { compiler: "g++ 12".into(), libclang: PathBuf::from("/c/libclang.so"), headers: PathBuf::from("/h") }
    }

    fn library(folder: &str) -> Library {
        Library { folder: PathBuf::from(folder), key: "k".into() }
    }

    #[test]
    fn the_file_is_written_only_when_its_content_changes() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".cargo")).unwrap();
        let (tools, first, second) = (tools(), library("/a"), library("/b"));
        let write = |library| Settings { tools: &tools, library }.write(root.path()).unwrap();
        assert_eq!([write(&first), write(&first), write(&second), write(&second)], [true, false, true, false]);
        let text = fs::read_to_string(root.path().join(".cargo/local.toml")).unwrap();
        assert!(text.contains("ROCKSDB_LIB_DIR = { value = \"/b\", force = true }\n"), "{text}");
        assert!(text.contains("BINDGEN_EXTRA_CLANG_ARGS = { value = \"-I/h\", force = true }\n"), "{text}");
    }

    #[test]
    fn every_variable_that_is_written_is_one_that_xtask_removes_from_its_environment() {
        let variables = Settings { tools: &tools(), library: &library("/a") }.variables().unwrap();
        assert_eq!(variables.map(|(name, _)| name), crate::workspace::LOCAL_VARIABLES);
    }

    #[test]
    fn quotes_are_escaped_and_control_characters_refused() {
        let text = render(&[("A", String::from("x\"\\y"))]).unwrap();
        assert!(text.ends_with("A = { value = \"x\\\"\\\\y\", force = true }\n"), "{text}");
        assert!(render(&[("A", String::from("x\ny"))]).is_err());
    }
}
