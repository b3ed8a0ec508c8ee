//! What is refused from the bytes alone, before anything is read or allocated.

use memchr::memmem;

use crate::refusal::RefusalCode;

/// Most bytes of a document: 10 MiB. The platform's rule says 10 MB and does not say which; this is the larger reading.
pub const DOCUMENT_MAX_BYTES: usize = 10_485_760;

/// The text of a document: of a size that is taken, UTF-8 without byte order mark, without an escaped U+0000. (A raw
/// one is a control character, which JSON does not allow in a string.)
pub(crate) fn text_of(document: &[u8]) -> Result<&str, RefusalCode> {
    if document.is_empty() {
        return Err(RefusalCode::Empty);
    }
    if document.len() > DOCUMENT_MAX_BYTES {
        return Err(RefusalCode::TooLarge);
    }
    if document.starts_with(b"\xEF\xBB\xBF") {
        return Err(RefusalCode::ByteOrderMark);
    }
    let text = core::str::from_utf8(document).map_err(|_| RefusalCode::NotUtf8)?;
    if has_escaped_nul(document) {
        return Err(RefusalCode::NulCharacter);
    }
    Ok(text)
}

/// Whether `\u0000` stands anywhere with a backslash that is not itself escaped. JSON has backslashes in strings only.
fn has_escaped_nul(document: &[u8]) -> bool {
    memmem::find_iter(document, br"\u0000").any(|at| {
        let before = document[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        before % 2 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_refused_past_their_edge() {
        assert_eq!(text_of(b""), Err(RefusalCode::Empty));
        let blanks = vec![b' '; DOCUMENT_MAX_BYTES + 1];
        assert_eq!(text_of(&blanks), Err(RefusalCode::TooLarge));
        assert_eq!(text_of(&blanks[1..]).map(str::len), Ok(DOCUMENT_MAX_BYTES));
    }

    #[test]
    fn other_encodings_are_refused() {
        assert_eq!(text_of(b"\xEF\xBB\xBF{}"), Err(RefusalCode::ByteOrderMark));
        for bytes in [&b"\xFF\xFE{\0}\0"[..], b"{\"a\":\"\x83\x41\"}", b"\"\xC0\xAF\"", b"\"\xED\xA0\x80\""] {
            assert_eq!(text_of(bytes), Err(RefusalCode::NotUtf8));
        }
    }

    #[test]
    fn an_escaped_nul_is_told_from_an_escaped_backslash() {
        assert_eq!(text_of(br#""a\u0000b""#), Err(RefusalCode::NulCharacter));
        assert_eq!(text_of(br#""\\\u0000""#), Err(RefusalCode::NulCharacter));
        assert!(text_of(br#""a\\u0000b""#).is_ok());
        assert!(text_of(br#""a\u0001b""#).is_ok());
    }
}
