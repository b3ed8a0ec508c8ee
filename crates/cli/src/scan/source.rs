//! Bytes that can be read again from any place.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes that can be read again from any place: where a compressed frame begins is known only in passing.
pub(super) trait Source {
    fn read_from(&self, offset: u64) -> io::Result<impl Read>;
}

impl Source for &[u8] {
    fn read_from(&self, offset: u64) -> io::Result<impl Read> {
        Ok(usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default())
    }
}

/// A file, opened for each reading.
pub(super) struct OnDisk<'a>(pub(super) &'a Path);

impl Source for OnDisk<'_> {
    fn read_from(&self, offset: u64) -> io::Result<impl Read> {
        let mut file = File::open(PathBuf::from(self.0))?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(BufReader::with_capacity(64 << 10, file))
    }
}
