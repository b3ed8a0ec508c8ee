//! Documents that tell their number, so that what is read can be compared as a whole.

use bytes::Bytes;

/// The summary of a document.
pub(crate) fn summary(content: u64) -> Bytes {
    Bytes::from(format!("summary {content}"))
}

/// The document: mostly some hundred bytes, sometimes large enough for a blob file, seldom too large to wait as bytes.
pub(crate) fn body(content: u64) -> Bytes {
    let spread = content.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let len = match spread % 200 {
        0 => 66_000 + spread % 30_000,
        1..=10 => 17_000 + spread % 10_000,
        _ => 100 + spread % 900,
    };
    let line = format!("document {content}\n");
    let repeated = line.bytes().cycle().take(usize::try_from(len).unwrap().max(line.len()));
    repeated.collect::<Vec<u8>>().into()
}

/// The number in a summary.
///
/// # Errors
/// What was read, if it is nobody's summary.
pub(crate) fn number_of_summary(read: &[u8]) -> Result<u64, String> {
    number(read, "summary ").filter(|content| summary(*content) == read).ok_or_else(|| shown(read))
}

/// The number in a document.
///
/// # Errors
/// The beginning of what was read, if it is not one document from its first byte to its last.
pub(crate) fn number_of_body(read: &[u8]) -> Result<u64, String> {
    let line = read.split(|byte| *byte == b'\n').next().unwrap_or_default();
    number(line, "document ").filter(|content| body(*content) == read).ok_or_else(|| shown(read))
}

fn number(text: &[u8], before: &str) -> Option<u64> {
    std::str::from_utf8(text).ok()?.strip_prefix(before)?.parse().ok()
}

fn shown(read: &[u8]) -> String {
    let beginning: String = String::from_utf8_lossy(read).chars().take(60).collect();
    format!("{} bytes: {beginning:?}", read.len())
}

#[test]
fn a_document_is_told_from_another_and_from_part_of_itself() {
    for content in 1..2_000 {
        let whole = body(content);
        assert_eq!(number_of_body(&whole), Ok(content));
        assert!(number_of_body(&whole[..whole.len() - 1]).is_err());
        assert_eq!(number_of_summary(&summary(content)), Ok(content));
    }
    let mut torn = body(1).to_vec();
    let last = torn.len() - 1;
    torn[last] ^= 1;
    assert!(number_of_body(&torn).is_err());
}
