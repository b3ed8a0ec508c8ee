//! The files of a snapshot, as a list.

use std::collections::HashSet;

use super::InvalidSnapshot;

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// Name without a directory, such as `000012.sst`.
    pub name: String,
    /// Length, bytes.
    pub len: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// More files than any state database of ours has: 64 MiB each would make 4 TiB.
const MAX_FILES: usize = 1 << 16;

const FORMAT_LINE: &str = "renkei 1";

/// Whether `name` is one that a database's file has: `CURRENT`, a manifest, a table, a blob file or a write-ahead log.
/// So it has no separator, is not hidden, and cannot name anything outside its directory.
pub(super) fn is_database_file(name: &str) -> bool {
    let digits = |text: &str| (6..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    name == "CURRENT"
        || name.strip_prefix("MANIFEST-").is_some_and(digits)
        || [".sst", ".blob", ".log"].iter().any(|suffix| name.strip_suffix(suffix).is_some_and(digits))
}

/// Checks a list that came from outside.
pub(super) fn validate(files: &[SnapshotFile]) -> Result<(), InvalidSnapshot> {
    if files.len() > MAX_FILES {
        return Err(InvalidSnapshot::TooManyFiles);
    }
    let mut names = HashSet::new();
    for file in files {
        if !is_database_file(&file.name) {
            return Err(InvalidSnapshot::Name);
        }
        if !names.insert(file.name.as_str()) {
            return Err(InvalidSnapshot::DuplicateName);
        }
    }
    Ok(())
}

/// A line with the format, then for each file its hash, length and name.
pub(super) fn encode(files: &[SnapshotFile]) -> String {
    let mut text = format!("{FORMAT_LINE}\n");
    for file in files {
        for byte in file.sha256 {
            text.push_str(&format!("{byte:02x}"));
        }
        text.push_str(&format!(" {} {}\n", file.len, file.name));
    }
    text
}

/// The list in `bytes`; `None` when it does not decode whole.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<SnapshotFile>> {
    let text = str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let mut lines = text.split('\n');
    if lines.next() != Some(FORMAT_LINE) {
        return None;
    }
    let files: Vec<SnapshotFile> = lines.map(decode_line).collect::<Option<_>>()?;
    validate(&files).is_ok().then_some(files)
}

fn decode_line(line: &str) -> Option<SnapshotFile> {
    let mut fields = line.split(' ');
    let (hash, len, name) = (fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() || hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut sha256 = [0; 32];
    for (byte, digits) in sha256.iter_mut().zip(hash.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(SnapshotFile { name: name.to_owned(), len: len.parse().ok()?, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> SnapshotFile {
        SnapshotFile { name: name.to_owned(), len: 12, sha256: [0xAB; 32] }
    }

    #[test]
    fn names_that_leave_the_directory_are_refused() {
        for name in ["CURRENT", "MANIFEST-000005", "000012.sst", "1000000.blob", "000009.log"] {
            assert!(is_database_file(name), "{name}");
        }
        let refused = [
            "",
            ".",
            "..",
            "../CURRENT",
            "/etc/passwd",
            "a/000012.sst",
            "000012.sst/",
            "x000012.sst",
            "12.sst",
            "LOCK",
            "LOG",
            "OWNER",
            "MANIFEST-",
            "MANIFEST-00000x",
            "000012.sst\0",
            "０００００１.sst",
            "000012.SST",
        ];
        for name in refused {
            assert_eq!(validate(&[file(name)]), Err(InvalidSnapshot::Name), "{name:?}");
        }
    }

    #[test]
    fn double_names_and_too_many_files_are_refused() {
        assert_eq!(validate(&[file("CURRENT"), file("CURRENT")]), Err(InvalidSnapshot::DuplicateName));
        let many: Vec<_> = (0..=MAX_FILES).map(|number| file(&format!("{number:06}.sst"))).collect();
        assert_eq!(validate(&many), Err(InvalidSnapshot::TooManyFiles));
        assert_eq!(validate(&many[1..]), Ok(()));
    }

    #[test]
    fn the_stored_format_is_the_fixture() {
        let text = format!("renkei 1\n{} 12 CURRENT\n{} 12 000012.sst\n", "ab".repeat(32), "ab".repeat(32));
        let files = [file("CURRENT"), file("000012.sst")];
        assert_eq!(encode(&files), text);
        assert_eq!(decode(text.as_bytes()).as_deref(), Some(&files[..]));
        for cut in 9..text.len() - 1 {
            let whole_lines = text[..cut].ends_with('\n');
            assert_eq!(decode(&text.as_bytes()[..cut]).is_some(), whole_lines, "cut at {cut}");
        }
    }
}
