//! The folder outside the clone where things that are made once are kept, each under a key that says all about it.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use crate::workspace::variable;

/// `${XDG_CACHE_HOME:-$HOME/.cache}/renkei`.
#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

/// What an entry was made from: a name for people and everything that its content depends on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    name: String,
    text: String,
}

impl Cache {
    pub(crate) fn open() -> anyhow::Result<Self> {
        let base = variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".cache")))
            .ok_or_else(|| anyhow!("neither XDG_CACHE_HOME nor HOME is set, so there is no cache folder"))?;
        Ok(Self { root: base.join("renkei") })
    }

    /// The folder of this key, when it was completed.
    pub(crate) fn find(&self, key: &Key) -> Option<PathBuf> {
        let folder = self.root.join(key.folder());
        let text = fs::read_to_string(folder.join("key")).ok()?;
        (text == key.text).then_some(folder)
    }

    /// The folder of this key; `make` fills it when it is missing, and the answer says whether it did. A folder appears
    /// under its name only when it is complete, so a killed `make` leaves nothing that is taken for a result.
    pub(crate) fn find_or_make(
        &self,
        key: &Key,
        make: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<(PathBuf, bool)> {
        if let Some(folder) = self.find(key) {
            return Ok((folder, false));
        }
        fs::create_dir_all(&self.root).with_context(|| format!("creating {}", self.root.display()))?;
        let lock_path = self.root.join(format!("{}.lock", key.folder()));
        let lock = File::create(&lock_path).with_context(|| format!("creating {}", lock_path.display()))?;
        lock.lock().with_context(|| format!("locking {}", lock_path.display()))?;
        if let Some(folder) = self.find(key) {
            return Ok((folder, false));
        }
        let folder = self.root.join(key.folder());
        let unfinished = self.root.join(format!("{}.unfinished", key.folder()));
        for leftover in [&unfinished, &folder] {
            if leftover.exists() {
                fs::remove_dir_all(leftover).with_context(|| format!("removing {}", leftover.display()))?;
            }
        }
        fs::create_dir(&unfinished).with_context(|| format!("creating {}", unfinished.display()))?;
        make(&unfinished)?;
        fs::write(unfinished.join("key"), &key.text).context("writing a cache key")?;
        fs::rename(&unfinished, &folder).with_context(|| format!("completing {}", folder.display()))?;
        Ok((folder, true))
    }

    #[cfg(test)]
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }
}

impl Key {
    /// `text` is compared as a whole; the name and a hash of the text only make the folder's name.
    pub(crate) fn new(name: String, text: String) -> Self {
        Self { name, text }
    }

    /// The folder's name. Another hash in another version of Rust only means that the entry is made again.
    pub(crate) fn folder(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.text.hash(&mut hasher);
        format!("{}-{:016x}", self.name, hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn key(text: &str) -> Key {
        Key::new("thing".into(), text.into())
    }

    #[test]
    fn an_entry_is_made_once_and_found_under_its_whole_key() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let (made, fresh) = cache.find_or_make(&key("a"), |at| Ok(fs::write(at.join("x"), "1")?)).unwrap();
        assert!(fresh);
        assert_eq!(fs::read_to_string(made.join("x")).unwrap(), "1");
        let again = cache.find_or_make(&key("a"), |_| bail!("made twice")).unwrap();
        assert_eq!(again, (made, false));
        assert_eq!(cache.find(&key("b")), None);
    }

    #[test]
    fn an_entry_that_failed_half_way_is_never_found_and_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let failed = cache.find_or_make(&key("a"), |at| {
            fs::write(at.join("half"), "")?;
            bail!("killed")
        });
        assert!(failed.is_err());
        assert_eq!(cache.find(&key("a")), None);
        let (made, fresh) = cache.find_or_make(&key("a"), |_| Ok(())).unwrap();
        assert!(fresh);
        assert!(!made.join("half").exists());
    }

    #[test]
    fn a_folder_whose_key_differs_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let (made, _) = cache.find_or_make(&key("a"), |_| Ok(())).unwrap();
        fs::write(made.join("key"), "another").unwrap();
        assert_eq!(cache.find(&key("a")), None);
        assert!(cache.find_or_make(&key("a"), |_| Ok(())).unwrap().1);
    }
}
