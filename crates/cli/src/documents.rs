//! Documents in a folder: as they are, compressed, or many in one file.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde_json::Value;

/// Most bytes of a file that are taken, after inflating.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// Texts of one document that are looked for.
const TEXTS: usize = 4;
/// Shortest text of a document that is looked for, in bytes.
const TEXT_MIN: usize = 16;
/// Different bytes that such a text has at least.
const DISTINCT_BYTES: usize = 8;
/// Bytes of a longer text that are looked for.
const TEXT_MAX: usize = 48;

/// A document, and where it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Path below the folder, and behind a colon the line in a file of lines, from 1.
    pub name: String,
    /// The bytes, as a gateway would get them.
    pub bytes: Vec<u8>,
}

/// Why a folder of documents was not read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum DocumentError {
    #[error("listing {}", path.display())]
    List {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("reading {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} holds more than {MAX_FILE_BYTES} bytes", path.display())]
    TooLarge { path: PathBuf },
}

/// Paths of the files at and below `dir`, sorted. Links are not followed.
///
/// # Errors
/// When a folder cannot be listed.
pub fn files_below(dir: &Path) -> Result<Vec<PathBuf>, DocumentError> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        let failed = |source| DocumentError::List { path: dir.clone(), source };
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The documents of one file below `dir`: `.gz` and `.bz2` are inflated up to [`MAX_FILE_BYTES`], `.ndjson` is split by
/// line (empty lines are none), every other file is one document.
///
/// # Errors
/// When the file cannot be read or inflated, or is too large.
pub fn read(dir: &Path, path: &Path) -> Result<Vec<Document>, DocumentError> {
    let failed = |source| DocumentError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut inner = path.to_owned();
    let content = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => {
            inner.set_extension("");
            bounded(flate2::read::MultiGzDecoder::new(file))
        }
        Some("bz2") => {
            inner.set_extension("");
            bounded(bzip2::read::MultiBzDecoder::new(file))
        }
        _ => bounded(file),
    };
    let bytes = content.map_err(failed)?.ok_or_else(|| DocumentError::TooLarge { path: path.to_owned() })?;
    let name = path.strip_prefix(dir).unwrap_or(path).display().to_string();
    if inner.extension().is_none_or(|extension| extension != "ndjson") {
        return Ok(vec![Document { name, bytes }]);
    }
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let numbered = (1_usize..).zip(lines).filter(|(_, line)| !line.is_empty());
    Ok(numbered.map(|(n, line)| Document { name: format!("{name}:{n}"), bytes: line.to_vec() }).collect())
}

/// What it holds; `None` when that is more than is taken.
fn bounded(source: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= MAX_FILE_BYTES).then_some(bytes))
}

impl Document {
    /// Texts of the document by which it can be recognised, at most four: from the middle of its longest string values
    /// that are no names of systems. Each stands in the bytes as it is. None for what is no JSON.
    pub fn texts(&self) -> BTreeSet<String> {
        let Ok(value) = serde_json::from_slice(&self.bytes) else { return BTreeSet::new() };
        let mut strings = Vec::new();
        collect(&value, &mut strings);
        strings.retain(|text| text.len() >= TEXT_MIN && !["http", "urn:"].iter().any(|start| text.starts_with(start)));
        strings.sort_unstable_by_key(|text| (std::cmp::Reverse(text.len()), *text));
        strings.dedup();
        let texts = strings.into_iter().map(middle).filter(|text| {
            // A text that was written with escapes is not there as it is, and a run of one character is everywhere.
            varied(text) && memmem::find(&self.bytes, text.as_bytes()).is_some()
        });
        texts.take(TEXTS).map(str::to_owned).collect()
    }
}

/// Every string value in it.
fn collect<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The middle of the longest piece of a text without characters that JSON escapes.
fn middle(text: &str) -> &str {
    let escaped = |c: char| c.is_control() || c == '"' || c == '\\';
    let piece = text.split(escaped).max_by_key(|piece| piece.len()).unwrap_or(text);
    let spare = piece.len().saturating_sub(TEXT_MAX) / 2;
    let start = piece.ceil_char_boundary(spare);
    let end = piece.floor_char_boundary((start + TEXT_MAX).min(piece.len()));
    &piece[start..end]
}

fn varied(text: &str) -> bool {
    text.len() >= TEXT_MIN && text.bytes().collect::<BTreeSet<_>>().len() >= DISTINCT_BYTES
}

/// Documents are patients', so only name and size are shown.
impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("name", &self.name).field("bytes", &self.bytes.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bz2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn documents(dir: &Path) -> Vec<(String, Vec<u8>)> {
        let files = files_below(dir).unwrap();
        let read = files.iter().flat_map(|path| read(dir, path).unwrap());
        read.map(|document| (document.name, document.bytes)).collect()
    }

    #[test]
    fn every_kind_of_file_gives_its_documents() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        let files: [(&str, Vec<u8>); 5] = [
            ("a.json", b"{}\n".to_vec()),
            ("b.json.gz", gz(b"{}")),
            ("c.ndjson.bz2", bz2(b"1\r\n\n2\n")),
            ("d.xml", b"<x/>".to_vec()),
            ("sub/e.ndjson", b"3".to_vec()),
        ];
        for (name, bytes) in files {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        let expected: [(&str, &[u8]); 6] = [
            ("a.json", b"{}\n"),
            ("b.json.gz", b"{}"),
            ("c.ndjson.bz2:1", b"1"),
            ("c.ndjson.bz2:3", b"2"),
            ("d.xml", b"<x/>"),
            ("sub/e.ndjson:1", b"3"),
        ];
        let expected: Vec<_> = expected.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).into();
        assert_eq!(documents(dir.path()), expected);
    }

    #[test]
    fn a_bomb_is_refused_and_the_limit_itself_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bomb.json.gz");
        for (length, taken) in [(MAX_FILE_BYTES, true), (MAX_FILE_BYTES + 1, false)] {
            fs::write(&path, gz(&vec![b' '; length])).unwrap();
            assert_eq!(read(dir.path(), &path).is_ok(), taken, "{length}");
        }
        fs::write(&path, b"not gzip at all").unwrap();
        assert!(matches!(read(dir.path(), &path), Err(DocumentError::Read { .. })));
    }

    #[test]
    fn texts_stand_in_the_document_as_they_are() {
        let narrative = format!("{}\\n{}", "模擬処方".repeat(30), "short");
        let json = format!(
            "{{\"a\":\"http://example.jp/a-long-system-name\",\"b\":[\"{narrative}\",\"A1234567890123456\",\"{}\",\"\\u0041BCDEFGHIJKLMNOPQRST\"],\"c\":\"x\"}}",
            "A".repeat(500)
        );
        let document = Document { name: "d".to_owned(), bytes: json.clone().into_bytes() };
        let texts = document.texts();
        assert_eq!(texts.len(), 2, "{texts:?}");
        for text in &texts {
            assert!(json.contains(text.as_str()) && (TEXT_MIN..=TEXT_MAX).contains(&text.len()), "{text}");
        }
        assert!(Document { bytes: b"<x/>".to_vec(), ..document }.texts().is_empty());
    }
}
